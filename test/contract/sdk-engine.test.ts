import { connectSession, joinSession } from '@virtual-tutor/sdk/browser';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient } from '../support/lesson.ts';

let engine: RunningEngine;

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

for (const transport of ['ws', 'sse'] as const) {
  test(`a student joins by a one-time link and holds a lesson over ${transport}; the log, the transcript and the page agree`, async () => {
    const client = await consoleClient(engine);
    const { session } = await client.sessions.create({ tutorId: 'ada', studentId: `student-${transport}` });
    const invitation = await client.sessions.invite(session.id);
    const code = new URL(invitation.url).hash.replace('#/join/', '');
    const grant = await joinSession(engine.url, code);
    expect(grant.sessionId).toBe(session.id);

    const lesson = await connectSession({ ...grant, transport });
    let text = '';
    for await (const event of lesson.chat.send('What is a program?')) {
      if (event.type === 'text') text += event.delta;
    }
    expect(text.length).toBeGreaterThan(10);
    expect(lesson.view.turns).toMatchObject([{ message: 'What is a program?', reply: text, status: 'completed' }]);

    // After a reload: with what the page kept, and with nothing.
    const { lastEventId, view } = lesson;
    await lesson.close();
    if (lastEventId === undefined) throw new Error('there is something to resume after');
    for (const kept of [{ resume: { lastEventId, view } }, {}]) {
      await using again = await connectSession({ ...grant, transport, ...kept });
      expect(again.view).toEqual(view);
    }

    const types: string[] = [];
    for await (const event of client.audit.events(session.id)) types.push(event.type);
    expect(types).toContain('ReplyCompleted');
    await expect.poll(async () => (await client.sessions.transcript(session.id)[Symbol.asyncIterator]().next()).value?.reply).toBe(text);
    expect(await client.audit.verify(session.id)).toMatchObject({ verdict: 'intact', events: types.length });
    await expect(joinSession(engine.url, code)).rejects.toMatchObject({ code: 'link_used' });
    await client.sessions.end(session.id);
  });
}

test('an auditor reads history and then what happens, and a lesson ended by its operator is over for the student', async () => {
  const client = await consoleClient(engine);
  const { session, grant } = await client.sessions.create({ tutorId: 'ada', studentId: 'student-3' });
  const lesson = await connectSession(grant);
  const ended = new Promise((resolve) => lesson.on('ended', resolve));
  let before = 0;
  for await (const event of client.audit.tail()) {
    expect(event.position).toBeGreaterThan(before);
    before = event.position;
    if (event.type === 'SessionCreated' && event.stream.endsWith(session.id)) await client.sessions.end(session.id);
    if (event.type === 'SessionEnded' && event.stream.endsWith(session.id)) break;
  }
  expect(await ended).toEqual({ reason: 'operator' });
  await expect.poll(() => lesson.state).toBe('closed');
  await lesson.close();
});

test('an API key never gets as far as a socket', async () => {
  const { grant } = await (await consoleClient(engine)).sessions.create({ tutorId: 'ada', studentId: 'student-4' });
  await expect(connectSession({ ...grant, token: engine.apiKey })).rejects.toMatchObject({ code: 'forbidden' });
});

test('an auditor sees which seals a lesson is under, keeps a copy of them, and has the whole log verified', async () => {
  await using sealing = await startEngine({ SEAL_EVENTS: '5', SEAL_MINUTES: '0.01' });
  const client = await consoleClient(sealing);
  const { session } = await client.sessions.create({ tutorId: 'ada', studentId: 'student-4' });
  await client.sessions.end(session.id);
  await expect.poll(async () => (await client.audit.coverage(session.id)).unsealedFrom, { timeout: 20_000 }).toBeNull();
  const { seals: under } = await client.audit.coverage(session.id);
  const copy = [];
  for await (const seal of client.audit.seals()) copy.push(seal);
  expect(copy.map(({ sealNo }) => sealNo)).toEqual(copy.map((_, index) => index));
  expect(copy.find(({ sealNo }) => sealNo === under[0]?.sealNo)).toMatchObject({ kind: 'events', sealedAt: under[0]?.sealedAt });
  expect(under[0]?.fromRevision).toBe(1);
  expect(under.at(-1)?.toRevision).toBe((await client.audit.state(session.id)).revision);
  expect(await client.audit.verifyLog({ noted: under.map(({ hash }) => hash) })).toMatchObject({ verdict: 'intact' });
  const broken = await client.audit.verifyLog({ noted: ['0'.repeat(64)] });
  expect(broken).toMatchObject({ verdict: 'broken', faults: [{ code: 'two_histories' }] });
});
