// Secrets of a namespace, as those see them who ask over HTTP, and as jobs get them.

#include "schema/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/services/egress/vault.h"
#include "schema/access.h"
#include "schema/hooks.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/registry_server.h"

namespace mendel::registry {
namespace {

using nlohmann::json;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

const std::string kSecrets = "/api/v1/namespaces/lhcb/secrets";

struct SecretsApi : ::testing::Test {
  SecretsApi() { server.send("PUT", "/api/v1/namespaces/lhcb", "{}"); }

  Answer put(const std::string& name, const json& value) {
    return server.send("PUT", kSecrets + "/" + name, json{{"value", value}}.dump());
  }

  testing::RegistryServer server;
};

TEST_F(SecretsApi, AreWrittenListedAndForgottenButNeverRead) {
  EXPECT_EQ(put("EOS-password", "hunter2").status, 201);
  EXPECT_EQ(put("eos-PASSWORD", "hunter3").status, 200);
  EXPECT_EQ(put("api-key", "hunter4").status, 201);

  const Answer list = server.send("GET", kSecrets);
  ASSERT_EQ(list.status, 200);
  EXPECT_THAT(list.body, Not(HasSubstr("hunter")));
  const json items = list.json().at("items");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].at("name"), "api-key");
  EXPECT_EQ(items[1].at("name"), "EOS-password");
  EXPECT_EQ(items[1].at("updated_by"), "admin");
  EXPECT_EQ(server.send("GET", kSecrets + "/api-key").status, 405);

  EXPECT_EQ(server.send("DELETE", kSecrets + "/API-key").status, 204);
  EXPECT_EQ(server.send("DELETE", kSecrets + "/api-key").status, 404);
}

TEST_F(SecretsApi, AreListedInPages) {
  for (const char* name : {"a", "b", "c"}) put(name, "x");
  const json first = server.send("GET", kSecrets + "?limit=2").json();
  EXPECT_EQ(first.at("items").size(), 2u);
  const json second =
      server.send("GET", kSecrets + "?limit=2&after=" + first.at("next").get<std::string>())
          .json();
  EXPECT_EQ(second.at("items")[0].at("name"), "c");
  EXPECT_FALSE(second.contains("next"));
}

TEST_F(SecretsApi, RefuseWhatIsNoSecretWithoutQuotingIt) {
  for (const json& value : {json(""), json(std::string(65537, 'x')),
                            json(std::string("hunter2\0", 8)), json(7), json(nullptr)}) {
    const Answer answer = put("x", value);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_THAT(answer.body, Not(HasSubstr("hunter2")));
  }
  EXPECT_EQ(put("no%20name", "x").status, 400);
}

TEST_F(SecretsApi, AreNotedInTheAuditLogWithoutTheirValues) {
  put("x", "hunter2");
  const Answer audit = server.send("GET", "/api/v1/audit?namespace=lhcb");
  EXPECT_THAT(audit.body, HasSubstr("secret.create"));
  EXPECT_THAT(audit.body, Not(HasSubstr("hunter2")));
}

struct VaultTest : ::testing::Test {
  VaultTest() {
    ns.id = test.database().transact("make a namespace", [](schema::Transaction& tx) {
      return schema::insert_namespace(tx, "lhcb", "", "private")->id;
    });
    ns.name = "lhcb";
    caller.name = "admin";
  }

  Vault vault(const std::string& keys) {
    return Vault(test.database(), KeyRing::parse(keys), clock);
  }
  std::map<std::string, std::string> open(const Vault& vault, NamespaceId of,
                                          const std::vector<std::string>& names) {
    return test.database().read(
        "open secrets", [&](schema::Transaction& tx) { return vault.open(tx, of, names); });
  }
  std::vector<schema::SecretRow> stored() {
    return test.database().read("look at secrets", [&](schema::Transaction& tx) {
      return schema::find_secrets(tx, ns.id, {"x", "y"});
    });
  }

  testing::TestDatabase test;
  testing::ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
  NamespaceInfo ns;
  Caller caller;
  const std::string old_key = KeyRing::make_key();
  const std::string new_key = KeyRing::make_key();
};

Name name(const char* text) { return Name::parse("a secret", text); }

TEST_F(VaultTest, GivesJobsWhatTheyNeedAndNothingElse) {
  auto keeping = vault(old_key);
  keeping.put(caller, ns, name("x"), "hunter2");
  keeping.put(caller, ns, name("y"), "hunter3");
  EXPECT_THAT(open(keeping, ns.id, {"X"}), ElementsAre(Pair("X", "hunter2")));
  EXPECT_TRUE(open(keeping, ns.id, {}).empty());
  try {
    open(keeping, ns.id, {"x", "z"});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed_precondition);
    EXPECT_STREQ(error.what(), "there is no secret z");
  }
  EXPECT_THROW(open(keeping, ns.id + 1, {"x"}), Error);
}

TEST_F(VaultTest, KeepsNothingInClear) {
  vault(old_key).put(caller, ns, name("x"), "hunter2");
  ASSERT_EQ(stored().size(), 1u);
  EXPECT_THAT(std::string(as_text(stored()[0].sealed)), Not(HasSubstr("hunter2")));
}

TEST_F(VaultTest, DoesNotTakeOneSecretForAnother) {
  auto keeping = vault(old_key);
  keeping.put(caller, ns, name("x"), "hunter2");
  keeping.put(caller, ns, name("y"), "hunter3");
  const auto rows = stored();
  test.database().transact("exchange secrets", [&](schema::Transaction& tx) {
    schema::update_sealed_secret(tx, rows[0].id, rows[1].key_id, rows[1].sealed);
  });
  EXPECT_THROW(open(keeping, ns.id, {rows[0].name}), Error);
}

TEST_F(VaultTest, RotatesToTheNewestKeyAndNeedsTheOldOneNoMore) {
  vault(old_key).put(caller, ns, name("x"), "hunter2");
  EXPECT_THROW(open(vault(new_key), ns.id, {"x"}), Error);
  auto both = vault(new_key + "\n" + old_key);
  EXPECT_EQ(open(both, ns.id, {"x"}).at("x"), "hunter2");
  EXPECT_EQ(both.rotate(caller), 1u);
  EXPECT_EQ(both.rotate(caller), 0u);
  EXPECT_EQ(open(vault(new_key), ns.id, {"x"}).at("x"), "hunter2");
  EXPECT_THROW(open(vault(old_key), ns.id, {"x"}), Error);
}

TEST_F(VaultTest, RotatesTheSecretsOfHooksToo) {
  const std::string id = "01a1fe0c-89bd-7173-af3a-7189431de521";
  const auto sealed = vault(old_key).keys().seal(hook_purpose(id), "hunter2");
  const auto find = [&] {
    return test.database().read("find a hook", [&](schema::Transaction& tx) {
      return schema::find_hook(tx, id).value();
    });
  };
  test.database().transact("make a hook", [&](schema::Transaction& tx) {
    schema::insert_hook(tx, {.id = id,
                             .namespace_id = ns.id,
                             .namespace_name = ns.name,
                             .kind = "github",
                             .repository = "example.org/x",
                             .url = "https://example.org/x",
                             .key_id = sealed.key_id,
                             .sealed = sealed.bytes,
                             .created_at = clock.now(),
                             .created_by = "admin"});
  });
  EXPECT_EQ(vault(new_key + "\n" + old_key).rotate(caller), 1u);
  const auto hook = find();
  EXPECT_EQ(vault(new_key).keys().open(hook_purpose(id), {hook.key_id, hook.sealed}),
            "hunter2");
}

}  // namespace
}  // namespace mendel::registry
