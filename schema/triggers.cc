#include "schema/triggers.h"

#include <nlohmann/json.hpp>

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

#define MENDEL_TRIGGERS                                                                  \
  "select t.id, t.namespace_id, n.name as namespace_name, t.name, t.document, "          \
  "t.pipeline_id, t.enabled, t.revision, t.owner_id, p.name as owner, "                  \
  "p.is_admin as owner_is_admin, t.owner_namespace, t.created_at, t.created_by, "        \
  "t.updated_at, t.updated_by, t.progress, t.next_at, t.due_at, t.pending, t.fired_at, " \
  "t.fired_reason, coalesce(t.fired_job::text, '') as fired_job, t.problem, "            \
  "t.problem_at from trigger t join namespace n on n.id = t.namespace_id "               \
  "join principal p on p.id = t.owner_id "

constexpr Statement kFindTrigger{
    "find_trigger", MENDEL_TRIGGERS "where n.folded_name = $1 and t.folded_name = $2"};

constexpr Statement kLockTrigger{
    "lock_trigger", MENDEL_TRIGGERS
    "where n.folded_name = $1 and t.folded_name = $2 for no key update of t"};

constexpr Statement kLockTriggerUnlessLocked{
    "lock_trigger_unless_locked",
    MENDEL_TRIGGERS "where t.id = $1 for no key update of t skip locked"};

constexpr Statement kListTriggers{
    "list_triggers", MENDEL_TRIGGERS
    "where ($1::bigint is null or t.namespace_id = $1) "
    "and ($2::boolean or n.visibility = 'public' "
    "     or ($3::boolean and n.visibility = 'internal') "
    "     or exists (select from membership m "
    "                 where m.namespace_id = n.id and m.principal_id = $4)) "
    "and ($5::text is null or n.folded_name = $5) "
    "and ($6::bigint is null or t.pipeline_id = $6) "
    "and ($7::bigint is null or t.id < $7) order by t.id desc limit $8"};

// Of a replay there are few, so that their topic is looked up for each.
constexpr Statement kListListeners{
    "list_listeners", MENDEL_TRIGGERS
    "join trigger_topic tt on tt.trigger_id = t.id "
    "where tt.topic = $1 and tt.trigger_id > $2 and t.enabled and t.hears_after < $4 "
    "order by tt.trigger_id limit $3"};

constexpr Statement kListSomeListeners{
    "list_some_listeners", MENDEL_TRIGGERS
    "join trigger_topic tt on tt.trigger_id = t.id "
    "where tt.topic = $1 and tt.trigger_id > $2 and t.enabled "
    "and t.id = any($4::bigint[]) order by tt.trigger_id limit $3"};

constexpr Statement kLockListeners{
    "lock_listeners", MENDEL_TRIGGERS
    "where t.id = any($1::bigint[]) and t.enabled order by t.id for no key update of t"};

#undef MENDEL_TRIGGERS

constexpr Statement kInsertTrigger{"insert_trigger", R"sql(
  insert into trigger (namespace_id, name, document, pipeline_id, enabled, owner_id,
                       owner_namespace, created_at, created_by, updated_at, updated_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $9)
  on conflict on constraint trigger_name_is_unique_ignoring_case do nothing
  returning id
)sql"};

constexpr Statement kUpdateTrigger{"update_trigger", R"sql(
  update trigger
     set document = $2, pipeline_id = $3, enabled = $4, owner_id = $5, owner_namespace = $6,
         updated_at = $7, updated_by = $8, revision = revision + 1,
         problem = '', problem_at = null
   where id = $1
)sql"};

constexpr Statement kUpdateTriggerOwner{"update_trigger_owner", R"sql(
  update trigger set owner_id = $2, owner_namespace = $3 where id = $1
)sql"};

constexpr Statement kDeleteTrigger{"delete_trigger", R"sql(
  delete from trigger where id = $1
)sql"};

constexpr Statement kUpdateTriggerState{"update_trigger_state", R"sql(
  update trigger
     set progress = $2, next_at = $3, due_at = $4, pending = $5, fired_at = $6
   where id = $1
)sql"};

// No event is being written now that commits later.
constexpr Statement kHoldOffEvents{"hold_off_events", R"sql(
  select pg_advisory_xact_lock(120282411197810)
)sql"};

constexpr Statement kHearFromNow{"hear_from_now", R"sql(
  update trigger set hears_after = coalesce((select max(id) from event), 0) where id = $1
)sql"};

constexpr Statement kRecordFiring{"record_firing", R"sql(
  update trigger
     set fired_reason = $2, fired_job = $3, problem = '', problem_at = null
   where id = $1
)sql"};

constexpr Statement kRecordTriggerProblem{"record_trigger_problem", R"sql(
  update trigger set problem = $2, problem_at = $3 where id = $1
)sql"};

constexpr Statement kDeleteTriggerTopics{"delete_trigger_topics", R"sql(
  delete from trigger_topic where trigger_id = $1
)sql"};

constexpr Statement kInsertTriggerTopics{"insert_trigger_topics", R"sql(
  insert into trigger_topic (trigger_id, topic, repository, wants_paths)
  select $1::bigint, topic, repository, wants_paths
    from unnest($2::text[], $3::text[], $4::boolean[])
         as new (topic, repository, wants_paths)
)sql"};

constexpr Statement kListDueTriggers{"list_due_triggers", R"sql(
  select id from trigger where next_at <= $1
  union
  select id from trigger where due_at <= $1
  order by id
  limit $2
)sql"};

constexpr Statement kInsertTriggerDecision{"insert_trigger_decision", R"sql(
  insert into trigger_decision (event_id, trigger_id, at, outcome, reason, job)
  values ($1, $2, $3, $4, $5, $6)
)sql"};

constexpr Statement kListTriggerDecisions{"list_trigger_decisions", R"sql(
  select event_id, trigger_id, at, outcome, reason, job::text
    from trigger_decision where trigger_id = $1
   order by event_id desc
   limit $2
)sql"};

constexpr Statement kHoldOffCycles{"hold_off_cycles", R"sql(
  select pg_advisory_xact_lock(120282411197809)
)sql"};

#define MENDEL_LINKS                                                                   \
  "t.pipeline_id as to_id, tn.name as trigger_namespace, tn.name || '/' || t.name as " \
  "trigger, pn.name as to_namespace, pn.name || '/' || p.name as to_name "
#define MENDEL_LINKED                                     \
  "join trigger t on t.id = tt.trigger_id and t.enabled " \
  "join namespace tn on tn.id = t.namespace_id "          \
  "join pipeline p on p.id = t.pipeline_id join namespace pn on pn.id = p.namespace_id "

// What a pipeline makes is told under these topics.
constexpr Statement kListLinksFrom{"list_links_from", R"sql(
  with made as (
    select p.id, p.specification::jsonb as document,
           lower((p.specification::jsonb #>> '{produces,artifact}') collate "C") as artifact
      from pipeline p
     where p.id = any($1::bigint[])
  ), told as (
    select id, 'version/' || artifact as topic from made
    union
    select id, 'alias/' || artifact || '/' || lower(alias collate "C")
      from made
     cross join jsonb_array_elements_text(
                    coalesce(document #> '{produces,aliases}', '[]')) as aliases (alias)
  )
  select told.id as from_id, )sql" MENDEL_LINKS R"sql(
    from told join trigger_topic tt on tt.topic = told.topic collate "C" )sql" MENDEL_LINKED
                                                      "order by told.id, t.id"};

constexpr Statement kListLinksOf{"list_links_of",
                                 "select null::bigint as from_id, " MENDEL_LINKS
                                 "from trigger_topic tt " MENDEL_LINKED
                                 "where tt.topic = any($1::text[]) order by t.id"};

constexpr Statement kListTriggersOf{"list_triggers_of", R"sql(
  select n.name || '/' || t.name as trigger
    from trigger t join namespace n on n.id = t.namespace_id
   where t.pipeline_id = $1
   order by t.id
   limit $2
)sql"};

// Whose turn it is need not survive a crash of the database.
constexpr Statement kCommitLater{"commit_later", R"sql(
  set local synchronous_commit = off
)sql"};

constexpr Statement kTryToLead{"try_to_lead", R"sql(
  insert into leader as l (task, holder, until)
  values ($1, $2, clock_timestamp() + $3::integer * interval '1 millisecond')
  on conflict on constraint leader_pk do update
     set holder = excluded.holder, until = excluded.until
   where l.holder = excluded.holder or l.until < clock_timestamp()
  returning true as leads
)sql"};

constexpr Statement kStopLeading{"stop_leading", R"sql(
  delete from leader where task = $1 and holder = $2
)sql"};

TriggerRow trigger(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .namespace_id = at<std::int64_t>(row, "namespace_id"),
          .namespace_name = at<std::string>(row, "namespace_name"),
          .name = at<std::string>(row, "name"),
          .document = at<std::string>(row, "document"),
          .pipeline_id = at<std::int64_t>(row, "pipeline_id"),
          .enabled = at<bool>(row, "enabled"),
          .revision = at<std::int32_t>(row, "revision"),
          .owner_id = at<std::int64_t>(row, "owner_id"),
          .owner = at<std::string>(row, "owner"),
          .owner_is_admin = at<bool>(row, "owner_is_admin"),
          .owner_namespace = at<std::optional<std::int64_t>>(row, "owner_namespace"),
          .created_at = at<Timestamp>(row, "created_at"),
          .created_by = at<std::string>(row, "created_by"),
          .updated_at = at<Timestamp>(row, "updated_at"),
          .updated_by = at<std::string>(row, "updated_by"),
          .state = {.progress = at<std::string>(row, "progress"),
                    .next_at = at<std::optional<Timestamp>>(row, "next_at"),
                    .due_at = at<std::optional<Timestamp>>(row, "due_at"),
                    .pending = at<std::optional<std::string>>(row, "pending"),
                    .fired_at = at<std::optional<Timestamp>>(row, "fired_at")},
          .fired_reason = at<std::string>(row, "fired_reason"),
          .fired_job = at<std::string>(row, "fired_job"),
          .problem = at<std::string>(row, "problem"),
          .problem_at = at<std::optional<Timestamp>>(row, "problem_at")};
}

std::optional<TriggerRow> trigger(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return trigger(*row);
}

std::vector<TriggerRow> triggers(const Rows& rows) {
  std::vector<TriggerRow> found;
  for (const Row& row : rows) found.push_back(trigger(row));
  return found;
}

std::vector<PipelineLink> links(const Rows& rows) {
  std::vector<PipelineLink> found;
  for (const Row& row : rows) {
    found.push_back({.from = at<std::optional<std::int64_t>>(row, "from_id"),
                     .to = at<std::int64_t>(row, "to_id"),
                     .trigger_namespace = at<std::string>(row, "trigger_namespace"),
                     .trigger = at<std::string>(row, "trigger"),
                     .to_namespace = at<std::string>(row, "to_namespace"),
                     .to_name = at<std::string>(row, "to_name")});
  }
  return found;
}

}  // namespace

std::optional<TriggerRow> find_trigger(Transaction& tx, const std::string& folded_namespace,
                                       const std::string& folded_name) {
  return trigger(tx.exec_optional(kFindTrigger, folded_namespace, folded_name));
}

std::optional<TriggerRow> lock_trigger(Transaction& tx, const std::string& folded_namespace,
                                       const std::string& folded_name) {
  return trigger(tx.exec_optional(kLockTrigger, folded_namespace, folded_name));
}

std::optional<TriggerRow> lock_trigger_unless_locked(Transaction& tx, std::int64_t id) {
  return trigger(tx.exec_optional(kLockTriggerUnlessLocked, id));
}

std::optional<std::int64_t> insert_trigger(Transaction& tx, std::int64_t namespace_id,
                                           const std::string& name,
                                           const TriggerEdit& edit) {
  const auto row =
      tx.exec_optional(kInsertTrigger, namespace_id, name, edit.document, edit.pipeline_id,
                       edit.enabled, edit.owner_id, edit.owner_namespace, edit.at, edit.by);
  if (!row) return std::nullopt;
  return at<std::int64_t>(*row, "id");
}

void update_trigger(Transaction& tx, std::int64_t id, const TriggerEdit& edit) {
  tx.exec(kUpdateTrigger, id, edit.document, edit.pipeline_id, edit.enabled, edit.owner_id,
          edit.owner_namespace, edit.at, edit.by);
}

void update_trigger_owner(Transaction& tx, std::int64_t id, const TriggerEdit& edit) {
  tx.exec(kUpdateTriggerOwner, id, edit.owner_id, edit.owner_namespace);
}

void delete_trigger(Transaction& tx, std::int64_t id) { tx.exec(kDeleteTrigger, id); }

void update_trigger_state(Transaction& tx, std::int64_t id, const TriggerStateRow& state) {
  tx.exec(kUpdateTriggerState, id, state.progress, state.next_at, state.due_at,
          state.pending, state.fired_at);
}

void hear_from_now(Transaction& tx, std::int64_t id) {
  tx.exec(kHoldOffEvents);
  tx.exec(kHearFromNow, id);
}

void record_firing(Transaction& tx, std::int64_t id, const std::string& reason,
                   const std::string& job) {
  tx.exec(kRecordFiring, id, reason, job);
}

void record_trigger_problem(Transaction& tx, std::int64_t id, const std::string& problem,
                            Timestamp now) {
  tx.exec(kRecordTriggerProblem, id, problem, now);
}

void replace_trigger_topics(Transaction& tx, std::int64_t trigger,
                            std::span<const TriggerTopicRow> topics) {
  tx.exec(kDeleteTriggerTopics, trigger);
  tx.exec(kInsertTriggerTopics, trigger, array_of(topics, &TriggerTopicRow::topic),
          array_of(topics, &TriggerTopicRow::repository),
          array_of(topics, &TriggerTopicRow::wants_paths));
}

std::vector<TriggerRow> list_triggers(Transaction& tx, const NamespaceViewer& viewer,
                                      const TriggerFilter& filter,
                                      std::optional<std::int64_t> before,
                                      std::int64_t limit) {
  return triggers(tx.exec(kListTriggers, viewer.only_namespace, viewer.sees_all,
                          viewer.sees_internal, viewer.member, filter.folded_namespace,
                          filter.pipeline_id, before, limit));
}

std::vector<TriggerRow> list_listeners(Transaction& tx, const ListenerPage& page) {
  if (!page.only) {
    return triggers(
        tx.exec(kListListeners, page.topic, page.after, page.limit, page.event));
  }
  return triggers(tx.exec(kListSomeListeners, page.topic, page.after, page.limit,
                          array_of(*page.only)));
}

std::vector<TriggerRow> lock_listeners(Transaction& tx, std::span<const std::int64_t> ids) {
  return triggers(tx.exec(kLockListeners, array_of(ids)));
}

std::vector<std::int64_t> list_due_triggers(Transaction& tx, Timestamp now,
                                            std::int64_t limit) {
  std::vector<std::int64_t> ids;
  for (const Row& row : tx.exec(kListDueTriggers, now, limit)) {
    ids.push_back(at<std::int64_t>(row, "id"));
  }
  return ids;
}

void insert_trigger_decision(Transaction& tx, const TriggerDecisionRow& decision) {
  tx.exec(kInsertTriggerDecision, decision.event_id, decision.trigger_id, decision.at,
          decision.outcome, decision.reason, decision.job);
}

std::vector<TriggerDecisionRow> list_trigger_decisions(Transaction& tx,
                                                       std::int64_t trigger,
                                                       std::int64_t limit) {
  std::vector<TriggerDecisionRow> decisions;
  for (const Row& row : tx.exec(kListTriggerDecisions, trigger, limit)) {
    decisions.push_back({.event_id = at<std::int64_t>(row, "event_id"),
                         .trigger_id = at<std::int64_t>(row, "trigger_id"),
                         .at = at<Timestamp>(row, "at"),
                         .outcome = at<std::string>(row, "outcome"),
                         .reason = at<std::string>(row, "reason"),
                         .job = at<std::optional<std::string>>(row, "job")});
  }
  return decisions;
}

void hold_off_cycles(Transaction& tx) { tx.exec(kHoldOffCycles); }

std::vector<PipelineLink> list_links_from(Transaction& tx,
                                          std::span<const std::int64_t> pipelines) {
  return links(tx.exec(kListLinksFrom, array_of(pipelines)));
}

std::vector<PipelineLink> list_links_of(Transaction& tx,
                                        std::span<const std::string> topics) {
  return links(tx.exec(kListLinksOf, array_of(topics)));
}

std::vector<std::string> list_triggers_of(Transaction& tx, std::int64_t pipeline,
                                          std::int64_t limit) {
  std::vector<std::string> names;
  for (const Row& row : tx.exec(kListTriggersOf, pipeline, limit)) {
    names.push_back(at<std::string>(row, "trigger"));
  }
  return names;
}

bool try_to_lead(Transaction& tx, std::string_view task, std::string_view holder,
                 std::int32_t milliseconds) {
  tx.exec(kCommitLater);
  return tx.exec_optional(kTryToLead, task, holder, milliseconds).has_value();
}

void stop_leading(Transaction& tx, std::string_view task, std::string_view holder) {
  tx.exec(kStopLeading, task, holder);
}

}  // namespace mendel::schema
