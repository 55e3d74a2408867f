#include "tests/fuzz/hostile_egress.h"

#include <algorithm>
#include <cstdlib>

#include "registry/services/egress/address_rules.h"
#include "registry/services/egress/ls_remote.h"
#include "registry/services/egress/moved_refs.h"
#include "registry/services/egress/push_body.h"
#include "registry/services/egress/repository_url.h"
#include "registry/services/egress/webhook_signature.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::testing {

namespace {

using namespace registry;

constexpr std::size_t kPathsMax = 10'000;
constexpr HookKind kKinds[] = {HookKind::gitlab, HookKind::github, HookKind::gitea,
                               HookKind::generic};

void require(bool promise) {
  if (!promise) std::abort();
}

void check(const Push& push) {
  require(is_ref_name(push.ref) && is_commit_id(push.after));
  require(push.ref.starts_with("refs/heads/") || push.ref.starts_with("refs/tags/"));
  require(!push.before || is_commit_id(*push.before));
  require(!push.paths || push.paths->size() <= kPathsMax);
}

bool is_push(HookKind kind, std::string_view body) {
  const HeaderLookup header = [](std::string_view) { return "push"; };
  try {
    const auto tidings = read_push(kind, header, body);
    const auto* push = std::get_if<Push>(&tidings);
    if (push != nullptr) check(*push);
    return push != nullptr;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

bool read_hostile_push(std::span<const std::byte> input) {
  bool accepted = false;
  for (const HookKind kind : kKinds) {
    const bool pushed = is_push(kind, as_text(input));
    if (kind == HookKind::github) accepted = pushed;
  }
  return accepted;
}

// The secret and the time are those of the example that Standard Webhooks are tested with.
bool check_hostile_signature(std::span<const std::byte> input) {
  constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  constexpr Timestamp kNow{std::chrono::seconds(1614265330)};
  std::string_view rest = as_text(input);
  const auto id = take_line(rest);
  const auto timestamp = take_line(rest);
  const auto signature = take_line(rest);
  const HeaderLookup header =
      [&](std::string_view name) -> std::optional<std::string_view> {
    if (name == "webhook-id") return id;
    if (name == "webhook-timestamp") return timestamp;
    return signature;
  };
  bool accepted = false;
  for (const HookKind kind : kKinds) {
    const bool genuine = is_genuine(kind, header, rest, kSecret, kNow);
    if (kind == HookKind::generic) accepted = genuine;
    const auto delivery = delivery_id(kind, header, rest);
    require(!delivery || (!delivery->empty() && delivery->size() <= 200));
  }
  return accepted;
}

bool parse_hostile_address(std::span<const std::byte> input) {
  const std::string text(as_text(input));
  try {
    AddressRules::parse({text});
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
  }
  try {
    const std::string normal = normal_repository(text);
    require(normal_repository(normal) == normal);
    const auto url = RepositoryUrl::parse(text);
    if (!url.scheme.empty()) {
      const auto again = RepositoryUrl::parse(url.text());
      require(again.authority.user.empty() && again.authority.host == url.authority.host &&
              again.authority.port == url.authority.port && again.path == url.path);
    }
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

bool parse_hostile_refs(std::span<const std::byte> input) {
  try {
    const auto refs = parse_refs(as_text(input));
    for (const auto& [ref, commit] : refs)
      require(is_ref_name(ref) && is_commit_id(commit));
    require(compare_refs({}, refs, refs.size()).seen == refs);
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::unavailable || error.code() == ErrorCode::too_large);
    explain_git_failure("https://example.org/x", as_text(input));
    return false;
  }
}

}  // namespace mendel::testing
