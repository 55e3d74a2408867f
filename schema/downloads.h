#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "schema/database.h"

namespace mendel::schema {

// How often versions were downloaded, by UTC day.

struct DownloadsOfDay {
  std::int64_t version_id = 0;
  std::chrono::sys_days day;
  std::int64_t downloads = 0;
};

// Adds to what is there. In order of versions and days, so that servers that add at once
// wait for each other and no more; none of them twice.
void add_downloads(Transaction& tx, std::span<const DownloadsOfDay> downloads);

std::int64_t count_downloads(Transaction& tx, std::int64_t version_id);

// The newest day first.
std::vector<DownloadsOfDay> list_downloads(Transaction& tx, std::int64_t version_id,
                                           std::int64_t limit);

}  // namespace mendel::schema
