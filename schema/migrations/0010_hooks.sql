-- 0010 Secrets, webhooks, and repositories that are looked at.
--
-- Why: jobs need passwords that nobody may read back, and a git push makes a model again. A
-- push is told by the repository's host (a hook), once however often it is delivered, or
-- seen by looking at the repository's branches and tags where no hook can reach us (a poll).
-- What is secret is stored encrypted; the keys are not in the database.
--
-- Locks: only new tables; no existing table is rewritten.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

-- A value that jobs get and nobody reads. sealed: 12 bytes of nonce, the ciphertext of
-- AES-256-GCM, 16 bytes of tag; it opens only under the name that it was sealed for.
create table secret (
    id           bigint      not null generated always as identity,
    namespace_id bigint      not null,
    name         text        not null,
    folded_name  text        not null generated always as (lower(name collate "C")) stored,
    key_id       text        not null,
    sealed       bytea       not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    updated_by   text        not null,

    constraint secret_pk primary key (id),
    constraint secret_name_is_unique_ignoring_case unique (namespace_id, folded_name),
    constraint secret_lies_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint secret_name_is_valid check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    constraint secret_is_sealed check (octet_length(sealed) >= 28)
);

-- Where a host of repositories tells us of pushes.
create table hook (
    id           uuid        not null,
    namespace_id bigint      not null,
    kind         text        not null,
    repository   text        not null,  -- in its normal form
    url          text        not null,  -- as it was given
    key_id       text        not null,
    sealed       bytea       not null,  -- what its deliveries are signed with
    created_at   timestamptz not null,
    created_by   text        not null,

    constraint hook_pk primary key (id),
    constraint hook_lies_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint hook_kind_is_known check (kind in ('gitlab', 'github', 'gitea', 'generic')),
    constraint hook_is_sealed check (octet_length(sealed) >= 28)
);

create index hook_by_namespace on hook (namespace_id, id desc);
create index hook_by_repository on hook (namespace_id, repository collate "C");

-- What came to a hook and was genuine. The key says that a delivery counts once; those
-- without an id of their own are told apart by nothing.
create table hook_delivery (
    id          bigint      not null generated always as identity,
    hook_id     uuid        not null,
    delivery    text,
    received_at timestamptz not null,
    event_id    bigint,               -- null: it was ignored
    remark      text        not null, -- which ref moved, or why it was ignored

    constraint hook_delivery_pk primary key (id),
    constraint hook_delivery_counts_once unique (hook_id, delivery),
    constraint hook_delivery_of_a_hook
        foreign key (hook_id) references hook (id) on delete cascade
);

create index hook_delivery_by_hook on hook_delivery (hook_id, id desc);

-- A repository that triggers of a namespace listen to and no hook of theirs tells of. Whoever
-- looks at it has claimed it by moving due_at; what moved and what was seen are one
-- transaction.
create table poll (
    namespace_id bigint      not null,
    repository   text        not null,  -- in its normal form
    url          text        not null,  -- how it is asked
    wants_paths  boolean     not null,
    due_at       timestamptz not null,
    claim        uuid,
    refs         text,                  -- JSON, commits by ref; null: never seen
    seen_at      timestamptz,
    failures     integer     not null default 0,  -- in a row
    problem      text        not null default '',

    constraint poll_pk primary key (namespace_id, repository),
    constraint poll_is_of_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict
);

create index poll_by_due on poll (due_at);
