// A body may be large and is written by strangers, so no document is made of it: its values
// are looked at as they come, by where they stand ("commits[].added[]"), and few are kept.

#include "registry/services/egress/push_body.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "registry/services/egress/ls_remote.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kValueSizeMax = 4096;
constexpr std::size_t kPathsMax = 10'000;
constexpr std::size_t kCommitsOfGithubMax = 2048;  // it sends no more than these

// The single values that are kept.
constexpr std::string_view kKept[] = {"ref",
                                      "before",
                                      "after",
                                      "checkout_sha",
                                      "object_kind",
                                      "event_name",
                                      "deleted",
                                      "forced",
                                      "total_commits_count",
                                      "total_commits",
                                      "head_commit.id",
                                      "repository",
                                      "repository.clone_url",
                                      "repository.html_url",
                                      "repository.ssh_url",
                                      "repository.git_http_url",
                                      "repository.git_ssh_url",
                                      "project.git_http_url",
                                      "project.git_ssh_url",
                                      "project.web_url"};

constexpr std::string_view kRepositories[] = {
    "repository",           "repository.clone_url",    "repository.html_url",
    "repository.ssh_url",   "repository.git_http_url", "repository.git_ssh_url",
    "project.git_http_url", "project.git_ssh_url",     "project.web_url"};

constexpr std::string_view kPaths[] = {"commits[].added[]", "commits[].modified[]",
                                       "commits[].removed[]", "paths[]"};

template <class List>
bool has(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != std::end(list);
}

Error broken(const std::string& rule) {
  return {ErrorCode::invalid_argument, "the body of the delivery " + rule};
}

// What was found in a body.
struct Found {
  std::map<std::string, std::string, std::less<>> values;
  std::set<std::string> paths;
  bool paths_are_all = true;
  bool has_paths = false;  // a list of paths beside the commits
  std::size_t commits = 0;

  std::string value(std::string_view name) const {
    const auto known = values.find(name);
    return known == values.end() ? "" : known->second;
  }
};

class Reader : public nlohmann::json_sax<Json> {
 public:
  explicit Reader(Found& found) : found_(found) {}

  bool null() override { return true; }
  bool boolean(bool truth) override { return take(truth ? "true" : "false"); }
  bool number_integer(number_integer_t number) override {
    return take(std::to_string(number));
  }
  bool number_unsigned(number_unsigned_t number) override {
    return take(std::to_string(number));
  }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t& text) override { return take(text); }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override {
    if (place_ == "commits[]") ++found_.commits;
    return enter();
  }
  bool key(string_t& name) override {
    place_.resize(ends_.back());
    if (!place_.empty()) place_ += '.';
    // Nothing that is asked for has a name as long as that.
    place_ += std::string_view(name).substr(0, 64);
    return true;
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override {
    if (place_ == "paths") found_.has_paths = true;
    if (!enter()) return false;
    place_ += "[]";
    return true;
  }
  bool end_array() override { return leave(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    throw broken("is no JSON (at byte " + std::to_string(position) + ")");
  }

 private:
  bool enter() {
    if (ends_.size() == kDepthMax) throw broken("is nested deeper than 64 times");
    ends_.push_back(place_.size());
    return true;
  }
  bool leave() {
    place_.resize(ends_.back());
    ends_.pop_back();
    return true;
  }

  bool take(const std::string& value) {
    if (has(kKept, place_)) {
      if (value.size() > kValueSizeMax)
        throw broken("has a '" + place_ + "' that is too long");
      found_.values[place_] = value;
    } else if (has(kPaths, place_)) {
      if (found_.paths.size() < kPathsMax && value.size() <= kValueSizeMax) {
        found_.paths.insert(value);
      } else {
        found_.paths_are_all = false;
      }
    }
    return true;
  }

  Found& found_;
  std::string place_;                // of the value that comes next
  std::vector<std::size_t> ends_{};  // of the places around it
};

bool is_nothing(std::string_view commit) {
  return commit.find_first_not_of('0') == std::string_view::npos;
}

// The commits say which paths changed only if all of them are there, and if they are what
// lies between before and after.
bool commits_are_all(HookKind kind, const Found& found) {
  if (found.commits == 0 || found.value("forced") == "true") return false;
  const std::string count = std::to_string(found.commits);
  switch (kind) {
    case HookKind::github: return found.commits < kCommitsOfGithubMax;
    case HookKind::gitlab: return found.value("total_commits_count") == count;
    case HookKind::gitea: return found.value("total_commits") == count;
    case HookKind::generic: return false;
  }
  return false;
}

// nullopt: a push. What kind of event it is stands in a header, or in the body.
std::optional<NoPush> other_event(HookKind kind, const HeaderLookup& header,
                                  const Found& found) {
  std::string event;
  switch (kind) {
    case HookKind::github: event = header("X-GitHub-Event").value_or(""); break;
    case HookKind::gitea:
      for (const char* name : {"X-Gitea-Event", "X-Forgejo-Event", "X-GitHub-Event"}) {
        if (event.empty()) event = header(name).value_or("");
      }
      break;
    case HookKind::gitlab:
      event = found.value("object_kind");
      if (event.empty()) event = found.value("event_name");
      if (event == "tag_push") event = "push";
      break;
    case HookKind::generic: event = "push"; break;
  }
  if (event == "push") return std::nullopt;
  std::erase_if(event, [](char c) { return c < ' ' || c > '~'; });
  return NoPush{event.empty() ? "it does not say what kind of event it is"
                              : "'" + event.substr(0, 50) + "' is no push"};
}

// Of an annotated tag, hosts give the tag itself as what it is after, and its commit apart.
std::string commit_after(const Found& found, bool is_tag) {
  for (const char* name : {"checkout_sha", "head_commit.id"}) {
    if (is_tag && !found.value(name).empty()) return found.value(name);
  }
  return found.value("after");
}

}  // namespace

TidingsOfPush read_push(HookKind kind, const HeaderLookup& header, std::string_view body) {
  Found found;
  Reader reader(found);
  Json::sax_parse(body, &reader);
  if (auto other = other_event(kind, header, found)) return *other;

  Push push;
  push.ref = found.value("ref");
  const bool is_tag = push.ref.starts_with("refs/tags/");
  if (!is_ref_name(push.ref)) throw broken("has no proper 'ref'");
  if (!is_tag && !push.ref.starts_with("refs/heads/"))
    return NoPush{"it is neither of a branch nor of a tag"};
  if (found.value("deleted") == "true" ||
      (!found.value("after").empty() && is_nothing(found.value("after"))))
    return NoPush{push.ref + " was deleted"};
  push.after = commit_after(found, is_tag);
  if (!is_commit_id(push.after)) throw broken("has no proper commit in 'after'");
  if (const auto before = found.value("before");
      is_commit_id(before) && !is_nothing(before))
    push.before = before;

  const bool paths_known = kind == HookKind::generic
                               ? found.has_paths
                               : push.before && !is_tag && commits_are_all(kind, found);
  if (paths_known && found.paths_are_all)
    push.paths.emplace(found.paths.begin(), found.paths.end());
  for (const auto name : kRepositories) {
    if (const auto url = found.value(name); !url.empty()) push.repositories.push_back(url);
  }
  return push;
}

}  // namespace mendel::registry
