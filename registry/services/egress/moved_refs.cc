#include "registry/services/egress/moved_refs.h"

#include <nlohmann/json.hpp>

#include "registry/services/egress/ls_remote.h"
#include "storage/base/error.h"

namespace mendel::registry {

RefMoves compare_refs(const Refs& before, const Refs& now, std::size_t count_max) {
  RefMoves moves;
  for (const auto& [ref, commit] : now) {
    const auto known = before.find(ref);
    if (known != before.end() && known->second == commit) {
      moves.seen.emplace(ref, commit);
    } else if (moves.moved.size() < count_max) {
      moves.seen.emplace(ref, commit);
      moves.moved.push_back(
          {ref, known == before.end() ? std::nullopt : std::optional(known->second),
           commit});
    } else {
      moves.is_all = false;
      if (known != before.end()) moves.seen.insert(*known);
    }
  }
  return moves;
}

std::string write_refs(const Refs& refs) {
  nlohmann::json document = nlohmann::json::object();
  for (const auto& [ref, commit] : refs) document[ref] = commit;
  return document.dump();
}

Refs read_refs(std::string_view text) {
  const auto document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Error damaged(ErrorCode::data_loss,
                      "what was seen of a repository is no list of refs");
  if (!document.is_object()) throw damaged;
  Refs refs;
  for (const auto& [ref, commit] : document.items()) {
    if (!commit.is_string() || !is_commit_id(commit.get_ref<const std::string&>()))
      throw damaged;
    refs.emplace(ref, commit.get<std::string>());
  }
  return refs;
}

}  // namespace mendel::registry
