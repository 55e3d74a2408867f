#include "registry/services/egress/push_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

const std::string kBefore(40, 'a');
const std::string kAfter(40, 'b');
const std::string kTagObject(40, 'c');
const std::string kNothing(40, '0');

TidingsOfPush read(HookKind kind, const json& body, const std::string& event = "push") {
  const HeaderLookup header =
      [&](std::string_view name) -> std::optional<std::string_view> {
    if (name == "X-GitHub-Event" || name == "X-Gitea-Event") return event;
    return std::nullopt;
  };
  return read_push(kind, header, body.dump());
}

Push push_in(HookKind kind, const json& body) {
  const auto tidings = read(kind, body);
  if (const auto* other = std::get_if<NoPush>(&tidings))
    throw std::runtime_error(other->why);
  return std::get<Push>(tidings);
}

std::string why_none(HookKind kind, const json& body, const std::string& event = "push") {
  const auto tidings = read(kind, body, event);
  const auto* other = std::get_if<NoPush>(&tidings);
  return other ? other->why : "(a push)";
}

json commit(const json& added, const json& modified, const json& removed) {
  return {{"id", kAfter},
          {"message", "\"ref\": \"refs/heads/other\""},
          {"added", added},
          {"modified", modified},
          {"removed", removed}};
}

// As the hosts send them, less what nobody reads here.
json github() {
  return {{"ref", "refs/heads/main"},
          {"before", kBefore},
          {"after", kAfter},
          {"created", false},
          {"deleted", false},
          {"forced", false},
          {"repository",
           {{"id", 1},
            {"full_name", "lhcb/train"},
            {"html_url", "https://git.example.org/lhcb/train"},
            {"clone_url", "https://git.example.org/lhcb/train.git"},
            {"ssh_url", "git@git.example.org:lhcb/train.git"},
            {"owner", {{"ref", "refs/heads/other"}}}}},
          {"commits", json::array({commit({"data/b"}, {"a"}, json::array()),
                                   commit(json::array(), {"data/b"}, {"old"})})},
          {"head_commit", {{"id", kAfter}, {"added", {"x"}}}}};
}

json gitlab() {
  return {{"object_kind", "push"},
          {"event_name", "push"},
          {"ref", "refs/heads/main"},
          {"before", kBefore},
          {"after", kAfter},
          {"checkout_sha", kAfter},
          {"project",
           {{"web_url", "https://git.example.org/lhcb/train"},
            {"git_ssh_url", "git@git.example.org:lhcb/train.git"},
            {"git_http_url", "https://git.example.org/lhcb/train.git"}}},
          {"commits", json::array({commit({"a"}, json::array(), json::array())})},
          {"total_commits_count", 1}};
}

json gitea() {
  json body = github();
  body["total_commits"] = 2;
  return body;
}

TEST(PushBody, IsReadAsEachHostWritesIt) {
  for (const auto& [kind, body] : std::map<HookKind, json>{{HookKind::github, github()},
                                                           {HookKind::gitlab, gitlab()},
                                                           {HookKind::gitea, gitea()}}) {
    const Push push = push_in(kind, body);
    EXPECT_EQ(push.ref, "refs/heads/main");
    EXPECT_EQ(push.before, kBefore);
    EXPECT_EQ(push.after, kAfter);
    EXPECT_THAT(push.repositories, Contains("https://git.example.org/lhcb/train.git"));
  }
  EXPECT_THAT(push_in(HookKind::github, github()).paths,
              Optional(ElementsAre("a", "data/b", "old")));
  EXPECT_THAT(push_in(HookKind::gitlab, gitlab()).paths, Optional(ElementsAre("a")));
}

TEST(PushBody, OfAGenericHookIsWhatAScriptCanWrite) {
  const Push plain =
      push_in(HookKind::generic,
              {{"ref", "refs/tags/v1"}, {"before", kNothing}, {"after", kAfter}});
  EXPECT_EQ(plain.ref, "refs/tags/v1");
  EXPECT_EQ(plain.before, std::nullopt);
  EXPECT_EQ(plain.paths, std::nullopt);
  EXPECT_TRUE(plain.repositories.empty());

  const Push whole = push_in(HookKind::generic, {{"repository", "https://example.org/x"},
                                                 {"ref", "refs/heads/a/b"},
                                                 {"after", kAfter},
                                                 {"paths", {"p", "q"}}});
  EXPECT_THAT(whole.repositories, ElementsAre("https://example.org/x"));
  EXPECT_THAT(whole.paths, Optional(ElementsAre("p", "q")));
}

TEST(PushBody, DoesNotSayWhichPathsWhereNotAllAreThere) {
  json forced = github();
  forced["forced"] = true;
  json created = github();
  created["before"] = kNothing;
  json none = github();
  none["commits"] = json::array();
  json many = github();
  for (int i = 0; i < 2048; ++i) many["commits"].push_back(json::object());
  for (const json& body : {forced, created, none, many}) {
    EXPECT_EQ(push_in(HookKind::github, body).paths, std::nullopt);
  }
  json cut = gitlab();
  cut["total_commits_count"] = 21;
  EXPECT_EQ(push_in(HookKind::gitlab, cut).paths, std::nullopt);
  json old = gitea();
  old.erase("total_commits");
  EXPECT_EQ(push_in(HookKind::gitea, old).paths, std::nullopt);
  json large = gitlab();
  for (int i = 0; i < 10'001; ++i)
    large["commits"][0]["added"].push_back("file" + std::to_string(i));
  EXPECT_EQ(push_in(HookKind::gitlab, large).paths, std::nullopt);
}

TEST(PushBody, OfATagNamesTheCommitNotTheTag) {
  json body = gitlab();
  body["object_kind"] = "tag_push";
  body["ref"] = "refs/tags/v1";
  body["after"] = kTagObject;
  EXPECT_EQ(push_in(HookKind::gitlab, body).after, kAfter);
  json tag = github();
  tag["ref"] = "refs/tags/v1";
  tag["after"] = kTagObject;
  EXPECT_EQ(push_in(HookKind::github, tag).after, kAfter);
}

TEST(PushBody, ThatIsNoPushSaysWhy) {
  EXPECT_THAT(why_none(HookKind::github, {{"zen", "x"}}, "ping"), HasSubstr("'ping'"));
  EXPECT_THAT(why_none(HookKind::gitea, github(), ""), HasSubstr("does not say"));
  EXPECT_THAT(why_none(HookKind::gitlab, {{"object_kind", "pipeline"}}),
              HasSubstr("'pipeline'"));
  json deleted = github();
  deleted["after"] = kNothing;
  EXPECT_THAT(why_none(HookKind::github, deleted), HasSubstr("deleted"));
  json notes = github();
  notes["ref"] = "refs/notes/commits";
  EXPECT_THAT(why_none(HookKind::github, notes), HasSubstr("neither"));
}

TEST(PushBody, ThatMakesNoSenseIsRefused) {
  const HeaderLookup push = [](std::string_view) { return "push"; };
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"),
        std::string("payload=%7B%7D"), R"({"ref":"refs/heads/main"})" + std::string(),
        R"({"ref":"refs/heads/main","after":"main"})" + std::string(),
        R"({"ref":"refs/heads/a b","after":")" + kAfter + R"("})",
        R"({"ref":"main","after":")" + kAfter + R"("}x)",
        R"({"ref":"refs/heads/\u0000","after":")" + kAfter + R"("})",
        R"({"ref":"refs/heads/../../x","after":")" + kAfter + R"("})",
        R"({"ref":")" + std::string(5000, 'a') + R"(","after":")" + kAfter + R"("})",
        std::string("{\"ref\":\"refs/heads/\xff\"}"), std::string(65, '['),
        "{\"x\":" + std::string(100'000, '[') + "}"}) {
    try {
      read_push(HookKind::github, push, body);
      ADD_FAILURE() << body.substr(0, 100);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << body.substr(0, 100);
    }
  }
}

}  // namespace
}  // namespace mendel::registry
