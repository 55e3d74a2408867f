#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "registry/services/ledger/anchors.h"
#include "registry/services/ledger/chainer.h"
#include "schema/database.h"

namespace mendel::registry {

struct LedgerCheckReport {
  std::int64_t batches = 0;  // of the chain
  std::int64_t entries = 0;
  ChainHead head;                     // at which the check ended
  std::vector<std::string> problems;  // a sentence each
};

// Reads the whole ledger, and says where it is not what was recorded: entries against their
// hashes, batches against their entries, the chain against itself and against its anchors,
// corrections against what they correct, sums by day against entries. Rows go on to be
// added meanwhile. Any thread.
class LedgerCheck {
 public:
  // So many problems are told of; the rest is counted.
  static constexpr std::size_t kProblemsMax = 1000;

  LedgerCheck(schema::Database& database, Anchors& anchors)
      : database_(database), anchors_(anchors) {}

  LedgerCheckReport run();

 private:
  schema::Database& database_;
  Anchors& anchors_;
};

}  // namespace mendel::registry
