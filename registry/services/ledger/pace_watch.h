#pragma once

#include <stop_token>
#include <string>
#include <thread>

#include "registry/services/change_feed.h"
#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/sums.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Tells triggers, once, when a KPI with a deadline falls behind its pace; again when it was
// on its pace in between. A thread of one server of all looks about once a minute. Started
// and stopped by its owner.
class PaceWatch {
 public:
  PaceWatch(schema::Database& database, ChangeFeed& changes, KpiDefinitions& definitions,
            Chainer& chainer, LedgerSums& sums, const Clock& clock);

  void start();
  void stop();

  // What the thread does over and over, by whoever calls it.
  void look();

 private:
  void run(std::stop_token stop);
  bool leads();
  void look_at(const KpiDefinition& definition, const ChainHead& head);

  schema::Database& database_;
  ChangeFeed& changes_;
  KpiDefinitions& definitions_;
  Chainer& chainer_;
  LedgerSums& sums_;
  const Clock& clock_;
  const std::string holder_;  // of the lead: this watch, and no other

  bool away_ = false;  // PostgreSQL was not to be had; the thread's own
  std::jthread thread_;
};

}  // namespace mendel::registry
