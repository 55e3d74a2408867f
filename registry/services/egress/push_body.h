#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "registry/services/egress/webhook_signature.h"

namespace mendel::registry {

// A branch or a tag that was moved, as a host of repositories tells of it.
struct Push {
  std::vector<std::string> repositories;  // the addresses that it gives; some are no URLs
  std::string ref;                        // "refs/heads/…" or "refs/tags/…"
  std::optional<std::string> before;      // the commit; absent: the ref is new
  std::string after;                      // the commit, also of an annotated tag
  // Of the files that changed; absent: not known, or not all of them.
  std::optional<std::vector<std::string>> paths;
};

// What is no push, or one that is nobody's business: why, in a few words.
struct NoPush {
  std::string why;
};

using TidingsOfPush = std::variant<Push, NoPush>;

// Reads the body of a delivery, keeping no more of it than is asked for. header: for what
// kind of event it is. Throws invalid_argument for what is no JSON or lacks what a push
// must have.
TidingsOfPush read_push(HookKind kind, const HeaderLookup& header, std::string_view body);

}  // namespace mendel::registry
