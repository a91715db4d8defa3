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
  create index projection_row_by_tenant on projection_row (projection, generation, tenant_id, sort);
  create index projection_row_by_parent on projection_row (projection, generation, parent, sort);
  create index projection_row_by_status on projection_row (projection, generation, status, sort);
`;
