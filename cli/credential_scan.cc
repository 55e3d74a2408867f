#include "cli/credential_scan.h"

#include <algorithm>

namespace mendel::cli {

namespace {

constexpr std::string_view kUpperDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kAlphanumeric =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kWord =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

// A token that begins with prefix and goes on with at least so many of these characters.
struct TokenForm {
  std::string_view prefix;
  std::size_t size_min;
  std::string_view characters;
  std::string_view what;
};

constexpr TokenForm kForms[] = {
    {"AKIA", 16, kUpperDigits, "an AWS access key"},
    {"ASIA", 16, kUpperDigits, "an AWS access key"},
    {"ghp_", 36, kAlphanumeric, "a GitHub token"},
    {"gho_", 36, kAlphanumeric, "a GitHub token"},
    {"ghu_", 36, kAlphanumeric, "a GitHub token"},
    {"ghs_", 36, kAlphanumeric, "a GitHub token"},
    {"ghr_", 36, kAlphanumeric, "a GitHub token"},
    {"github_pat_", 36, kWord, "a GitHub token"},
    {"glpat-", 20, kWord, "a GitLab token"},
    {"gldt-", 20, kWord, "a GitLab token"},
    {"glrt-", 20, kWord, "a GitLab token"},
    {"glptt-", 20, kWord, "a GitLab token"},
    {"xoxa-", 10, kWord, "a Slack token"},
    {"xoxb-", 10, kWord, "a Slack token"},
    {"xoxe-", 10, kWord, "a Slack token"},
    {"xoxp-", 10, kWord, "a Slack token"},
    {"xoxr-", 10, kWord, "a Slack token"},
    {"xoxs-", 10, kWord, "a Slack token"},
    {"mdl_", 43, kWord, "a Mendel token"},
    {"hf_", 34, kAlphanumeric, "a Hugging Face token"},
    {"npm_", 36, kAlphanumeric, "an npm token"},
    {"pypi-AgE", 40, kWord, "a PyPI token"},
    {"AIza", 35, kWord, "a Google API key"},
    {"sk_live_", 16, kAlphanumeric, "a Stripe key"},
};

std::size_t run_length(std::string_view text, std::string_view characters) {
  return std::min(text.find_first_not_of(characters), text.size());
}

bool has_token(std::string_view line, const TokenForm& form) {
  for (auto at = line.find(form.prefix); at != line.npos;
       at = line.find(form.prefix, at + 1)) {
    const bool begins_word = at == 0 || kAlphanumeric.find(line[at - 1]) == line.npos;
    const std::string_view rest = line.substr(at + form.prefix.size());
    if (begins_word && run_length(rest, form.characters) >= form.size_min) return true;
  }
  return false;
}

// "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PGP PRIVATE KEY BLOCK-----" and so on.
bool has_private_key(std::string_view line) {
  const auto begin = line.find("-----BEGIN ");
  if (begin == line.npos) return false;
  const auto key = line.find("PRIVATE KEY", begin);
  return key != line.npos && line.find("-----", key) != line.npos;
}

// A signed token (RFC 7519), as WLCG and SciTokens have: header.claims.signature, the first
// two of which are base64url of "{\"".
bool has_signed_token(std::string_view line) {
  constexpr std::size_t kPartSizeMin = 16;
  for (auto at = line.find("eyJ"); at != line.npos; at = line.find("eyJ", at + 1)) {
    const std::string_view header = line.substr(at);
    const std::size_t size = run_length(header, kWord);
    if (size < kPartSizeMin || !header.substr(size).starts_with(".eyJ")) continue;
    const std::string_view claims = header.substr(size + 1);
    const std::size_t claims_size = run_length(claims, kWord);
    if (claims_size >= kPartSizeMin && claims.substr(claims_size).starts_with('.') &&
        run_length(claims.substr(claims_size + 1), kWord) >= kPartSizeMin) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::string_view> find_credential(std::string_view line) {
  if (has_private_key(line)) return "a private key";
  const auto form = std::ranges::find_if(
      kForms, [&](const TokenForm& form) { return has_token(line, form); });
  if (form != std::end(kForms)) return form->what;
  if (has_signed_token(line)) return "a signed token (JWT)";
  return std::nullopt;
}

std::optional<std::string_view> find_credential_file(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string_view store : {".netrc", "_netrc", ".git-credentials", ".pgpass"}) {
    if (name == store) return "passwords";
  }
  for (const std::string_view extension : {".p12", ".pfx", ".jks", ".keytab"}) {
    if (name.ends_with(extension)) return "a key store";
  }
  if (name.starts_with("x509up_u")) return "a grid proxy";
  return std::nullopt;
}

}  // namespace mendel::cli
