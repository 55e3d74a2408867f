-- 0004 Say what each version was made from, and what it holds.
--
-- Why: the pedigree is asked both ways, "what made this" and "what did this reach", for years.
-- Inputs and components are edges of one graph and are walked by one query per level. An edge
-- only ever leads to what existed before, so the graph has no cycle.
--
-- Locks: version gets a column without a default and two indexes; its rows are read once for
-- them, not rewritten.

set local lock_timeout = '5s';

create table pedigree_edge (
    version_id bigint  not null,             -- what was made
    position   integer not null,             -- as it was declared
    role       text    not null,
    name       text    not null default '',  -- of a component; the name an input goes by
    target_id  bigint,                       -- the version that it was made from …
    uri        text,                         -- … or something outside of this registry
    digest     bytea,                        -- of what is outside; null: nobody can verify it

    constraint pedigree_edge_pk primary key (version_id, position),
    constraint pedigree_edge_belongs_to_a_version
        foreign key (version_id) references version (id) on delete cascade,
    constraint pedigree_edge_leads_to_a_version
        foreign key (target_id) references version (id) on delete restrict,
    constraint pedigree_edge_leads_to_something check ((target_id is null) <> (uri is null)),
    constraint pedigree_edge_role_is_known
        check (role in ('trained-on', 'validated-on', 'parent', 'environment', 'component')),
    constraint pedigree_edge_digest_is_of_a_uri check (digest is null or uri is not null),
    constraint pedigree_edge_digest_is_sha256 check (octet_length(digest) = 32),
    constraint pedigree_edge_is_older check (target_id < version_id)
);

-- What a version reached, a page at a time; and whether anything needs it.
create index pedigree_edge_by_target on pedigree_edge (target_id, version_id)
    where target_id is not null;

-- The run that made it.
alter table version add column run_id uuid;

create index version_by_run on version (run_id) where run_id is not null;

-- Which versions were made from a commit, by the first digits of its hash.
create index version_by_commit on version (((source ->> 'commit') collate "C"))
    where source is not null;
