import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyChain } from '../../packages/server/src/app/chain.ts';
import { SubjectForgotten } from '../../packages/server/src/app/ports.ts';
import { PostgresKeyVault } from '../../packages/server/src/store/key-vault.ts';
import { command, draft, stream } from '../support/drafts.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const student = (subjectId: string) => ({ tenantId: 'school', subjectId });
const canary = 'xylophone-canary-7319';

/** Names of the files under `folder` that hold the text. */
function filesHolding(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}

for (const kind of databaseKinds) {
  describeOn(kind)(`the key vault on ${kind}`, () => {
    let open: OpenDatabaseStore;
    const masterKey = randomBytes(32);
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
    });
    const vault = (key = masterKey) => new PostgresKeyVault(open.database, key);

    test('what was sealed opens, also by another node', async () => {
      const { keyId, sealed } = await vault().seal(student('ana'), bytes('hello'), bytes('aad'));
      expect(await vault().open(keyId, sealed, bytes('aad'))).toEqual(Buffer.from('hello'));
    });

    test('first uses at the same moment, on two nodes, get one key', async () => {
      const nodes = [vault(), vault()];
      const sealed = await Promise.all(
        Array.from({ length: 20 }, (_, i) => nodes[i % 2]?.seal(student('race'), bytes(`${i}`), bytes('aad'))),
      );
      expect(new Set(sealed.map((one) => one?.keyId)).size).toBe(1);
    });

    test('the same words twice make different ciphertexts', async () => {
      const node = vault();
      const [one, two] = await Promise.all([
        node.seal(student('twice'), bytes('same'), bytes('aad')),
        node.seal(student('twice'), bytes('same'), bytes('aad')),
      ]);
      expect(Buffer.from(one.sealed).equals(Buffer.from(two.sealed))).toBe(false);
    });

    test('a ciphertext moved to another event or student does not open (invariant 35)', async () => {
      const node = vault();
      const one = await node.seal(student('one'), bytes('mine'), bytes('event 1'));
      const other = await node.seal(student('other'), bytes('theirs'), bytes('event 2'));
      await expect(node.open(one.keyId, one.sealed, bytes('event 2'))).rejects.toThrow();
      await expect(node.open(other.keyId, one.sealed, bytes('event 1'))).rejects.toThrow();
    });

    test('any flipped byte of a ciphertext is noticed (invariant 36)', async () => {
      const node = vault();
      const { keyId, sealed } = await node.seal(student('flip'), bytes('x'), bytes('aad'));
      for (const index of sealed.keys()) {
        const flipped = Uint8Array.from(sealed, (byte, i) => (i === index ? byte ^ 1 : byte));
        await expect(node.open(keyId, flipped, bytes('aad'))).rejects.toThrow();
      }
    });

    test('a data key moved to another student does not unwrap (invariant 35)', async () => {
      const { keyId, sealed } = await vault().seal(student('from'), bytes('x'), bytes('aad'));
      await vault().seal(student('to'), bytes('x'), bytes('aad'));
      await open.database.sql`
        update es_subject_key set wrapped_key = (select wrapped_key from es_subject_key where student_id = 'to') where student_id = 'from'`;
      await expect(vault().open(keyId, sealed, bytes('aad'))).rejects.toThrow();
      // Nor is anything new sealed under it: it would outlive this student's erasure.
      await expect(vault().seal(student('from'), bytes('x'), bytes('aad'))).rejects.toThrow();
    });

    test('another master key opens nothing', async () => {
      const { keyId, sealed } = await vault().seal(student('master'), bytes('x'), bytes('aad'));
      await expect(vault(randomBytes(32)).open(keyId, sealed, bytes('aad'))).rejects.toThrow();
    });

    test('a forgotten student is gone for good: nothing opens, nothing new can be sealed', async () => {
      const node = vault();
      const { keyId, sealed } = await node.seal(student('forgotten'), bytes('x'), bytes('aad'));
      expect(await node.destroy(student('forgotten'))).toEqual({ keyId });
      expect(await node.destroy(student('forgotten'))).toEqual({ keyId });
      expect(await node.open(keyId, sealed, bytes('aad'))).toBeNull();
      expect(await vault().open(keyId, sealed, bytes('aad'))).toBeNull();
      await expect(node.seal(student('forgotten'), bytes('y'), bytes('aad'))).rejects.toThrow(SubjectForgotten);
    });

    test('a student who was never there can be forgotten too, and stays so', async () => {
      expect(await vault().destroy(student('never'))).toEqual({ keyId: null });
      await expect(vault().seal(student('never'), bytes('x'), bytes('aad'))).rejects.toThrow(SubjectForgotten);
    });

    test('a key that another node destroyed is gone once it is evicted', async () => {
      const node = vault();
      const { keyId, sealed } = await node.seal(student('elsewhere'), bytes('x'), bytes('aad'));
      await vault().destroy(student('elsewhere'));
      node.evict(keyId);
      expect(await node.open(keyId, sealed, bytes('aad'))).toBeNull();
      await expect(node.seal(student('elsewhere'), bytes('y'), bytes('aad'))).rejects.toThrow(SubjectForgotten);
    });

    test('a sealed word is nowhere in the database files, and the chain holds after its key is destroyed (invariant 34)', async () => {
      const node = vault();
      const { keyId, sealed } = await node.seal(student('canary'), bytes(canary), bytes('aad'));
      await open.store.append(command('canary', 'none', [draft({ marker: 'payload-marker-5521' }, { sealed, keyId })]));
      await open.database.sql`checkpoint`;
      const folder = open.server?.dataDir ?? open.dataDir;
      if (folder === null) throw new Error('a database has a folder');
      // The search finds what is there in clear.
      expect(filesHolding(folder, 'payload-marker-5521')).not.toEqual([]);
      expect(filesHolding(folder, canary)).toEqual([]);
      await node.destroy(student('canary'));
      const events = await open.store.readStream(stream('canary'), { after: 0, limit: 10 });
      expect(await verifyChain(stream('canary'), events)).toMatchObject({ verdict: 'intact', events: 1 });
    });
  });
}
