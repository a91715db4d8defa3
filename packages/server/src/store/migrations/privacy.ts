/*
 * Words of one lesson have a key of their own (`part`: the lesson's id), so that they can be destroyed apart; keys without a part are
 * older, or an avatar's. Who is forgotten is no matter of one key any more, and holds for keys that nobody has made yet.
 * `traces_until`: a destroyed key's wrapped bytes may still stand in old pages of its table (the highest value there is), or only in
 * write-ahead log from before this place; null: nowhere.
 */
export const privacy = `
  alter table es_subject_key add column part text not null default '';
  alter table es_subject_key add column traces_until pg_lsn;
  alter table es_subject_key drop constraint es_subject_key_pkey, add primary key (tenant_id, student_id, part);

  create table es_forgotten (
    tenant_id text not null,
    student_id text not null,
    forgotten_at timestamptz not null,
    -- What is still to be done, for whoever goes on with it; null: nothing.
    work text,
    primary key (tenant_id, student_id)
  );
  insert into es_forgotten (tenant_id, student_id, forgotten_at)
    select tenant_id, student_id, destroyed_at from es_subject_key where destroyed_at is not null and student_id not like 'avatar:%';
  update es_subject_key set traces_until = 'FFFFFFFF/FFFFFFFF' where destroyed_at is not null;

  -- A key that is made while its student is being forgotten would outlive it: one of both waits for the other.
  create function es_lock_student(tenant text, student text) returns void language sql as $$
    select pg_advisory_xact_lock(hashtextextended(tenant || '/' || student, 1163084614))
  $$;

  create function es_obtain_key(tenant text, student text, of_part text, new_key uuid, new_wrapped bytea)
  returns table (key_id text, wrapped_key bytea) language plpgsql as $$
  #variable_conflict use_column
  begin
    perform es_lock_student(tenant, student);
    if exists (select from es_forgotten f where f.tenant_id = tenant and f.student_id = student) then return; end if;
    insert into es_subject_key (tenant_id, student_id, part, key_id, wrapped_key)
      values (tenant, student, of_part, new_key, new_wrapped) on conflict do nothing;
    return query
      select k.key_id::text, k.wrapped_key from es_subject_key k
      where k.tenant_id = tenant and k.student_id = student and k.part = of_part and k.wrapped_key is not null;
  end $$;

  create function es_forget(tenant text, student text, still_to_do text) returns void language plpgsql as $$
  begin
    perform es_lock_student(tenant, student);
    insert into es_forgotten (tenant_id, student_id, forgotten_at, work)
      values (tenant, student, clock_timestamp(), still_to_do) on conflict do nothing;
    update es_subject_key set wrapped_key = null, destroyed_at = clock_timestamp(), traces_until = 'FFFFFFFF/FFFFFFFF'
      where tenant_id = tenant and student_id = student and wrapped_key is not null;
  end $$;

  -- The table anew, in files without a past. Not VACUUM FULL: that keeps what an older snapshot could still see.
  create function es_rewrite_keys() returns void language plpgsql as $$
  begin
    if not exists (select from es_subject_key where traces_until = 'FFFFFFFF/FFFFFFFF') then return; end if;
    lock table es_subject_key in access exclusive mode;
    create temporary table es_kept_key on commit drop as select * from es_subject_key;
    truncate es_subject_key;
    insert into es_subject_key (tenant_id, student_id, part, key_id, wrapped_key, destroyed_at, traces_until)
      select tenant_id, student_id, part, key_id, wrapped_key, destroyed_at,
        case traces_until when 'FFFFFFFF/FFFFFFFF' then pg_current_wal_insert_lsn() else traces_until end
      from es_kept_key;
  end $$;

  create table es_lease (name text primary key, owner text not null, until timestamptz not null);
`;
