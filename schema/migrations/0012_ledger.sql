-- 0012 The KPI ledger: what was produced with each model, counted once, and never rewritten.
--
-- Why: what is reported must be defended years later. So an entry is a row that is inserted and
-- never changed; a mistake is another entry, which says how much it takes away. What a report
-- sums up is therefore a plain sum of amounts and of weights, whatever was corrected.
--
-- Entries come in batches, one for each transaction that brings any. A batch is not chained when
-- it is committed, so that writers do not wait for each other: one chainer at a time, which holds
-- kpi_head, gives committed batches their sequence, the time of their recording, and a hash over
-- all before them. Reports read chained batches alone. A batch is recorded when it was received, but
-- never before one that is chained already, whatever the clocks of servers say; and a report that
-- is made closes the book at its own time (kpi_head.recorded_at), so that whatever comes later is
-- recorded later: what is known at a time stays the same for ever.
--
-- Sums by day are kept per rule of counting (kpi_counting), and say up to which batch they go;
-- they can be made again from the entries at any time.
--
-- kpi_entry has no foreign keys: they would be looked up a million times for a million events.
-- What it names is resolved in the same service, and never deleted.
--
-- Locks: new tables; a constraint of the table of events takes one kind more, which reads that
-- table once and rewrites nothing.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

create table kpi (
    id          bigint      not null generated always as identity,
    name        text        not null,  -- KPI2.2.1.1
    folded_name text        not null generated always as (lower(name collate "C")) stored,
    revision    integer     not null,  -- of its definition, the one in force
    created_at  timestamptz not null,

    constraint kpi_pk primary key (id),
    constraint kpi_name_is_unique_ignoring_case unique (folded_name),
    constraint kpi_name_is_valid check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$')
);

-- What a definition counts, which is all that the sums depend on: namespaces, filter on subject
-- keys, and the keys that are summed up by. Definitions that differ in their words share one.
create table kpi_counting (
    id           bigint not null generated always as identity,
    kpi_id       bigint not null,
    rule         text   not null,            -- canonical JSON
    rolled_up_to bigint not null default 0,  -- the sequence of the last batch in the sums

    constraint kpi_counting_pk primary key (id),
    constraint kpi_counting_is_unique unique (kpi_id, rule),
    constraint kpi_counting_of_a_kpi
        foreign key (kpi_id) references kpi (id) on delete restrict
);

create table kpi_definition (
    kpi_id      bigint      not null,
    revision    integer     not null,
    document    text        not null,  -- canonical JSON
    counting_id bigint      not null,
    defined_at  timestamptz not null,
    defined_by  text        not null,

    constraint kpi_definition_pk primary key (kpi_id, revision),
    constraint kpi_definition_of_a_kpi
        foreign key (kpi_id) references kpi (id) on delete restrict,
    constraint kpi_definition_counts
        foreign key (counting_id) references kpi_counting (id) on delete restrict
);

create sequence kpi_batch_id as bigint;

-- The entries that one transaction brought. digest: SHA-256 over the hashes of its entries, in
-- the order of their positions.
create table kpi_batch (
    id           bigint      not null,
    entry_count  integer     not null,
    digest       bytea       not null,
    received_at  timestamptz not null,
    principal_id bigint      not null,

    sequence     bigint,       -- 1, 2, 3 … without gaps; null: not chained yet
    recorded_at  timestamptz,
    hash         bytea,        -- over this batch and the hash of the one before it
    entries_through bigint,    -- entries in the chain up to its end

    constraint kpi_batch_pk primary key (id),
    constraint kpi_batch_sequence_is_unique unique (sequence),
    constraint kpi_batch_has_entries check (entry_count > 0),
    constraint kpi_batch_is_chained_as_a_whole
        check ((sequence is null) = (recorded_at is null) and (sequence is null) = (hash is null)
               and (sequence is null) = (entries_through is null))
) with (fillfactor = 70);

create index kpi_batch_unchained on kpi_batch (id) where sequence is null;
create index kpi_batch_by_recording on kpi_batch (recorded_at, sequence)
    where sequence is not null;

-- An event (corrects is null), or a correction, which bears the occurrence, the version and the
-- subject of what it corrects, so that sums need nothing else. amount and weight are what it adds:
-- an event its value, and 1 (0 for a value of 0); a correction what it changes of both.
create table kpi_entry (
    batch_id     bigint      not null,
    position     integer     not null,
    kpi_id       bigint      not null,
    namespace_id bigint      not null,
    event_id     text        collate "C" not null,  -- the source's own
    occurred_at  timestamptz not null,
    version_id   bigint,
    value        numeric     not null,  -- as it was sent: of a correction, the new value
    amount       numeric     not null,
    weight       smallint    not null,
    corrects     text        collate "C",  -- event_id of the event
    reason       text,
    subject      jsonb,
    evidence     text[],
    cpu_seconds  numeric,
    gpu_seconds  numeric,
    energy_kwh   numeric,
    hash         bytea       not null,  -- SHA-256 of its canonical form

    constraint kpi_entry_pk primary key (batch_id, position),
    constraint kpi_entry_is_unique unique (kpi_id, namespace_id, event_id),
    constraint kpi_entry_weight_is_a_step check (weight between -1 and 1)
);

-- Days at the ends of a report's range may be cut; what a model made may be asked by any key.
create index kpi_entry_by_occurrence on kpi_entry using brin (occurred_at timestamptz_minmax_multi_ops);
create index kpi_entry_by_correction on kpi_entry (kpi_id, namespace_id, corrects)
    where corrects is not null;

-- The end of the chain. Who holds this row chains, or closes the book.
create table kpi_head (
    only_one    boolean     not null default true,
    sequence    bigint      not null,
    entry_count bigint      not null,
    recorded_at timestamptz not null,  -- whatever is recorded from now on is later than this
    hash        bytea       not null,

    constraint kpi_head_pk primary key (only_one),
    constraint kpi_head_is_one check (only_one)
);

insert into kpi_head (sequence, entry_count, recorded_at, hash)
values (0, 0, '1970-01-01 00:00:00+00', decode(repeat('00', 32), 'hex'));

-- Sums per UTC day of occurrence and of recording. key '': everything; a subject key: by its
-- value ('' where an entry has none). version_id 0: entries without a model. Resources are summed
-- under key '' alone.
create table kpi_sum (
    counting_id bigint  not null,
    key         text    collate "C" not null,
    value       text    collate "C" not null,
    version_id  bigint  not null,
    occurred_on date    not null,
    recorded_on date    not null,
    amount      numeric not null,
    weight      bigint  not null,  -- entries that count
    entries     bigint  not null,  -- rows, corrections among them
    cpu_seconds numeric not null default 0,
    gpu_seconds numeric not null default 0,
    energy_kwh  numeric not null default 0,

    constraint kpi_sum_pk
        primary key (counting_id, key, occurred_on, recorded_on, value, version_id),
    constraint kpi_sum_of_a_counting
        foreign key (counting_id) references kpi_counting (id) on delete cascade
);

-- Links of evidence, for showing: at most so many new ones per counting and day of occurrence as
-- the roll-up takes.
create table kpi_link (
    counting_id bigint not null,
    link        text   collate "C" not null,
    occurred_on date   not null,
    recorded_on date   not null,
    weight      bigint not null,

    constraint kpi_link_pk primary key (counting_id, occurred_on, recorded_on, link),
    constraint kpi_link_of_a_counting
        foreign key (counting_id) references kpi_counting (id) on delete cascade
);

-- Reports that were sealed: the document is canonical JSON, its digest names it.
create table kpi_seal (
    digest      bytea       not null,
    document    text        not null,
    report_at   timestamptz not null,
    report_until timestamptz not null,
    sequence    bigint      not null,  -- the end of the chain that it followed from
    chain_hash  bytea       not null,
    sealed_at   timestamptz not null,
    sealed_by   text        not null,
    id          bigint      not null generated always as identity,

    constraint kpi_seal_pk primary key (id),
    constraint kpi_seal_digest_is_unique unique (digest)
);

-- What a seal says of each KPI: whose it is to read, and what a later report counts its change
-- from.
create table kpi_sealed_value (
    seal_id bigint  not null,
    kpi_id  bigint  not null,
    value   numeric not null,

    constraint kpi_sealed_value_pk primary key (seal_id, kpi_id),
    constraint kpi_sealed_value_of_a_seal
        foreign key (seal_id) references kpi_seal (id) on delete cascade,
    constraint kpi_sealed_value_of_a_kpi
        foreign key (kpi_id) references kpi (id) on delete restrict
);

-- Whether a KPI with a deadline was behind its pace when somebody looked last: triggers are told
-- when it falls behind, and not as long as it stays so.
create table kpi_pace (
    kpi_id     bigint      not null,
    is_behind  boolean     not null,
    changed_at timestamptz not null,

    constraint kpi_pace_pk primary key (kpi_id),
    constraint kpi_pace_of_a_kpi
        foreign key (kpi_id) references kpi (id) on delete cascade
);

alter table event drop constraint event_kind_is_known;
alter table event add constraint event_kind_is_known
    check (kind in ('new_version', 'alias_moved', 'evaluation', 'git_push', 'schedule',
                    'manual', 'due', 'kpi'));
