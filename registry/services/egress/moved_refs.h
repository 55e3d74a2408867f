#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::registry {

// Branches and tags by full name, each with its commit.
using Refs = std::map<std::string, std::string>;

struct MovedRef {
  std::string ref;
  std::optional<std::string> before;  // absent: it is new
  std::string after;
};

// What moved between two looks, no more than count_max of it, and what is to be remembered:
// where there was more, the next look finds the rest. What is gone is forgotten silently.
struct RefMoves {
  std::vector<MovedRef> moved;
  Refs seen;
  bool is_all = true;
};
RefMoves compare_refs(const Refs& before, const Refs& now, std::size_t count_max);

// A JSON object. Names are UTF-8.
std::string write_refs(const Refs& refs);

// Throws data_loss for what write_refs() did not make.
Refs read_refs(std::string_view text);

}  // namespace mendel::registry
