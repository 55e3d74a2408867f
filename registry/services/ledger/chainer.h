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
  Timestamp recorded_at;         // of its last batch
  Digest hash;                   // of its last batch; zeros: there is none

  friend bool operator==(const ChainHead&, const ChainHead&) = default;
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

  // This server has committed a batch: the thread looks for it soon.
  void wake();

  // Chains what is committed, and returns how many batches that were; none where somebody
  // else is at it.
  std::int64_t chain_some();

  // Chains what is committed by now, and sees to it that whatever comes later is recorded
  // later than at (which is not after the clock's now: invalid_argument). So what a report
  // says as known at that time stays the same for ever. What was received until at counts
  // as recorded by then. The head is the chain's last batch recorded until at.
  ChainHead close_book(Timestamp at);

  // The end of the chain.
  ChainHead head();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
