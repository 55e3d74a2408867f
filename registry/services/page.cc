#include "registry/services/page.h"

#include <charconv>

#include "storage/base/error.h"

namespace mendel::registry {

std::optional<std::int64_t> id_after(const PageRequest& page) {
  if (!page.after) return std::nullopt;
  std::int64_t id = 0;
  const char* const end = page.after->data() + page.after->size();
  const auto [stopped, status] = std::from_chars(page.after->data(), end, id);
  if (status != std::errc() || stopped != end) {
    throw Error(ErrorCode::invalid_argument,
                "after must be the 'next' of a page of this list");
  }
  return id;
}

}  // namespace mendel::registry
