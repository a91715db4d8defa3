import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
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

/** Written again after the documentation of `store/event-key.ts`, as an auditor would. */
function auditorOpens(key: Uint8Array, sealed: Uint8Array, aad: string): string {
  const both = createHmac('sha512', key).update('virtual-tutor event key').digest();
  if (!both.subarray(0, 32).equals(sealed.subarray(16, 48))) throw new Error('another key made this');
  const decipher = createDecipheriv('aes-256-gcm', both.subarray(32), Buffer.alloc(12)).setAAD(bytes(aad)).setAuthTag(sealed.subarray(-16));
  return decipher.update(sealed.subarray(48, -16), undefined, 'utf8') + decipher.final('utf8');
}

/** Nonce, ciphertext, tag under the subject's key: how events were sealed at first. */
function encryptOld(key: Uint8Array, text: string, aad: string): Uint8Array {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce).setAAD(bytes(aad));
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function decryptOld(key: Uint8Array, sealed: Uint8Array, aad: string): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(bytes(aad)).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
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

    test('a disclosed key opens its event and no other, by the rule that auditors follow', async () => {
      const node = vault();
      const first = await node.seal(student('shown'), bytes('I broke the vase'), bytes('event 1'));
      const second = await node.seal(student('shown'), bytes('and the window'), bytes('event 2'));
      const key = await node.disclose(first.keyId, first.sealed, bytes('event 1'));
      if (key === null) throw new Error('a sealed event has a key');
      expect(auditorOpens(key, first.sealed, 'event 1')).toBe('I broke the vase');
      expect(() => auditorOpens(key, second.sealed, 'event 2')).toThrow('another key');
      expect(await node.disclose(first.keyId, second.sealed, bytes('event 1'))).toBeNull();
      await node.destroy(student('shown'));
      expect(await node.disclose(first.keyId, first.sealed, bytes('event 1'))).toBeNull();
    });

    test('what was sealed before events had keys of their own opens, and cannot be disclosed', async () => {
      const { keyId } = await vault().seal(student('early'), bytes('x'), bytes('aad'));
      const [row] = await open.database.sql<{ wrapped_key: Buffer }[]>`
        select wrapped_key from es_subject_key where key_id = ${keyId}::uuid`;
      if (row === undefined) throw new Error('there is a key');
      const subjectKey = decryptOld(masterKey, row.wrapped_key, `data-key|school/early|${keyId}`);
      const sealed = encryptOld(subjectKey, 'said long ago', 'aad');
      expect(await vault().open(keyId, sealed, bytes('aad'))).toEqual(Buffer.from('said long ago'));
      expect(await vault().disclose(keyId, sealed, bytes('aad'))).toBeNull();
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

    test('a destroyed key is gone for good: nothing opens, nothing new can be sealed', async () => {
      const node = vault();
      const { keyId, sealed } = await node.seal(student('destroyed'), bytes('x'), bytes('aad'));
      await node.destroy(student('destroyed'));
      await node.destroy(student('destroyed'));
      expect(await node.open(keyId, sealed, bytes('aad'))).toBeNull();
      expect(await vault().open(keyId, sealed, bytes('aad'))).toBeNull();
      await expect(node.seal(student('destroyed'), bytes('y'), bytes('aad'))).rejects.toThrow(SubjectForgotten);
    });

    test('a key that was never there can be destroyed too, and stays so', async () => {
      await vault().destroy(student('never'));
      await expect(vault().seal(student('never'), bytes('x'), bytes('aad'))).rejects.toThrow(SubjectForgotten);
    });

    test('a key that another node destroyed is gone once it is evicted', async () => {
      const node = vault();
      const { keyId, sealed } = await node.seal(student('elsewhere'), bytes('x'), bytes('aad'));
      await vault().destroy(student('elsewhere'));
      node.evict(student('elsewhere'));
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
