export const project = `
  -- Plans are kept from when the table was small. Rows are looked up by their whole key, so the index is always right.
  create function es_rows(keys jsonb) returns table (projection text, key text, "row" text)
  language sql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select r.projection, r.key, r.row
    from jsonb_to_recordset(keys) as k (projection text, generation int, key text)
    join projection_row r on r.projection = k.projection and r.generation = k.generation and r.key = k.key
  $$;
  -- One batch of several projections in one statement: all of it or nothing. False: another node claimed one of the
  -- lanes since, or it is gone. The lanes' checkpoints are locked first and in one order.
  create function es_project(lanes jsonb, changed jsonb, gone jsonb, lease_ms int) returns boolean
  language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  declare held int;
  begin
    select count(*) into held from (
      select 1 from jsonb_to_recordset(lanes) as l (projection text, generation int, epoch bigint, "from" bigint)
      join projection_checkpoint c on c.projection = l.projection and c.generation = l.generation
      where c.epoch = l.epoch and c.position = l."from" and c.state in ('active', 'rebuilding')
      order by c.projection, c.generation for update of c
    ) locked;
    if held <> jsonb_array_length(lanes) then return false; end if;
    update projection_checkpoint c
      set position = l."to", lease_until = clock_timestamp() + lease_ms * interval '1 millisecond'
      from jsonb_to_recordset(lanes) as l (projection text, generation int, "to" bigint)
      where c.projection = l.projection and c.generation = l.generation;
    delete from projection_row r
      using jsonb_to_recordset(gone) as g (projection text, generation int, key text)
      where r.projection = g.projection and r.generation = g.generation and r.key = g.key;
    insert into projection_row as r (projection, generation, key, tenant_id, parent, status, sort, row)
      select n.projection, n.generation, n.key, n.tenant_id, n.parent, n.status, n.sort, n.row
      from jsonb_to_recordset(changed) as n
        (projection text, generation int, key text, tenant_id text, parent text, status text, sort bigint, row text)
      on conflict (projection, generation, key) do update set tenant_id = excluded.tenant_id, parent = excluded.parent,
        status = excluded.status, sort = excluded.sort, row = excluded.row;
    return true;
  end $$;
`;
