import type { Sql } from 'postgres';
import { append } from './migrations/append.ts';
import { eventLog } from './migrations/event-log.ts';
import { kurrentIndex } from './migrations/kurrent-index.ts';
import { privacy } from './migrations/privacy.ts';
import { project } from './migrations/project.ts';
import { readModel } from './migrations/read-model.ts';
import { seals } from './migrations/seals.ts';

/** Forward only: a migration that was ever released is never changed. */
const migrations: readonly { readonly id: number; readonly name: string; readonly sql: string }[] = [
  { id: 1, name: 'event log', sql: eventLog },
  { id: 2, name: 'append', sql: append },
  { id: 3, name: 'read model', sql: readModel },
  { id: 4, name: 'project', sql: project },
  { id: 5, name: 'seals', sql: seals },
  { id: 6, name: 'privacy', sql: privacy },
  { id: 7, name: 'index of KurrentDB', sql: kurrentIndex },
];

/** Held while migrating: several nodes may start at once. */
const lockKey = 1163084613;

/** A newer engine wrote this database. */
export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew';
  constructor() {
    super('the database was migrated by a newer engine: start that version, or restore a backup from before the upgrade');
  }
}

export async function migrate(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${lockKey})`;
    await tx`create table if not exists es_migration (id int primary key, name text not null, applied_at timestamptz not null default clock_timestamp())`;
    const applied = new Set((await tx<{ id: number }[]>`select id from es_migration`).map(({ id }) => id));
    if (Math.max(0, ...applied) > migrations.length) throw new SchemaTooNew();
    for (const { id, name, sql: statements } of migrations) {
      if (applied.has(id)) continue;
      await tx.unsafe(statements);
      await tx`insert into es_migration (id, name) values (${id}, ${name})`;
    }
  });
}
