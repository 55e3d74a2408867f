#include "cli/pedigree_pages.h"

#include <fmt/format.h>

#include <iterator>

namespace mendel::cli {

namespace {

constexpr int kEdgesPerPage = 1000;

void append(Json& page, const char* member, std::vector<Json>& list) {
  auto& items = page.at(member).get_ref<Json::array_t&>();
  std::ranges::move(items, std::back_inserter(list));
}

}  // namespace

PedigreeDocument get_pedigree(ApiClient& server, const ResolvedVersion& version,
                              std::string_view direction, std::optional<int> depth) {
  std::string question = fmt::format("{}/pedigree?direction={}&limit={}", version.path(),
                                     direction, kEdgesPerPage);
  if (depth) question += fmt::format("&depth={}", *depth);

  PedigreeDocument whole;
  std::string after;
  do {
    Json page = server.get(after.empty() ? question : question + "&after=" + after);
    append(page, "nodes", whole.nodes);
    append(page, "edges", whole.edges);
    whole.hidden += page.at("hidden").get<std::size_t>();
    after = page.value("next", "");
  } while (!after.empty());
  return whole;
}

}  // namespace mendel::cli
