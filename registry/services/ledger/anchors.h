#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "registry/services/ledger/chainer.h"
#include "storage/object_keys.h"
#include "storage/object_store.h"

namespace mendel::registry {

// Writes into the object store where the ledger's chain ends, so that rows of the database
// cannot be taken away, or written anew, without being found out: somebody would have to
// change both. A thread does so once a minute, if the chain has grown, and when it is
// stopped. Started and stopped by its owner; the rest from any thread.
class Anchors {
 public:
  Anchors(Chainer& chainer, storage::ObjectStore& objects)
      : chainer_(chainer), objects_(objects) {}

  void start();
  void stop();

  // At once: what a sealed report follows from. Durable when it returns. Writing the same
  // again changes nothing; the beginning of the chain needs none.
  void anchor(const ChainHead& head);

  // Of the end of the chain, unless it is anchored.
  void anchor_head();

  // In the order of the chain, those whose keys sort after one ("": from the beginning on).
  // Fewer than limit only at the end.
  std::vector<storage::AnchorName> list(std::string after, std::size_t limit);

 private:
  void run(std::stop_token stop);
  void try_to_anchor();

  Chainer& chainer_;
  storage::ObjectStore& objects_;

  // The thread's own, and its owner's when it has stopped.
  bool away_ = false;  // a store was not to be had
  bool is_started_ = false;

  std::jthread thread_;
};

}  // namespace mendel::registry
