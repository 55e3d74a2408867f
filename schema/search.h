#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "schema/search_query.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// What a list shows of a version that was found; JSON where it says so.
struct FoundVersion {
  std::int64_t id = 0;
  std::string ns;
  std::string name;
  std::string kind;
  std::int32_t number = 0;
  Digest digest;
  std::string state;
  Timestamp created_at;
  std::string created_by;
  std::string message;  // its beginning
  std::string labels;   // object
  std::string metrics;  // object
  std::string aliases;  // array
  std::int64_t size_bytes = 0;
  std::int64_t file_count = 0;
  std::optional<Digest> hyperparameters;
  std::string commit;  // empty: none
};

struct FoundRun {
  std::int64_t id = 0;
  std::string uuid;
  std::string ns;
  std::string name;
  std::string status;
  Timestamp started_at;
  std::optional<Timestamp> finished_at;
  std::string created_by;
  std::string message;  // its beginning
  std::string labels;   // object
  std::string metrics;  // object: the last values
  std::optional<Digest> hyperparameters;
  std::string commit;  // empty: none
};

struct SearchPage {
  std::optional<std::int64_t> before;  // an id: only what is older
  std::int64_t limit = 0;
};

// Which searches are asked so often that a connection keeps their plan. Any thread.
class PreparedSearches {
 public:
  PreparedSearches();
  ~PreparedSearches();

 private:
  friend class SearchRunner;
  struct State;
  const std::unique_ptr<State> state_;
};

// Newest first, of the namespaces that the viewer sees. Of metrics, an item has those that
// the query names, or where it names none, the first few. query.target says which of these
// to call.
std::vector<FoundVersion> search_versions(Transaction& tx, PreparedSearches& prepared,
                                          const NamespaceViewer& viewer,
                                          const SearchQuery& query, const SearchPage& page);
std::vector<FoundRun> search_runs(Transaction& tx, PreparedSearches& prepared,
                                  const NamespaceViewer& viewer, const SearchQuery& query,
                                  const SearchPage& page);

}  // namespace mendel::schema
