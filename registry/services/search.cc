#include "registry/services/search.h"

#include <string>
#include <utility>

#include "registry/services/namespace_rows.h"
#include "registry/services/search_query.h"

namespace mendel::registry {

namespace {

// One row more than the page has: it only says that there is more.
schema::SearchPage page_of(const PageRequest& page) {
  return {.before = id_after(page), .limit = static_cast<std::int64_t>(page.limit) + 1};
}

template <class Row>
Page<Row> page_of(std::vector<Row> rows, const PageRequest& request) {
  Page<Row> page;
  if (rows.size() > request.limit) {
    rows.resize(request.limit);
    page.next = std::to_string(rows.back().id);
  }
  page.items = std::move(rows);
  return page;
}

}  // namespace

SearchService::Found SearchService::find(const Caller& caller, std::string_view text,
                                         const PageRequest& request) {
  const schema::SearchQuery query = parse_search(text);
  const schema::SearchPage page = page_of(request);
  const schema::NamespaceViewer viewer = viewer_for(caller);
  return database_.read("search", [&](schema::Transaction& tx) -> Found {
    if (query.target == schema::SearchTarget::runs) {
      return page_of(schema::search_runs(tx, prepared_, viewer, query, page), request);
    }
    return page_of(schema::search_versions(tx, prepared_, viewer, query, page), request);
  });
}

}  // namespace mendel::registry
