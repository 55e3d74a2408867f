// Goal: whichever call to the object store and whichever round trip to PostgreSQL fails,
// and however it does, the answer is a problem that the interface documents, what can be
// seen is whole, and the same request, repeated to the same server, succeeds. Method: fail
// the first, then the second, … until a request meets no fault.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "registry/api/openapi.h"
#include "schema/migrator.h"
#include "schema/transaction.h"
#include "storage/manifest.h"
#include "tests/testing/content_fixture.h"
#include "tests/testing/faulty_object_store.h"
#include "tests/testing/postgres_proxy.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/registry_server.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using testing::Answer;
using testing::FaultyObjectStore;
using testing::PackStream;
using testing::PostgresProxy;
using testing::random_bytes;
using testing::ServerOverStores;

constexpr int kNever = -1;
constexpr std::size_t kConnectionsMax = 4;

const std::string kNamespace = "/api/v1/namespaces/lhcb";

std::string random_text(std::size_t size, std::uint64_t seed) {
  return std::string(as_text(random_bytes(size, seed)));
}

bool is_success(const Answer& answer) { return answer.status / 100 == 2; }

// One thing that clients ask for, possibly in several requests. Each round of a sweep is
// about another subject, so that what an earlier round has left behind helps none.
class Operation {
 public:
  virtual ~Operation() = default;

  // Where the request that answers run() goes, as OpenAPI names it.
  virtual std::vector<std::string> requests() const = 0;

  virtual void prepare(ServerOverStores& healthy, int round) = 0;

  // The answer to the first request that failed, or to the last.
  virtual Answer run(ServerOverStores& server, int round) = 0;

  // What a server sees that remembers nothing of before is nothing or the whole;
  // acknowledged: the whole.
  enum class Expect { nothing_or_all, all };
  virtual void check(ServerOverStores& server, int round, Expect expected) = 0;

 protected:
  static std::string versions_of(int round) {
    return "/api/v1/models/lhcb/m" + std::to_string(round) + "/versions";
  }
  static std::string publish_body(const std::string& digest) {
    return json{{"files", {{{"path", "f"}, {"digest", digest}}}}}.dump();
  }
  static void publish(ServerOverStores& server, int round, const std::string& bytes) {
    const std::string digest = server.put_blob("lhcb", bytes);
    ASSERT_EQ(server.send("POST", versions_of(round), publish_body(digest)).status, 201);
  }
};

class PutBlob : public Operation {
 public:
  explicit PutBlob(std::size_t size_bytes) : size_bytes_(size_bytes) {}

  std::vector<std::string> requests() const override {
    return {"put /api/v1/namespaces/{ns}/blobs/{digest}"};
  }
  void prepare(ServerOverStores&, int) override {}
  Answer run(ServerOverStores& server, int round) override {
    const std::string bytes = bytes_of(round);
    return server.send("PUT", path_of(bytes), bytes);
  }
  void check(ServerOverStores& server, int round, Expect expected) override {
    const std::string bytes = bytes_of(round);
    const Answer found = server.send("HEAD", path_of(bytes));
    if (expected == Expect::nothing_or_all && found.status == 404) return;
    ASSERT_EQ(found.status, 200);
    const Answer published = server.send("POST", versions_of(round),
                                         publish_body(Digest::of(bytes).to_string()));
    ASSERT_TRUE(is_success(published)) << published.body;
    EXPECT_TRUE(server.send("GET", versions_of(round) + "/1/files/f").body == bytes);
  }

 private:
  std::string bytes_of(int round) const {
    return random_text(size_bytes_, static_cast<std::uint64_t>(round));
  }
  static std::string path_of(const std::string& bytes) {
    return kNamespace + "/blobs/" + Digest::of(bytes).to_string();
  }

  const std::size_t size_bytes_;
};

// As the command does it: a session, packs with blobs and a manifest, a version.
class Push : public Operation {
 public:
  std::vector<std::string> requests() const override {
    return {"post /api/v1/namespaces/{ns}/uploads",
            "post /api/v1/namespaces/{ns}/uploads/{id}/blobs",
            "post /api/v1/namespaces/{ns}/uploads/{id}/packs",
            "post /api/v1/{kind}/{ns}/{name}/versions"};
  }
  void prepare(ServerOverStores&, int) override {}
  Answer run(ServerOverStores& server, int round) override {
    const Answer session = server.send("POST", kNamespace + "/uploads");
    if (!is_success(session)) return session;
    const std::string upload =
        kNamespace + "/uploads/" + session.json().at("id").get<std::string>();

    const auto large = random_bytes(600'000, static_cast<std::uint64_t>(round));
    const std::string digest = Digest::of(large).to_string();
    const Answer missing =
        server.send("POST", upload + "/blobs", json{{"digests", {digest}}}.dump());
    if (!is_success(missing)) return missing;

    std::string packs(as_text(PackStream::of({large}).sink.bytes));
    packs += as_text(PackStream::of({small_of(round)}).sink.bytes);
    const Answer received = server.send("POST", upload + "/packs", packs,
                                        {{"Content-Type", "application/vnd.mendel.pack"}});
    if (!is_success(received)) return received;
    const json body{
        {"files",
         {{{"path", "large"}, {"digest", digest}},
          {{"path", "small"}, {"digest", Digest::of(small_of(round)).to_string()}}}},
        {"hyperparameters", {{"lr", round}}},
        {"aliases", {"production"}}};
    return server.send("POST", versions_of(round), body.dump(),
                       {{"Idempotency-Key", "push " + std::to_string(round)}});
  }
  void check(ServerOverStores& server, int round, Expect expected) override {
    const Answer version = server.send("GET", versions_of(round) + "/production");
    if (expected == Expect::nothing_or_all && version.status == 404) {
      EXPECT_EQ(server.send("GET", versions_of(round)).status, 404);
      return;
    }
    ASSERT_EQ(version.status, 200) << version.body;
    EXPECT_EQ(version.json().at("version"), 1);
    EXPECT_EQ(server.send("GET", versions_of(round)).json().at("items").size(), 1u);
    EXPECT_TRUE(server.send("GET", versions_of(round) + "/1/files/large").body ==
                random_text(600'000, static_cast<std::uint64_t>(round)));
    EXPECT_TRUE(server.send("GET", versions_of(round) + "/1/files/small").body ==
                as_text(small_of(round)));
  }

 private:
  static testing::Bytes small_of(int round) {
    return random_bytes(100, 1'000'000 + static_cast<std::uint64_t>(round));
  }
};

// A model set with all that made it: either the whole pedigree is there, or no version.
class PublishPedigree : public Operation {
 public:
  std::vector<std::string> requests() const override {
    return {"post /api/v1/{kind}/{ns}/{name}/versions"};
  }
  void prepare(ServerOverStores& healthy, int round) override {
    publish(healthy, 2 * round, "a part" + std::to_string(round));
    patch_ = healthy.put_blob("lhcb", "a patch" + std::to_string(round));
  }
  Answer run(ServerOverStores& server, int round) override {
    const std::string part = "lhcb/m" + std::to_string(2 * round);
    const json body{{"components", {{{"name", "part"}, {"ref", part + "@latest"}}}},
                    {"inputs",
                     {{{"role", "parent"}, {"ref", part + ":1"}},
                      {{"role", "environment"}, {"uri", "docker://image"}}}},
                    {"hyperparameters", {{"lr", round}}},
                    {"source", {{"commit", std::string(40, 'a')}, {"patch", patch_}}},
                    {"aliases", {"production"}}};
    return server.send("POST", versions_of(2 * round + 1), body.dump(),
                       {{"Idempotency-Key", "pedigree " + std::to_string(round)}});
  }
  void check(ServerOverStores& server, int round, Expect expected) override {
    const std::string version = versions_of(2 * round + 1) + "/production";
    const Answer found = server.send("GET", version);
    if (expected == Expect::nothing_or_all && found.status == 404) {
      EXPECT_EQ(server.send("GET", versions_of(2 * round + 1)).status, 404);
      return;
    }
    ASSERT_EQ(found.status, 200) << found.body;
    const json document = found.json();
    EXPECT_EQ(document.at("version"), 1);
    EXPECT_EQ(document.at("inputs").size(), 2u);
    EXPECT_EQ(document.at("components").size(), 1u);
    EXPECT_EQ(document.at("hyperparameters").at("value").at("lr"), round);
    EXPECT_EQ(server.send("GET", version + "/pedigree").json().at("edges").size(), 3u);
    EXPECT_EQ(server.send("GET", version + "/patch").body,
              "a patch" + std::to_string(round));
    EXPECT_EQ(server.send("GET", version + "/files/part/f").body,
              "a part" + std::to_string(round));
  }

 private:
  std::string patch_;
};

class MoveAlias : public Operation {
 public:
  std::vector<std::string> requests() const override {
    return {"put /api/v1/{kind}/{ns}/{name}/aliases/{alias}"};
  }
  void prepare(ServerOverStores& healthy, int round) override {
    publish(healthy, round, "one");
    publish(healthy, round, "two");
    ASSERT_EQ(healthy.send("PUT", alias_of(round), R"({"version":1})").status, 200);
  }
  Answer run(ServerOverStores& server, int round) override {
    return server.send("PUT", alias_of(round), R"({"version":2,"reason":"better"})");
  }
  void check(ServerOverStores& server, int round, Expect expected) override {
    const json now = server.send("GET", alias_of(round)).json();
    const auto moves = server.send("GET", alias_of(round) + "/history").json().at("items");
    if (expected == Expect::nothing_or_all && now.at("version") == 1) {
      EXPECT_EQ(moves.size(), 1u);
      return;
    }
    EXPECT_EQ(now.at("version"), 2);
    EXPECT_EQ(now.at("reason"), "better");
    EXPECT_EQ(moves.size(), 2u);
  }

 private:
  static std::string alias_of(int round) {
    return "/api/v1/models/lhcb/m" + std::to_string(round) + "/aliases/production";
  }
};

// One of the ways to get bytes out, of a version with one file.
class Download : public Operation {
 public:
  struct Way {
    std::string route;  // below a version
    std::string target;
    std::string body;
    std::string range;
  };
  explicit Download(Way way) : way_(std::move(way)) {}

  std::vector<std::string> requests() const override {
    return {(way_.body.empty() ? "get " : "post ") +
            ("/api/v1/{kind}/{ns}/{name}/versions/{ref}" + way_.route)};
  }
  void prepare(ServerOverStores& healthy, int round) override {
    publish(healthy, round, bytes_of(round));
    right_ = ask(healthy, round).body;
    ASSERT_FALSE(right_.empty());
  }
  Answer run(ServerOverStores& server, int round) override {
    Answer answer = ask(server, round);
    if (is_success(answer)) {
      EXPECT_TRUE(answer.body == right_);
    }
    return answer;
  }
  void check(ServerOverStores& server, int round, Expect) override {
    EXPECT_TRUE(ask(server, round).body == right_);
  }

 private:
  static std::string bytes_of(int round) {
    return random_text(600'000, static_cast<std::uint64_t>(round));
  }
  Answer ask(ServerOverStores& server, int round) const {
    ServerOverStores::HeaderList headers;
    if (!way_.range.empty()) headers.emplace_back("Range", way_.range);
    return server.send(way_.body.empty() ? "GET" : "POST",
                       versions_of(round) + "/1" + way_.target, way_.body, headers);
  }

  const Way way_;
  std::string right_;
};

class RebuildIndex : public Operation {
 public:
  RebuildIndex(schema::Database& database, storage::ObjectStore& objects)
      : database_(database), objects_(objects) {}

  std::vector<std::string> requests() const override {
    return {"post /api/v1/admin/rebuild-index"};
  }
  void prepare(ServerOverStores& healthy, int round) override {
    for (const auto& object : objects_.list("", "", 1000)) objects_.remove(object.key);
    forget("version");
    forget_content();
    publish(healthy, round, large_of(round));
    publish(healthy, round, "small" + std::to_string(round));
    forget_content();
  }
  Answer run(ServerOverStores& server, int) override {
    Answer answer = rebuild(server);
    const bool found_damage = is_success(answer) && !answer.json().at("problems").empty();
    if (found_damage) answer = rebuild(server);  // what could not be read, once
    if (is_success(answer)) {
      EXPECT_EQ(answer.json().at("problems"), json::array());
    }
    return answer;
  }
  void check(ServerOverStores& server, int round, Expect expected) override {
    const std::string file = versions_of(round) + "/1/files/f";
    const Answer answer = server.send("GET", file);
    if (expected == Expect::nothing_or_all && answer.status == 500) return;
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(answer.body == large_of(round));
  }

 private:
  static std::string large_of(int round) {
    return random_text(600'000, static_cast<std::uint64_t>(round));
  }
  static Answer rebuild(ServerOverStores& server) {
    return server.send("POST", "/api/v1/admin/rebuild-index",
                       R"({"verify_everything":true})");
  }
  void forget_content() {
    for (const char* table : {"blob", "manifest", "upload", "pack"}) forget(table);
  }
  void forget(const std::string& table) {
    database_.transact("empty a table", [&](schema::Transaction& tx) {
      tx.exec_script("delete from " + table);
    });
  }

  schema::Database& database_;
  storage::ObjectStore& objects_;
};

// A kind of fault, in one of the two stores.
struct FaultKind {
  std::string name;
  std::optional<ErrorCode> object_error;
  std::optional<PostgresProxy::Fault> database_fault;
};

const FaultKind kFaults[] = {
    {"ObjectStoreIsAway", ErrorCode::unavailable, {}},
    {"ObjectStoreIsFull", ErrorCode::out_of_space, {}},
    {"ConnectionIsLostBefore", {}, PostgresProxy::Fault::lost_before},
    {"ConnectionIsLostAfter", {}, PostgresProxy::Fault::lost_after},
    {"DatabaseIsFull", {}, PostgresProxy::Fault::disk_full},
};

bool is_documented(const std::string& request, int status) {
  static const json document = json::parse(openapi_document());
  const auto space = request.find(' ');
  return document.at("paths")
      .at(request.substr(space + 1))
      .at(request.substr(0, space))
      .at("responses")
      .contains(std::to_string(status));
}

class FaultSweep : public ::testing::TestWithParam<FaultKind> {
 protected:
  FaultSweep() { healthy_.send("PUT", kNamespace, "{}"); }

  // Returns how many faults the operation met.
  int sweep(Operation& operation) {
    for (int round = 0;; ++round) {
      SCOPED_TRACE(GetParam().name + " at call " + std::to_string(round));
      operation.prepare(healthy_, round);
      const bool came = run_with_fault(operation, round);
      if (came && !HasFailure()) continue;
      RecordProperty("faults", round);
      return round;
    }
  }

  schema::Database& database() { return test_.database(); }
  storage::ObjectStore& objects() { return objects_; }

 private:
  bool run_with_fault(Operation& operation, int round) {
    using Expect = Operation::Expect;
    const auto& [name, object_error, database_fault] = GetParam();
    schema::Database database(proxy_.url(), kConnectionsMax);
    FaultyObjectStore objects(objects_, object_error ? round : kNever,
                              Error(object_error.value_or(ErrorCode::internal), "a fault"));
    ServerOverStores server(database, test_.database(), objects);

    if (database_fault) proxy_.fail(round, *database_fault);
    const bool acknowledged = run_and_judge(operation, server, round);
    objects.stop_failing();
    const bool came = object_error ? objects.failed() : proxy_.stop_failing();
    EXPECT_TRUE(came || acknowledged) << "it failed without a fault";

    ServerOverStores restarted(test_.database(), test_.database(), objects_);
    operation.check(restarted, round, acknowledged ? Expect::all : Expect::nothing_or_all);
    const Answer repeated = operation.run(server, round);
    EXPECT_TRUE(is_success(repeated)) << repeated.body;
    operation.check(server, round, Expect::all);
    return came;
  }

  // Whether it was acknowledged. A body that breaks off is what a reader sees of a fault
  // that comes after the head was sent.
  bool run_and_judge(Operation& operation, ServerOverStores& server, int round) {
    try {
      const Answer answer = operation.run(server, round);
      if (is_success(answer)) return true;
      judge(answer, operation);
    } catch (const Error& broken_off) {
      EXPECT_NE(broken_off.code(), ErrorCode::internal) << broken_off.what();
    }
    return false;
  }

  static void judge(const Answer& answer, const Operation& operation) {
    EXPECT_TRUE(answer.status == 503 || answer.status == 507)
        << answer.status << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
    if (answer.status == 503) {
      EXPECT_NE(answer.header("Retry-After"), "(none)");
    }
    EXPECT_TRUE(std::ranges::any_of(operation.requests(), [&](const std::string& request) {
      return is_documented(request, answer.status);
    })) << answer.status;
  }

  testing::TestDatabase test_;
  storage::MemoryObjectStore objects_;
  PostgresProxy proxy_{test_.url()};
  ServerOverStores healthy_{test_.database(), test_.database(), objects_};
};

TEST_P(FaultSweep, OfASmallBlob) {
  PutBlob put(1000);
  EXPECT_GT(sweep(put), 2);
}

TEST_P(FaultSweep, OfABlobOfManyChunks) {
  PutBlob put(600'000);
  EXPECT_GT(sweep(put), 2);
}

TEST_P(FaultSweep, OfAPush) {
  Push push;
  EXPECT_GT(sweep(push), 5);
}

TEST_P(FaultSweep, OfAPedigree) {
  PublishPedigree operation;
  EXPECT_GT(sweep(operation), 0);
}

TEST_P(FaultSweep, OfAnAliasMove) {
  MoveAlias move;
  sweep(move);
}

TEST_P(FaultSweep, OfADownload) {
  Download whole({"/files/{path}", "/files/f", "", ""});
  EXPECT_GT(sweep(whole), 1);
}

TEST_P(FaultSweep, OfARange) {
  Download range({"/files/{path}", "/files/f", "", "bytes=300000-300099"});
  EXPECT_GT(sweep(range), 1);
}

TEST_P(FaultSweep, OfAnArchive) {
  Download archive({"/archive", "/archive", "", ""});
  EXPECT_GT(sweep(archive), 1);
}

TEST_P(FaultSweep, OfABundle) {
  Download bundle({"/bundle", "/bundle", "{}", ""});
  EXPECT_GT(sweep(bundle), 1);
}

TEST_P(FaultSweep, OfTheIndexMadeAgain) {
  RebuildIndex rebuild(database(), objects());
  EXPECT_GT(sweep(rebuild), 2);
}

INSTANTIATE_TEST_SUITE_P(Each, FaultSweep, ::testing::ValuesIn(kFaults),
                         [](const auto& info) { return info.param.name; });

// A start that fails leaves a database that the next one makes whole.
class FaultyStart : public ::testing::TestWithParam<PostgresProxy::Fault> {};

TEST_P(FaultyStart, NeedsNoHand) {
  auto test = testing::TestDatabase::without_tables();
  PostgresProxy proxy(test.url());
  for (int round = 0;; ++round) {
    SCOPED_TRACE(round);
    test.database().transact("remove all tables", [](schema::Transaction& tx) {
      tx.exec_script("drop schema public cascade; create schema public");
    });
    schema::Database database(proxy.url(), kConnectionsMax);
    const auto start = [&] {
      schema::migrate(database, schema::embedded_migrations());
      storage::MemoryObjectStore objects;
      ServerOverStores(database, test.database(), objects);
    };
    proxy.fail(round, GetParam());
    try {
      start();
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::unavailable ||
                  error.code() == ErrorCode::out_of_space)
          << error.what();
    }
    const bool came = proxy.stop_failing();
    start();
    if (!came) {
      EXPECT_GT(round, 10);
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, FaultyStart,
                         ::testing::Values(PostgresProxy::Fault::lost_after,
                                           PostgresProxy::Fault::disk_full));

}  // namespace
}  // namespace mendel::registry::api
