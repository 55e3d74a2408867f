#include "registry/services/ledger/impact.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "registry/services/ledger/report_count.h"
#include "registry/services/namespace_rows.h"
#include "registry/services/page.h"
#include "registry/services/pedigree_walk.h"
#include "schema/pedigree.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kEdgesAtOnce = 10'000;
constexpr std::size_t kVersionsAtOnce = 1000;

// Versions that were reached, each once, with their references.
struct Downstream {
  std::map<VersionId, std::string> versions;
  std::size_t hidden = 0;
};

void walk_down(schema::Transaction& tx, const schema::NamespaceViewer& viewer,
               VersionId root, std::int64_t newest, Downstream& found) {
  PedigreeWalk walk(root, newest, PedigreeService::Direction::down, std::nullopt);
  do {
    const auto page = walk.page(tx, viewer, kEdgesAtOnce);
    found.hidden += page.hidden;
    for (const auto& node : page.nodes) {
      if (node.version) {
        found.versions.emplace(node.version->version.id, node.version->version.reference());
      }
    }
    if (found.versions.size() > Impact::kVersionsMax) {
      throw Error(ErrorCode::too_large, fmt::format("more than {} versions are downstream",
                                                    Impact::kVersionsMax));
    }
  } while (!walk.is_at_end());
}

}  // namespace

Impact ImpactService::of_version(const Caller& caller, VersionId version,
                                 const std::string& by) {
  return of_all(caller, {version}, by);
}

Impact ImpactService::of_commit(const Caller& caller, const std::string& commit,
                                const std::string& by) {
  std::vector<VersionId> roots;
  std::optional<std::string> next;
  do {
    const auto page =
        pedigree_.find_commit(caller, commit, kVersionsAtOnce,
                              id_after({.limit = kVersionsAtOnce, .after = next}));
    for (const auto& node : page.versions) roots.push_back(node.version.id);
    next = page.next;
  } while (next);
  return of_all(caller, roots, by);
}

Impact ImpactService::of_all(const Caller& caller, const std::vector<VersionId>& roots,
                             const std::string& by) {
  const auto viewer = viewer_for(caller);
  const auto found = database_.read("walk down a pedigree", [&](schema::Transaction& tx) {
    Downstream found;
    const std::int64_t newest = schema::newest_version_id(tx);
    // What one walk has reached, the others need not go down again.
    for (const VersionId root : roots) {
      if (!found.versions.contains(root)) walk_down(tx, viewer, root, newest, found);
    }
    return found;
  });

  Impact impact;
  impact.hidden = found.hidden;
  std::vector<VersionId> versions;
  for (const auto& [id, reference] : found.versions) {
    versions.push_back(id);
    impact.versions.push_back(reference);
  }
  const LedgerRange range = reports_.range_by_now();
  impact.at = range.at;
  for (const auto& definition : definitions_.list_at(caller, range.at)) {
    auto kpi = of_kpi(caller, definition, begin_with(definition, range), versions, by);
    if (kpi.entries > 0) impact.kpis.push_back(std::move(kpi));
  }
  std::ranges::sort(impact.kpis, {},
                    [](const KpiImpact& kpi) { return kpi.definition.id; });
  return impact;
}

KpiImpact ImpactService::of_kpi(const Caller& caller, const KpiDefinition& definition,
                                const LedgerRange& range,
                                const std::vector<VersionId>& versions,
                                const std::string& by) {
  const Counting& counting = definition.counting;
  const std::string& key = counting_key(definition);
  const auto sums = sums_.by(counting, key, range, versions);
  const auto counted = count(definition, sums);
  KpiImpact impact;
  impact.definition = definition;
  impact.value = counted.value;
  impact.entries = counted.entries;
  if (counted.entries == 0) return impact;

  impact.total = count(definition, sums_.by(counting, key, range)).value;
  const auto names = reports_.names_of(caller, sums);
  impact.versions = count_parts(
      definition, sums, [&](const LedgerSum& sum) { return names.at(sum.version); });
  sort_parts(impact.versions);
  const bool is_distinct = definition.count == KpiDefinition::Count::distinct;
  const auto by_value = [](const LedgerSum& sum) { return sum.value; };
  impact.parts =
      is_distinct
          ? count_parts(definition, sums, by_value)
          : count_parts(definition, sums_.by(counting, by, range, versions), by_value);
  sort_parts(impact.parts);
  return impact;
}

}  // namespace mendel::registry
