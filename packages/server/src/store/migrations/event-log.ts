/** The newest event of a stream is its head: there is no stream row to keep in step, lock or bloat. */
export const eventLog = `
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
  create unique index es_event_opens_stream on es_event (stream) where revision = 1;
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
  create function es_refuse_change() returns trigger language plpgsql as $$
  begin
    raise exception 'the event log is append-only' using errcode = 'ES001';
  end $$;
  create trigger es_event_is_append_only before update or delete or truncate on es_event
    for each statement execute function es_refuse_change();
  create trigger es_command_is_append_only before update or delete or truncate on es_command
    for each statement execute function es_refuse_change();
  revoke update, delete, truncate on es_event, es_command from public, current_user;
`;
