import type { Sql } from 'postgres';
import { reach, StatementRefused } from './reach.ts';

/** Of a key whose bytes may still be in old pages of its table: beyond any place in the write-ahead log. */
export const everywhere = 'FFFFFFFF/FFFFFFFF';

/**
 * Removes the wrapped bytes of destroyed keys. From the table by writing it anew; from the write-ahead log by going on to its
 * next file and a checkpoint, after which the database deletes the files before. The latter two are a superuser's, or of
 * roles that were granted them (`pg_checkpoint`, `execute on function pg_switch_wal()`); without them it happens by
 * itself, with the database's own checkpoints, and is seen here when asked again. Files that the database uses again
 * (`wal_recycle`), archives, standbys and backups are the operator's: see docs/operations/erasure.md.
 */
export async function clearTraces(sql: Sql): Promise<boolean> {
  if (!(await isLeft(sql))) return true;
  await reach(() => sql`select es_rewrite_keys()`);
  await settle(sql);
  if (!(await isLeft(sql))) return true;
  await ifAllowed(() => sql`select pg_switch_wal()`);
  await ifAllowed(() => sql`checkpoint`);
  await settle(sql);
  return !(await isLeft(sql));
}

async function isLeft(sql: Sql): Promise<boolean> {
  const [row] = await reach(
    () => sql<{ left: boolean }[]>`select exists (select from es_subject_key where traces_until is not null) as left`,
  );
  return row?.left ?? false;
}

/** The database keeps its write-ahead log from the file on that its latest checkpoint starts in. */
async function settle(sql: Sql): Promise<void> {
  await reach(
    () => sql`
      update es_subject_key set traces_until = null
      where traces_until < ${everywhere}::pg_lsn
        and pg_walfile_name(traces_until) < (select pg_walfile_name(redo_lsn) from pg_control_checkpoint())`,
  );
}

async function ifAllowed(statement: () => Promise<unknown>): Promise<void> {
  try {
    await reach(statement);
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
  }
}
