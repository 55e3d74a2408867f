#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/page.h"
#include "registry/services/put.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// KPIs and how they count. A KPI is read by who may read every namespace that it names
// (one that names none: by administrators), and does not exist for anybody else. A
// definition that is changed is a new revision. Any thread.
class KpiDefinitions {
 public:
  KpiDefinitions(schema::Database& database, AccessService& access, const Clock& clock)
      : database_(database), access_(access), clock_(clock) {}

  // document: canonical JSON, validated. The same document leaves the revision as it is.
  // The caller must be a maintainer of every namespace that the definition names, and of
  // those that the one before it names; an administrator of the server, where none is
  // named. Throws unprocessable for a namespace that there is not.
  Put<KpiDefinition> put(const Caller& caller, const Name& id, const std::string& document,
                         const Precondition<KpiDefinition>& precondition);

  // The newest revision. Throws not_found.
  KpiDefinition get(const Caller& caller, const Name& id);

  // Those that the caller may read, the newest first. Throws not_found.
  std::vector<KpiDefinition> revisions(const Caller& caller, const Name& id);

  // The newest of each, in order of their ids.
  Page<KpiDefinition> list(const Caller& caller, const PageRequest& page);

  // What was in force at a time: of each KPI the newest revision made by then, or its first
  // one. A definition is always made after the time until which the book is closed, so
  // that what is read after Chainer::close_book(at) stays the same.
  std::vector<KpiDefinition> list_at(const Caller& caller, Timestamp at);

  // The same, of all KPIs: for the server itself.
  std::vector<KpiDefinition> list_all_at(Timestamp at);

  bool may_read(const Caller& caller, const KpiDefinition& definition);

  // The newest revision, whoever asks: for services that look at rights of their own.
  std::optional<KpiDefinition> find(const Name& id);

 private:
  void require_maintainer(const Caller& caller, const KpiDefinition& definition);

  schema::Database& database_;
  AccessService& access_;
  const Clock& clock_;
};

}  // namespace mendel::registry
