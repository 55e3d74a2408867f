-- 0005 Runs: what makes versions, with its metrics over steps and its checkpoints; and
-- evaluations, the metrics of a version that are measured later.
--
-- Why: a version is worth trusting when one can ask what made it. Metrics come by the million
-- and in small batches, so there is no row per point: what arrives is appended as packed
-- blocks (registry/services/metric_points.cc draws the format), a background thread sums them
-- up for searching (run_metric), and moves them into sorted segments per metric, so that a
-- series is read without reading the others.
--
-- Locks: only new tables; no existing table is rewritten.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

create table run (
    id                bigint      generated always as identity,
    uuid              uuid        not null,
    namespace_id      bigint      not null,
    name              text        not null,
    status            text        not null default 'running',
    request_digest    bytea       not null,
    created_by        text        not null,
    created_at        timestamptz not null,
    started_at        timestamptz not null,
    finished_at       timestamptz,
    heartbeat_seconds integer,
    heartbeat_at      timestamptz,
    lost_after        timestamptz,
    hyperparameters   bytea,
    source            jsonb,
    labels            jsonb       not null,
    message           text        not null,
    command           jsonb,                             -- its words; null: not recorded
    directory         text        not null default '',   -- where, below the source's root
    resources         jsonb       not null default '{}',
    exit_status       integer,
    keep_rule         text        not null,

    constraint run_pk primary key (id),
    constraint run_uuid_is_unique unique (uuid),
    constraint run_lies_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint run_name_is_valid check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    constraint run_status_is_known
        check (status in ('running', 'finished', 'failed', 'killed', 'lost')),
    constraint run_has_ended_at_a_time
        check ((finished_at is not null) = (status in ('finished', 'failed', 'killed'))),
    constraint run_heartbeats_are_all_or_none
        check ((heartbeat_seconds is null) = (heartbeat_at is null)
               and (heartbeat_seconds is null) = (lost_after is null)),
    constraint run_has_stored_hyperparameters
        foreign key (hyperparameters) references hyperparameters (digest) on delete restrict
);

-- Lists are newest first, in a namespace, and of one status.
create index run_by_namespace on run (namespace_id, id desc);
create index run_by_status on run (namespace_id, status, id desc);

-- Which runs have stopped their heartbeat is asked every few seconds.
create index run_by_heartbeat on run (lost_after) where status = 'running';

create index run_by_hyperparameters on run (hyperparameters)
    where hyperparameters is not null;

-- Runs made from a commit, of which a prefix may be given.
create index run_by_commit on run (((source ->> 'commit')) collate "C")
    where source is not null;

-- What went into a run: as pedigree_edge says it of a version.
create table run_input (
    run_id    bigint  not null,
    position  integer not null,
    role      text    not null,
    name      text    not null default '',
    target_id bigint,
    uri       text,
    digest    bytea,

    constraint run_input_pk primary key (run_id, position),
    constraint run_input_of_a_run
        foreign key (run_id) references run (id) on delete cascade,
    constraint run_input_is_a_version
        foreign key (target_id) references version (id) on delete restrict,
    constraint run_input_is_something check ((target_id is null) <> (uri is null)),
    constraint run_input_role_is_known
        check (role in ('trained-on', 'validated-on', 'parent', 'environment')),
    constraint run_input_digest_is_of_a_uri check (digest is null or uri is not null),
    constraint run_input_digest_is_sha256 check (octet_length(digest) = 32)
);

create index run_input_by_target on run_input (target_id) where target_id is not null;

-- How far the metrics of a run have come. Blocks are numbered from 0; those below
-- folded_count are in the sums of run_metric, those below compacted_count are no blocks any
-- more but segments. Settled: the run has ended, and no block is left.
--
-- Each batch of metrics updates this row and no index, so that PostgreSQL does it in place.
create table metric_log (
    run_id          bigint  not null,
    block_count     bigint  not null default 0,
    point_count     bigint  not null default 0,
    name_count      integer not null default 0,
    folded_count    bigint  not null default 0,
    compacted_count bigint  not null default 0,
    compacted_points bigint not null default 0,
    closed          boolean not null default false,
    settled         boolean not null default false,

    constraint metric_log_pk primary key (run_id),
    constraint metric_log_of_a_run
        foreign key (run_id) references run (id) on delete cascade,
    constraint metric_log_is_in_order
        check (0 <= compacted_count and compacted_count <= folded_count
               and folded_count <= block_count)
) with (fillfactor = 50);

create index metric_log_unsettled on metric_log (run_id) where not settled;

-- Points as they came, of any metrics. Not compressed again, and kept in the row up to a
-- page. The statement that adds a block updates metric_log as well, which is why there is no
-- foreign key to be checked with each.
create table metric_block (
    run_id      bigint  not null,
    number      bigint  not null,
    point_count integer not null,
    points      bytea   not null,

    constraint metric_block_pk primary key (run_id, number)
) with (toast_tuple_target = 8160);
alter table metric_block alter column points set storage external;

-- Points of one metric, sorted by step; segments of a metric follow each other as their
-- points were recorded, and may overlap in their steps.
create table metric_segment (
    run_id      bigint  not null,
    name_id     integer not null,
    number      bigint  not null,
    first_step  bigint  not null,
    last_step   bigint  not null,
    point_count integer not null,
    points      bytea   not null,

    constraint metric_segment_pk primary key (run_id, name_id, number)
) with (toast_tuple_target = 8160);
alter table metric_segment alter column points set storage external;

-- A metric of a run, made when it is first seen, and what is known of its points: the one of
-- the highest step, the lowest and the highest value (NaN left aside), as of
-- metric_log.folded_count.
create table run_metric (
    run_id       bigint  not null,
    name_id      integer not null,
    namespace_id bigint  not null,
    name         text    not null,
    point_count  bigint  not null default 0,
    last_step    bigint,
    last_value   double precision,
    last_time    timestamptz,
    min_step     bigint,
    min_value    double precision,
    min_time     timestamptz,
    max_step     bigint,
    max_value    double precision,
    max_time     timestamptz,

    constraint run_metric_pk primary key (run_id, name_id),
    constraint run_metric_name_is_unique unique (run_id, name),
    constraint run_metric_of_a_run
        foreign key (run_id) references run (id) on delete cascade,
    constraint run_metric_has_its_last_point
        check ((point_count = 0) = (last_step is null)
               and (last_step is null) = (last_value is null)
               and (last_step is null) = (last_time is null))
);

-- A checkpoint's manifest is stored as a version's is. One that the keep rule has dropped
-- keeps its row; its manifest is needed by it no more.
create table run_checkpoint (
    run_id       bigint      not null,
    namespace_id bigint      not null,
    step         bigint      not null,
    digest       bytea       not null,
    kind         text        not null,
    size_bytes   bigint      not null,
    file_count   bigint      not null,
    metrics      jsonb       not null,
    state        text        not null,
    published    boolean     not null default false,
    created_at   timestamptz not null,
    created_by   text        not null,

    constraint run_checkpoint_pk primary key (run_id, step),
    constraint run_checkpoint_of_a_run
        foreign key (run_id) references run (id) on delete cascade,
    constraint run_checkpoint_digest_is_sha256 check (octet_length(digest) = 32),
    constraint run_checkpoint_kind_is_known check (kind in ('model', 'dataset', 'environment')),
    constraint run_checkpoint_state_is_known check (state in ('kept', 'dropped')),
    constraint run_checkpoint_published_is_kept check (not published or state = 'kept')
);

create index run_checkpoint_by_digest on run_checkpoint (namespace_id, digest);

-- Append-only. The order is that of recording.
create table evaluation (
    id                 bigint      generated always as identity,
    uuid               uuid        not null,
    version_id         bigint      not null,
    dataset_version_id bigint,
    request_digest     bytea       not null,
    metrics            jsonb       not null,
    labels             jsonb       not null,
    measured_at        timestamptz not null,
    recorded_at        timestamptz not null,
    recorded_by        text        not null,

    constraint evaluation_pk primary key (id),
    constraint evaluation_uuid_is_unique unique (uuid),
    constraint evaluation_of_a_version
        foreign key (version_id) references version (id) on delete restrict,
    constraint evaluation_on_a_dataset_version
        foreign key (dataset_version_id) references version (id) on delete restrict
);

create index evaluation_by_version on evaluation (version_id, id desc);
create index evaluation_by_dataset on evaluation (dataset_version_id)
    where dataset_version_id is not null;
