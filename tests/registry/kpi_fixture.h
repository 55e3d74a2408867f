#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "registry/api/kpi_body.h"
#include "registry/api/kpi_event_body.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/recorder.h"
#include "registry/services/ledger/sent_entry.h"
#include "tests/registry/run_fixture.h"

namespace mendel::registry {

// A registry in which KPIs are defined.
class KpiTest : public RunTest {
 protected:
  static Name kpi_id(const std::string& id) { return Name::parse("a KPI", id); }

  // The sum of values in lhcb, unless others say something else.
  static nlohmann::json kpi_document(
      const nlohmann::json& others = nlohmann::json::object()) {
    nlohmann::json document{{"title", "Events from ML simulation"},
                            {"unit", "events"},
                            {"threshold", 1e9},
                            {"namespaces", {"lhcb"}}};
    document.update(others);
    return document;
  }

  Put<KpiDefinition> put_kpi(const Caller& caller, const std::string& id,
                             const nlohmann::json& document) {
    return registry.kpi_definitions.put(caller, kpi_id(id), api::read_kpi_body(document),
                                        [](const auto*) {});
  }
  KpiDefinition define(const std::string& id,
                       const nlohmann::json& others = nlohmann::json::object()) {
    return put_kpi(admin, id, kpi_document(others)).item;
  }

  // An event of lhcb, unless others say something else.
  static nlohmann::json event(const std::string& id, double value,
                              const nlohmann::json& others = nlohmann::json::object()) {
    nlohmann::json row{{"kpi", "events"},
                       {"namespace", "lhcb"},
                       {"event_id", id},
                       {"value", value},
                       {"occurred_at", "2024-02-12T10:00:00Z"}};
    row.update(others);
    return row;
  }
  static nlohmann::json correction(const std::string& id, const std::string& corrects,
                                   double value) {
    return {{"kpi", "events"},      {"namespace", "lhcb"}, {"event_id", id},
            {"corrects", corrects}, {"value", value},      {"reason", "counted wrongly"}};
  }

  // What is wrong with the form of a row is an error of the test.
  static SentEntry sent(const nlohmann::json& row) {
    return std::get<SentEntry>(api::read_kpi_event(row).content);
  }
  Recorder::Outcome record(const Caller& caller, const std::vector<nlohmann::json>& rows) {
    std::vector<SentEntry> entries;
    for (const auto& row : rows) entries.push_back(sent(row));
    return registry.recorder.record(caller, entries);
  }
  Recorder::Outcome record(const std::vector<nlohmann::json>& rows) {
    return record(admin, rows);
  }

  NamespaceId make_namespace(const std::string& text,
                             Visibility visibility = Visibility::private_) {
    const Name name = Name::parse("a namespace", text);
    return registry.namespaces
        .put(admin, name, {.description = std::nullopt, .visibility = visibility},
             [](const auto*) {})
        .item.id;
  }

  // A principal with a role in lhcb, whose token has these scopes.
  Caller make_caller(const std::string& text, Role role,
                     std::initializer_list<Scope> scopes = {Scope::read, Scope::write}) {
    const Name name = Name::parse("a principal", text);
    Caller caller;
    caller.principal = registry.principals.put(admin, name, {}, [](const auto*) {}).item.id;
    caller.name = text;
    for (const Scope scope : scopes) caller.scopes.add(scope);
    if (role != Role::none) {
      const auto lhcb =
          registry.access.require(admin, Name::parse("a namespace", "lhcb"), Role::owner);
      registry.namespaces.put_member(admin, lhcb.ns, name, role, [](const auto*) {});
    }
    return caller;
  }
};

}  // namespace mendel::registry
