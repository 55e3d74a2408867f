#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/clock.h"

namespace mendel::registry {

// Who sends: each signs, names its deliveries and writes of a push in its own way.
enum class HookKind : std::uint8_t { gitlab, github, gitea, generic };
std::string_view to_string(HookKind kind);
std::optional<HookKind> parse_hook_kind(std::string_view text);

// A header of the delivery, by its name in any case.
using HeaderLookup = std::function<std::optional<std::string_view>(std::string_view name)>;

// Whether whoever sent this knew the secret:
//   github   X-Hub-Signature-256
//   gitea    X-Gitea-Signature, or X-Hub-Signature-256
//   gitlab   X-Gitlab-Token, or a signature as for generic
//   generic  webhook-signature, as Standard Webhooks has it, not more than five minutes
//   old;
//            or X-Mendel-Token, which is the secret itself
// How long this takes says nothing about the secret or the signature that was expected.
bool is_genuine(HookKind kind, const HeaderLookup& header, std::string_view body,
                std::string_view secret, Timestamp now);

// What tells a delivery from others and stays the same when it is sent again; nullopt: it
// has nothing of that kind. At most 200 characters.
std::optional<std::string> delivery_id(HookKind kind, const HeaderLookup& header,
                                       std::string_view body);

// A new secret: "whsec_" and 32 random bytes in base64.
std::string make_hook_secret();

}  // namespace mendel::registry
