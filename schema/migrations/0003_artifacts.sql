-- 0003 Artifacts, their versions, and the aliases that point at them.
--
-- Why: this is what a registry is asked for. A version is a row that never changes but for
-- its state; what it holds is named by the digest of its manifest, which lies in the object
-- store. There is no row per file.
--
-- Locks: only new tables; no existing table is rewritten.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

create table artifact (
    id            bigint      generated always as identity,
    namespace_id  bigint      not null,
    name          text        not null,
    folded_name   text        not null generated always as (lower(name collate "C")) stored,
    kind          text        not null,
    description   text        not null default '',
    newest_number integer     not null default 0,
    created_at    timestamptz not null,
    changed_at    timestamptz not null,

    constraint artifact_pk primary key (id),
    constraint artifact_lies_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint artifact_name_is_unique_in_its_namespace unique (namespace_id, folded_name),
    constraint artifact_name_is_valid check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    constraint artifact_kind_is_known check (kind in ('model', 'dataset', 'environment'))
);

-- Lists are newest change first, of one kind.
create index artifact_by_change on artifact (kind, changed_at desc, id desc);

-- One row per distinct document: "same hyperparameters" is one comparison of digests.
create table hyperparameters (
    digest    bytea not null,
    canonical text  not null,

    constraint hyperparameters_pk primary key (digest),
    constraint hyperparameters_digest_is_sha256 check (octet_length(digest) = 32)
);

create table version (
    id              bigint      generated always as identity,
    artifact_id     bigint      not null,
    number          integer     not null,
    digest          bytea       not null,
    size_bytes      bigint      not null,
    file_count      bigint      not null,
    state           text        not null default 'active',
    state_reason    text        not null default '',
    created_at      timestamptz not null,
    created_by      text        not null,
    message         text        not null,
    labels          jsonb       not null,
    metrics         jsonb       not null,
    hyperparameters bytea,
    source          jsonb,

    constraint version_pk primary key (id),
    constraint version_belongs_to_an_artifact
        foreign key (artifact_id) references artifact (id) on delete restrict,
    constraint version_number_is_unique unique (artifact_id, number),
    constraint version_can_be_pointed_at unique (artifact_id, id),
    constraint version_number_is_positive check (number > 0),
    constraint version_digest_is_sha256 check (octet_length(digest) = 32),
    constraint version_state_is_known check (state in ('active', 'yanked', 'deleted')),
    constraint version_has_stored_hyperparameters
        foreign key (hyperparameters) references hyperparameters (digest) on delete restrict
);

-- name@sha256:… means the newest active version with that digest.
create index version_by_digest on version (artifact_id, digest, number desc);

create table alias (
    artifact_id bigint  not null,
    name        text    not null,
    folded_name text    not null generated always as (lower(name collate "C")) stored,
    version_id  bigint  not null,
    move        integer not null,

    constraint alias_pk primary key (artifact_id, folded_name),
    constraint alias_points_into_its_artifact
        foreign key (artifact_id, version_id)
        references version (artifact_id, id) on delete restrict,
    constraint alias_name_is_valid check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    constraint alias_name_is_no_number check (name !~ '^[0-9]+$' and lower(name) <> 'latest')
);

-- Which aliases point at a version is part of every answer about it.
create index alias_by_version on alias (version_id);

-- Every move is kept: with who, when and why. A removal is a move to no version.
create table alias_move (
    artifact_id         bigint      not null,
    name                text        not null,
    folded_name         text        not null generated always as (lower(name collate "C")) stored,
    move                integer     not null,
    version_id          bigint,
    previous_version_id bigint,
    moved_at            timestamptz not null,
    moved_by            text        not null,
    reason              text        not null,

    constraint alias_move_pk primary key (artifact_id, folded_name, move),
    constraint alias_move_stays_in_its_artifact
        foreign key (artifact_id, version_id)
        references version (artifact_id, id) on delete restrict,
    constraint alias_move_comes_from_its_artifact
        foreign key (artifact_id, previous_version_id)
        references version (artifact_id, id) on delete restrict
);

-- What an Idempotency-Key has already made, so that a repeated publish makes nothing.
create table publish_key (
    principal_id   bigint      not null,
    key            text        not null,
    request_digest bytea       not null,
    version_id     bigint      not null,
    created        boolean     not null,
    created_at     timestamptz not null,

    constraint publish_key_pk primary key (principal_id, key),
    constraint publish_key_made_a_version
        foreign key (version_id) references version (id) on delete cascade,
    constraint publish_key_belongs_to_a_principal
        foreign key (principal_id) references principal (id) on delete cascade
);

-- Keys are forgotten after some days, the oldest first.
create index publish_key_by_age on publish_key (created_at);
