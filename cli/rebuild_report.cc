#include "cli/rebuild_report.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/output.h"

namespace mendel::cli {

namespace {

Json to_json(const RebuildItem& item) {
  Json document{{"of", item.of}, {"what", item.what}, {"state", to_string(item.state)}};
  if (!item.detail.empty()) document["detail"] = item.detail;
  return document;
}

void print_items(const std::vector<RebuildItem>& items) {
  Table table({"STATE", "WHAT", "OF", "DETAIL"});
  for (const RebuildItem& item : items) {
    table.add({to_string(item.state), item.what, item.of, item.detail});
  }
  table.print();
}

}  // namespace

void verify_rebuild(const Reference& reference, BytesAre bytes_are,
                    const GlobalOptions& global) {
  ApiClient server = connect(global);
  const ResolvedVersion version = get_version(server, reference);
  const auto items = check_rebuild(server, version, bytes_are);
  const auto lost = std::ranges::count_if(
      items, [](const RebuildItem& item) { return is_lost(item.state); });

  if (global.json) {
    Json list = Json::array();
    for (const RebuildItem& item : items) list.push_back(to_json(item));
    print_json({{"reference", version.reference()},
                {"digest", version.digest.to_string()},
                {"rebuildable", lost == 0},
                {"items", list}});
  } else {
    print_items(items);
  }
  if (lost > 0) {
    throw Error(ErrorCode::not_found,
                fmt::format("{} of the things that made {} cannot be had for sure", lost,
                            version.reference()));
  }
}

}  // namespace mendel::cli
