-- 0006 Find versions and runs by what they are and what made them.
--
-- Why: "which runs had lr < 0.001 and a loss below 0.1", "which versions contain this file".
-- Every statement of a search begins with a namespace that the caller may read, and all its
-- indexes begin with it, too, so that no search reads another user's rows.
--
-- What is asked for by name (labels, hyperparameters, metrics, words …) are facts, one row
-- each: version_fact and run_fact are an index over the columns of version and run, kept by
-- triggers, so that whoever writes a version or a run, by whichever statement, writes them as
-- well. A run's metrics are in run_metric already.
--
-- Locks: version is updated and indexed, run and evaluation are indexed: nothing is written to
-- them meanwhile. About a minute per million versions and runs.

set local lock_timeout = '5s';

-- Newest first, of a namespace.
alter table version add column namespace_id bigint;
update version set namespace_id = a.namespace_id from artifact a where a.id = artifact_id;
alter table version alter column namespace_id set not null;
create index version_by_namespace on version (namespace_id, id desc);

-- Of the namespaces, those that are seen without a role in them.
create index namespace_by_visibility on namespace (visibility, id)
    where visibility <> 'private';

-- path: label.KEY, param.a.b.0, metric.NAME and evaluation.NAME (of a version), commit, word.
-- Text that spells a number has it as well. What is too long to be indexed is left out.
create table version_fact (
    namespace_id bigint           not null,
    version_id   bigint           not null,
    path         text collate "C" not null,
    number       double precision,
    text         text collate "C",

    constraint version_fact_of_a_version
        foreign key (version_id) references version (id) on delete cascade
);
create index version_fact_by_number on version_fact (namespace_id, path, number, version_id);
create index version_fact_by_text on version_fact (namespace_id, path, text, version_id)
    where text is not null;
create index version_fact_by_version on version_fact (version_id);

create table run_fact (
    namespace_id bigint           not null,
    run_id       bigint           not null,
    path         text collate "C" not null,
    number       double precision,
    text         text collate "C",

    constraint run_fact_of_a_run foreign key (run_id) references run (id) on delete cascade
);
create index run_fact_by_number on run_fact (namespace_id, path, number, run_id);
create index run_fact_by_text on run_fact (namespace_id, path, text, run_id)
    where text is not null;
create index run_fact_by_run on run_fact (run_id);

-- The lowest and the highest value are read along, for each run that has the metric.
create index run_metric_by_value on run_metric (namespace_id, name, last_value, run_id)
    include (min_value, max_value);

-- In which versions of an artifact a stored file was: from one number to another, the highest
-- there is while the newest version has it. So a new version of 100 000 files, one of them
-- changed, takes two rows, and there is about one row per file, not per file and version.
-- file: the first 16 bytes of its SHA-256.
create table version_file (
    artifact_id  bigint  not null,
    file         bytea   not null,
    first_number integer not null,
    last_number  integer not null default 2147483647,

    constraint version_file_pk primary key (artifact_id, file, last_number)
);

-- The words of a text, in lower case: what stands between ASCII characters that are neither
-- letters nor digits.
create function search_words(message text) returns setof text
    language sql immutable parallel safe as $$
    select distinct left(word, 100)
      from regexp_split_to_table(lower(left(message, 10000)),
                                 '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+') word
     where word <> ''
     limit 500
$$;

-- The leaves of a hyperparameter document, with their paths from the root.
create function search_leaves(document jsonb)
    returns table (path text, number double precision, "text" text)
    language sql immutable parallel safe as $$
    with recursive node (path, value) as (
        select '', document
        union all
        select node.path || case when node.path = '' then '' else '.' end || child.name,
               child.value
          from node
         cross join lateral (
               select key, value
                 from jsonb_each(case when jsonb_typeof(node.value) = 'object'
                                      then node.value else '{}' end)
               union all
               select (place - 1)::text, element
                 from jsonb_array_elements(
                          case when jsonb_typeof(node.value) <> 'array' then '[]'
                               when jsonb_array_length(node.value) > 1000 then '[]'
                               else node.value end)
                      with ordinality as elements (element, place)
               ) child (name, value)
    ), leaf as (
        select node.path, jsonb_typeof(value) as type, value #>> '{}' as spelled
          from node
         where jsonb_typeof(value) not in ('object', 'array')
         limit 1000
    )
    select leaf.path,
           case when type = 'number'
                  or (type = 'string' and length(spelled) <= 30
                      and spelled ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$')
                then spelled::double precision end,
           case when type = 'null' then 'null' when type <> 'number' then spelled end
      from leaf
$$;

-- What versions and runs have in common. hyperparameters: the digest of their document.
create function search_facts(labels jsonb, message text, source jsonb, hyperparameters bytea)
    returns table (path text, number double precision, "text" text)
    language sql stable parallel safe as $$
    select fact.path, fact.number, fact.text
      from (select 'label.' || key, null::double precision, value from jsonb_each_text(labels)
            union all
            select 'word', null, word from search_words(message) word
            union all
            select 'commit', null, source ->> 'commit' where source ? 'commit'
            union all
            select 'param.' || leaf.path, leaf.number, leaf.text
              from hyperparameters h cross join lateral search_leaves(h.canonical::jsonb) leaf
             where h.digest = search_facts.hyperparameters
               and octet_length(h.canonical) <= 1000000
           ) fact (path, number, text)
     where octet_length(fact.path) <= 1010
       and coalesce(octet_length(fact.text), 0) <= 1000
$$;

-- Metrics as {"loss": 0.12, "auc": "NaN"}.
create function search_metrics(metrics jsonb)
    returns table (name text, value double precision)
    language sql immutable parallel safe as $$
    select key, value::double precision
      from jsonb_each_text(metrics)
     where octet_length(key) <= 1000
$$;

create function place_version() returns trigger language plpgsql as $$
begin
    new.namespace_id := (select namespace_id from artifact where id = new.artifact_id);
    return new;
end
$$;

create function write_version_facts() returns trigger language plpgsql as $$
begin
    insert into version_fact (namespace_id, version_id, path, number, text)
    select new.namespace_id, new.id, fact.path, fact.number, fact.text
      from search_facts(new.labels, new.message, new.source, new.hyperparameters) fact
    union all
    select new.namespace_id, new.id, 'metric.' || metric.name, metric.value, null
      from search_metrics(new.metrics) metric;
    return null;
end
$$;

-- A deleted version is found no more.
create function delete_version_facts() returns trigger language plpgsql as $$
begin
    delete from version_fact where version_id = new.id;
    return null;
end
$$;

create function write_evaluation_facts() returns trigger language plpgsql as $$
begin
    insert into version_fact (namespace_id, version_id, path, number)
    select v.namespace_id, v.id, 'evaluation.' || metric.name, metric.value
      from version v cross join lateral search_metrics(new.metrics) metric
     where v.id = new.version_id and v.state <> 'deleted';
    return null;
end
$$;

create function write_run_facts() returns trigger language plpgsql as $$
begin
    delete from run_fact where run_id = new.id and tg_op = 'UPDATE';
    insert into run_fact (namespace_id, run_id, path, number, text)
    select new.namespace_id, new.id, fact.path, fact.number, fact.text
      from search_facts(new.labels, new.name || ' ' || new.message, new.source,
                        new.hyperparameters) fact;
    return null;
end
$$;

create trigger version_is_placed before insert on version
    for each row execute function place_version();
create trigger version_has_facts after insert on version
    for each row execute function write_version_facts();
create trigger version_loses_facts after update of state on version
    for each row when (new.state = 'deleted') execute function delete_version_facts();
create trigger evaluation_has_facts after insert on evaluation
    for each row execute function write_evaluation_facts();
create trigger run_has_facts after insert or update of labels on run
    for each row execute function write_run_facts();

-- What there is already.
insert into version_fact (namespace_id, version_id, path, number, text)
select v.namespace_id, v.id, fact.path, fact.number, fact.text
  from version v
 cross join lateral search_facts(v.labels, v.message, v.source, v.hyperparameters) fact
 where v.state <> 'deleted'
union all
select v.namespace_id, v.id, 'metric.' || metric.name, metric.value, null
  from version v cross join lateral search_metrics(v.metrics) metric
 where v.state <> 'deleted'
union all
select v.namespace_id, v.id, 'evaluation.' || metric.name, metric.value, null
  from evaluation e
  join version v on v.id = e.version_id
 cross join lateral search_metrics(e.metrics) metric
 where v.state <> 'deleted';

insert into run_fact (namespace_id, run_id, path, number, text)
select r.namespace_id, r.id, fact.path, fact.number, fact.text
  from run r
 cross join lateral search_facts(r.labels, r.name || ' ' || r.message, r.source,
                                 r.hyperparameters) fact;
