#include "schema/polls.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kAddPolls{"add_polls", R"sql(
    with wanted as (
        select t.namespace_id, substr(k.topic, length('push/') + 1) as repository,
               min(k.repository) as url, bool_or(k.wants_paths) as wants_paths
          from trigger_topic k join trigger t on t.id = k.trigger_id
         where k.topic >= 'push/' and k.topic < 'push0' and t.enabled
           and k.repository is not null
         group by 1, 2)
    insert into poll (namespace_id, repository, url, wants_paths, due_at)
    select w.namespace_id, w.repository, w.url, w.wants_paths, $1
      from wanted w
     where not exists (select 1
                         from hook h
                        where h.namespace_id = w.namespace_id
                          and h.repository = w.repository)
       and not exists (select 1
                         from poll p
                        where p.namespace_id = w.namespace_id
                          and p.repository = w.repository
                          and p.url = w.url and p.wants_paths = w.wants_paths)
     order by w.namespace_id, w.repository
    on conflict on constraint poll_pk
    do update set url = excluded.url, wants_paths = excluded.wants_paths
  )sql"};

constexpr Statement kRemovePolls{"remove_polls", R"sql(
    delete from poll p
     where exists (select 1
                     from hook h
                    where h.namespace_id = p.namespace_id and h.repository = p.repository)
        or not exists (select 1
                         from trigger_topic k join trigger t on t.id = k.trigger_id
                        where k.topic = 'push/' || p.repository
                          and t.namespace_id = p.namespace_id and t.enabled)
  )sql"};

constexpr Statement kClaimPoll{"claim_poll", R"sql(
    update poll p
       set due_at = $2, claim = $3
      from (select namespace_id, repository
              from poll
             where due_at <= $1
             order by due_at
             limit 1
               for update skip locked) due
     where p.namespace_id = due.namespace_id and p.repository = due.repository
    returning p.namespace_id, p.repository, p.url, p.wants_paths, p.refs, p.failures
  )sql"};

constexpr Statement kLockClaimedPoll{"lock_claimed_poll", R"sql(
    select namespace_id, repository, url, wants_paths, refs, failures
      from poll
     where namespace_id = $1 and repository = $2 and claim = $3
       for update
  )sql"};

constexpr Statement kNoteRefs{"note_refs", R"sql(
    update poll
       set refs = $3, seen_at = $4, due_at = $5, claim = null, failures = 0, problem = ''
     where namespace_id = $1 and repository = $2
  )sql"};

constexpr Statement kNotePollFailure{"note_poll_failure", R"sql(
    update poll
       set failures = failures + 1, problem = $4, due_at = $5, claim = null
     where namespace_id = $1 and repository = $2 and claim = $3
  )sql"};

constexpr Statement kReleasePoll{"release_poll", R"sql(
    update poll
       set due_at = $4, claim = null
     where namespace_id = $1 and repository = $2 and claim = $3
  )sql"};

std::optional<PollRow> poll_of(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return PollRow{at<std::int64_t>(*row, "namespace_id"),
                 at<std::string>(*row, "repository"),
                 at<std::string>(*row, "url"),
                 at<bool>(*row, "wants_paths"),
                 at<std::optional<std::string>>(*row, "refs"),
                 at<std::int32_t>(*row, "failures")};
}

}  // namespace

void follow_triggers(Transaction& tx, Timestamp now) {
  tx.exec(kAddPolls, now);
  tx.exec(kRemovePolls);
}

std::optional<PollRow> claim_poll(Transaction& tx, Timestamp now, Timestamp until,
                                  std::string_view claim) {
  return poll_of(tx.exec_optional(kClaimPoll, now, until, claim));
}

std::optional<PollRow> lock_claimed_poll(Transaction& tx, const PollRow& row,
                                         std::string_view claim) {
  return poll_of(
      tx.exec_optional(kLockClaimedPoll, row.namespace_id, row.repository, claim));
}

void note_refs(Transaction& tx, const PollRow& row, std::string_view refs, Timestamp now,
               Timestamp due_at) {
  tx.exec(kNoteRefs, row.namespace_id, row.repository, refs, now, due_at);
}

void note_poll_failure(Transaction& tx, const PollRow& row, std::string_view claim,
                       std::string_view problem, Timestamp due_at) {
  tx.exec(kNotePollFailure, row.namespace_id, row.repository, claim, problem, due_at);
}

void release_poll(Transaction& tx, const PollRow& row, std::string_view claim,
                  Timestamp due_at) {
  tx.exec(kReleasePoll, row.namespace_id, row.repository, claim, due_at);
}

}  // namespace mendel::schema
