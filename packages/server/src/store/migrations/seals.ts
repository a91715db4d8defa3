/** Seals in their canonical JSON, by number. `last`: events up to here are sealed, by this one or before. */
export const seals = `
  create table es_seal (
    seal_no int primary key check (seal_no >= 0),
    last bigint not null,
    seal text not null
  );
  create index es_seal_by_last on es_seal (last);
  create trigger es_seal_is_append_only before update or delete or truncate on es_seal
    for each statement execute function es_refuse_change();
  revoke update, delete, truncate on es_seal from public, current_user;
`;
