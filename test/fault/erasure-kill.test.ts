import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type SessionId, StudentId, streams, TenantId } from '@virtual-tutor/schemas';
import { expect, test } from 'vitest';
import { verifyChain } from '../../packages/server/src/app/chain.ts';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { anywhere, often } from '../support/long.ts';
import { describeWith } from '../support/loud-skip.ts';
import { postgresAvailable, startPostgres } from '../support/postgres.ts';
import { dayMs, openPrivacySchool, operator, type PrivacySchool, SetClock } from '../support/privacy-school.ts';

const child = new URL('../support/erasing-child.ts', import.meta.url).pathname;
const tenantId = TenantId.parse('school');
const kills = often({ few: 5, long: 50 });
/** Longer than what the child does, from its first word to its last. */
const mostMs = 400;

interface Round {
  readonly forgotten: StudentId;
  readonly lessons: readonly SessionId[];
  readonly expired: readonly SessionId[];
}

/** Runs it until it says that it has begun, and so much longer; returns what it had said by then. */
async function killAfter(args: readonly string[], delayMs: number): Promise<string> {
  const running = spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const begun = Promise.withResolvers<void>();
  running.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    begun.resolve();
  });
  const exited = new Promise((resolve) => running.once('exit', resolve));
  void exited.then(() => begun.resolve());
  await begun.promise;
  await pause(delayMs);
  running.kill('SIGKILL');
  await exited;
  return said;
}

async function seed(school: PrivacySchool, clock: SetClock, nth: number): Promise<Round> {
  const forgotten = StudentId.parse(`forgotten-${nth}`);
  const old = StudentId.parse(`old-${nth}`);
  const now = clock.now();
  clock.nowMs = now - 40 * dayMs;
  const expired = await Promise.all(['x', 'y', 'z'].map((said) => school.teach(tenantId, { studentId: old, said: [said], left: 'ended' })));
  clock.nowMs = now;
  const lessons = await Promise.all(
    (['ended', 'active', 'open'] as const).map((left) => school.teach(tenantId, { studentId: forgotten, said: ['hers'], left })),
  );
  return { forgotten, lessons, expired };
}

/** What the log and the vault say of lessons and keys. */
function readingOf(school: PrivacySchool) {
  const read = (sessionId: SessionId) => school.store.readStream(streams.session(sessionId), { after: 0, limit: 100 });
  return {
    read,
    timesIn: async (sessionId: SessionId, type: string) => (await read(sessionId)).filter((event) => event.type === type).length,
    livingKeys: async (studentId: StudentId) => {
      const rows = await school.database.sql<{ living: boolean }[]>`
        select wrapped_key is not null as living from es_subject_key where student_id = ${studentId}`;
      return rows.map(({ living }) => living);
    },
    isReadable: async (sessionId: SessionId) =>
      (await school.database.sql`select from es_subject_key where part = ${sessionId} and wrapped_key is not null`).length > 0,
  };
}

/** All her keys or none; and no lesson whose words are said to have expired while they can be read. */
async function expectNothingHalf(school: PrivacySchool, { forgotten, expired }: Round): Promise<void> {
  const { livingKeys, timesIn, isReadable } = readingOf(school);
  expect(new Set(await livingKeys(forgotten)).size).toBe(1);
  for (const sessionId of expired)
    expect((await timesIn(sessionId, 'SessionWordsExpired')) > 0 && (await isReadable(sessionId))).toBe(false);
}

/** Whoever was begun to be forgotten is, by whom she was, and the others are as they were. */
async function expectForgotten(school: PrivacySchool, { forgotten, lessons }: Round): Promise<void> {
  const { livingKeys, timesIn, isReadable } = readingOf(school);
  const begun = (await livingKeys(forgotten)).every((living) => !living);
  const said = await school.store.readStream(streams.tenant(tenantId), { after: 0, limit: 1000 });
  const hers = said.filter(({ type, payload }) => type === 'StudentForgotten' && payload['studentId'] === forgotten);
  expect(hers.map(({ meta }) => meta.actor)).toEqual(begun ? [{ kind: 'operator', id: 'head' }] : []);
  for (const sessionId of lessons) {
    expect(await isReadable(sessionId)).toBe(!begun);
    if (begun) expect(await timesIn(sessionId, 'SessionEnded')).toBe(1);
  }
}

async function expectExpired(school: PrivacySchool, { expired }: Round): Promise<void> {
  const { read, timesIn, isReadable } = readingOf(school);
  for (const sessionId of expired) {
    expect(await isReadable(sessionId)).toBe(false);
    expect(await timesIn(sessionId, 'SessionWordsExpired')).toBe(1);
    expect(await verifyChain(streams.session(sessionId), await read(sessionId))).toMatchObject({ verdict: 'intact' });
  }
}

describeWith(postgresAvailable, 'PostgreSQL')('kill -9 anywhere in forgetting and in letting words expire', () => {
  test(`leaves nothing half, and the next round does the rest, once (${kills} kills)`, async () => {
    await using server = await startPostgres(['wal_recycle=off']);
    const masterKey = randomBytes(32);
    const clock = new SetClock();
    await using database = await openDatabase({ kind: 'server', url: server.url });
    await using school = await openPrivacySchool({ database, clock, masterKey });
    await school.found(tenantId);
    await school.privacy.configureRetention(30, operator(tenantId));
    const kept = await school.teach(tenantId, { studentId: StudentId.parse('kept'), said: ['kept words'], left: 'ended' });

    const rounds: Round[] = [];
    const reached: string[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      const round = await seed(school, clock, kill);
      rounds.push(round);
      const args = [server.url, masterKey.toString('hex'), String(clock.now()), tenantId, round.forgotten];
      reached.push((await killAfter(args, anywhere({ least: 0, most: mostMs }))).trim().split('\n').at(-1) ?? '');
      await expectNothingHalf(school, round);
    }
    console.log(
      `killed after: ${['begun', 'forgotten', 'done'].map((word) => `${word} ${reached.filter((one) => one === word).length}`).join(', ')}`,
    );

    // As after a restart: nobody asks for anything again.
    await school.retention.run();
    expect(await school.vault.unfinished()).toEqual([]);
    expect(await database.sql`select from es_subject_key where traces_until is not null`).toHaveLength(0);
    for (const round of rounds) {
      await expectForgotten(school, round);
      await expectExpired(school, round);
    }
    const words = (await readingOf(school).read(kept)).find(({ type }) => type === 'MessageReceived');
    expect(words === undefined ? null : await school.codec.open(words)).toMatchObject({ personal: { text: 'kept words' } });
  });
});
