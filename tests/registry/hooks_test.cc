// Webhooks over HTTP: who may make them, and what a delivery does.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <thread>

#include "registry/services/egress/base64.h"
#include "schema/transaction.h"
#include "tests/testing/registry_server.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using testing::Answer;
using ::testing::HasSubstr;
using ::testing::Not;
using HeaderList = testing::ServerOverStores::HeaderList;

const std::string kAfter(40, 'b');
const std::string kRepository = "https://git.example.org/lhcb/train.git";

std::string mac(const std::string& key, const std::string& message) {
  std::string bytes(32, '\0');
  unsigned size = 32;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       reinterpret_cast<unsigned char*>(bytes.data()), &size);
  return bytes;
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

struct HooksApi : ::testing::Test {
  HooksApi() {
    server.send("PUT", "/api/v1/namespaces/lhcb", "{}");
    server.send("PUT", "/api/v1/principals/reader", "{}");
    server.send("PUT", "/api/v1/namespaces/lhcb/members/reader", R"({"role":"reader"})");
    reader = server
                 .send("POST", "/api/v1/tokens",
                       R"({"principal":"reader","scopes":["read","write","admin"]})")
                 .json()
                 .at("secret");
  }

  json create(const std::string& kind) {
    const Answer made = server.send(
        "POST", "/api/v1/hooks",
        json{{"namespace", "lhcb"}, {"kind", kind}, {"repository", kRepository}}.dump());
    EXPECT_EQ(made.status, 201) << made.body;
    return made.json();
  }

  // As a host would send it: without a token of ours.
  Answer deliver(const json& hook, const std::string& body, HeaderList headers) {
    headers.emplace_back("Authorization", "");
    return server.send("POST", hook.at("url"), body, headers);
  }

  Answer deliver_signed(const json& hook, const std::string& body, const std::string& id) {
    const std::string signature = hex(mac(hook.at("secret"), body));
    return deliver(hook, body,
                   {{"X-Hub-Signature-256", "sha256=" + signature},
                    {"X-Gitea-Signature", signature},
                    {"X-GitHub-Event", "push"},
                    {"X-GitHub-Delivery", id}});
  }

  static std::string push_body(const std::string& repository = kRepository) {
    return json{{"ref", "refs/heads/main"},
                {"before", std::string(40, 'a')},
                {"after", kAfter},
                {"repository", {{"clone_url", repository}}},
                {"commits", {{{"added", {"data/x"}}, {"modified", json::array()}}}}}
        .dump();
  }

  json events() {
    const auto rows =
        server.database().read("look at events", [&](schema::Transaction& tx) {
          const auto found =
              tx.exec(schema::Statement{"test_events",
                                        "select kind, topic, payload, namespace_id, "
                                        "only_triggers = '{}' as is_for_none "
                                        "from event order by id"});
          json all = json::array();
          for (const auto& row : found) {
            json event = json::parse(schema::at<std::string>(row, "payload"));
            event["kind"] = schema::at<std::string>(row, "kind");
            event["topic"] = schema::at<std::string>(row, "topic");
            event["has_namespace"] =
                schema::at<std::optional<std::int64_t>>(row, "namespace_id").has_value();
            event["is_for_none"] = schema::at<bool>(row, "is_for_none");
            all.push_back(event);
          }
          return all;
        });
    return rows;
  }

  testing::RegistryServer server;
  std::string reader;
};

TEST_F(HooksApi, AreMadeByWritersAndTheirSecretIsShownOnce) {
  const json hook = create("github");
  const std::string id = hook.at("id");
  EXPECT_EQ(hook.at("url"), "/api/v1/hooks/github/" + id);
  const std::string secret = hook.at("secret");
  for (const std::string& target :
       {"/api/v1/hooks/" + id, std::string("/api/v1/hooks?namespace=lhcb"),
        std::string("/api/v1/audit?namespace=lhcb")}) {
    const Answer answer = server.send("GET", target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(id));
    EXPECT_THAT(answer.body, Not(HasSubstr(secret)));
  }
  const HeaderList as_reader{{"Authorization", "Bearer " + reader}};
  const std::string body =
      json{{"namespace", "lhcb"}, {"kind", "github"}, {"repository", kRepository}}.dump();
  EXPECT_EQ(server.send("POST", "/api/v1/hooks", body, as_reader).status, 403);
  EXPECT_EQ(server.send("GET", "/api/v1/hooks?namespace=lhcb", "", as_reader).status, 403);
  EXPECT_EQ(server.send("GET", "/api/v1/hooks/" + id, "", as_reader).status, 403);
  EXPECT_EQ(server.send("DELETE", "/api/v1/hooks/" + id, "", as_reader).status, 403);
  EXPECT_EQ(server.send("DELETE", "/api/v1/hooks/" + id).status, 204);
  EXPECT_EQ(server.send("GET", "/api/v1/hooks/" + id).status, 404);
  EXPECT_EQ(deliver_signed(hook, push_body(), "1").status, 404);
}

TEST_F(HooksApi, AreRefusedWhereTheyMakeNoSense) {
  const json right{{"namespace", "lhcb"}, {"kind", "github"}, {"repository", kRepository}};
  for (const auto& [member, value] : std::map<std::string, json>{
           {"kind", "svn"}, {"repository", "/srv/git"}, {"secret", "short"}, {"x", 1}}) {
    json wrong = right;
    wrong[member] = value;
    EXPECT_EQ(server.send("POST", "/api/v1/hooks", wrong.dump()).status, 400) << member;
  }
  json elsewhere = right;
  elsewhere["namespace"] = "atlas";
  EXPECT_EQ(server.send("POST", "/api/v1/hooks", elsewhere.dump()).status, 404);
  EXPECT_EQ(server.send("GET", "/api/v1/hooks").status, 400);
}

TEST_F(HooksApi, ADeliveryIsOneEventHoweverOftenItComes) {
  for (const char* kind : {"github", "gitea"}) {
    const json hook = create(kind);
    const Answer first = deliver_signed(hook, push_body(), "delivery-1");
    ASSERT_EQ(first.status, 202) << first.body;
    EXPECT_TRUE(first.json().contains("event"));
    EXPECT_EQ(deliver_signed(hook, push_body(), "delivery-1").json(),
              json({{"duplicate", true}}));
  }
  const json all = events();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].at("kind"), "git_push");
  EXPECT_EQ(all[0].at("topic"), "push/git.example.org/lhcb/train");
  EXPECT_EQ(all[0].at("repository"), "git.example.org/lhcb/train");
  EXPECT_EQ(all[0].at("branch"), "main");
  EXPECT_EQ(all[0].at("after"), kAfter);
  EXPECT_EQ(all[0].at("paths"), json({"data/x"}));
  EXPECT_EQ(all[0].at("has_namespace"), true);
  EXPECT_EQ(all[0].at("is_for_none"), true);  // no trigger of the namespace listens
}

TEST_F(HooksApi, ADeliveryThatComesTwiceAtOnceIsOneEvent) {
  const json hook = create("github");
  std::vector<std::thread> senders;
  for (int i = 0; i < 8; ++i) {
    senders.emplace_back([&] { deliver_signed(hook, push_body(), "delivery-1"); });
  }
  for (auto& sender : senders) sender.join();
  EXPECT_EQ(events().size(), 1u);
}

TEST_F(HooksApi, AWrongSignatureAndAHookThatIsNotThereAreAnsweredAlike) {
  json hook = create("github");
  json wrong = hook;
  wrong["secret"] = "another-secret-of-somebody";
  json absent = hook;
  absent["url"] = "/api/v1/hooks/github/01a1fe0c-89bd-7173-af3a-7189431de521";
  json other_kind = hook;
  other_kind["url"] = "/api/v1/hooks/gitea/" + hook.at("id").get<std::string>();
  json no_id = hook;
  no_id["url"] = "/api/v1/hooks/github/x";
  const Answer refused = deliver_signed(wrong, push_body(), "1");
  EXPECT_EQ(refused.status, 404);
  for (const json& to : {absent, other_kind, no_id}) {
    const Answer answer = deliver_signed(to, push_body(), "1");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, refused.body);
  }
  EXPECT_EQ(deliver(hook, push_body(), {}).status, 404);
  EXPECT_EQ(deliver_signed(wrong, "{", "1").status, 404);
  EXPECT_TRUE(events().empty());
}

TEST_F(HooksApi, WhatIsNoPushOfTheRepositoryIsIgnored) {
  const json hook = create("github");
  const Answer other = deliver_signed(hook, push_body("https://git.example.org/a/b"), "1");
  EXPECT_EQ(other.status, 202);
  EXPECT_THAT(other.body, HasSubstr("another repository"));
  const std::string signature = hex(mac(hook.at("secret"), "{}"));
  const Answer ping = deliver(hook, "{}",
                              {{"X-Hub-Signature-256", "sha256=" + signature},
                               {"X-GitHub-Event", "ping"},
                               {"X-GitHub-Delivery", "2"}});
  EXPECT_THAT(ping.body, HasSubstr("ignored"));
  EXPECT_TRUE(events().empty());
  const json seen = server.send("GET", "/api/v1/hooks/" + hook.at("id").get<std::string>())
                        .json()
                        .at("deliveries");
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].at("ignored"), "'ping' is no push");
}

TEST_F(HooksApi, NamesOfHostsAreTakenInAnyCase) {
  const json hook = create("github");
  EXPECT_TRUE(deliver_signed(hook, push_body("https://Git.Example.org/LHCb/Train"), "1")
                  .json()
                  .contains("event"));
}

TEST_F(HooksApi, OfGitlabKnowTheirSenderByAToken) {
  const json hook = create("gitlab");
  const std::string body = json{{"object_kind", "push"},
                                {"ref", "refs/heads/main"},
                                {"after", kAfter},
                                {"project", {{"git_http_url", kRepository}}}}
                               .dump();
  const HeaderList headers{{"X-Gitlab-Token", hook.at("secret")}, {"Idempotency-Key", "k"}};
  EXPECT_TRUE(deliver(hook, body, headers).json().contains("event"));
  EXPECT_TRUE(deliver(hook, body, headers).json().contains("duplicate"));
  EXPECT_EQ(deliver(hook, body, {{"X-Gitlab-Token", "x"}}).status, 404);
}

TEST_F(HooksApi, GenericOnesAreSignedAsStandardWebhooksAre) {
  const json hook = create("generic");
  const std::string body = json{{"ref", "refs/heads/main"}, {"after", kAfter}}.dump();
  const auto now = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(
                                      server.clock().now().time_since_epoch())
                                      .count());
  const auto key = decode_base64(hook.at("secret").get<std::string>().substr(6)).value();
  const HeaderList headers{
      {"webhook-id", "msg_1"},
      {"webhook-timestamp", now},
      {"webhook-signature", "v1," + encode_base64(mac(key, "msg_1." + now + "." + body))}};
  EXPECT_TRUE(deliver(hook, body, headers).json().contains("event"));
  EXPECT_TRUE(deliver(hook, body, headers).json().contains("duplicate"));
  server.clock().advance(std::chrono::minutes(6));
  EXPECT_EQ(deliver(hook, body, headers).status, 404);
}

TEST_F(HooksApi, ADeliveryHasALimit) {
  const json generic = create("generic");
  const std::string large(1'100'000, ' ');
  EXPECT_EQ(deliver(generic, large, {{"X-Mendel-Token", generic.at("secret")}}).status,
            413);
  const json github = create("github");
  EXPECT_EQ(deliver_signed(github, large + push_body(), "1").status, 202);
  const json absent{{"url", "/api/v1/hooks/generic/x"}, {"secret", "x"}};
  EXPECT_EQ(deliver(absent, large, {}).status, 413);
}

TEST_F(HooksApi, ABodyThatMakesNoSenseIsRefusedWhoeverSignedIt) {
  const json hook = create("github");
  for (const std::string& body :
       {std::string("{"), std::string("payload=%7B%7D"), std::string(100'000, '['),
        json{{"ref", "refs/heads/main"}, {"after", "$(id)"}}.dump()}) {
    EXPECT_EQ(deliver_signed(hook, body, "1").status, 400);
  }
  EXPECT_TRUE(events().empty());
}

TEST_F(HooksApi, KeepWorkingWhenTheKeysWereRotated) {
  const json hook = create("github");
  const Answer rotated = server.send("POST", "/api/v1/admin/rotate-secrets");
  EXPECT_EQ(rotated.status, 200);
  EXPECT_EQ(rotated.json().at("rotated"), 0);
  EXPECT_EQ(deliver_signed(hook, push_body(), "1").status, 202);
}

TEST_F(HooksApi, RepositoriesAreNotAskedWhereTheRulesForbidIt) {
  const std::string query = "&commit=" + kAfter;
  const Answer inner = server.send(
      "GET", "/api/v1/repositories/check?repository=https://127.0.0.1/x" + query);
  ASSERT_EQ(inner.status, 200) << inner.body;
  EXPECT_EQ(inner.json().at("available"), false);
  EXPECT_THAT(inner.json().at("why"), HasSubstr("--egress-allow"));
  EXPECT_EQ(server.send("GET", "/api/v1/repositories/check?repository=file:///etc" + query)
                .status,
            400);
  EXPECT_EQ(server.send("GET", "/api/v1/repositories/check?commit=" + kAfter).status, 400);
}

}  // namespace
}  // namespace mendel::registry
