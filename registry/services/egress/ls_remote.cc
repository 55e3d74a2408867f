#include "registry/services/egress/ls_remote.h"

#include <algorithm>
#include <vector>

namespace mendel::registry {

namespace {

constexpr std::size_t kRefNameSizeMax = 1000;
constexpr std::size_t kRefsMax = 200'000;
constexpr std::size_t kReasonSizeMax = 300;
constexpr std::string_view kPeeled = "^{}";

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

// The first line that says what was fatal, else the first one.
std::string reason_of(std::string_view complaints) {
  std::string_view told;
  while (!complaints.empty()) {
    const auto line = take_line(complaints);
    if (told.empty() || line.starts_with("fatal: ")) told = line;
    if (line.starts_with("fatal: ")) break;
  }
  if (told.starts_with("fatal: ")) told.remove_prefix(7);
  std::string reason(told.substr(0, kReasonSizeMax));
  std::ranges::replace_if(
      reason, [](unsigned char c) { return c < ' ' || c >= 127; }, '?');
  return reason;
}

}  // namespace

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::map<std::string, std::string> parse_refs(std::string_view output) {
  const Error no_list(ErrorCode::unavailable,
                      "what git said is no list of branches and tags");
  std::map<std::string, std::string> refs;
  while (!output.empty()) {
    const auto line = take_line(output);
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos || !is_commit_id(line.substr(0, tab))) throw no_list;
    auto name = line.substr(tab + 1);
    const bool peeled = name.ends_with(kPeeled);
    if (peeled) name.remove_suffix(kPeeled.size());
    // A name that git itself would refuse is passed over: nobody can ask for it.
    if (name != "HEAD" && !(name.starts_with("refs/") && is_ref_name(name))) continue;
    const auto [place, is_new] =
        refs.try_emplace(std::string(name), std::string(line.substr(0, tab)));
    if (!is_new && peeled) place->second = line.substr(0, tab);
    if (refs.size() > kRefsMax)
      throw Error(ErrorCode::too_large, "the repository has more than 200000 refs");
  }
  return refs;
}

std::optional<std::string> find_commit(const std::map<std::string, std::string>& refs,
                                       std::string_view ref) {
  const std::string name(ref);
  const bool is_full = ref == "HEAD" || ref.starts_with("refs/");
  for (const auto& full : is_full
                              ? std::vector{name}
                              : std::vector{"refs/heads/" + name, "refs/tags/" + name}) {
    if (const auto found = refs.find(full); found != refs.end()) return found->second;
  }
  return std::nullopt;
}

// The rules of git-check-ref-format, and no '-' at the start.
bool is_ref_name(std::string_view text) {
  if (text.empty() || text.size() > kRefNameSizeMax || text == "@") return false;
  if (text.starts_with('-') || text.ends_with('.') || has_any(text, {"..", "@{"}))
    return false;
  const bool harmless = std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 127 &&
           std::string_view("~^:?*[\\").find(c) == std::string_view::npos;
  });
  if (!harmless) return false;
  for (;;) {
    const auto end = text.find('/');
    const auto part = text.substr(0, end);
    if (part.empty() || part.starts_with('.') || part.ends_with(".lock")) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

Error explain_git_failure(const std::string& repository, std::string_view complaints) {
  const std::string reason = reason_of(complaints);
  if (has_any(complaints, {"returned error: 301", "returned error: 302",
                           "returned error: 307", "returned error: 308"})) {
    return {
        ErrorCode::not_found,
        repository + " has moved: the server follows no redirects, give the new address"};
  }
  if (has_any(complaints, {"could not read Username", "could not read Password",
                           "Authentication failed", "returned error: 401",
                           "returned error: 403", "terminal prompts disabled"})) {
    return {ErrorCode::permission_denied,
            repository + " is not there, or not without an account"};
  }
  if (has_any(complaints, {"' not found", "returned error: 404", "returned error: 410",
                           "not valid: is this a git repository"})) {
    return {ErrorCode::not_found, "there is no repository at " + repository};
  }
  return {ErrorCode::unavailable,
          "cannot ask " + repository + ": " + (reason.empty() ? "git failed" : reason)};
}

}  // namespace mendel::registry
