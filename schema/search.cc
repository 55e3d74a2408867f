#include "schema/search.h"

#include <mutex>
#include <unordered_map>
#include <utility>

#include "schema/search_sql.h"
#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr std::size_t kPreparedMax = 32;  // on each connection: a plan takes some 100 KiB
constexpr std::size_t kRememberedMax = 1000;

// The same plan whatever the values: a search's tests are hash tables, which PostgreSQL
// must not weigh anew each time, for that takes as long as the search.
constexpr Statement kPlanOnce{"plan_a_search_once", R"sql(
  select set_config('plan_cache_mode', 'force_generic_plan', true)
)sql"};

// The columns that compose_search() names, in its order.
FoundVersion found_version(const Row& row) {
  int column = 0;
  const auto next = [&] { return row[column++]; };
  FoundVersion version;
  version.id = FieldReader<std::int64_t>::read(next());
  version.ns = FieldReader<std::string>::read(next());
  version.name = FieldReader<std::string>::read(next());
  version.kind = FieldReader<std::string>::read(next());
  version.number = FieldReader<std::int32_t>::read(next());
  version.digest = FieldReader<Digest>::read(next());
  version.state = FieldReader<std::string>::read(next());
  version.created_at = FieldReader<Timestamp>::read(next());
  version.created_by = FieldReader<std::string>::read(next());
  version.message = FieldReader<std::string>::read(next());
  version.labels = FieldReader<std::string>::read(next());
  version.metrics = FieldReader<std::string>::read(next());
  version.aliases = FieldReader<std::string>::read(next());
  version.size_bytes = FieldReader<std::int64_t>::read(next());
  version.file_count = FieldReader<std::int64_t>::read(next());
  version.hyperparameters = FieldReader<std::optional<Digest>>::read(next());
  version.commit = FieldReader<std::string>::read(next());
  return version;
}

FoundRun found_run(const Row& row) {
  int column = 0;
  const auto next = [&] { return row[column++]; };
  FoundRun run;
  run.id = FieldReader<std::int64_t>::read(next());
  run.uuid = FieldReader<std::string>::read(next());
  run.ns = FieldReader<std::string>::read(next());
  run.name = FieldReader<std::string>::read(next());
  run.status = FieldReader<std::string>::read(next());
  run.started_at = FieldReader<Timestamp>::read(next());
  run.finished_at = FieldReader<std::optional<Timestamp>>::read(next());
  run.created_by = FieldReader<std::string>::read(next());
  run.message = FieldReader<std::string>::read(next());
  run.labels = FieldReader<std::string>::read(next());
  run.metrics = FieldReader<std::string>::read(next());
  run.hyperparameters = FieldReader<std::optional<Digest>>::read(next());
  run.commit = FieldReader<std::string>::read(next());
  return run;
}

}  // namespace

// A search's text without its values is its shape. The second time that one is asked it
// gets a name, while there are any left.
struct PreparedSearches::State {
  std::mutex mutex;
  std::unordered_map<std::string, std::string> names;  // by shape; empty: seen once
  std::size_t named = 0;
};

PreparedSearches::PreparedSearches() : state_(std::make_unique<State>()) {}
PreparedSearches::~PreparedSearches() = default;

class SearchRunner {
 public:
  static std::string name_of(PreparedSearches& prepared, const std::string& shape) {
    auto& state = *prepared.state_;
    const std::lock_guard lock(state.mutex);
    const auto [entry, is_new] = state.names.try_emplace(shape);
    if (is_new && state.names.size() > kRememberedMax) {
      std::erase_if(state.names, [](const auto& other) { return other.second.empty(); });
      return {};
    }
    std::string& name = entry->second;
    if (!is_new && name.empty() && state.named < kPreparedMax) {
      name = "search_" + std::to_string(++state.named);
    }
    return name;
  }

  static Rows run(Transaction& tx, PreparedSearches& prepared,
                  const NamespaceViewer& viewer, const SearchQuery& query,
                  const SearchPage& page) {
    ComposedStatement statement = compose_search(viewer, query, page);
    statement.name = name_of(prepared, statement.sql);
    tx.exec(kPlanOnce);
    return tx.exec(statement);
  }
};

std::vector<FoundVersion> search_versions(Transaction& tx, PreparedSearches& prepared,
                                          const NamespaceViewer& viewer,
                                          const SearchQuery& query,
                                          const SearchPage& page) {
  std::vector<FoundVersion> versions;
  for (const Row& row : SearchRunner::run(tx, prepared, viewer, query, page)) {
    versions.push_back(found_version(row));
  }
  return versions;
}

std::vector<FoundRun> search_runs(Transaction& tx, PreparedSearches& prepared,
                                  const NamespaceViewer& viewer, const SearchQuery& query,
                                  const SearchPage& page) {
  std::vector<FoundRun> runs;
  for (const Row& row : SearchRunner::run(tx, prepared, viewer, query, page)) {
    runs.push_back(found_run(row));
  }
  return runs;
}

}  // namespace mendel::schema
