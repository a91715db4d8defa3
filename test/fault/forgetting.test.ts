import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { consoleClient, eventsOf, joinLesson } from '../support/lesson.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../support/postgres.ts';

/** Words that no course and no program holds. */
const canary = 'zyxomma-quillwort-7741';

/** Files below `folder` that hold the canary, in UTF-8, UTF-16 or base64. */
function filesWithCanary(folder: string): string[] {
  const forms = [Buffer.from(canary), Buffer.from(canary, 'utf16le'), Buffer.from(Buffer.from(canary).toString('base64').slice(2, -4))];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0 && forms.some((form) => readFileSync(path).includes(form)));
}

const databases = postgresAvailable ? (['PGlite', 'PostgreSQL'] as const) : (['PGlite'] as const);

describe.each(databases)("a student's words, on %s", (kind) => {
  let server: PostgresServer | null = null;
  let engine: RunningEngine;
  beforeAll(async () => {
    server = kind === 'PostgreSQL' ? await startPostgres() : null;
    engine = await startEngine(server === null ? {} : { DATABASE_URL: server.url });
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  test('are nowhere in clear, and are gone once she is forgotten, while the chain still holds', async () => {
    const client = await consoleClient(engine);
    const joined = await joinLesson(client, { studentId: 'kim' });
    await joined.session.chat.send(`My secret word is ${canary}. Why is the sky blue?`).text();
    await using bystander = await joinLesson(client, { studentId: 'lee' });
    await bystander.session.chat.send('What is friction?').text();
    const said = await Array.fromAsync(client.sessions.transcript(joined.sessionId));
    expect(said[0]?.message).toContain(canary);

    expect(filesWithCanary(engine.dataDir)).toEqual([]);
    if (server !== null) expect(filesWithCanary(server.dataDir)).toEqual([]);
    expect(engine.output()).not.toContain(canary);
    expect(await (await fetch(`${engine.url}/metrics`)).text()).not.toContain(canary);
    expect(await (await fetch(`${engine.url}/health`)).text()).not.toContain(canary);

    expect(await client.privacy.forgetStudent('kim')).toEqual({ studentId: 'kim', endedSessions: 1 });
    const events = await eventsOf(client, joined.sessionId);
    expect(JSON.stringify(events)).not.toContain(canary);
    expect(events.filter(({ personal }) => personal !== undefined).every(({ personal }) => personal === null)).toBe(true);
    expect((await client.audit.verify(joined.sessionId)).verdict).toBe('intact');
    const forgotten = await Array.fromAsync(client.sessions.transcript(joined.sessionId));
    expect(forgotten).toMatchObject([{ message: null, reply: null }]);
    expect(JSON.stringify(await client.audit.state(joined.sessionId))).not.toContain(canary);
    await expect(client.sessions.create({ tutorId: 'ada', studentId: 'kim' })).rejects.toMatchObject({ code: 'student_forgotten' });

    // Nobody else is affected, and it stays so over a restart.
    await engine.kill();
    await engine.restart();
    const after = await consoleClient(engine);
    expect(JSON.stringify(await eventsOf(after, joined.sessionId))).not.toContain(canary);
    expect((await after.audit.verify(joined.sessionId)).verdict).toBe('intact');
    expect((await Array.fromAsync(after.sessions.transcript(bystander.sessionId)))[0]?.message).toBe('What is friction?');
    expect(await after.privacy.forgetStudent('kim')).toEqual({ studentId: 'kim', endedSessions: 0 });
    await joined[Symbol.asyncDispose]();
  });
});
