#include "registry/services/downloads.h"

#include <spdlog/spdlog.h>

#include <atomic>

#include "registry/services/pause.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr auto kPeriod = std::chrono::seconds(5);

}  // namespace

void Downloads::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void Downloads::stop() {
  thread_ = std::jthread();
  try {
    flush();
  } catch (const Error& error) {
    spdlog::warn("the last downloads are not counted: {}", error.what());
  }
}

// A failure that stays is told once.
void Downloads::run(std::stop_token stop) {
  bool is_away = false;
  while (!stop.stop_requested()) {
    pause_unless_stopped(stop, kPeriod);
    try {
      flush();
      if (is_away) spdlog::info("downloads are counted again");
      is_away = false;
    } catch (const Error& error) {
      if (!is_away) spdlog::warn("downloads are not written: {}", error.what());
      is_away = true;
    }
  }
}

std::size_t Downloads::shard_of_thread() {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads++ % kShards;
  return mine;
}

void Downloads::count(VersionId version) {
  const auto today = std::chrono::floor<std::chrono::days>(clock_.now());
  Shard& shard = shards_[shard_of_thread()];
  const std::lock_guard lock(shard.mutex);
  ++shard.counts[{version, today}];
  ++shard.counted;
}

std::uint64_t Downloads::counted() const {
  std::uint64_t all = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all += shard.counted;
  }
  return all;
}

Downloads::OfVersion Downloads::of(VersionId version, std::size_t days_max) {
  flush();
  return database_.read("count downloads", [&](schema::Transaction& tx) {
    return OfVersion{
        .total = schema::count_downloads(tx, version),
        .days = schema::list_downloads(tx, version, static_cast<std::int64_t>(days_max))};
  });
}

void Downloads::flush() {
  const std::lock_guard lock(flush_mutex_);
  const Counts counts = take();
  if (counts.empty()) return;
  std::vector<schema::DownloadsOfDay> rows;
  rows.reserve(counts.size());
  for (const auto& [key, downloads] : counts) {
    rows.push_back({.version_id = key.first, .day = key.second, .downloads = downloads});
  }
  try {
    database_.transact("count downloads",
                       [&](schema::Transaction& tx) { schema::add_downloads(tx, rows); });
  } catch (const Error&) {
    give_back(counts);
    throw;
  }
}

Downloads::Counts Downloads::take() {
  Counts all;
  for (Shard& shard : shards_) {
    Counts counts;
    {
      const std::lock_guard lock(shard.mutex);
      counts.swap(shard.counts);
    }
    for (const auto& [key, downloads] : counts) all[key] += downloads;
  }
  return all;
}

void Downloads::give_back(const Counts& counts) {
  Shard& shard = shards_.front();
  const std::lock_guard lock(shard.mutex);
  for (const auto& [key, downloads] : counts) shard.counts[key] += downloads;
}

}  // namespace mendel::registry
