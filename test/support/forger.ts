import { hash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventId, EventMeta, type Seal, StreamName } from '@virtual-tutor/schemas';
import type { Sql } from 'postgres';
import { chainHash, chainSeed, writtenForm } from '../../packages/server/src/app/chain.ts';
import { leafHash, merkleRoot } from '../../packages/server/src/app/merkle.ts';
import { canonicalSeal, followSeals, rootStatement, type SealKey, sealEvents, sealKeyOf } from '../../packages/server/src/app/seal.ts';
import { draft } from './drafts.ts';

/** A row of the log as its database has it. */
export interface Row {
  /** Null only by a forger's hand. */
  readonly position: number | null;
  readonly stream: string;
  readonly revision: number;
  readonly event_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly payload: string | null;
  readonly sealed: string | null;
  readonly key_id: string | null;
  readonly meta: string;
  readonly content_hash: string;
  readonly hash: string;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Somebody who rules the database, knows how the chain is made, and has no key of the engine's. */
export class Forger {
  readonly sql: Sql;
  /** Of the engine: exported seals are in `seals`. */
  readonly folder: string;
  readonly ownKey: SealKey = sealKeyOf(Buffer.alloc(32, 7));

  constructor(sql: Sql, folder: string) {
    this.sql = sql;
    this.folder = folder;
  }

  /** What the superuser can: no trigger fires, no uniqueness holds. For the transaction under way. */
  async disarm(): Promise<void> {
    await this.sql.unsafe(`
      set local session_replication_role = replica;
      alter table es_event drop constraint es_event_pkey, drop constraint es_event_stream_revision_key, drop constraint es_event_event_id_key;
      drop index es_event_opens_stream;
      alter table es_event alter column position drop not null, alter column payload drop not null;`);
  }

  async rows(): Promise<Row[]> {
    const rows = await this.sql<Row[]>`
      select position::int as position, stream, revision::int as revision, event_id::text as event_id, type, schema_version, payload,
        encode(sealed, 'hex') as sealed, key_id::text as key_id, meta, encode(content_hash, 'hex') as content_hash, encode(hash, 'hex') as hash
      from es_event order by es_event.position`;
    return [...rows];
  }

  /** The whole table anew. */
  async put(rows: readonly Row[]): Promise<void> {
    await this.sql`delete from es_event`;
    await this.sql`
      insert into es_event (position, stream, revision, event_id, type, schema_version, payload, sealed, key_id, meta, content_hash, hash)
      select position, stream, revision, event_id, type, schema_version, payload, decode(sealed, 'hex'), key_id, meta,
        decode(content_hash, 'hex'), decode(hash, 'hex')
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r (position bigint, stream text, revision bigint, event_id uuid, type text,
        schema_version int, payload text, sealed text, key_id uuid, meta text, content_hash text, hash text)`;
  }

  async change(position: number, over: (row: Row) => Partial<Row>): Promise<void> {
    await this.put((await this.rows()).map((row) => (row.position === position ? { ...row, ...over(row) } : row)));
  }

  async sealRow(sealNo: number, seal: string): Promise<void> {
    await this.sql`update es_seal set seal = ${seal} where seal_no = ${sealNo}`;
  }

  async seal(sealNo: number): Promise<Seal> {
    const [row] = await this.sql<{ seal: string }[]>`select seal from es_seal where seal_no = ${sealNo}`;
    return JSON.parse(row?.seal ?? 'null');
  }

  /** All seals of the database made anew over the log as it is now, by the forger's own key. */
  async resealAll(): Promise<void> {
    const rows = await this.rows();
    const moment = { key: this.ownKey, sealedAt: '2026-01-01T00:00:00.000Z' };
    const seals: Seal[] = [rootStatement('0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a11', moment)];
    const last = Number((await this.sql`select max(last) as last from es_seal`)[0]?.['last']);
    for (let from = 0; from < last; from += 10) {
      const { chain } = followSeals(seals);
      const leaves = rows.slice(from, from + 10).map((row, index) => leafHash(from + index + 1, Buffer.from(row.hash, 'hex')));
      if (chain !== null) seals.push(sealEvents(chain, { last: from + leaves.length, merkleRoot: merkleRoot(leaves) }, moment));
    }
    await this.sql`delete from es_seal`;
    for (const seal of seals) {
      await this.sql`insert into es_seal values (${seal.sealNo}, ${seal.kind === 'events' ? seal.last : 0}, ${canonicalSeal(seal)})`;
    }
  }

  get exported(): readonly string[] {
    return readdirSync(join(this.folder, 'seals')).sort();
  }

  readFile(name: string): string {
    return readFileSync(join(this.folder, 'seals', name), 'utf8');
  }

  writeFile(name: string, content: string): void {
    writeFileSync(join(this.folder, 'seals', name), content);
  }

  remove(...names: readonly string[]): void {
    for (const name of names) rmSync(join(this.folder, 'seals', name), { force: true });
  }

  /** As if the exported seals had been in the forger's reach too. */
  async exportAll(): Promise<void> {
    this.remove(...this.exported);
    for (const { seal_no, seal } of await this.sql<{ seal_no: number; seal: string }[]>`select seal_no, seal from es_seal order by seal_no`)
      this.writeFile(`${String(seal_no).padStart(8, '0')}.json`, `${seal}\n`);
  }
}

/** The same events with every hash computed anew, dense in the order given: a chain without a flaw. */
export function rechained(rows: readonly Row[]): readonly Row[] {
  const heads = new Map<string, { readonly revision: number; readonly hash: Uint8Array }>();
  return rows.map((row, index) => {
    const stream = StreamName.parse(row.stream);
    const head = heads.get(stream) ?? { revision: 0, hash: chainSeed(stream) };
    const revision = head.revision + 1;
    const payload: Readonly<Record<string, unknown>> = JSON.parse(row.payload ?? '{}');
    const sealed = row.sealed === null ? null : Buffer.from(row.sealed, 'hex');
    const { contentHash } = writtenForm({
      ...{ type: row.type, schemaVersion: row.schema_version, payload, sealed },
      meta: EventMeta.parse(JSON.parse(row.meta)),
    });
    const own = chainHash(head.hash, { revision, id: EventId.parse(row.event_id), contentHash });
    heads.set(stream, { revision, hash: own });
    return { ...row, position: index + 1, revision, content_hash: hex(contentHash), hash: hex(own) };
  });
}

/** An event that never was, at the end of a stream. */
export function invented(stream: string, position: number): Row {
  const made = draft({ words: 'never said' });
  const { payload, meta, contentHash } = writtenForm(made);
  return {
    ...{ position, stream, revision: 99, event_id: made.id, type: made.type, schema_version: 1, payload, meta },
    ...{ sealed: null, key_id: null, content_hash: hex(contentHash), hash: hash('sha256', payload, 'hex') },
  };
}

/** The first letter or digit of a text changed for another one. */
export function flipped(text: string): string {
  return text.startsWith('0') ? `1${text.slice(1)}` : `0${text.slice(1)}`;
}
