// What those who ask over HTTP see of a purge, and of the audit log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/content_fixture.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/registry_server.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PackStream;
using testing::random_bytes;
using testing::ServerOverStores;
using ::testing::SizeIs;

const std::string kBlobs = "/api/v1/namespaces/lhcb/blobs/";
const std::string kVersions = "/api/v1/models/lhcb/trk/versions";

std::string random_text(std::size_t size, std::uint64_t seed) {
  return std::string(as_text(random_bytes(size, seed)));
}

struct PurgeApi : ::testing::Test {
  PurgeApi() {
    server.send("PUT", "/api/v1/namespaces/lhcb", "{}");
    digest = server.put_blob("lhcb", large);
    const json files{{{"path", "kept"}, {"digest", server.put_blob("lhcb", "kept")}},
                     {{"path", "large.bin"}, {"digest", digest}}};
    const Answer published = server.send(
        "POST", kVersions, json{{"files", files}, {"aliases", {"production"}}}.dump());
    EXPECT_EQ(published.status, 201) << published.body;
  }

  Answer purge(json body) {
    if (!body.contains("reason")) body["reason"] = "holds a key";
    return server.send("POST", "/api/v1/admin/purge", body.dump());
  }
  std::string token_for(const std::string& name, const std::string& role) {
    server.send("PUT", "/api/v1/principals/" + name, "{}");
    server.send("PUT", "/api/v1/namespaces/lhcb/members/" + name,
                json{{"role", role}}.dump());
    const Answer token = server.send(
        "POST", "/api/v1/tokens",
        json{{"principal", name}, {"scopes", {"read", "write", "admin"}}}.dump());
    return token.json().at("secret").get<std::string>();
  }
  Answer audit(const std::string& query, const std::string& token = "") {
    ServerOverStores::HeaderList headers;
    if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
    return server.send("GET", "/api/v1/audit" + query, "", headers);
  }
  static std::vector<std::string> column(const Answer& answer, const char* name) {
    std::vector<std::string> values;
    const json page = answer.json();
    for (const auto& item : page.at("items")) values.push_back(item.at(name));
    return values;
  }

  testing::TestDatabase test;
  storage::MemoryObjectStore objects;
  ServerOverStores server{test.database(), test.database(), objects};
  const std::string large = random_text(600'000, 1);
  std::string digest;
};

TEST_F(PurgeApi, ADryRunSaysWhatWouldGoAndTakesNothing) {
  const Answer answer = purge({{"digest", digest}, {"dry_run", true}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json plan = answer.json();
  EXPECT_EQ(plan.at("blob_count"), 1);
  EXPECT_EQ(plan.at("size_bytes"), large.size());
  EXPECT_EQ(plan.at("blobs")[0].at("namespaces"), json({"lhcb"}));
  EXPECT_EQ(plan.at("versions"), json({{{"ref", "lhcb/trk:1"},
                                        {"state", "active"},
                                        {"aliases", {"production"}},
                                        {"paths", {"large.bin"}},
                                        {"path_count", 1}}}));
  EXPECT_FALSE(plan.contains("complete"));
  EXPECT_EQ(server.send("GET", kVersions + "/1/files/large.bin").body, large);
}

TEST_F(PurgeApi, ADryRunNamesTheModelSetsToo) {
  server.send("PUT", "/api/v1/namespaces/atlas", "{}");
  const Answer set = server.send("POST", "/api/v1/models/atlas/set/versions",
                                 json{{"components",
                                       {{{"name", "trk"}, {"ref", "lhcb/trk:1"}},
                                        {{"name", "again"}, {"ref", "lhcb/trk:1"}}}}}
                                     .dump());
  ASSERT_EQ(set.status, 201) << set.body;
  const json plan = purge({{"digest", digest}, {"dry_run", true}}).json();
  EXPECT_EQ(plan.at("blobs")[0].at("namespaces"), json({"atlas", "lhcb"}));
  ASSERT_EQ(plan.at("version_count"), 2) << plan;
  EXPECT_EQ(plan.at("versions")[0].at("ref"), "atlas/set:1");
  EXPECT_EQ(plan.at("versions")[0].at("paths"), json({"again/large.bin", "trk/large.bin"}));
  EXPECT_EQ(plan.at("versions")[1].at("ref"), "lhcb/trk:1");

  ASSERT_EQ(purge({{"digest", digest}}).status, 200);
  const std::string versions = "/api/v1/models/atlas/set/versions/1";
  EXPECT_EQ(server.send("GET", versions + "/files/trk/large.bin").status, 410);
  EXPECT_EQ(server.send("GET", versions + "/files/trk/kept").body, "kept");
  EXPECT_THAT(server.send("GET", versions + "/archive").json().at("detail"),
              HasSubstr("'again/large.bin' of atlas/set:1"));
}

TEST_F(PurgeApi, WhatIsGoneIsAnswered410AndTheRestStays) {
  EXPECT_EQ(server.send("GET", kVersions + "/1/files/large.bin").status, 200);
  const Answer purged = purge({{"digest", digest}});
  ASSERT_EQ(purged.status, 200) << purged.body;
  EXPECT_EQ(purged.json().at("complete"), true);
  EXPECT_GE(purged.json().at("removed").at("bytes_removed"), large.size());

  const json body{{"files", {{{"path", "f"}, {"digest", digest}}}}};
  const auto session = server.send("POST", "/api/v1/namespaces/lhcb/uploads").json();
  const std::string upload =
      "/api/v1/namespaces/lhcb/uploads/" + session.at("id").get<std::string>();
  const auto packs = PackStream::of({random_bytes(600'000, 1)}).sink.bytes;
  for (const Answer& answer :
       {server.send("GET", kVersions + "/1/files/large.bin"),
        server.send("HEAD", kVersions + "/1/files/large.bin"),
        server.send("GET", kVersions + "/production/files/large.bin"),
        server.send("GET", kVersions + "/1/files/large.bin", "",
                    {{"If-None-Match", "\"" + digest + "\""}}),
        server.send("GET", kVersions + "/1/recipe/large.bin"),
        server.send("GET", kVersions + "/1/archive"),
        server.send("POST", kVersions + "/1/bundle", "{}"),
        server.send("HEAD", kBlobs + digest), server.send("PUT", kBlobs + digest, large),
        server.send("POST", upload + "/blobs", json{{"digests", {digest}}}.dump()),
        server.send("POST", upload + "/packs", std::string(as_text(packs)),
                    {{"Content-Type", "application/vnd.mendel.pack"}}),
        server.send("POST", kVersions, body.dump())}) {
    EXPECT_EQ(answer.status, 410) << answer.body;
    EXPECT_EQ(answer.json().at("type"), "/problems/gone");
    EXPECT_THAT(answer.json().at("detail").get<std::string>(), HasSubstr("holds a key"));
  }
  for (const char* whole : {"/1/archive", "/1/bundle"}) {
    const Answer answer =
        server.send(std::string(whole) == "/1/bundle" ? "POST" : "GET", kVersions + whole,
                    std::string(whole) == "/1/bundle" ? "{}" : "");
    EXPECT_THAT(answer.json().at("detail").get<std::string>(),
                HasSubstr("'large.bin' of lhcb/trk:1"));
  }
  EXPECT_EQ(server.send_to_memory("GET", kVersions + "/1/files/large.bin").status, 0);

  EXPECT_EQ(server.send("GET", kVersions + "/1").status, 200);
  EXPECT_EQ(server.send("GET", kVersions + "/1/pedigree").status, 200);
  EXPECT_EQ(server.send("GET", kVersions + "/1/files").json().at("files").size(), 2);
  EXPECT_EQ(server.send("GET", kVersions + "/1/files/kept").body, "kept");
  EXPECT_EQ(server.send("POST", kVersions + "/1/bundle", R"({"files":[0]})").body, "kept");
}

TEST_F(PurgeApi, TakesTheFilesOfAVersionOrOneOfThem) {
  EXPECT_EQ(purge({{"ref", "lhcb/trk:1"}, {"path", "none"}}).status, 404);
  ASSERT_EQ(purge({{"ref", "lhcb/trk@production"}, {"path", "large.bin"}}).status, 200);
  EXPECT_EQ(server.send("GET", kVersions + "/1/files/large.bin").status, 410);
  EXPECT_EQ(server.send("GET", kVersions + "/1/files/kept").status, 200);

  const Answer all = purge({{"ref", "lhcb/trk:1"}});
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(all.json().at("blob_count"), 2);
  EXPECT_EQ(server.send("GET", kVersions + "/1/files/kept").status, 410);
  EXPECT_THAT(column(audit("?action=blob.purge"), "subject"),
              ElementsAre("lhcb/trk:1", "lhcb/trk:1 large.bin"));
}

TEST_F(PurgeApi, RefusesWhatIsUnclear) {
  for (const json& body :
       {json{{"reason", "r"}}, json{{"digest", digest}, {"ref", "lhcb/trk:1"}},
        json{{"digest", digest}, {"reason", ""}}, json{{"digest", digest}, {"path", "a"}},
        json{{"digest", "sha256:12"}}, json{{"ref", "lhcb"}}}) {
    EXPECT_EQ(purge(body).status, 400) << body;
  }
  const std::string unknown = Digest::of("nobody has this").to_string();
  EXPECT_EQ(purge({{"digest", unknown}}).status, 404);
  EXPECT_EQ(purge({{"ref", "lhcb/trk:2"}}).status, 404);
  EXPECT_EQ(server.send("GET", kVersions + "/1/files/large.bin").status, 200);
}

TEST_F(PurgeApi, AnotherServerForgetsIt) {
  ServerOverStores other(test.database(), test.database(), objects);
  const std::string path = kVersions + "/1/files/large.bin";
  ASSERT_EQ(other.send("GET", path).body, large);
  ASSERT_EQ(other.send_to_memory("GET", path).status, 200);
  ASSERT_EQ(purge({{"digest", digest}}).status, 200);
  EXPECT_TRUE(
      testing::eventually([&] { return other.send_to_memory("GET", path).status == 0; }));
  EXPECT_EQ(other.send("GET", path).status, 410);
}

TEST_F(PurgeApi, TheAuditLogTellsWhoDidWhat) {
  const std::string owner = token_for("alice", "owner");
  server.send("POST", kVersions + "/1/yank", R"({"reason":"wrong","force":true})");
  server.send("POST", kVersions + "/1/restore", R"({"reason":"right"})");
  server.send("DELETE", "/api/v1/models/lhcb/trk/aliases/production", R"({"reason":"r"})");
  server.send("DELETE", kVersions + "/1", R"({"reason":"old"})");
  server.send("DELETE", "/api/v1/namespaces/lhcb/members/alice");

  EXPECT_THAT(
      column(audit(""), "action"),
      ElementsAre("member.revoke", "version.delete", "version.restore", "version.yank",
                  "token.create", "member.grant", "principal.create", "namespace.create"));
  const Answer deleted = audit("?action=version.delete");
  ASSERT_THAT(deleted.json().at("items"), SizeIs(1));
  const json entry = deleted.json().at("items")[0];
  EXPECT_EQ(entry.at("subject"), "lhcb/trk:1");
  EXPECT_EQ(entry.at("principal"), "admin");
  EXPECT_EQ(entry.at("namespace"), "lhcb");
  EXPECT_EQ(entry.at("reason"), "old");
  EXPECT_THAT(column(audit("?subject=alice"), "action"),
              ElementsAre("member.revoke", "member.grant", "principal.create"));
}

TEST_F(PurgeApi, TheAuditLogIsReadByAdministratorsAndOwners) {
  const std::string owner = token_for("alice", "owner");
  const std::string writer = token_for("bob", "writer");
  EXPECT_EQ(audit("", owner).status, 403);
  EXPECT_EQ(audit("?namespace=lhcb", writer).status, 403);
  const Answer own = audit("?namespace=lhcb", owner);
  EXPECT_THAT(column(own, "action"),
              ElementsAre("member.grant", "member.grant", "namespace.create"));

  const Answer first = audit("?namespace=lhcb&limit=2", owner);
  ASSERT_THAT(first.json().at("items"), SizeIs(2));
  const Answer second = audit(
      "?namespace=lhcb&limit=2&after=" + first.json().at("next").get<std::string>(), owner);
  EXPECT_THAT(column(second, "action"), ElementsAre("namespace.create"));
  EXPECT_FALSE(second.json().contains("next"));
}

}  // namespace
}  // namespace mendel::registry::api
