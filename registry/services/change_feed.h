#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"

namespace mendel::registry {

// Keeps what servers hold in memory right. Every transaction that changes something that a
// memory holds writes a row that names its topic ("access", "artifact/<id>"); a thread
// reads new rows a few times a second and tells the listeners. The server that made the
// change tells its own listeners at once, by announce().
//
// fresh() says whether the last reading is younger than a second. While it is not
// (PostgreSQL is away), nothing may be answered from memory that a change could have made
// wrong.
//
// Rows are read by transaction snapshot, not by a sequence, so that none is passed over
// that commits late.
class ChangeFeed {
 public:
  using Listener = std::function<void(std::string_view topic)>;

  explicit ChangeFeed(schema::Database& database);
  ~ChangeFeed();

  // Before start(). An empty topic means: anything may have changed.
  void listen(Listener listener);
  void start();
  void stop();

  void announce(std::string_view topic);  // after the commit; any thread
  bool fresh() const;                     // any thread, no lock

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mendel::registry
