import { createSecretKey, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { type KeyVault, type Subject, SubjectForgotten } from '../app/ports.ts';
import { decrypt, encrypt } from './aes-gcm.ts';
import type { Database } from './database.ts';
import { eventKeyOf, openEvent, sealEvent } from './event-key.ts';
import { reach } from './reach.ts';

const keyBytes = 32;
const maxCached = 5_000;

interface DataKey {
  readonly keyId: string;
  /** As an object: Node takes three times as long with the bare bytes (measured on Node 24, 35 against 14 µs an event). */
  readonly key: KeyObject;
}

interface KeyRow {
  readonly key_id: string | null;
  readonly wrapped_key: Buffer | null;
  readonly destroyed: boolean;
}

/** One data key per student, wrapped by the master key, in the same database; destroying it leaves a tombstone. */
export class PostgresKeyVault implements KeyVault {
  readonly #sql: Sql;
  readonly #masterKey: KeyObject;
  readonly #byId = new Map<string, KeyObject>();
  readonly #bySubject = new Map<string, DataKey>();
  /** What was read before the latest eviction may be gone by now, and is not kept. */
  #evictions = 0;

  /** `masterKey`: 32 bytes. */
  constructor({ sql }: Database, masterKey: Uint8Array) {
    this.#sql = sql;
    this.#masterKey = createSecretKey(masterKey);
  }

  async seal(subject: Subject, plaintext: Uint8Array, aad: Uint8Array): Promise<{ readonly keyId: string; readonly sealed: Uint8Array }> {
    const { keyId, key } = this.#bySubject.get(nameOf(subject)) ?? (await this.#obtain(subject));
    return { keyId, sealed: sealEvent(key, plaintext, aad) };
  }

  async open(keyId: string, sealed: Uint8Array, aad: Uint8Array): Promise<Uint8Array | null> {
    const key = this.#byId.get(keyId) ?? (await this.#find(keyId));
    return key === null ? null : openEvent(key, sealed, aad);
  }

  async disclose(keyId: string, sealed: Uint8Array, aad: Uint8Array): Promise<Uint8Array | null> {
    const key = this.#byId.get(keyId) ?? (await this.#find(keyId));
    return key === null ? null : eventKeyOf(key, sealed, aad);
  }

  async destroy({ tenantId, subjectId }: Subject): Promise<{ readonly keyId: string | null }> {
    const [row] = await reach(
      () => this.#sql<{ key_id: string | null }[]>`
        insert into es_subject_key as k (tenant_id, student_id, destroyed_at) values (${tenantId}, ${subjectId}, clock_timestamp())
        on conflict (tenant_id, student_id) do update
          set wrapped_key = null, destroyed_at = coalesce(k.destroyed_at, excluded.destroyed_at)
        returning key_id::text as key_id`,
    );
    const keyId = row?.key_id ?? null;
    this.#bySubject.delete(nameOf({ tenantId, subjectId }));
    if (keyId !== null) this.evict(keyId);
    return { keyId };
  }

  evict(keyId: string): void {
    this.#evictions += 1;
    this.#byId.delete(keyId);
    for (const [subject, key] of this.#bySubject) if (key.keyId === keyId) this.#bySubject.delete(subject);
  }

  async #obtain(subject: Subject): Promise<DataKey> {
    const { tenantId, subjectId } = subject;
    const asOf = this.#evictions;
    const keyId = randomUUID();
    const wrapped = encrypt(this.#masterKey, randomBytes(keyBytes), wrapping(subject, keyId));
    const [row] = await reach(
      () => this.#sql<KeyRow[]>`
        with made as (
          insert into es_subject_key (tenant_id, student_id, key_id, wrapped_key)
          values (${tenantId}, ${subjectId}, ${keyId}::uuid, ${wrapped}) on conflict do nothing
          returning key_id, wrapped_key, destroyed_at
        )
        select key_id::text as key_id, wrapped_key, destroyed_at is not null as destroyed from made
        union all
        select key_id::text as key_id, wrapped_key, destroyed_at is not null as destroyed from es_subject_key
        where tenant_id = ${tenantId} and student_id = ${subjectId} and not exists (select from made)`,
    );
    // Lost a race against another first use: its row is visible to the next statement.
    if (row === undefined) return this.#obtain(subject);
    if (row.destroyed || row.key_id === null || row.wrapped_key === null) throw new SubjectForgotten();
    const found = { keyId: row.key_id, key: this.#unwrap({ subject, keyId: row.key_id }, row.wrapped_key) };
    if (this.#remember(found, asOf)) this.#bySubject.set(nameOf(subject), found);
    return found;
  }

  async #find(keyId: string): Promise<KeyObject | null> {
    const asOf = this.#evictions;
    const [row] = await reach(
      () => this.#sql<{ tenant_id: string; student_id: string; wrapped_key: Buffer | null }[]>`
        select tenant_id, student_id, wrapped_key from es_subject_key where key_id = ${keyId}::uuid`,
    );
    if (row === undefined || row.wrapped_key === null) return null;
    const subject = { tenantId: row.tenant_id, subjectId: row.student_id };
    const key = this.#unwrap({ subject, keyId }, row.wrapped_key);
    this.#remember({ keyId, key }, asOf);
    return key;
  }

  #unwrap({ subject, keyId }: { readonly subject: Subject; readonly keyId: string }, wrapped: Uint8Array): KeyObject {
    return createSecretKey(decrypt(this.#masterKey, wrapped, wrapping(subject, keyId)));
  }

  #remember({ keyId, key }: DataKey, asOf: number): boolean {
    if (asOf !== this.#evictions) return false;
    if (this.#byId.size >= maxCached) {
      this.#byId.clear();
      this.#bySubject.clear();
    }
    this.#byId.set(keyId, key);
    return true;
  }
}

/** Binds a data key to its student: moved to another row it no longer opens. */
function wrapping(subject: Subject, keyId: string): Uint8Array {
  return new TextEncoder().encode(`data-key|${nameOf(subject)}|${keyId}`);
}

function nameOf({ tenantId, subjectId }: Subject): string {
  return `${tenantId}/${subjectId}`;
}
