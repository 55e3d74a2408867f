#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"

namespace mendel::schema {

// Says, when the transaction commits, that what topic names has changed ("access",
// "artifact/<id>"): every server then forgets what it remembers of it.
void record_change(Transaction& transaction, std::string_view topic);

// What was committed since an earlier reading.
struct ChangeReading {
  std::string snapshot;  // hand it to the next reading
  std::string oldest;    // changes by transactions before this one are all in this reading
  std::string server_start;  // another value: PostgreSQL was restarted, or is another one
  std::vector<std::string> topics;  // each once
};

// Without a snapshot nothing is reported: a first reading only tells where it stands.
ChangeReading read_changes(Transaction& transaction,
                           const std::optional<std::string>& snapshot);

// Deletes the changes of transactions before oldest, a ChangeReading's.
void prune_changes(Transaction& transaction, std::string_view oldest);

}  // namespace mendel::schema
