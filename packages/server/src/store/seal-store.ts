import { type EventsSeal, Seal } from '@virtual-tutor/schemas';
import type { Sql } from 'postgres';
import { canonicalSeal } from '../app/seal.ts';
import { type SealStore, SealUnreadable } from '../app/seal-ports.ts';
import type { Database } from './database.ts';
import { reach } from './reach.ts';

interface SealRow {
  readonly seal_no: number;
  readonly seal: string;
}

export class PostgresSealStore implements SealStore {
  readonly #sql: Sql;

  constructor({ sql }: Pick<Database, 'sql'>) {
    this.#sql = sql;
  }

  async read({ after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly Seal[]> {
    const rows = await reach(
      () => this.#sql<SealRow[]>`select seal_no, seal from es_seal where seal_no > ${after} order by seal_no limit ${limit}`,
    );
    const seals: Seal[] = [];
    for (const row of rows) {
      // What came before it is told first.
      if (seals.length > 0 && parseSeal(row.seal) === null) break;
      seals.push(sealOf(row));
    }
    return seals;
  }

  async add(seal: Seal, last: number): Promise<boolean> {
    const added = await reach(
      () => this.#sql`
        insert into es_seal (seal_no, last, seal) values (${seal.sealNo}, ${last}, ${canonicalSeal(seal)})
        on conflict (seal_no) do nothing returning seal_no`,
    );
    return added.length > 0;
  }

  async covering(position: number): Promise<EventsSeal | null> {
    const rows = await reach(
      () => this.#sql<SealRow[]>`select seal_no, seal from es_seal where last >= ${position} order by last, seal_no limit 1`,
    );
    const [seal] = rows.map(sealOf);
    return seal?.kind === 'events' ? seal : null;
  }
}

function sealOf({ seal_no, seal }: SealRow): Seal {
  const parsed = parseSeal(seal);
  if (parsed === null) throw new SealUnreadable(seal_no);
  return parsed;
}

/** Null: not a seal, or not in the bytes that its hash is of. */
export function parseSeal(text: string): Seal | null {
  try {
    const parsed = Seal.safeParse(JSON.parse(text));
    return parsed.success && canonicalSeal(parsed.data) === text.trim() ? parsed.data : null;
  } catch {
    return null;
  }
}
