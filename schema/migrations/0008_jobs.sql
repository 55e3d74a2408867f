-- 0008 Pipelines, and jobs that agents at the sites lease and run.
--
-- Why: a model is made again by whoever sits beside the data and the processors, behind a
-- firewall. So a job is a row that waits; an agent leases it, and each attempt has a token
-- of its own that is worth nothing once the attempt is over. What a job did took effect in
-- the transaction that published its version, and that happens once (job.version_id).
--
-- Locks: new tables; run and version get a column without a default, which rewrites nothing.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

create table pipeline (
    id              bigint      not null generated always as identity,
    namespace_id    bigint      not null,
    name            text        not null,
    folded_name     text        not null generated always as (lower(name collate "C")) stored,
    specification   text        not null,  -- canonical JSON, as it was applied
    revision        integer     not null default 1,
    concurrency     integer,               -- of the specification's limits; null: no limit
    per_day         integer,
    owner_id        bigint      not null,  -- who applied it last: its jobs act with their rights
    owner_namespace bigint,                -- … and no further than the token reached
    created_at      timestamptz not null,
    created_by      text        not null,
    updated_at      timestamptz not null,
    updated_by      text        not null,

    constraint pipeline_pk primary key (id),
    constraint pipeline_name_is_unique_ignoring_case unique (namespace_id, folded_name),
    constraint pipeline_lies_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint pipeline_has_an_owner
        foreign key (owner_id) references principal (id) on delete restrict,
    constraint pipeline_name_is_valid check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$')
);

-- A job. Its attempts are numbered from 1, for ever: a retry goes on counting and is given
-- more of them (attempts_max).
create table job (
    id                bigint      not null generated always as identity,
    uuid              uuid        not null,
    request_digest    bytea,                 -- of the request that made it, if one did
    namespace_id      bigint      not null,  -- the pipeline's
    pipeline_id       bigint,
    pipeline_name     text        not null,
    owner_id          bigint      not null,
    trigger_id        bigint,
    trigger_name      text        not null default '',
    chain             bigint[]    not null default '{}',  -- triggers that led here, oldest first
    reason            text        not null,
    created_at        timestamptz not null,
    created_by        text        not null,
    state             text        not null,
    queue             text        not null,
    specification     text        not null,  -- the pipeline's, frozen
    target_id         bigint      not null,  -- namespace of what it produces
    is_planned        boolean     not null,  -- inputs and hyperparameters are frozen
    hyperparameters   text,                  -- canonical JSON

    source_repository text,
    source_ref        text,
    source_commit     text,
    needs_commit      boolean     not null default false,  -- the server is to find the commit
    resolve_at        timestamptz,
    resolve_failures  integer     not null default 0,
    resolve_problem   text        not null default '',

    admitted          boolean     not null default false,  -- may be leased, or is
    admitted_at       timestamptz,                         -- for the first time
    not_before        timestamptz,
    attempt           integer     not null default 0,
    attempts_max      integer     not null,
    lease_seconds     integer,
    lease_expires_at  timestamptz,
    agent             text        not null default '',
    agent_id          bigint,                -- the principal of the agent's token
    cancel_requested  boolean     not null default false,
    cancel_reason     text        not null default '',
    started_at        timestamptz,           -- of the last attempt
    finished_at       timestamptz,
    version_id        bigint,                -- what it made: here the job took effect
    run               uuid,                  -- of the last attempt
    exit_status       integer,
    resources         jsonb       not null default '{}',
    log_kept          bigint      not null default 0,  -- bytes, of all attempts

    constraint job_pk primary key (id),
    constraint job_uuid_is_unique unique (uuid),
    constraint job_lies_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint job_produces_into_a_namespace
        foreign key (target_id) references namespace (id) on delete restrict,
    constraint job_of_a_pipeline
        foreign key (pipeline_id) references pipeline (id) on delete set null,
    constraint job_acts_for_a_principal
        foreign key (owner_id) references principal (id) on delete restrict,
    constraint job_made_a_version
        foreign key (version_id) references version (id) on delete restrict,
    constraint job_state_is_known
        check (state in ('queued', 'starting', 'running', 'succeeded', 'failed', 'cancelled',
                         'lost')),
    constraint job_has_a_lease_while_it_runs
        check ((state in ('starting', 'running')) = (lease_expires_at is not null)),
    constraint job_has_ended_at_a_time
        check ((state in ('succeeded', 'failed', 'cancelled', 'lost'))
               = (finished_at is not null)),
    constraint job_is_admitted_while_it_runs
        check (admitted or state not in ('starting', 'running')),
    constraint job_that_is_admitted_has_not_ended check (not admitted or finished_at is null),
    constraint job_that_is_admitted_has_its_commit check (not admitted or not needs_commit),
    constraint job_succeeded_with_a_version
        check (state <> 'succeeded' or version_id is not null)
) with (fillfactor = 80);

create index job_by_namespace on job (namespace_id, id desc);
create index job_by_state on job (namespace_id, state, id desc);
create index job_by_pipeline on job (pipeline_id, id desc);
create index job_by_version on job (version_id) where version_id is not null;

-- What agents are given, the oldest first: nothing else is in this index.
create index job_to_lease on job (queue collate "C", namespace_id, id)
    where admitted and state = 'queued';

-- How many of a pipeline are admitted, which one is the next, and how many there were today.
create index job_admitted on job (pipeline_id) where admitted;
create index job_waiting on job (pipeline_id, id)
    where state = 'queued' and not admitted and not needs_commit;
create index job_admitted_today on job (pipeline_id, admitted_at)
    where admitted_at is not null;

-- What is asked every second: whose lease is over, whose commit is to be found.
create index job_by_lease on job (lease_expires_at) where lease_expires_at is not null;
create index job_to_resolve on job (source_repository, source_ref) where needs_commit;

-- What goes into a job: as pedigree_edge says it of a version.
create table job_input (
    job_id    bigint  not null,
    position  integer not null,
    role      text    not null,
    name      text    not null,
    target_id bigint  not null,

    constraint job_input_pk primary key (job_id, position),
    constraint job_input_of_a_job
        foreign key (job_id) references job (id) on delete cascade,
    constraint job_input_is_a_version
        foreign key (target_id) references version (id) on delete restrict,
    constraint job_input_role_is_known
        check (role in ('trained-on', 'validated-on', 'parent', 'environment'))
);

create index job_input_by_target on job_input (target_id);

-- Append-only.
create table job_transition (
    id         bigint      not null generated always as identity,
    job_id     bigint      not null,
    at         timestamptz not null,
    actor      text        not null,
    from_state text,                  -- null: it was made
    to_state   text        not null,
    reason     text        not null,

    constraint job_transition_pk primary key (job_id, id),
    constraint job_transition_of_a_job
        foreign key (job_id) references job (id) on delete cascade
);

-- An attempt, and the hash of its token. The token is worth something while the attempt is
-- the job's last and has not ended.
create table job_attempt (
    job_id       bigint      not null,
    number       integer     not null,
    secret_hash  bytea       not null,
    agent        text        not null,
    started_at   timestamptz not null,
    ended_at     timestamptz,
    outcome      text        not null default '',
    log_received bigint      not null default 0,  -- bytes that the agent has sent
    log_kept     bigint      not null default 0,  -- bytes that can be read

    constraint job_attempt_pk primary key (job_id, number),
    constraint job_attempt_of_a_job
        foreign key (job_id) references job (id) on delete cascade,
    constraint job_attempt_secret_is_unique unique (secret_hash),
    constraint job_attempt_secret_hash_is_a_sha256 check (length(secret_hash) = 32)
);

create table job_log (
    job_id   bigint  not null,
    attempt  integer not null,
    position bigint  not null,  -- of its first byte
    bytes    bytea   not null,

    constraint job_log_pk primary key (job_id, attempt, position),
    constraint job_log_of_an_attempt
        foreign key (job_id, attempt) references job_attempt (job_id, number)
        on delete cascade
);

-- When jobs were last looked after, by any server: after an outage of all of them nobody's
-- lease has run out unfairly.
create table job_upkeep (
    only_row  boolean     not null default true,
    looked_at timestamptz not null,

    constraint job_upkeep_pk primary key (only_row),
    constraint job_upkeep_has_one_row check (only_row)
);

-- Which job's attempt made a run, and which job a version.
alter table run add column job_id bigint;
alter table run add column job_attempt integer;
alter table version add column job_id bigint;
create index run_by_job on run (job_id) where job_id is not null;
create index version_by_job on version (job_id) where job_id is not null;
