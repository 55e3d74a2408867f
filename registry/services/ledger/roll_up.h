#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <thread>

#include "schema/database.h"

namespace mendel::registry {

// A thread that adds what is chained to the sums that are kept by day, of each counting on
// its own: one that was made late catches up from the beginning. How far the sums go is
// written down with them, so that each entry is in them once. Several servers may do so at
// once. Started and stopped by its owner; the rest from any thread.
class RollUp {
 public:
  explicit RollUp(schema::Database& database) : database_(database) {}

  void start();
  void stop();

  // All countings, up to the end of the chain, but for those that another server is at.
  void roll_up();

  // The next batches of one counting, in one transaction: as many as have entries_max
  // entries, and one at least. Returns whether there were any.
  bool roll_up_some(std::int64_t counting, std::int64_t entries_max);

 private:
  void run(std::stop_token stop);
  void roll_up_all(std::stop_token stop);
  void roll_up_all_of(std::int64_t counting, std::stop_token stop);

  schema::Database& database_;

  // The thread's own.
  bool away_ = false;               // PostgreSQL was not to be had
  std::set<std::int64_t> damaged_;  // told of once

  std::jthread thread_;
};

}  // namespace mendel::registry
