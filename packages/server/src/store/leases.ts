import type { Sql } from 'postgres';
import type { Leases } from '../app/ports.ts';
import type { Database } from './database.ts';
import { reach } from './reach.ts';

export class PostgresLeases implements Leases {
  readonly #sql: Sql;

  constructor({ sql }: Pick<Database, 'sql'>) {
    this.#sql = sql;
  }

  async hold(name: string, { owner, ms }: { readonly owner: string; readonly ms: number }): Promise<boolean> {
    const held = await reach(
      () => this.#sql`
        insert into es_lease as l (name, owner, until) values (${name}, ${owner}, clock_timestamp() + ${ms} * interval '1 millisecond')
        on conflict (name) do update set owner = excluded.owner, until = excluded.until
          where l.owner = excluded.owner or l.until < clock_timestamp()
        returning 1`,
    );
    return held.length > 0;
  }
}
