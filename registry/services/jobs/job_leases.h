#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/egress/vault.h"
#include "registry/services/jobs/admission.h"
#include "schema/database.h"
#include "schema/jobs.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// What agents do with jobs. An attempt lives from its lease until it is ended: by its
// agent, or by the server some time after the lease has run out (job_upkeep.h). What counts
// is the row: a heartbeat that comes late, and before the server has ended the attempt,
// keeps it alive. Any thread.
class JobLeases {
 public:
  JobLeases(schema::Database& database, ChangeFeed& changes, const Vault& vault,
            const Clock& clock)
      : database_(database), changes_(changes), vault_(vault), clock_(clock) {}

  struct Request {
    std::string queue;
    std::string agent;  // as it calls itself
    std::int32_t lease_seconds = 0;
  };
  struct Lease {
    schema::JobRow job;
    std::string token;  // the attempt's, shown here and nowhere else
    std::map<std::string, std::string> secrets;  // by the variable that holds each
  };
  // The oldest admitted job of the queue, of the namespaces where the agent's principal may
  // write; nullopt: there is none. A job whose secrets are not there fails instead.
  std::optional<Lease> lease(const Caller& agent, const Request& request);

  // Who speaks for an attempt: its own token, or that of the agent that leased the job.
  struct AttemptKey {
    std::string uuid;  // of the job
    std::int32_t number = 0;
  };

  struct Heartbeat {
    bool is_cancelled = false;  // the agent is to stop the command, and to say so
    Timestamp lease_expires_at;
  };
  // Throws already_exists once the attempt is over.
  Heartbeat record_heartbeat(const Caller& caller, const AttemptKey& attempt,
                             bool is_running);

  struct Finish {
    std::string status;  // succeeded, failed or cancelled
    std::string reason;
    std::optional<std::string> version;  // "lhcb/lamarr-trk:18"
    std::optional<std::int32_t> exit_status;
    std::optional<std::string> resources;  // JSON object
    bool may_be_repeated = true;
  };
  // Throws already_exists once the attempt is over, and unprocessable where the job did not
  // do what the agent says: it succeeded if it published, and then with that version.
  void finish(const Caller& caller, const AttemptKey& attempt, const Finish& finish);

 private:
  std::optional<Lease> lease_oldest(schema::Transaction& tx, const Caller& agent,
                                    const Request& request, const std::string& token,
                                    Queues& queues);
  std::optional<std::map<std::string, std::string>> open_secrets(schema::Transaction& tx,
                                                                 const schema::JobRow& job,
                                                                 Queues& queues);
  void announce(const Queues& queues);

  schema::Database& database_;
  ChangeFeed& changes_;
  const Vault& vault_;
  const Clock& clock_;
};

// The attempt is alive, the caller speaks for it, and its job is locked. Throws not_found
// and permission_denied for others.
schema::JobRow lock_attempt(schema::Transaction& tx, const Caller& caller,
                            const JobLeases::AttemptKey& attempt);

}  // namespace mendel::registry
