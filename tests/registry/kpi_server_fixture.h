#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "tests/testing/ledger_rows.h"
#include "tests/testing/registry_server.h"

namespace mendel::registry::api {

// A server with a namespace, lhcb, whose KPIs are defined through its interface and whose
// ledger is filled below the services that check what they are given.
class KpiServerTest : public ::testing::Test {
 protected:
  using json = nlohmann::json;
  using LedgerRow = mendel::testing::LedgerRow;
  using HeaderList = mendel::testing::RegistryServer::HeaderList;

  KpiServerTest() { server.send("PUT", "/api/v1/namespaces/lhcb", "{}"); }

  void define(const std::string& id, const json& others = json::object()) {
    json document{{"title", "About " + id}, {"threshold", 10}, {"namespaces", {"lhcb"}}};
    document.update(others);
    const auto answer = server.send("PUT", "/api/v1/kpis/" + id, document.dump());
    ASSERT_LT(answer.status, 300) << answer.body;
  }

  // What an entry of a KPI is at least.
  LedgerRow entry(const std::string& kpi, const std::string& event_id,
                  const std::string& occurred_at, std::int64_t value = 1) {
    LedgerRow row;
    row.kpi_id = ask("select id from kpi where name = '" + kpi + "'");
    row.namespace_id = ask("select id from namespace where name = 'lhcb'");
    row.event_id = event_id;
    row.occurred_at = parse_rfc3339(occurred_at);
    row.value = row.amount = value;
    return row;
  }

  // In one batch, which the next report chains.
  void record(const std::vector<LedgerRow>& entries) {
    mendel::testing::insert_ledger_batch(server.database(), entries, server.clock().now());
  }

  std::int64_t ask(const std::string& sql) {
    return mendel::testing::ask_number(server.database(), sql);
  }

  // The id in the database of a version that is published.
  std::int64_t publish(const std::string& ns, const std::string& name,
                       json document = json::object()) {
    const std::string bytes = ns + name + std::to_string(++published_);
    document["files"] = {{{"path", "a.so"}, {"digest", server.put_blob(ns, bytes)}}};
    const auto answer = server.send(
        "POST", "/api/v1/models/" + ns + "/" + name + "/versions", document.dump());
    EXPECT_EQ(answer.status, 201) << answer.body;
    return ask("select max(id) from version");
  }

  json report(const std::string& query = "") {
    const auto answer = server.send("GET", "/api/v1/kpi-report?" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  int status_of(const std::string& query) {
    return server.send("GET", "/api/v1/kpi-report?" + query).status;
  }

  // A member of lhcb, or nobody there.
  HeaderList token_of(const std::string& name, const std::string& role,
                      const json& scopes = {"read", "write"}) {
    server.send("PUT", "/api/v1/principals/" + name, R"({"kind": "person"})");
    if (!role.empty()) {
      server.send("PUT", "/api/v1/namespaces/lhcb/members/" + name,
                  json{{"role", role}}.dump());
    }
    const auto answer =
        server.send("POST", "/api/v1/tokens",
                    json{{"principal", name}, {"name", "test"}, {"scopes", scopes}}.dump());
    EXPECT_EQ(answer.status, 201) << answer.body;
    return {{"Authorization", "Bearer " + answer.json()["secret"].get<std::string>()}};
  }

  mendel::testing::RegistryServer server;

 private:
  int published_ = 0;
};

}  // namespace mendel::registry::api
