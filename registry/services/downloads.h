#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "registry/services/caller.h"
#include "schema/database.h"
#include "schema/downloads.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Counts how often versions are downloaded: in memory, so that it costs a download nothing
// worth naming, and every few seconds into the database. It is an operational figure: what
// was counted in the last seconds is lost with a server that is killed, and what was
// written when the connection broke may count twice. Started and stopped by its owner; the
// rest from any thread.
class Downloads {
 public:
  Downloads(schema::Database& database, const Clock& clock)
      : database_(database), clock_(clock) {}

  void start();
  void stop();  // and writes what is left

  // A download has begun. Neither blocks nor fails for the database's sake.
  void count(VersionId version);

  // Since this server was started.
  std::uint64_t counted() const;

  struct OfVersion {
    std::int64_t total = 0;
    std::vector<schema::DownloadsOfDay> days;  // the newest first, at most days_max
  };
  // With all that this server has counted; what others counted in the last seconds comes
  // later.
  OfVersion of(VersionId version, std::size_t days_max);

 private:
  using Counts = std::map<std::pair<VersionId, std::chrono::sys_days>, std::int64_t>;

  // Each thread counts in one of them, so that hardly two meet.
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Counts counts;
    std::uint64_t counted = 0;
  };
  static constexpr std::size_t kShards = 16;

  static std::size_t shard_of_thread();
  void run(std::stop_token stop);
  void flush();
  Counts take();
  void give_back(const Counts& counts);

  schema::Database& database_;
  const Clock& clock_;
  std::array<Shard, kShards> shards_;
  std::mutex flush_mutex_;  // what one takes, no other misses
  std::jthread thread_;
};

}  // namespace mendel::registry
