import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SubjectForgotten } from '../../packages/server/src/app/ports.ts';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresKeyVault } from '../../packages/server/src/store/key-vault.ts';
import { PostgresLeases } from '../../packages/server/src/store/leases.ts';
import { filesHolding } from '../support/canaries.ts';
import { describeWith } from '../support/loud-skip.ts';
import { postgresAvailable, startPostgres } from '../support/postgres.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const masterKey = randomBytes(32);
const tenantId = 'school';
const aad = bytes('aad');

/** The wrapped bytes of a key, as they stand in the database's files. */
async function wrappedKey({ database }: Pick<OpenDatabaseStore, 'database'>, keyId: string): Promise<Buffer> {
  const [row] = await database.sql<{ wrapped_key: Buffer | null }[]>`
    select wrapped_key from es_subject_key where key_id = ${keyId}::uuid`;
  if (row === undefined || row.wrapped_key === null) throw new Error('there is a key');
  return row.wrapped_key;
}

for (const kind of databaseKinds) {
  describeOn(kind)(`keys that are destroyed, on ${kind}`, () => {
    let open: OpenDatabaseStore;
    const vault = () => new PostgresKeyVault(open.database, masterKey);
    const folder = () => open.server?.dataDir ?? open.dataDir ?? '';
    beforeAll(async () => {
      open = await openDatabaseStore(kind, ['wal_recycle=off']);
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });

    test('each lesson of a student has its own, and one is destroyed without the others', async () => {
      const node = vault();
      const hers = { tenantId, subjectId: 'ana' };
      const old = await node.seal(hers, bytes('before lessons had keys'), aad);
      const first = await node.seal({ ...hers, part: 'lesson-1' }, bytes('one'), aad);
      const second = await node.seal({ ...hers, part: 'lesson-2' }, bytes('two'), aad);
      expect(new Set([old.keyId, first.keyId, second.keyId]).size).toBe(3);
      expect(await node.subjectOf(first.keyId)).toEqual({ ...hers, part: 'lesson-1' });
      expect(await node.subjectOf(old.keyId)).toEqual(hers);
      await node.destroy({ ...hers, part: 'lesson-1' });
      for (const reader of [node, vault()]) {
        expect(await reader.open(first.keyId, first.sealed, aad)).toBeNull();
        expect(await reader.open(second.keyId, second.sealed, aad)).toEqual(Buffer.from('two'));
        expect(await reader.open(old.keyId, old.sealed, aad)).toEqual(Buffer.from('before lessons had keys'));
        await expect(reader.seal({ ...hers, part: 'lesson-1' }, bytes('x'), aad)).rejects.toThrow(SubjectForgotten);
        await reader.seal({ ...hers, part: 'lesson-3' }, bytes('x'), aad);
      }
    });

    test('whoever is forgotten loses all of them, also those that nobody has made yet; her namesake next door keeps hers', async () => {
      const node = vault();
      const hers = { tenantId, subjectId: 'bea' };
      const sealed = await Promise.all(['1', '2', '3'].map((part) => node.seal({ ...hers, part }, bytes(part), aad)));
      const other = await node.seal({ tenantId: 'elsewhere', subjectId: 'bea', part: '1' }, bytes('hers'), aad);
      const longer = await node.seal({ tenantId, subjectId: 'bea.2', part: '1' }, bytes('longer name'), aad);
      await node.forget(hers, 'what is left to do');
      for (const { keyId, sealed: words } of sealed) expect(await node.open(keyId, words, aad)).toBeNull();
      await expect(node.seal({ ...hers, part: '4' }, bytes('x'), aad)).rejects.toThrow(SubjectForgotten);
      await expect(vault().seal({ ...hers, part: '4' }, bytes('x'), aad)).rejects.toThrow(SubjectForgotten);
      expect(await node.open(other.keyId, other.sealed, aad)).toEqual(Buffer.from('hers'));
      expect(await node.open(longer.keyId, longer.sealed, aad)).toEqual(Buffer.from('longer name'));
    });

    test('a key made while its student is forgotten does not outlive it', async () => {
      for (let round = 0; round < 20; round += 1) {
        const hers = { tenantId, subjectId: `race-${round}` };
        const [made] = await Promise.allSettled([
          vault().seal({ ...hers, part: 'lesson' }, bytes('x'), aad),
          vault().forget(hers, ''),
          vault().seal({ ...hers, part: 'other' }, bytes('x'), aad),
        ]);
        if (made.status === 'fulfilled') expect(await vault().open(made.value.keyId, made.value.sealed, aad)).toBeNull();
        const living = await open.database.sql`select from es_subject_key where student_id = ${hers.subjectId} and wrapped_key is not null`;
        expect(living).toHaveLength(0);
      }
    });

    test('what is still to be done comes back until it is done, as it was first said', async () => {
      const node = vault();
      const hers = { tenantId, subjectId: 'unfinished' };
      await node.forget(hers, 'by the head');
      await node.forget(hers, 'by somebody else');
      const mine = async () => (await vault().unfinished()).filter(({ student }) => student.subjectId === 'unfinished');
      expect(await mine()).toEqual([{ student: hers, work: 'by the head' }]);
      await node.finish(hers);
      await node.forget(hers, 'again');
      expect(await mine()).toEqual([]);
    });

    test('their bytes are in no file of the database afterwards, and all other keys are', async () => {
      const node = vault();
      const hers = { tenantId, subjectId: 'traces' };
      const lessons = await Promise.all(['1', '2'].map((part) => node.seal({ ...hers, part }, bytes(part), aad)));
      const kept = await node.seal({ tenantId, subjectId: 'kept', part: '1' }, bytes('kept'), aad);
      const wrapped = await Promise.all(lessons.map(({ keyId }) => wrappedKey(open, keyId)));
      await open.database.sql`checkpoint`;
      // The search finds what is there.
      for (const bytesOfKey of wrapped) expect(filesHolding(folder(), [bytesOfKey])).not.toEqual([]);
      await node.forget(hers, '');
      expect(await node.clearTraces()).toBe(true);
      await open.database.sql`checkpoint`;
      for (const bytesOfKey of wrapped) expect(filesHolding(folder(), [bytesOfKey])).toEqual([]);
      expect(filesHolding(folder(), [await wrappedKey(open, kept.keyId)])).not.toEqual([]);
      expect(await vault().open(kept.keyId, kept.sealed, aad)).toEqual(Buffer.from('kept'));
      expect(await node.clearTraces()).toBe(true);
    });

    test('a lease is of one node at a time, and of the next one when it is over', async () => {
      const leases = new PostgresLeases(open.database);
      const ask = (owner: string, ms: number) => leases.hold('work', { owner, ms });
      expect(await ask('a', 60_000)).toBe(true);
      expect(await ask('b', 60_000)).toBe(false);
      expect(await ask('a', 1)).toBe(true);
      await expect.poll(() => ask('b', 60_000)).toBe(true);
    });
  });
}

describeWith(postgresAvailable, 'PostgreSQL')('an engine that may do nothing but use its own tables', () => {
  test('says that traces are left, and sees the database clear them by itself', async () => {
    await using server = await startPostgres(['wal_recycle=off']);
    await using setUp = await openDatabase({ kind: 'server', url: server.url });
    await setUp.sql`create role plain login`;
    await setUp.sql`create database plain owner plain`;
    await using database = await openDatabase({ kind: 'server', url: server.urlOf('plain').replace('tutor@', 'plain@') });
    const vault = new PostgresKeyVault(database, masterKey);
    const hers = { tenantId, subjectId: 'ana' };
    const { keyId } = await vault.seal({ ...hers, part: '1' }, bytes('x'), aad);
    const wrapped = await wrappedKey({ database }, keyId);
    await vault.forget(hers, '');
    expect(await vault.clearTraces()).toBe(false);
    // What the database does itself, in time.
    await setUp.sql`select pg_switch_wal()`;
    await setUp.sql`checkpoint`;
    expect(await vault.clearTraces()).toBe(true);
    expect(filesHolding(server.dataDir, [wrapped])).toEqual([]);
  });
});
