#pragma once

#include <cstdint>
#include <memory>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// Where the chain ends, or ended.
struct ChainHead {
  std::int64_t sequence = 0;     // of its last batch; 0: there is none
  std::int64_t entry_count = 0;  // up to there
  Timestamp recorded_at;         // whatever is recorded after it is later than this
  Digest hash;
};

// Gives committed batches of entries their sequence, the time of their recording and a hash
// over all before them. Any number of servers may do so; one at a time does, holding
// kpi_head. Started and stopped by its owner; the rest from any thread.
class Chainer {
 public:
  Chainer(schema::Database& database, const Clock& clock);
  ~Chainer();

  void start();
  void stop();

  // Chains what is committed, and returns how many batches that were.
  std::int64_t chain_some();

  // Chains what is committed by now, and sees to it that whatever comes later is recorded
  // later than at (which is not after the clock's now). So what a report says as known at
  // that time stays the same for ever. The head is the chain's last batch recorded until
  // at.
  ChainHead close_book(Timestamp at);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
