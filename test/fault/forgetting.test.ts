import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectSession } from '@virtual-tutor/sdk/browser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../packages/server/src/store/database.ts';
import { filesHolding, formsOf } from '../support/canaries.ts';
import { type RunningEngine, startEngine, untilVoiceIsReady, withVoice } from '../support/engine.ts';
import { consoleClient, eventsOf, joinLesson } from '../support/lesson.ts';
import { isLong } from '../support/long.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../support/postgres.ts';
import { atPeak, joined, say, silence, voicesAvailable } from '../support/voices.ts';

/** Words that no course and no program holds: what she told, and her name. */
const canaries = ['zyxomma-quillwort-7741', '柳枝蜻蜓的秘密七七四一'];
const program = new URL('../../packages/server/src/cli/vtutor.ts', import.meta.url).pathname;

const databases = postgresAvailable ? (['PGlite', 'PostgreSQL'] as const) : (['PGlite'] as const);

describe.each(databases)("a student's words, on %s", (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'tutor-forgetting-'));
  const temporary = join(folder, 'tmp');
  let server: PostgresServer | null = null;
  let engine: RunningEngine;
  beforeAll(async () => {
    mkdirSync(temporary);
    server = kind === 'PostgreSQL' ? await startPostgres(['wal_recycle=off', 'logging_collector=on']) : null;
    const database = server === null ? {} : { DATABASE_URL: server.url };
    engine = await startEngine({ TMPDIR: temporary, ...database, ...(isLong ? await withVoice() : {}) });
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Everything that engine and database keep: logs, blobs, temporary files, tables, write-ahead log. */
  const holding = (sought: readonly Buffer[]) =>
    [engine.dataDir, temporary, ...(server === null ? [] : [server.folder])].flatMap((kept) => filesHolding(kept, sought));
  const saying = (texts: readonly string[]) => holding(texts.flatMap(formsOf));

  async function vtutor(...args: readonly string[]): Promise<string> {
    const env = { PATH: process.env['PATH'], DATA_DIR: engine.dataDir, MANAGEMENT_API_PORT: String(engine.port), ENABLE_LLM: 'false' };
    return (await promisify(execFile)(process.execPath, [program, ...args], { env })).stdout;
  }

  /** The database without its engine; of the embedded one there can be only one user. */
  async function inDatabase<T>(use: (database: Database) => Promise<T>): Promise<T> {
    if (server === null) await engine.stop();
    const options =
      server === null ? ({ kind: 'embedded', dataDir: engine.dataDir } as const) : ({ kind: 'server', url: server.url } as const);
    const answer = await (async () => {
      await using database = await openDatabase(options);
      return await use(database);
    })();
    if (server === null) await engine.restart();
    return answer;
  }

  /** What she said with her voice, as it was understood; nothing where this is a short run. */
  async function speak(studentId: string): Promise<readonly string[]> {
    if (!isLong || !voicesAvailable) return [];
    await untilVoiceIsReady(engine);
    const client = await consoleClient(engine);
    const { grant } = await client.sessions.create({ tutorId: 'ada', studentId });
    await using lesson = await connectSession(grant);
    const question = atPeak(say('Where did my grandmother hide the purple umbrella?'), 0.5);
    const samples = Int16Array.from(joined(silence(300), question, silence(300)), (sample) => Math.round(sample * 32_767));
    // The recogniser may still be loading when she begins.
    for (let tries = 0; tries < 5 && lesson.view.turns.length === 0; tries += 1) {
      for (let at = 0; at < samples.length; at += 3_200) await lesson.audio.append(samples.subarray(at, at + 3_200));
      await lesson.audio.commit();
      await expect
        .poll(() => lesson.view.turns.length, { timeout: 15_000 })
        .toBeGreaterThan(0)
        .catch(() => undefined);
    }
    expect(lesson.view.turns.at(0)?.message?.length).toBeGreaterThan(8);
    return [lesson.view.turns.at(0)?.message ?? ''];
  }

  test('are nowhere in clear, and are gone from every file once she is forgotten, with her keys, while the chain still holds', async () => {
    const client = await consoleClient(engine);
    const lesson = await joinLesson(client, { studentId: 'kim' });
    await lesson.session.chat.send(`My name is ${canaries[1]}, my secret word is ${canaries[0]}. Why is the sky blue?`).text();
    const sought = [...canaries, ...(await speak('kim'))];
    await using bystander = await joinLesson(client, { studentId: 'lee' });
    await bystander.session.chat.send('What is friction?').text();
    const [said] = await Array.fromAsync(client.sessions.transcript(lesson.sessionId));
    for (const canary of canaries) expect(said?.message).toContain(canary);

    // She may see it all: a page and data, for nobody else on this machine.
    for (const file of [join(folder, 'kim.html'), join(folder, 'kim.json')]) {
      expect(await vtutor('privacy', 'export', 'kim', '--out', file)).toContain('entries');
      // A page has apostrophes in another form.
      for (const text of file.endsWith('.json') ? sought : canaries) expect(readFileSync(file, 'utf8')).toContain(text);
      expect(readFileSync(file, 'utf8')).not.toContain('friction');
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    expect(saying(sought)).toEqual([]);
    expect(engine.output()).not.toContain(canaries[0]);
    expect(await (await fetch(`${engine.url}/metrics`)).text()).not.toContain(canaries[0]);
    expect(await (await fetch(`${engine.url}/health`)).text()).not.toContain(canaries[0]);
    const keys = await inDatabase(
      ({ sql }) => sql<{ wrapped_key: Buffer }[]>`select wrapped_key from es_subject_key where student_id = 'kim' order by part`,
    );
    const wrapped = keys.map(({ wrapped_key }) => wrapped_key);
    expect(wrapped).toHaveLength(sought.length - 1);
    // The search finds what is there.
    for (const key of wrapped) expect(holding([key])).not.toEqual([]);

    const forgotten = await (await consoleClient(engine)).privacy.forgetStudent('kim');
    expect(forgotten).toEqual({ studentId: 'kim', endedSessions: wrapped.length, traces: 'cleared' });
    const events = await eventsOf(client, lesson.sessionId);
    expect(JSON.stringify(events)).not.toContain(canaries[0]);
    expect(events.filter(({ personal }) => personal !== undefined).every(({ personal }) => personal === null)).toBe(true);
    expect((await client.audit.verify(lesson.sessionId)).verdict).toBe('intact');
    expect(await Array.fromAsync(client.sessions.transcript(lesson.sessionId))).toMatchObject([{ message: null, reply: null }]);
    expect(JSON.stringify(await client.audit.state(lesson.sessionId))).not.toContain(canaries[0]);
    await expect(client.sessions.create({ tutorId: 'ada', studentId: 'kim' })).rejects.toMatchObject({ code: 'student_forgotten' });
    expect(saying(sought)).toEqual([]);
    expect(holding(wrapped)).toEqual([]);

    // Nor does anything come to light when the database tidies up.
    await inDatabase(async ({ sql }) => {
      await sql`vacuum full`;
      await sql`checkpoint`;
    });
    expect(saying(sought)).toEqual([]);
    expect(holding(wrapped)).toEqual([]);
    await lesson[Symbol.asyncDispose]();
  });

  test('stay gone over a restart, and nobody else is affected', async () => {
    await engine.kill();
    await engine.restart();
    const client = await consoleClient(engine);
    const lessons = await Array.fromAsync(client.sessions.list());
    for (const { id, studentId } of lessons) {
      expect((await client.audit.verify(id)).verdict).toBe('intact');
      const [turn] = await Array.fromAsync(client.sessions.transcript(id));
      expect(turn?.message ?? null).toBe(studentId === 'lee' ? 'What is friction?' : null);
    }
    expect(await client.privacy.forgetStudent('kim')).toEqual({ studentId: 'kim', endedSessions: 0, traces: 'cleared' });
    expect(await vtutor('privacy', 'forget', 'lee')).toContain('lee is forgotten; 1 lessons ended');
  });

  test('are kept for as long as the school says', async () => {
    const client = await consoleClient(engine);
    expect(await client.privacy.retention()).toEqual({ wordsDays: null });
    expect(await client.privacy.configureRetention({ wordsDays: 30 })).toEqual({ wordsDays: 30 });
    expect(await vtutor('privacy', 'retention')).toContain('30 days');
    expect(await vtutor('privacy', 'retention', 'forever')).toContain('until their student is forgotten');
    await expect(client.privacy.configureRetention({ wordsDays: 0 })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(vtutor('privacy', 'retention', 'soon')).rejects.toThrow('a whole number');
  });
});
