#include "registry/services/egress/webhook_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "registry/services/egress/base64.h"

namespace mendel::registry {
namespace {

using Headers = std::map<std::string, std::string>;

HeaderLookup lookup(const Headers& headers) {
  return [&headers](std::string_view name) -> std::optional<std::string_view> {
    const auto known = headers.find(std::string(name));
    if (known == headers.end()) return std::nullopt;
    return known->second;
  };
}

bool genuine(HookKind kind, const Headers& headers, std::string_view body,
             std::string_view secret, std::int64_t now_seconds = 0) {
  return is_genuine(kind, lookup(headers), body, secret,
                    Timestamp(std::chrono::seconds(now_seconds)));
}

// The example in GitHub's documentation of webhooks.
const std::string kGithubSecret = "It's a Secret to Everybody";
const std::string kGithubSignature =
    "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
constexpr std::string_view kGithubBody = "Hello, World!";

TEST(GithubSignature, IsTheOneOfTheDocumentation) {
  EXPECT_TRUE(genuine(HookKind::github,
                      {{"X-Hub-Signature-256", "sha256=" + kGithubSignature}}, kGithubBody,
                      kGithubSecret));
}

TEST(GithubSignature, IsRefusedWhenAnythingDiffers) {
  std::string other = kGithubSignature;
  other[63] = '8';
  for (const std::string& header :
       {std::string(), std::string("sha256="), kGithubSignature, "sha1=" + kGithubSignature,
        "sha256=" + other, "sha256=" + kGithubSignature.substr(0, 62),
        "sha256=" + kGithubSignature + "00", "sha256=" + std::string(64, 'g'),
        "sha256= " + kGithubSignature.substr(1)}) {
    EXPECT_FALSE(genuine(HookKind::github, {{"X-Hub-Signature-256", header}}, kGithubBody,
                         kGithubSecret))
        << header;
  }
  const Headers right{{"X-Hub-Signature-256", "sha256=" + kGithubSignature}};
  EXPECT_FALSE(genuine(HookKind::github, right, "Hello, World?", kGithubSecret));
  EXPECT_FALSE(genuine(HookKind::github, right, kGithubBody, "another secret"));
  EXPECT_FALSE(genuine(HookKind::github, {}, kGithubBody, kGithubSecret));
  EXPECT_FALSE(genuine(HookKind::generic, right, kGithubBody, kGithubSecret));
}

TEST(GiteaSignature, HasAHeaderOfItsOwn) {
  EXPECT_TRUE(genuine(HookKind::gitea, {{"X-Gitea-Signature", kGithubSignature}},
                      kGithubBody, kGithubSecret));
  EXPECT_TRUE(genuine(HookKind::gitea,
                      {{"X-Hub-Signature-256", "sha256=" + kGithubSignature}}, kGithubBody,
                      kGithubSecret));
  EXPECT_FALSE(genuine(HookKind::gitea, {{"X-Gitea-Signature", ""}}, kGithubBody, ""));
  EXPECT_FALSE(genuine(HookKind::gitea, {{"X-Gitea-Signature", kGithubSignature}}, "x",
                       kGithubSecret));
}

// The example that the libraries of Standard Webhooks are tested with.
const std::string kStandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string kStandardSignature = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr std::string_view kStandardBody = R"({"test": 2432232314})";
constexpr std::int64_t kStandardTime = 1614265330;

Headers standard_headers(const std::string& signature) {
  return {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
          {"webhook-timestamp", std::to_string(kStandardTime)},
          {"webhook-signature", signature}};
}

TEST(StandardWebhook, IsTheOneOfTheSpecification) {
  for (const HookKind kind : {HookKind::generic, HookKind::gitlab}) {
    EXPECT_TRUE(genuine(kind, standard_headers("v1," + kStandardSignature), kStandardBody,
                        kStandardSecret, kStandardTime));
  }
}

TEST(StandardWebhook, MayBeSignedWithSeveralSecretsWhileTheyRotate) {
  EXPECT_TRUE(genuine(HookKind::generic,
                      standard_headers("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= "
                                       "v2," +
                                       kStandardSignature + " v1," + kStandardSignature),
                      kStandardBody, kStandardSecret, kStandardTime));
}

TEST(StandardWebhook, IsRefusedWhenItIsOldOrFromTheFuture) {
  const Headers headers = standard_headers("v1," + kStandardSignature);
  for (const std::int64_t seconds : {-300, 300}) {
    EXPECT_TRUE(genuine(HookKind::generic, headers, kStandardBody, kStandardSecret,
                        kStandardTime + seconds));
  }
  for (const std::int64_t seconds : {-301, 301}) {
    EXPECT_FALSE(genuine(HookKind::generic, headers, kStandardBody, kStandardSecret,
                         kStandardTime + seconds));
  }
}

TEST(StandardWebhook, IsRefusedWhenAnythingDiffers) {
  for (const std::string& signature :
       {std::string(), "v2," + kStandardSignature, kStandardSignature, std::string("v1,"),
        std::string("v1,!!!!"), "v1," + kStandardSignature + "="}) {
    EXPECT_FALSE(genuine(HookKind::generic, standard_headers(signature), kStandardBody,
                         kStandardSecret, kStandardTime))
        << signature;
  }
  const Headers right = standard_headers("v1," + kStandardSignature);
  for (const char* name : {"webhook-id", "webhook-timestamp"}) {
    Headers changed = right;
    changed[name] = "1614265331";
    EXPECT_FALSE(
        genuine(HookKind::generic, changed, kStandardBody, kStandardSecret, kStandardTime));
    changed[name] = "x";
    EXPECT_FALSE(
        genuine(HookKind::generic, changed, kStandardBody, kStandardSecret, kStandardTime));
    changed.erase(name);
    EXPECT_FALSE(
        genuine(HookKind::generic, changed, kStandardBody, kStandardSecret, kStandardTime));
  }
  EXPECT_FALSE(
      genuine(HookKind::generic, right, kStandardBody, "whsec_no base64", kStandardTime));
  EXPECT_FALSE(genuine(HookKind::generic, right, "{}", kStandardSecret, kStandardTime));
}

TEST(HookToken, IsTheSecretItself) {
  EXPECT_TRUE(genuine(HookKind::gitlab, {{"X-Gitlab-Token", "hunter2hunter2"}}, "{}",
                      "hunter2hunter2"));
  EXPECT_TRUE(genuine(HookKind::generic, {{"X-Mendel-Token", "hunter2hunter2"}}, "{}",
                      "hunter2hunter2"));
  for (const char* token : {"", "hunter2", "hunter2hunter2 ", "Hunter2hunter2"}) {
    EXPECT_FALSE(
        genuine(HookKind::gitlab, {{"X-Gitlab-Token", token}}, "{}", "hunter2hunter2"));
  }
  EXPECT_FALSE(genuine(HookKind::github, {{"X-Gitlab-Token", "hunter2hunter2"}}, "{}",
                       "hunter2hunter2"));
}

TEST(DeliveryId, StaysTheSameWhenADeliveryIsRepeated) {
  const auto id = [](HookKind kind, const Headers& headers) {
    return delivery_id(kind, lookup(headers), "body").value_or("(none)");
  };
  EXPECT_EQ(id(HookKind::github, {{"X-GitHub-Delivery", "a"}}), "a");
  EXPECT_EQ(id(HookKind::gitea, {{"X-Gitea-Delivery", "b"}}), "b");
  EXPECT_EQ(id(HookKind::generic, {{"webhook-id", "c"}, {"Idempotency-Key", "d"}}), "c");
  EXPECT_EQ(id(HookKind::gitlab, {{"Idempotency-Key", "d"}, {"X-Gitlab-Event-UUID", "e"}}),
            "d");
  EXPECT_EQ(id(HookKind::gitlab, {{"X-Gitlab-Event-UUID", "e"}}).substr(0, 2), "e ");
  EXPECT_EQ(id(HookKind::github, {{"webhook-id", "c"}}), "(none)");
  EXPECT_EQ(id(HookKind::github, {{"X-GitHub-Delivery", ""}}), "(none)");
  EXPECT_EQ(id(HookKind::github, {{"X-GitHub-Delivery", std::string(5000, 'x')}}).size(),
            71u);
  EXPECT_EQ(id(HookKind::github, {{"X-GitHub-Delivery", "\xff"}}).size(), 71u);
}

TEST(HookSecret, IsOneForStandardWebhooks) {
  const std::string secret = make_hook_secret();
  ASSERT_TRUE(secret.starts_with("whsec_"));
  EXPECT_EQ(decode_base64(secret.substr(6)).value().size(), 32u);
  EXPECT_NE(secret, make_hook_secret());
}

TEST(Base64, TakesOnlyWhatItMakes) {
  for (const char* bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe"}) {
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
  EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
  for (const char* text :
       {"Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v\n", " Zm9v", "Zm 9", "Zm-v", "Zm=v"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace mendel::registry
