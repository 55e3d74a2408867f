#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "registry/services/secret.h"
#include "storage/base/error.h"
#include "tests/testing/test_database.h"
#include "tests/testing/whole_registry.h"

namespace mendel::registry {

// A registry with one namespace, lhcb, and its administrator. Background work is done when
// a test says so.
class RunTest : public ::testing::Test {
 protected:
  RunTest() {
    const std::string secret = make_secret();
    registry.tokens.establish_bootstrap_token(secret,
                                              TokenService::OtherBootstrapTokens::keep);
    registry.changes.start();
    admin = registry.access.authenticate(secret);
    const Name name = Name::parse("a namespace", "lhcb");
    registry.namespaces.put(admin, name, {}, [](const auto*) {});
    ns = registry.access.require(admin, name, Role::owner).ns.id;
  }
  ~RunTest() override { registry.changes.stop(); }

  static RunService::Request run_request(const std::string& name) {
    return {.uuid = std::nullopt,
            .name = Name::parse("a run", name),
            .digest = Digest::of(name),
            .hyperparameters = std::nullopt,
            .source = std::nullopt,
            .labels = "{}",
            .message = "",
            .command = std::nullopt,
            .directory = "",
            .heartbeat_seconds = std::nullopt,
            .keep = KeepRule::parse(""),
            .started_at = std::nullopt,
            .inputs = {}};
  }
  schema::RunRow start(const RunService::Request& request) {
    return registry.runs.create(admin, ns, request).run;
  }
  schema::RunRow start() { return start(run_request("wgan")); }

  RunService::Identity identity(const schema::RunRow& run) {
    return registry.runs.find_identity(run.uuid).value();
  }

  static RunService::Change status(const std::string& status) {
    RunService::Change change;
    change.status = status;
    return change;
  }

  // The code of what body throws.
  template <class Body>
  static std::optional<ErrorCode> error_of(Body body) {
    try {
      body();
      return std::nullopt;
    } catch (const Error& error) {
      return error.code();
    }
  }

  Digest upload(const std::string& bytes) {
    const Digest digest = Digest::of(bytes);
    const auto upload = registry.blobs.begin_upload(ns, digest, bytes.size());
    upload->append(std::as_bytes(std::span(bytes)));
    upload->finish();
    return digest;
  }

  storage::Manifest manifest_of(const std::string& content) {
    storage::Manifest manifest;
    manifest.files.emplace_back().path = "weights.bin";
    manifest.files.back().digest = upload(content);
    return manifest;
  }

  testing::TestDatabase test_database;
  testing::WholeRegistry registry{test_database.database()};
  Caller admin;
  NamespaceId ns = 0;
};

}  // namespace mendel::registry
