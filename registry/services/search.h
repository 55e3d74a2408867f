#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "schema/search.h"

namespace mendel::registry {

// Finds versions and runs by what they are and what made them, among those that the caller
// may read. Any thread.
class SearchService {
 public:
  explicit SearchService(schema::Database& database) : database_(database) {}

  using Found = std::variant<Page<schema::FoundVersion>, Page<schema::FoundRun>>;

  // Newest first. Throws invalid_argument, saying where, for text that is no search.
  Found find(const Caller& caller, std::string_view text, const PageRequest& page);

 private:
  schema::Database& database_;
  schema::PreparedSearches prepared_;
};

}  // namespace mendel::registry
