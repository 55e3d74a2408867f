#pragma once

#include <string>
#include <thread>
#include <vector>

#include "registry/services/change_feed.h"
#include "registry/services/jobs/source_resolver.h"
#include "schema/database.h"
#include "schema/job_sources.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"

namespace mendel::registry {

// Finds the commits that jobs wait for, on threads of its own, because repositories may
// take their time to answer. All jobs that wait for one source are told at once. A
// repository that is gone fails its jobs at once, one that is away after three days.
// Several servers may do so at once. Started and stopped by its owner.
class SourceResolution {
 public:
  SourceResolution(schema::Database& database, ChangeFeed& changes,
                   SourceResolver& resolver, const Clock& clock)
      : database_(database), changes_(changes), resolver_(resolver), clock_(clock) {}

  void start();
  void stop();

  // Looks for one commit that is due; false: there was none.
  bool resolve_one();

 private:
  void run(std::stop_token stop);
  void tell(const schema::WantedSource& source, const std::string& commit,
            Timestamp asked_at);
  void note_failure(const schema::WantedSource& source, const Error& error,
                    Timestamp asked_at);
  void fail_jobs(const schema::WantedSource& source, const std::string& why,
                 Timestamp made_before);

  schema::Database& database_;
  ChangeFeed& changes_;
  SourceResolver& resolver_;
  const Clock& clock_;
  std::vector<std::jthread> threads_;
};

}  // namespace mendel::registry
