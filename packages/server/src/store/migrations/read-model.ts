export const readModel = `
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
  -- Each leads with what its lists ask for. Led by projection and generation, without statistics (which the embedded
  -- database never gathers) they would be taken for look-ups by key, and read a whole generation.
  create index projection_row_by_tenant on projection_row (tenant_id, projection, generation, sort);
  create index projection_row_by_parent on projection_row (parent, projection, generation, sort);
  create index projection_row_by_status on projection_row (status, projection, generation, sort);
`;
