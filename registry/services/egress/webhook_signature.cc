#include "registry/services/egress/webhook_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "registry/services/egress/base64.h"
#include "storage/base/digest.h"
#include "storage/base/openssl_error.h"

namespace mendel::registry {

namespace {

constexpr auto kAgeMax = std::chrono::minutes(5);
constexpr std::size_t kSignaturesMax = 10;
constexpr std::size_t kDeliveryIdSizeMax = 200;
constexpr std::string_view kStandardSecretPrefix = "whsec_";
constexpr std::string_view kStandardVersion = "v1,";

struct KindName {
  HookKind kind;
  std::string_view name;
};
constexpr std::array kKindNames = {
    KindName{HookKind::gitlab, "gitlab"}, KindName{HookKind::github, "github"},
    KindName{HookKind::gitea, "gitea"}, KindName{HookKind::generic, "generic"}};

using Mac = std::array<unsigned char, 32>;

Mac mac_of(std::string_view key, std::string_view message) {
  Mac mac{};
  unsigned size = mac.size();
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(),
           mac.data(), &size) == nullptr) {
    throw_openssl_error("sign a delivery");
  }
  return mac;
}

bool is_same(const Mac& expected, std::string_view given) {
  return given.size() == expected.size() &&
         CRYPTO_memcmp(expected.data(), given.data(), expected.size()) == 0;
}

// Two texts of any size: their MACs under a key of this moment are compared.
bool is_same_text(std::string_view expected, std::string_view given) {
  std::array<char, 32> key{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), key.size()) != 1)
    throw_openssl_error("compare secrets");
  const std::string_view moment(key.data(), key.size());
  const Mac mac = mac_of(moment, given);
  return is_same(mac_of(moment, expected),
                 {reinterpret_cast<const char*>(mac.data()), mac.size()});
}

std::optional<std::string> decode_hex(std::string_view text) {
  std::string bytes;
  if (text.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const char* end = text.data() + i + 2;
    if (std::from_chars(text.data() + i, end, value, 16).ptr != end) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

bool has_hex_signature(std::optional<std::string_view> header, std::string_view prefix,
                       std::string_view body, std::string_view secret) {
  if (!header || !header->starts_with(prefix)) return false;
  const auto given = decode_hex(header->substr(prefix.size()));
  return given && is_same(mac_of(secret, body), *given);
}

bool has_token(std::optional<std::string_view> header, std::string_view secret) {
  return header && is_same_text(secret, *header);
}

bool is_recent(std::string_view timestamp, Timestamp now) {
  std::int64_t seconds = 0;
  const char* end = timestamp.data() + timestamp.size();
  if (timestamp.empty() || timestamp.size() > 12 ||
      std::from_chars(timestamp.data(), end, seconds).ptr != end) {
    return false;
  }
  const auto age = now - Timestamp(std::chrono::seconds(seconds));
  return age <= kAgeMax && age >= -kAgeMax;
}

bool has_standard_signature(const HeaderLookup& header, std::string_view body,
                            std::string_view secret, Timestamp now) {
  const auto id = header("webhook-id");
  const auto timestamp = header("webhook-timestamp");
  const auto signatures = header("webhook-signature");
  if (!id || !timestamp || !signatures || id->empty() || !is_recent(*timestamp, now))
    return false;
  const auto key = secret.starts_with(kStandardSecretPrefix)
                       ? decode_base64(secret.substr(kStandardSecretPrefix.size()))
                       : std::optional<std::string>(secret);
  if (!key) return false;
  std::string message(*id);
  message.append(".").append(*timestamp).append(".").append(body);
  const Mac expected = mac_of(*key, message);

  bool genuine = false;
  std::string_view rest = *signatures;
  for (std::size_t count = 0; count < kSignaturesMax && !rest.empty(); ++count) {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto signature = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!signature.starts_with(kStandardVersion)) continue;
    const auto given = decode_base64(signature.substr(kStandardVersion.size()));
    if (given && is_same(expected, *given)) genuine = true;
  }
  return genuine;
}

// The first of these headers that says something.
std::optional<std::string> first_of(const HeaderLookup& header,
                                    std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (const auto value = header(name); value && !value->empty())
      return std::string(*value);
  }
  return std::nullopt;
}

bool is_plain(std::string_view text) {
  return text.size() <= kDeliveryIdSizeMax &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::string_view to_string(HookKind kind) {
  return std::ranges::find(kKindNames, kind, &KindName::kind)->name;
}

std::optional<HookKind> parse_hook_kind(std::string_view text) {
  const auto known = std::ranges::find(kKindNames, text, &KindName::name);
  if (known == kKindNames.end()) return std::nullopt;
  return known->kind;
}

bool is_genuine(HookKind kind, const HeaderLookup& header, std::string_view body,
                std::string_view secret, Timestamp now) {
  switch (kind) {
    case HookKind::github:
      return has_hex_signature(header("X-Hub-Signature-256"), "sha256=", body, secret);
    case HookKind::gitea:
      return has_hex_signature(header("X-Gitea-Signature"), "", body, secret) ||
             has_hex_signature(header("X-Hub-Signature-256"), "sha256=", body, secret);
    case HookKind::gitlab:
      return has_token(header("X-Gitlab-Token"), secret) ||
             has_standard_signature(header, body, secret, now);
    case HookKind::generic:
      return has_token(header("X-Mendel-Token"), secret) ||
             has_standard_signature(header, body, secret, now);
  }
  return false;
}

std::optional<std::string> delivery_id(HookKind kind, const HeaderLookup& header,
                                       std::string_view body) {
  std::optional<std::string> id;
  switch (kind) {
    case HookKind::github: id = first_of(header, {"X-GitHub-Delivery"}); break;
    case HookKind::gitea:
      id = first_of(header, {"X-Gitea-Delivery", "X-GitHub-Delivery"});
      break;
    case HookKind::gitlab:
      id = first_of(header, {"Idempotency-Key", "webhook-id"});
      // An event that another hook has caused goes by the same UUID as that one did.
      if (!id && (id = first_of(header, {"X-Gitlab-Event-UUID"})))
        id = *id + " " + Digest::of(body).hex();
      break;
    case HookKind::generic: id = first_of(header, {"webhook-id", "Idempotency-Key"}); break;
  }
  if (id && !is_plain(*id)) return Digest::of(*id).to_string();
  return id;
}

std::string make_hook_secret() {
  std::string bytes(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                 static_cast<int>(bytes.size())) != 1) {
    throw_openssl_error("make the secret of a hook");
  }
  return std::string(kStandardSecretPrefix) + encode_base64(bytes);
}

}  // namespace mendel::registry
