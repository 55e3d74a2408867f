#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/entry_resolver.h"
#include "registry/services/ledger/sent_entry.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"

namespace mendel::registry {

// Takes entries into the ledger, each once, however often it is sent and by however many at
// the same time. An entry is the same as one that is there if it has its KPI, namespace and
// event id; with other content it is refused as a conflict. Any thread.
class Recorder {
 public:
  static constexpr std::size_t kEntriesMax = 1000;

  // recorded: called when a batch was committed, from the thread that did.
  Recorder(schema::Database& database, AccessService& access, KpiDefinitions& definitions,
           const Clock& clock, std::function<void()> recorded)
      : database_(database),
        access_(access),
        definitions_(definitions),
        clock_(clock),
        recorded_(std::move(recorded)) {}

  struct Refusal {
    std::size_t index = 0;  // of the entry among those that were handed over
    Error error;
  };
  struct Outcome {
    std::size_t accepted = 0;
    std::size_t duplicates = 0;
    std::vector<Refusal> refusals;  // in the order of their indices
  };

  // At most kEntriesMax. Events are taken first, and then corrections in their order, so
  // that both may come together. What is wrong with one entry touches no other; an error
  // that is thrown says nothing of any: send all again.
  Outcome record(const Caller& caller, std::span<const SentEntry> entries);

 private:
  struct Pending {
    std::size_t index = 0;
    ResolvedEntry resolved;
  };
  void record_batch(const Caller& caller, std::span<const Pending> batch, Outcome& outcome);
  void record_corrections(const Caller& caller, std::vector<Pending> corrections,
                          Outcome& outcome);

  schema::Database& database_;
  AccessService& access_;
  KpiDefinitions& definitions_;
  const Clock& clock_;
  const std::function<void()> recorded_;
};

}  // namespace mendel::registry
