-- 0009 Triggers, and the events that fire them.
--
-- Why: a model is made again when its data, its code or its score has changed. What has
-- happened is a row in the transaction of what caused it, so that no server has to remember
-- it. A server that leads reads these rows and decides: the job, what the trigger now knows,
-- and how far the event has come are one transaction, so that an event makes each trigger
-- fire once however often servers are killed.
--
-- A trigger is found by the topics that it listens to, so a publish costs one row whatever
-- the number of triggers. Time is an event, too: a schedule that is due, and a trigger that
-- has waited long enough, write one that only this trigger hears.
--
-- Locks: only new tables; no existing table is rewritten.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

create table trigger (
    id              bigint      not null generated always as identity,
    namespace_id    bigint      not null,
    name            text        not null,
    folded_name     text        not null generated always as (lower(name collate "C")) stored,
    document        text        not null,  -- canonical JSON, as it was applied
    pipeline_id     bigint      not null,
    enabled         boolean     not null,
    revision        integer     not null default 1,
    owner_id        bigint      not null,  -- who applied it last: it sees what they may see
    owner_namespace bigint,                -- … and no further than the token reached
    created_at      timestamptz not null,
    created_by      text        not null,
    updated_at      timestamptz not null,
    updated_by      text        not null,

    progress        text        not null default '{}',  -- JSON: what it has heard so far
    next_at         timestamptz,                        -- its schedule is due then
    due_at          timestamptz,                        -- it fires then, unless more comes
    pending         text,                               -- JSON: what it will fire for
    fired_at        timestamptz,
    fired_reason    text        not null default '',
    fired_job       uuid,
    problem         text        not null default '',    -- why it last did not fire
    problem_at      timestamptz,

    constraint trigger_pk primary key (id),
    constraint trigger_name_is_unique_ignoring_case unique (namespace_id, folded_name),
    constraint trigger_lies_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint trigger_starts_a_pipeline
        foreign key (pipeline_id) references pipeline (id) on delete restrict,
    constraint trigger_has_an_owner
        foreign key (owner_id) references principal (id) on delete restrict,
    constraint trigger_name_is_valid check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    constraint trigger_is_due_for_something check ((due_at is null) = (pending is null))
) with (fillfactor = 80);

create index trigger_by_pipeline on trigger (pipeline_id, id desc);

-- Whose time has come is asked several times a second.
create index trigger_by_next on trigger (next_at) where next_at is not null;
create index trigger_by_due on trigger (due_at) where due_at is not null;

-- What a trigger listens to: version/NS/NAME, evaluation/NS/NAME, alias/NS/NAME/ALIAS, all
-- folded, push/HOST/PATH, and trigger/ID, which is its own.
create table trigger_topic (
    topic       text collate "C" not null,
    trigger_id  bigint           not null,
    repository  text,                       -- of a push: as it is reached
    wants_paths boolean          not null default false,

    constraint trigger_topic_pk primary key (topic, trigger_id),
    constraint trigger_topic_of_a_trigger
        foreign key (trigger_id) references trigger (id) on delete cascade
);

create index trigger_topic_by_trigger on trigger_topic (trigger_id);

create table event (
    id              bigint           not null generated always as identity,
    kind            text             not null,
    topic           text collate "C" not null,
    namespace_id    bigint,                    -- where it happened; null: outside
    payload         text             not null,  -- JSON object
    chain           bigint[]         not null,  -- triggers that led here, oldest first
    cause_job       uuid,                       -- the job that caused it, if one did
    created_at      timestamptz      not null default now(),

    state           text             not null default 'unconsumed',
    after_trigger   bigint           not null default 0,  -- up to here they have been told
    only_triggers   bigint[],                   -- of a replay: nobody else is told
    parked_triggers bigint[]         not null default '{}',  -- those that could not be told
    failures        integer          not null default 0,  -- in a row
    retry_at        timestamptz,
    problem         text             not null default '',
    consumed_at     timestamptz,                -- when it was consumed, or parked

    constraint event_pk primary key (id),
    constraint event_happened_in_a_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint event_kind_is_known
        check (kind in ('new_version', 'alias_moved', 'evaluation', 'git_push', 'schedule',
                        'manual', 'due')),
    constraint event_state_is_known check (state in ('unconsumed', 'consumed', 'parked')),
    constraint event_is_consumed_at_a_time
        check ((state = 'unconsumed') = (consumed_at is null))
) with (fillfactor = 80);

create index event_unconsumed on event (id) where state = 'unconsumed';
create index event_parked on event (id) where state = 'parked';

-- What an event did to a trigger that it concerned: once, which is what the key says.
create table trigger_decision (
    event_id   bigint      not null,
    trigger_id bigint      not null,
    at         timestamptz not null,
    outcome    text        not null,  -- fired, waits, noted, skipped, refused
    reason     text        not null,
    job        uuid,

    constraint trigger_decision_pk primary key (event_id, trigger_id),
    constraint trigger_decision_of_an_event
        foreign key (event_id) references event (id) on delete cascade,
    constraint trigger_decision_of_a_trigger
        foreign key (trigger_id) references trigger (id) on delete cascade,
    constraint trigger_decision_outcome_is_known
        check (outcome in ('fired', 'waits', 'noted', 'skipped', 'refused'))
);

create index trigger_decision_by_trigger on trigger_decision (trigger_id, event_id desc);

-- Which server does what only one needs to do. Who stops to renew it loses it, by the
-- database's clock. It spares work: that nothing is done twice is ensured by locks.
create table leader (
    task   text        not null,
    holder text        not null,
    until  timestamptz not null,

    constraint leader_pk primary key (task)
);
