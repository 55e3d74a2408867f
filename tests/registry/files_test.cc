#include "registry/api/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/recipe.h"
#include "tests/testing/content_fixture.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/registry_server.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using testing::Answer;
using ::testing::HasSubstr;
using testing::PackStream;
using testing::random_bytes;
using testing::RegistryServer;

std::string random_text(std::size_t size, std::uint64_t seed) {
  return std::string(as_text(random_bytes(size, seed)));
}

// One model, lhcb/trk, whose version 1 has something of everything.
class Files : public ::testing::Test {
 protected:
  Files() {
    server.send("PUT", "/api/v1/namespaces/lhcb", "{}");
    const json files = {
        {{"path", "a.txt"}, {"digest", server.put_blob("lhcb", "hello")}},
        {{"path", "bin/größe 1.so"}, {"digest", server.put_blob("lhcb", large)}},
        {{"path", "empty"}, {"digest", server.put_blob("lhcb", "")}},
        {{"path", "l.so"}, {"platform", "p1"}, {"digest", server.put_blob("lhcb", "one")}},
        {{"path", "l.so"}, {"platform", "p2"}, {"digest", server.put_blob("lhcb", "two")}},
        {{"path", "bin/link"}, {"link", "../a.txt"}},
        {{"path", "nowhere"}, {"link", "nothing"}},
        {{"path", "dir"}, {"directory", true}},
        {{"path", "far"},
         {"locations", {"root://eos.example.org//f"}},
         {"checksum", "adler32:1a2b3c4d"},
         {"size", 9}}};
    published = server.send("POST", "/api/v1/models/lhcb/trk/versions",
                            json{{"files", files}, {"aliases", {"production"}}}.dump());
    EXPECT_EQ(published.status, 201) << published.body;
  }

  static std::string at(const std::string& ref, const std::string& rest) {
    return "/api/v1/models/lhcb/trk/versions/" + ref + rest;
  }
  Answer get(const std::string& path, const RegistryServer::HeaderList& headers = {}) {
    return server.send("GET", at("1", "/files/" + path), "", headers);
  }

  const std::string large = random_text(9 << 20, 1);
  RegistryServer server;
  Answer published;
};

TEST_F(Files, SayWhatTheyAre) {
  const Answer answer = get("a.txt");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(answer.header("ETag"), "\"" + Digest::of("hello").to_string() + "\"");
  EXPECT_EQ(answer.header("Repr-Digest"),
            "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:");
  EXPECT_EQ(answer.header("Mendel-Reference"), "lhcb/trk:1");
  EXPECT_EQ(answer.header("Mendel-Version"), "1");
  EXPECT_EQ(answer.header("Mendel-Digest"), published.json()["digest"]);
  EXPECT_EQ(answer.header("Mendel-State"), "(none)");
  EXPECT_EQ(answer.header("Cache-Control"), "private, max-age=31536000, immutable");
  EXPECT_EQ(answer.header("Content-Disposition"), "attachment; filename=\"a.txt\"");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.header("Content-Security-Policy"), "sandbox");
  EXPECT_EQ(answer.header("Accept-Ranges"), "bytes");

  const Answer named = get("bin/gr%C3%B6%C3%9Fe%201.so");
  EXPECT_EQ(named.body, large);
  EXPECT_EQ(
      named.header("Content-Disposition"),
      "attachment; filename=\"gr____e 1.so\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.so");
}

TEST_F(Files, UnderAnAliasAreRevalidated) {
  for (const std::string ref : {"production", "latest"}) {
    const Answer answer = server.send("GET", at(ref, "/files/a.txt"));
    EXPECT_EQ(answer.header("Cache-Control"), "private, no-cache");
    EXPECT_EQ(answer.header("Mendel-Reference"), "lhcb/trk:1");
  }
  const std::string digest = published.json()["digest"];
  EXPECT_THAT(server.send("GET", at(digest, "/files/a.txt")).header("Cache-Control"),
              HasSubstr("immutable"));
  server.send("PUT", "/api/v1/namespaces/lhcb", R"({"visibility": "public"})");
  EXPECT_EQ(get("a.txt").header("Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(Files, OfAYankedVersionSaySo) {
  server.send("POST", at("1", "/yank"), R"({"reason": "wrong", "force": true})");
  EXPECT_EQ(get("a.txt").header("Mendel-State"), "yanked");
}

TEST_F(Files, AreAnsweredFromMemoryOnceTheyAreHot) {
  const std::string target = at("production", "/files/a.txt");
  server.send("GET", target);
  const Answer answer = server.send_to_memory("GET", target);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(server.send_to_memory("GET", target, {{"Range", "bytes=1-2"}}).body, "el");
  EXPECT_EQ(
      server.send_to_memory("GET", at("1", "/files/bin/gr%C3%B6%C3%9Fe%201.so")).status, 0);
}

TEST_F(Files, AreSentInRanges) {
  struct Case {
    std::string range;
    int status;
    std::string body;
    std::string content_range;
  };
  for (const Case& c : std::vector<Case>{{"bytes=0-1", 206, "he", "bytes 0-1/5"},
                                         {"bytes=1-", 206, "ello", "bytes 1-4/5"},
                                         {"bytes=-2", 206, "lo", "bytes 3-4/5"},
                                         {"bytes=-99", 206, "hello", "bytes 0-4/5"},
                                         {"bytes=3-99", 206, "lo", "bytes 3-4/5"},
                                         {"bytes=0-0,2-3", 200, "hello", "(none)"},
                                         {"bytes=3-1", 200, "hello", "(none)"},
                                         {"bytes=x", 200, "hello", "(none)"},
                                         {"bytes=-", 200, "hello", "(none)"},
                                         {"lines=0-1", 200, "hello", "(none)"}}) {
    const Answer answer = get("a.txt", {{"Range", c.range}});
    EXPECT_EQ(answer.status, c.status) << c.range;
    EXPECT_EQ(answer.body, c.body) << c.range;
    EXPECT_EQ(answer.header("Content-Range"), c.content_range) << c.range;
  }
  for (const std::string range : {"bytes=5-", "bytes=5-9", "bytes=-0"}) {
    const Answer answer = get("a.txt", {{"Range", range}});
    EXPECT_EQ(answer.status, 416) << range;
    EXPECT_EQ(answer.header("Content-Range"), "bytes */5") << range;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << range;
  }
  EXPECT_EQ(get("empty", {{"Range", "bytes=0-"}}).status, 416);
  EXPECT_EQ(get("bin/gr%C3%B6%C3%9Fe%201.so", {{"Range", "bytes=5000000-6000000"}}).body,
            large.substr(5'000'000, 1'000'001));
}

TEST_F(Files, HeedConditions) {
  const std::string etag = get("a.txt").header("ETag");
  EXPECT_EQ(get("a.txt", {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(get("a.txt", {{"If-None-Match", "\"x\""}}).status, 200);
  EXPECT_EQ(get("a.txt", {{"If-Match", "\"x\""}}).status, 412);
  EXPECT_EQ(get("a.txt", {{"If-Range", etag}, {"Range", "bytes=0-0"}}).status, 206);
  EXPECT_EQ(get("a.txt", {{"If-Range", "\"x\""}, {"Range", "bytes=0-0"}}).status, 200);
  EXPECT_EQ(
      get("a.txt", {{"If-Range", "Tue, 13 Feb 2024 00:00:00 GMT"}, {"Range", "bytes=0-0"}})
          .status,
      200);
  EXPECT_EQ(
      server.send("HEAD", at("1", "/files/a.txt"), "", {{"Range", "bytes=0-0"}}).status,
      200);
}

TEST_F(Files, AreChosenByPlatform) {
  EXPECT_EQ(get("l.so?platform=p2").body, "two");
  EXPECT_EQ(get("l.so?platform=p9,p1,p2").body, "one");
  EXPECT_EQ(get("a.txt?platform=p9").body, "hello");
  const Answer none = get("l.so?platform=p9");
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(none.body, HasSubstr("for p1 and p2"));
  const Answer unclear = get("l.so");
  EXPECT_EQ(unclear.status, 400);
  EXPECT_THAT(unclear.body, HasSubstr("p1 and p2"));
  EXPECT_EQ(get("l.so?platform=p1,").status, 400);
}

TEST_F(Files, ThatAreLinksAreFollowed) {
  const Answer answer = get("bin/link?platform=p1");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Content-Location"), at("1", "/files/a.txt?platform=p1"));
  EXPECT_EQ(get("nowhere").status, 404);
}

TEST_F(Files, ThatHaveNoBytesSayWhy) {
  EXPECT_THAT(get("dir").body, HasSubstr("is an empty directory"));
  EXPECT_THAT(get("far").body, HasSubstr("root://eos.example.org//f"));
  EXPECT_EQ(get("far").status, 404);
  EXPECT_EQ(get("bin").status, 404);
  EXPECT_EQ(get("unknown").status, 404);
}

TEST_F(Files, AreListedByTheManifest) {
  const Answer manifest = server.send("GET", at("1", "/files"));
  EXPECT_EQ(Digest::of(manifest.body).to_string(), published.json()["digest"]);
  EXPECT_EQ(manifest.header("ETag"), "\"" + Digest::of(manifest.body).to_string() + "\"");
  EXPECT_EQ(manifest.header("Cache-Control"), "private, no-cache");
  EXPECT_EQ(server.send_to_memory("GET", at("1", "/files")).body, manifest.body);
}

TEST_F(Files, ComeAsOneArchive) {
  const Answer tar = server.send("GET", at("1", "/archive?platform=p1"));
  EXPECT_EQ(tar.status, 200);
  EXPECT_EQ(tar.header("Content-Type"), "application/x-tar");
  EXPECT_THAT(tar.header("Cache-Control"), HasSubstr("immutable"));
  EXPECT_THAT(tar.body, HasSubstr(large));
  EXPECT_THAT(tar.body, HasSubstr("l.so"));
  EXPECT_EQ(tar.body.size() % 512, 0);
  EXPECT_NE(tar.header("ETag"), server.send("GET", at("1", "/archive")).header("ETag"));
  EXPECT_THAT(server.send("GET", at("1", "/archive")).body, HasSubstr("p2/l.so"));
}

TEST_F(Files, ComeAsOneBundle) {
  const json manifest = server.send("GET", at("1", "/files")).json();
  std::size_t two = 0;
  std::size_t link = 0;
  for (std::size_t i = 0; i < manifest["files"].size(); ++i) {
    if (manifest["files"][i].value("platform", "") == "p2") two = i;
    if (manifest["files"][i].contains("link")) link = i;
  }
  const auto bundle = [&](const json& body) {
    return server.send("POST", at("1", "/bundle"), body.dump());
  };
  EXPECT_EQ(bundle({{"files", {two, 0, two}}}).body, "twohellotwo");
  EXPECT_EQ(bundle(json::object()).body, "hello" + large + "onetwo");
  EXPECT_EQ(bundle({{"files", json::array()}}).body, "");
  for (const json& bad : {json(link), json(1000), json(-1), json("x"), json(1.5)}) {
    const Answer answer = bundle({{"files", {bad}}});
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_THAT(answer.body, HasSubstr("/files")) << bad;
  }
}

// For each leaf its size, 4 bytes and little-endian, and then the leaf.
std::vector<storage::Recipe> leaves_of(std::span<const std::byte> answer) {
  std::vector<storage::Recipe> leaves;
  while (!answer.empty()) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
      size |= std::to_integer<std::size_t>(answer[i]) << 8 * i;
    leaves.push_back(storage::decode_recipe(answer.subspan(4, size)));
    answer = answer.subspan(4 + size);
  }
  return leaves;
}

TEST_F(Files, TellTheirRecipe) {
  const Answer answer = server.send("GET", at("1", "/recipe/bin/gr%C3%B6%C3%9Fe%201.so"));
  EXPECT_EQ(answer.header("Content-Type"), "application/vnd.mendel.recipe");
  std::size_t offset = 0;
  for (const storage::Recipe& leaf : leaves_of(as_bytes(answer.body))) {
    for (const auto& entry : leaf.entries) {
      EXPECT_EQ(entry.digest,
                Digest::of(std::string_view(large).substr(offset, entry.size_bytes)));
      offset += entry.size_bytes;
    }
  }
  EXPECT_EQ(offset, large.size());
}

TEST_F(Files, OfOtherNamespacesCannotBePublishedByTheirDigest) {
  server.send("PUT", "/api/v1/namespaces/atlas", "{}");
  const std::string digest = Digest::of("hello").to_string();
  EXPECT_EQ(server.send("HEAD", "/api/v1/namespaces/atlas/blobs/" + digest).status, 404);
  EXPECT_EQ(server.send("HEAD", "/api/v1/namespaces/lhcb/blobs/" + digest).status, 200);
  const json body = {{"files", {{{"path", "a"}, {"digest", digest}}}}};
  EXPECT_EQ(server.send("POST", "/api/v1/models/atlas/m/versions", body.dump()).status,
            422);
}

TEST_F(Files, ArePutByDigestOnly) {
  const std::string base = "/api/v1/namespaces/lhcb/blobs/";
  const std::string digest = Digest::of("new").to_string();
  EXPECT_EQ(server.send("PUT", base + digest, "other").status, 422);
  EXPECT_EQ(server.send("HEAD", base + digest).status, 404);
  const Answer created = server.send("PUT", base + digest, "new");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.json(), (json{{"digest", digest}, {"size_bytes", 3}}));
  EXPECT_EQ(server.send("PUT", base + digest, "new").status, 200);
  EXPECT_EQ(server.send("PUT", base + "sha256:xyz", "new").status, 400);
}

TEST_F(Files, ArePushedInPacks) {
  const std::string base = "/api/v1/namespaces/lhcb/uploads";
  const Answer made = server.send("POST", base, "{}");
  EXPECT_EQ(made.status, 201);
  const std::string upload = base + "/" + made.json()["id"].get<std::string>();
  EXPECT_EQ(made.header("Location"), upload);
  EXPECT_EQ(made.json()["expires_at"], "2024-02-20T00:00:00Z");

  const auto blob = random_bytes(3 << 20, 5);
  const PackStream stream = PackStream::of({blob});
  const json asked = {
      {"digests", {Digest::of(blob).to_string(), Digest::of("hello").to_string()}}};
  EXPECT_EQ(server.send("POST", upload + "/blobs", asked.dump()).json(),
            (json{{"missing", {0}}}));
  const std::string type = "application/vnd.mendel.pack";
  const std::string packs(as_text(stream.sink.bytes));
  EXPECT_EQ(server.send("POST", upload + "/packs", packs).status, 400);
  EXPECT_EQ(server
                .send("POST", upload + "/packs", packs.substr(0, 99'999),
                      {{"Content-Type", type}})
                .status,
            422);
  const Answer sent =
      server.send("POST", upload + "/packs", packs, {{"Content-Type", type}});
  const std::string name = stream.packs[0].name().to_string();
  EXPECT_EQ(sent.json(), (json{{"packs", {{{"name", name}, {"size_bytes", packs.size()}}}},
                               {"blobs", 1}}));
  EXPECT_EQ(server.send("POST", upload + "/blobs", asked.dump()).json()["missing"],
            json::array());

  const auto& chunk = stream.packs[0].records().back().header.digest;
  const json chunks = {{"digests", {Digest::of("?").to_string(), chunk.to_string()}}};
  EXPECT_EQ(server.send("POST", upload + "/chunks", chunks.dump()).json(),
            (json{{"packs", {name}}, {"found", {0, 1}}}));
  EXPECT_EQ(server.send("POST", upload + "/chunks", R"({"digests": ["x"]})").status, 400);
  EXPECT_EQ(server.send("GET", upload).json()["packs"][0]["name"], name);
  EXPECT_EQ(server.send("DELETE", upload).status, 204);
  EXPECT_EQ(server.send("GET", upload).status, 404);
}

}  // namespace
}  // namespace mendel::registry::api
