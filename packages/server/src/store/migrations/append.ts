/*
 * Many commands in one call and one statement. Everything after the order lock sees all that was
 * committed before it, so positions are dense and in the order of commits, and one of many racing
 * appends wins. Only index look-ups, whatever the planner believes about the size of a young table.
 */
export const append = `
  create function es_chain_step(before bytea, seed bytea, link bytea) returns bytea
  language plpgsql immutable as $$
  begin
    return sha256(coalesce(before, seed) || link);
  end $$;

  create aggregate es_chain(seed bytea, link bytea) (sfunc = es_chain_step, stype = bytea);

  create function es_append(commands jsonb, events jsonb)
  returns table (ordinal int, status text, first_revision bigint, last_revision bigint, last_position bigint)
  language plpgsql set enable_seqscan to off set plan_cache_mode to force_generic_plan as $$
  #variable_conflict use_column
  declare
    log_head bigint;
  begin
    if current_setting('transaction_isolation') <> 'read committed' then
      raise exception 'es_append needs READ COMMITTED: an older snapshot would give positions out twice' using errcode = 'ES002';
    end if;
    -- Readers follow the log at once: what they saw must not be undone by a crash.
    if current_setting('synchronous_commit') = 'off' then
      set local synchronous_commit to on;
    end if;
    perform pg_advisory_xact_lock(1163084612, 1);
    select coalesce(max(position), 0) into log_head from es_event;

    return query
    with judged as materialized (
      select c.ordinal, c.command_id, c.stream, c.fingerprint,
             coalesce(head.revision, 0) as revision,
             coalesce(head.hash, sha256(convert_to(c.stream, 'UTF8'))) as hash,
             known.first_revision, known.last_revision, known.last_position,
             case
               when known.fingerprint = c.fingerprint and known.stream = c.stream then 'duplicate'
               when known.fingerprint is not null then 'command_reused'
               when c.expected >= 0 and c.expected <> coalesce(head.revision, 0) then 'conflict'
               else 'appended'
             end as status
      from jsonb_to_recordset(commands) as c(ordinal int, command_id uuid, stream text, fingerprint text, expected bigint)
      left join lateral (select * from es_command k where k.command_id = c.command_id limit 1) known on true
      left join lateral (
        select e.revision, e.hash from es_event e where e.stream = c.stream order by e.revision desc limit 1
      ) head on true
    ), drafted as (
      select d.*, j.stream, j.hash as before, decode(d.content, 'hex') as content_hash,
             log_head + row_number() over (order by d.ordinal, d.index) as position,
             j.revision + row_number() over (partition by d.ordinal order by d.index) as revision
      from judged j
      join jsonb_to_recordset(events) as d(ordinal int, index int, id uuid, type text, version int, payload text,
                                           sealed text, key_id uuid, meta text, content text)
        on d.ordinal = j.ordinal
      where j.status = 'appended'
    ), stored as (
      insert into es_event (position, stream, revision, event_id, type, schema_version, payload, sealed, key_id, meta, content_hash, hash)
      select position, stream, revision, id, type, version, payload, decode(sealed, 'base64'), key_id, meta, content_hash,
             es_chain(before, int8send(revision) || uuid_send(id) || content_hash) over (partition by ordinal order by index)
      from drafted
      returning stream, revision, position
    ), answered as materialized (
      select j.*, j.revision + 1 as first, s.last, s.position
      from judged j
      join (select stream, max(revision) as last, max(position) as position from stored group by stream) s on s.stream = j.stream
      where j.status = 'appended'
    ), noted as (
      insert into es_command (command_id, stream, fingerprint, first_revision, last_revision, last_position)
      select command_id, stream, fingerprint, first, last, position from answered
    )
    select ordinal, status, first, last, position from answered
    union all
    select ordinal, status, first_revision, case status when 'conflict' then revision else last_revision end, last_position
    from judged where status <> 'appended';

    if exists (select from es_event where position > log_head) then
      perform pg_notify('es_appended', log_head::text);
    end if;
  end $$;
`;
