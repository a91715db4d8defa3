import type { Sql } from 'postgres';

/** Forward only: a migration that was ever released is never changed. */
const migrations: readonly { readonly id: number; readonly name: string; readonly sql: string }[] = [
  {
    id: 1,
    name: 'event log',
    sql: `
      create table es_stream (
        stream text collate "C" primary key,
        revision bigint not null check (revision > 0),
        head_hash bytea not null
      );
      create table es_event (
        position bigint primary key,
        stream text collate "C" not null,
        revision bigint not null check (revision > 0),
        event_id uuid not null unique,
        type text not null,
        schema_version int not null,
        payload text not null,
        sealed bytea,
        key_id uuid,
        meta text not null,
        content_hash bytea not null,
        hash bytea not null,
        recorded_at timestamptz not null default clock_timestamp(),
        unique (stream, revision)
      );
      create table es_command (
        command_id uuid primary key,
        stream text collate "C" not null,
        fingerprint text not null,
        first_revision bigint not null,
        last_revision bigint not null,
        last_position bigint not null,
        recorded_at timestamptz not null default clock_timestamp()
      );
      create table es_subject_key (
        tenant_id text not null,
        student_id text not null,
        key_id uuid unique,
        wrapped_key bytea,
        destroyed_at timestamptz,
        primary key (tenant_id, student_id)
      );
      create table projection_checkpoint (
        projection text,
        generation int,
        version int not null,
        position bigint not null default 0,
        epoch bigint not null default 0,
        owner text,
        lease_until timestamptz,
        state text not null check (state in ('active', 'rebuilding', 'parked', 'parked_rebuild')),
        error text,
        primary key (projection, generation)
      );
      create unique index projection_serves_one_generation on projection_checkpoint (projection) where state in ('active', 'parked');
      create table projection_row (
        projection text,
        generation int,
        key text collate "C",
        tenant_id text not null,
        parent text not null,
        status text not null,
        sort bigint not null,
        row text not null,
        primary key (projection, generation, key)
      );
      create index projection_row_by_tenant on projection_row (projection, generation, tenant_id, sort);
      create index projection_row_by_parent on projection_row (projection, generation, parent, sort);
      create index projection_row_by_status on projection_row (projection, generation, status, sort);
      create function es_refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception 'the event log is append-only' using errcode = 'ES001';
      end $$;
      create trigger es_event_is_append_only before update or delete on es_event
        for each statement execute function es_refuse_change();
      create trigger es_event_is_never_emptied before truncate on es_event
        for each statement execute function es_refuse_change();
    `,
  },
  {
    id: 2,
    name: 'append',
    sql: `
      -- Many commands in one call. Streams are locked in one order and losers write nothing; the order lock is the
      -- last one taken and is held only to the commit, so positions are dense and in commit order.
      create function es_append(commands jsonb)
      returns table (ordinal int, status text, first_revision bigint, last_revision bigint, last_position bigint)
      language plpgsql as $$
      declare
        c record; e record; known es_command; head es_stream;
        winners int[] := '{}'; revisions bigint[] := '{}'; hashes bytea[] := '{}';
        position_now bigint; revision_now bigint; hash_now bytea; content bytea; k int;
      begin
        if current_setting('transaction_isolation') <> 'read committed' then
          raise exception 'es_append needs READ COMMITTED: an older snapshot would give positions out twice' using errcode = 'ES002';
        end if;
        for c in
          select (o - 1)::int as ordinal, x->>'stream' as stream, (x->>'expected')::bigint as expected,
                 (x->>'commandId')::uuid as command_id, x->>'fingerprint' as fingerprint
          from jsonb_array_elements(commands) with ordinality t(x, o) order by hashtext(x->>'stream'), o
        loop
          ordinal := c.ordinal; first_revision := null; last_revision := null; last_position := null;
          -- The lock makes a first append and its retry take turns, where there is no row to lock yet.
          perform pg_advisory_xact_lock(1163084614, hashtext(c.stream));
          select * into known from es_command where command_id = c.command_id;
          if found then
            status := case when known.fingerprint = c.fingerprint and known.stream = c.stream then 'duplicate' else 'command_reused' end;
            first_revision := known.first_revision; last_revision := known.last_revision; last_position := known.last_position;
            return next; continue;
          end if;
          select * into head from es_stream s where s.stream = c.stream for update;
          revision_now := coalesce(head.revision, 0);
          if c.expected >= 0 and c.expected <> revision_now then
            status := 'conflict'; last_revision := revision_now;
            return next; continue;
          end if;
          winners := winners || c.ordinal;
          revisions := revisions || revision_now;
          hashes := hashes || coalesce(head.head_hash, sha256(convert_to(c.stream, 'UTF8')));
        end loop;
        if cardinality(winners) = 0 then return; end if;

        perform pg_advisory_xact_lock(1163084612, 1);
        select coalesce(max(ev.position), 0) into position_now from es_event ev;
        for i in 1 .. cardinality(winners) loop
          k := winners[i]; revision_now := revisions[i]; hash_now := hashes[i];
          first_revision := revision_now + 1;
          for e in select x from jsonb_array_elements(commands->k->'events') with ordinality t(x, o) order by o loop
            position_now := position_now + 1; revision_now := revision_now + 1;
            content := decode(e.x->>'contentHash', 'hex');
            hash_now := sha256(hash_now || int8send(revision_now) || uuid_send((e.x->>'id')::uuid) || content);
            insert into es_event (position, stream, revision, event_id, type, schema_version, payload, sealed, key_id, meta, content_hash, hash)
            values (position_now, commands->k->>'stream', revision_now, (e.x->>'id')::uuid, e.x->>'type', (e.x->>'schemaVersion')::int,
                    e.x->>'payload', decode(e.x->>'sealed', 'base64'), (e.x->>'keyId')::uuid, e.x->>'meta', content, hash_now);
          end loop;
          insert into es_stream as s values (commands->k->>'stream', revision_now, hash_now)
            on conflict (stream) do update set revision = excluded.revision, head_hash = excluded.head_hash;
          insert into es_command (command_id, stream, fingerprint, first_revision, last_revision, last_position)
            values ((commands->k->>'commandId')::uuid, commands->k->>'stream', commands->k->>'fingerprint', first_revision, revision_now, position_now);
          ordinal := k; status := 'appended'; last_revision := revision_now; last_position := position_now;
          return next;
        end loop;
        perform pg_notify('es_appended', position_now::text);
      end $$;
    `,
  },
];

/** Held while migrating: several nodes may start at once. */
const lockKey = 1163084613;

export async function migrate(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${lockKey})`;
    await tx`create table if not exists es_migration (id int primary key, name text not null, applied_at timestamptz not null default clock_timestamp())`;
    const applied = new Set((await tx<{ id: number }[]>`select id from es_migration`).map(({ id }) => id));
    for (const { id, name, sql: statements } of migrations) {
      if (applied.has(id)) continue;
      await tx.unsafe(statements);
      await tx`insert into es_migration (id, name) values (${id}, ${name})`;
    }
  });
}
