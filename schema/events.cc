#include "schema/events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// Until the transaction ends, who applies a trigger waits (hear_from_now), and the id is
// taken after that: so events with lower ids than a trigger was applied at are all seen
// then.
constexpr Statement kInsertEvent{"insert_event", R"sql(
  with held as materialized (select pg_advisory_xact_lock_shared(120282411197810))
  insert into event (kind, topic, namespace_id, payload, chain, cause_job)
  select $1, $2, $3::bigint, $4, $5::bigint[], $6::uuid from held
  returning id
)sql"};

#define MENDEL_EVENTS                                                                    \
  "select e.id, e.kind, e.topic, e.namespace_id, e.payload, to_json(e.chain) as chain, " \
  "e.cause_job::text, coalesce(n.name, '') as namespace_name, e.created_at, e.state, "   \
  "e.after_trigger, to_json(e.only_triggers) as only_triggers, "                         \
  "to_json(e.parked_triggers) as parked_triggers, e.failures, e.retry_at, e.problem, "   \
  "e.consumed_at from event e left join namespace n on n.id = e.namespace_id "

constexpr Statement kFindEvent{"find_event", MENDEL_EVENTS "where e.id = $1"};

constexpr Statement kLockUnconsumedEvent{
    "lock_unconsumed_event", MENDEL_EVENTS
    "where e.id = $1 and e.state = 'unconsumed' for no key update of e skip locked"};

constexpr Statement kListEvents{
    "list_events", MENDEL_EVENTS
    "where ($1::bigint is null or e.namespace_id = $1) "
    "and ($2::boolean or n.visibility = 'public' "
    "     or ($3::boolean and n.visibility = 'internal') "
    "     or exists (select from membership m "
    "                 where m.namespace_id = n.id and m.principal_id = $4)) "
    "and ($5::text is null or e.state = $5) "
    "and ($6::bigint is null or e.id < $6) order by e.id desc limit $7"};

#undef MENDEL_EVENTS

constexpr Statement kListUnconsumedEvents{"list_unconsumed_events", R"sql(
  select id from event
   where state = 'unconsumed' and id > $2 and (retry_at is null or retry_at <= $1)
   order by id
   limit $3
)sql"};

constexpr Statement kAdvanceEvent{"advance_event", R"sql(
  update event
     set after_trigger = $2, failures = 0, retry_at = null, problem = ''
   where id = $1
)sql"};

constexpr Statement kEndEvent{"end_event", R"sql(
  update event
     set state = case when parked_triggers = '{}' then 'consumed' else 'parked' end,
         consumed_at = $2, failures = 0, retry_at = null
   where id = $1
)sql"};

constexpr Statement kPassOverTrigger{"pass_over_trigger", R"sql(
  update event
     set after_trigger = $2, parked_triggers = parked_triggers || $2::bigint,
         failures = 0, retry_at = null, problem = $3
   where id = $1
)sql"};

constexpr Statement kFailEvent{"fail_event", R"sql(
  update event set failures = failures + 1, problem = $2, retry_at = $3
   where id = $1 and state = 'unconsumed'
)sql"};

constexpr Statement kParkEvent{"park_event", R"sql(
  update event
     set state = 'parked', problem = $2, retry_at = null, consumed_at = $3
   where id = $1 and state = 'unconsumed'
)sql"};

// Where no trigger is to blame, the telling goes on where it stopped.
constexpr Statement kReplayEvent{"replay_event", R"sql(
  update event
     set state = 'unconsumed', consumed_at = null, failures = 0, retry_at = null,
         after_trigger = case when parked_triggers = '{}' then after_trigger else 0 end,
         only_triggers = case when parked_triggers = '{}' then only_triggers
                              else parked_triggers end,
         parked_triggers = '{}'
   where id = $1 and state = 'parked'
)sql"};

constexpr Statement kPruneEvents{"prune_events", R"sql(
  delete from event
   where id in (select id from event
                 where state = 'consumed' and consumed_at < $1
                 order by id limit $2)
)sql"};

constexpr Statement kFindEvaluatedVersion{"find_evaluated_version", R"sql(
  select a.namespace_id, n.name as namespace_name, a.name as artifact_name, v.number,
         (select coalesce(json_agg(al.name order by al.folded_name), '[]')
            from alias al where al.version_id = v.id) as aliases,
         v.state = 'active'
           and not exists (select from version later
                            where later.artifact_id = v.artifact_id
                              and later.number > v.number and later.state = 'active')
           as is_latest
    from version v
    join artifact a on a.id = v.artifact_id
    join namespace n on n.id = a.namespace_id
   where v.id = $1
)sql"};

constexpr Statement kFindVersionReference{"find_version_reference", R"sql(
  select n.name || '/' || a.name || ':' || v.number as reference
    from version v
    join artifact a on a.id = v.artifact_id
    join namespace n on n.id = a.namespace_id
   where v.id = $1
)sql"};

std::vector<std::int64_t> ids_of(const std::string& array) {
  return nlohmann::json::parse(array).get<std::vector<std::int64_t>>();
}

EventRow event(const Row& row) {
  EventRow found;
  found.kind = at<std::string>(row, "kind");
  found.topic = at<std::string>(row, "topic");
  found.namespace_id = at<std::optional<std::int64_t>>(row, "namespace_id");
  found.payload = at<std::string>(row, "payload");
  found.chain = ids_of(at<std::string>(row, "chain"));
  found.cause_job = at<std::optional<std::string>>(row, "cause_job");
  found.id = at<std::int64_t>(row, "id");
  found.namespace_name = at<std::string>(row, "namespace_name");
  found.created_at = at<Timestamp>(row, "created_at");
  found.state = at<std::string>(row, "state");
  found.after_trigger = at<std::int64_t>(row, "after_trigger");
  if (const auto only = at<std::optional<std::string>>(row, "only_triggers")) {
    found.only_triggers = ids_of(*only);
  }
  found.parked_triggers = ids_of(at<std::string>(row, "parked_triggers"));
  found.failures = at<std::int32_t>(row, "failures");
  found.retry_at = at<std::optional<Timestamp>>(row, "retry_at");
  found.problem = at<std::string>(row, "problem");
  found.consumed_at = at<std::optional<Timestamp>>(row, "consumed_at");
  return found;
}

std::optional<EventRow> event(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return event(*row);
}

}  // namespace

std::int64_t insert_event(Transaction& tx, const NewEvent& event) {
  return at<std::int64_t>(
      tx.exec_one(kInsertEvent, event.kind, event.topic, event.namespace_id, event.payload,
                  array_of(event.chain), event.cause_job),
      "id");
}

std::optional<EventRow> find_event(Transaction& tx, std::int64_t id) {
  return event(tx.exec_optional(kFindEvent, id));
}

std::optional<EventRow> lock_unconsumed_event(Transaction& tx, std::int64_t id) {
  return event(tx.exec_optional(kLockUnconsumedEvent, id));
}

std::vector<std::int64_t> list_unconsumed_events(Transaction& tx, Timestamp now,
                                                 std::int64_t after, std::int64_t limit) {
  std::vector<std::int64_t> ids;
  for (const Row& row : tx.exec(kListUnconsumedEvents, now, after, limit)) {
    ids.push_back(at<std::int64_t>(row, "id"));
  }
  return ids;
}

std::vector<EventRow> list_events(Transaction& tx, const NamespaceViewer& viewer,
                                  const std::optional<std::string>& state,
                                  std::optional<std::int64_t> before, std::int64_t limit) {
  std::vector<EventRow> events;
  for (const Row& row :
       tx.exec(kListEvents, viewer.only_namespace, viewer.sees_all, viewer.sees_internal,
               viewer.member, state, before, limit)) {
    events.push_back(event(row));
  }
  return events;
}

void advance_event(Transaction& tx, std::int64_t id, std::int64_t after_trigger) {
  tx.exec(kAdvanceEvent, id, after_trigger);
}

void end_event(Transaction& tx, std::int64_t id, Timestamp now) {
  tx.exec(kEndEvent, id, now);
}

void pass_over_trigger(Transaction& tx, std::int64_t id, std::int64_t trigger,
                       const std::string& problem) {
  tx.exec(kPassOverTrigger, id, trigger, problem);
}

void fail_event(Transaction& tx, std::int64_t id, const std::string& problem,
                Timestamp retry_at) {
  tx.exec(kFailEvent, id, problem, retry_at);
}

void park_event(Transaction& tx, std::int64_t id, const std::string& problem,
                Timestamp now) {
  tx.exec(kParkEvent, id, problem, now);
}

bool replay_event(Transaction& tx, std::int64_t id) {
  return tx.exec_counting(kReplayEvent, id) == 1;
}

std::int64_t prune_events(Transaction& tx, Timestamp before, std::int64_t limit) {
  return tx.exec_counting(kPruneEvents, before, limit);
}

std::optional<EvaluatedVersion> find_evaluated_version(Transaction& tx,
                                                       std::int64_t version_id) {
  const auto row = tx.exec_optional(kFindEvaluatedVersion, version_id);
  if (!row) return std::nullopt;
  const auto aliases = nlohmann::json::parse(at<std::string>(*row, "aliases"));
  return EvaluatedVersion{.namespace_id = at<std::int64_t>(*row, "namespace_id"),
                          .namespace_name = at<std::string>(*row, "namespace_name"),
                          .artifact_name = at<std::string>(*row, "artifact_name"),
                          .number = at<std::int32_t>(*row, "number"),
                          .aliases = aliases.get<std::vector<std::string>>(),
                          .is_latest = at<bool>(*row, "is_latest")};
}

std::string find_version_reference(Transaction& tx, std::int64_t version_id) {
  const auto row = tx.exec_optional(kFindVersionReference, version_id);
  return row ? at<std::string>(*row, "reference") : "";
}

}  // namespace mendel::schema
