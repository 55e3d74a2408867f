#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::registry {

// One page of a list, newest first.
template <class Item>
struct Page {
  std::vector<Item> items;
  std::optional<std::string> next;  // where the following page begins; absent at the end
};

struct PageRequest {
  std::size_t limit = 0;
  std::optional<std::string_view> after;  // the next of the page before
};

// For lists that are ordered by a numeric id. Throws invalid_argument for what is no next
// of such a list.
std::optional<std::int64_t> id_after(const PageRequest& page);

// Makes a page of rows that were asked for with a limit one higher than the page's: the row
// too many only says that there is more.
template <class Item, class Row, class Read, class Key>
Page<Item> page_of(std::vector<Row> rows, const PageRequest& request, Read read, Key key) {
  Page<Item> page;
  if (rows.size() > request.limit) {
    rows.resize(request.limit);
    page.next = key(rows.back());
  }
  page.items.reserve(rows.size());
  for (const Row& row : rows) page.items.push_back(read(row));
  return page;
}

}  // namespace mendel::registry
