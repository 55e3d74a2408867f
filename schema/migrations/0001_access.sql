-- 0001 Give the server namespaces, principals, roles and tokens; and a feed of changes.
--
-- Why: everything else hangs on a namespace, and every request begins with a token. What a
-- server remembers of these (and later of artifacts) it must forget within a second when
-- another server changes them: the table change says what.
--
-- Locks: only new tables; no existing table is rewritten.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

create table namespace (
    id          bigint      not null generated always as identity,
    name        text        not null,
    folded_name text        not null generated always as (lower(name collate "C")) stored,
    description text        not null,
    visibility  text        not null,
    created_at  timestamptz not null default now(),

    constraint namespace_pk primary key (id),
    constraint namespace_name_is_unique_ignoring_case unique (folded_name),
    constraint namespace_name_is_valid
        check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    constraint namespace_visibility_is_known
        check (visibility in ('private', 'internal', 'public'))
);

create table principal (
    id           bigint      not null generated always as identity,
    name         text        not null,
    folded_name  text        not null generated always as (lower(name collate "C")) stored,
    kind         text        not null,
    display_name text        not null,
    is_admin     boolean     not null,
    created_at   timestamptz not null default now(),

    constraint principal_pk primary key (id),
    constraint principal_name_is_unique_ignoring_case unique (folded_name),
    constraint principal_name_is_valid
        check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    constraint principal_kind_is_known check (kind in ('person', 'service'))
);

create table membership (
    namespace_id bigint      not null,
    principal_id bigint      not null,
    role         text        not null,
    granted_at   timestamptz not null default now(),

    constraint membership_pk primary key (namespace_id, principal_id),
    constraint membership_is_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete cascade,
    constraint membership_is_of_a_principal
        foreign key (principal_id) references principal (id) on delete cascade,
    constraint membership_role_is_known
        check (role in ('reader', 'writer', 'maintainer', 'owner'))
);

-- "Which namespaces may this principal see?" must not scan.
create index membership_by_principal on membership (principal_id);

-- The secret itself is shown once and kept nowhere: 256 random bits need no salt and no slow
-- hash. scopes is a set of bits: read 1, write 2, admin 4, kpi 8, agent 16. A row stays when
-- its token is revoked, so that the holder is told what happened to it.
create table token (
    id           uuid        not null,
    principal_id bigint      not null,
    name         text        not null,
    secret_hash  bytea       not null,
    scopes       smallint    not null,
    namespace_id bigint,
    is_bootstrap boolean     not null,
    created_at   timestamptz not null,
    expires_at   timestamptz,
    revoked_at   timestamptz,

    constraint token_pk primary key (id),
    constraint token_secret_is_unique unique (secret_hash),
    constraint token_is_of_a_principal
        foreign key (principal_id) references principal (id) on delete cascade,
    constraint token_reaches_a_namespace
        foreign key (namespace_id) references namespace (id) on delete cascade,
    constraint token_secret_hash_is_a_sha256 check (length(secret_hash) = 32),
    constraint token_scopes_are_known check (scopes between 1 and 31)
);

-- "My tokens, newest first": a UUID of version 7 sorts by when it was made.
create index token_by_principal on token (principal_id, id);
create index token_by_namespace on token (namespace_id) where namespace_id is not null;

-- What was changed, and by which transaction. Readers ask for the rows that their last
-- snapshot could not see, so none is passed over that commits late. Rows are deleted once
-- every reader had ten minutes to see them.
create table change (
    id    bigint not null generated always as identity,
    topic text   not null,
    xid   xid8   not null default pg_current_xact_id(),

    constraint change_pk primary key (id)
);

create index change_by_xid on change (xid);
