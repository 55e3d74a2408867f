-- 0007 Keep who changed what, and purge bytes that must not exist.
--
-- Why: who deleted a version, took a role away or revoked a token is asked long after. And
-- some bytes must go for good (a key, personal data, what a court forbids), from every
-- namespace and every pack, without taking along what they are shared with. A tombstone says
-- that they are gone, keeps them from coming back, and outlives the work of removing them
-- (storage/DESIGN.md, Purging).
--
-- Locks: only new tables; no existing table is rewritten.

set local lock_timeout = '5s';

create table audit (
    id           bigint      not null generated always as identity,
    at           timestamptz not null default now(),
    principal    text        not null,  -- its name then
    action       text        not null,  -- version.delete, token.revoke, blob.purge, …
    subject      text        not null,  -- what it was done to
    namespace_id bigint,                -- whose owners may read it; null: administrators alone
    reason       text        not null,
    detail       jsonb       not null,

    constraint audit_pk primary key (id),
    constraint audit_is_of_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint audit_action_is_valid check (action ~ '^[a-z]+[.][a-z]+$')
);

-- Newest first, of a namespace, of a subject, of a kind.
create index audit_by_namespace on audit (namespace_id, id);
create index audit_by_subject on audit (subject collate "C", id);
create index audit_by_action on audit (action collate "C", id);

create function refuse_change_of_audit() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only ever added to';
end
$$;

create trigger audit_is_append_only before update or delete on audit
    for each row execute function refuse_change_of_audit();

-- A blob that must not exist, on the whole server.
create table tombstone (
    digest       bytea       not null,
    size_bytes   bigint      not null,
    purged_at    timestamptz not null default now(),
    purged_by    text        not null,
    reason       text        not null,
    namespaces   bigint[]    not null,  -- those that had it: they may know why it went
    listed_at    timestamptz,           -- its records are in purge_record
    completed_at timestamptz,           -- no pack has its bytes any more

    constraint tombstone_pk primary key (digest),
    constraint tombstone_digest_is_sha256 check (octet_length(digest) = 32)
);

create index tombstone_by_namespace on tombstone using gin (namespaces);
create index tombstone_unfinished on tombstone (digest) where completed_at is null;

-- While a purge is at work: the chunks and recipes of which its blobs were made. Their own
-- recipes can't say so any more once the first pack was rewritten.
create table purge_record (
    digest bytea not null,

    constraint purge_record_pk primary key (digest)
);

-- Packs whose rows are gone or changed already, and whose objects are about to go.
create table pack_move (
    namespace_id bigint not null,
    name         bytea  not null,
    new_name     bytea,            -- null: nothing of it is left

    constraint pack_move_pk primary key (namespace_id, name),
    constraint pack_move_of_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict
);

-- How often packs of a namespace were rewritten. Who was writing into it meanwhile, and may
-- have seen a pack that is gone, notices that the number is another one.
create table pack_rewrite (
    namespace_id bigint not null,
    count        bigint not null,

    constraint pack_rewrite_pk primary key (namespace_id),
    constraint pack_rewrite_of_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict
);
