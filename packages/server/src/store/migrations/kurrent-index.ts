/**
 * Where KurrentDB keeps each event of ours, by its place in the log: KurrentDB's own positions have gaps. Made of the log alone, by
 * each node alike, so that rows may be written twice and never differ.
 */
export const kurrentIndex = `
  create table es_kurrent_event (
    position bigint primary key,
    commit_position text not null,
    prepare_position text not null unique,
    stream text collate "C" not null,
    revision bigint not null,
    unique (stream, revision)
  );
  create table es_kurrent_command (
    command_id uuid primary key,
    stream text collate "C" not null,
    fingerprint text not null,
    first_revision bigint not null,
    last_revision bigint not null,
    last_position bigint not null
  );
`;
