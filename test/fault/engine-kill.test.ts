import type { TurnEvent } from '@virtual-tutor/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient, eventsOf, joinLesson, shownText, terminal } from '../support/lesson.ts';
import { anywhere, isLong, often } from '../support/long.ts';
import { describeWith } from '../support/loud-skip.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../support/postgres.ts';

const question = 'Why is the sky blue?';

/** Asks, and calls `cut` once `after` pieces of the reply have come. */
async function replyCutBy(engine: RunningEngine, after: number, cut: () => Promise<void>) {
  const client = await consoleClient(engine);
  await using joined = await joinLesson(client);
  const events: TurnEvent[] = [];
  let cutting: Promise<void> = Promise.resolve();
  for await (const event of joined.session.chat.send(question)) {
    events.push(event);
    if (event.type === 'text' && events.filter(({ type }) => type === 'text').length === after) cutting = cut();
  }
  await cutting;
  const fresh = await consoleClient(engine);
  return {
    events,
    sessionId: joined.sessionId,
    log: await eventsOf(fresh, joined.sessionId),
    verdict: await fresh.audit.verify(joined.sessionId),
    transcript: await Array.fromAsync(fresh.sessions.transcript(joined.sessionId)),
  };
}

async function wholeReply(engine: RunningEngine): Promise<string> {
  await using joined = await joinLesson(await consoleClient(engine));
  return await joined.session.chat.send(question).text();
}

describe('kill -9 of the engine in the middle of a reply', () => {
  let engine: RunningEngine;
  let expected = '';
  beforeAll(async () => {
    engine = await startEngine({ EXTRACTIVE_PACE_MS: '15' });
    expected = await wholeReply(engine);
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
  });

  const points = isLong ? Array.from({ length: 50 }, () => anywhere({ least: 1, most: 80 })) : [1, 12, 40, 75];
  test.each(points)('after %i pieces: the student sees the whole reply, the log holds it once (invariants 5, 10 and 27)', async (after) => {
    const cut = await replyCutBy(engine, after, async () => {
      await engine.kill();
      await engine.restart();
    });
    expect(shownText(cut.events)).toBe(expected);
    expect(cut.events.at(-1)).toMatchObject({ type: 'done', reason: 'completed', reply: expected });
    expect(cut.log.map(({ revision }) => revision)).toEqual(cut.log.map((_, i) => i + 1));
    expect(new Set(cut.log.map(({ id }) => id)).size).toBe(cut.log.length);
    expect(cut.log.filter(({ type }) => terminal.has(type))).toHaveLength(1);
    expect(cut.verdict.verdict).toBe('intact');
    expect(cut.transcript).toMatchObject([{ message: question, reply: expected, status: 'completed' }]);
    expect(engine.output()).not.toContain('a defect');
  });
});

describeWith(postgresAvailable, 'PostgreSQL')('the database killed in the middle of a reply', () => {
  let server: PostgresServer;
  let engine: RunningEngine;
  beforeAll(async () => {
    server = await startPostgres();
    engine = await startEngine({ EXTRACTIVE_PACE_MS: '15', DATABASE_URL: server.url });
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test('and started again: the student sees the whole reply, the log holds it once', async () => {
    const expected = await wholeReply(engine);
    for (let death = 0; death < often({ few: 1, long: 50 }); death += 1) {
      const cut = await replyCutBy(engine, anywhere({ least: 1, most: 60 }), async () => {
        await server.kill();
        await server.start();
      });
      expect(shownText(cut.events)).toBe(expected);
      expect(cut.log.filter(({ type }) => terminal.has(type)).map(({ type }) => type)).toEqual(['ReplyCompleted']);
      expect(cut.log.map(({ revision }) => revision)).toEqual(cut.log.map((_, i) => i + 1));
      expect(cut.verdict.verdict).toBe('intact');
    }
  });
});
