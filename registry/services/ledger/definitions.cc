#include "registry/services/ledger/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "registry/services/audit.h"
#include "schema/kpis.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

Name namespace_name(const std::string& text) { return Name::parse("a namespace", text); }

Error no_kpi(const Name& id) {
  return {ErrorCode::not_found, "there is no KPI " + id.text()};
}

KpiDefinition definition_of(const schema::KpiDefinitionRow& row) {
  KpiDefinition definition = KpiDefinition::parse(row.document);
  definition.id = row.name;
  definition.revision = row.revision;
  definition.counting = Counting::parse(row.counting_id, row.kpi_id, row.rule);
  definition.defined_at = row.defined_at;
  definition.defined_by = row.defined_by;
  return definition;
}

std::vector<KpiDefinition> definitions_of(
    const std::vector<schema::KpiDefinitionRow>& rows) {
  std::vector<KpiDefinition> definitions;
  definitions.reserve(rows.size());
  for (const auto& row : rows) definitions.push_back(definition_of(row));
  return definitions;
}

// Whose KPIs name no namespace: an administrator, whether they read or write.
bool administers(const Caller& caller) {
  return caller.is_admin && !caller.only_namespace && !caller.attempt;
}

void require_same_spelling(const KpiDefinition& existing, const Name& id) {
  if (existing.id == id.text()) return;
  throw Error(ErrorCode::already_exists,
              fmt::format("there is a KPI {} already, and ids differ by more than case",
                          existing.id));
}

void require_unchanged(const std::optional<KpiDefinition>& seen,
                       const std::optional<schema::KpiRow>& now) {
  const std::int32_t revision = now ? now->revision : 0;
  if ((seen ? seen->revision : 0) == revision) return;
  throw Error(ErrorCode::aborted, "somebody else defined this KPI meanwhile");
}

// After everything that was asked already, whatever the clock says.
Timestamp next_time(schema::Transaction& tx, Timestamp now,
                    const std::optional<KpiDefinition>& before) {
  constexpr std::chrono::microseconds kNext{1};
  Timestamp time = std::max(now, schema::hold_book(tx) + kNext);
  if (before) time = std::max(time, before->defined_at + kNext);
  return time;
}

std::int64_t make_kpi(schema::Transaction& tx, const Name& id, Timestamp at) {
  const auto made = schema::insert_kpi(tx, id.text(), at);
  if (made) return *made;
  throw Error(ErrorCode::aborted, "somebody else defined this KPI meanwhile");
}

void note_definition(schema::Transaction& tx, const Caller& caller,
                     const KpiDefinition& definition) {
  Deed deed{.action = "kpi.define",
            .subject = definition.id,
            .ns = std::nullopt,
            .reason = "",
            .detail = {{"revision", std::to_string(definition.revision)}}};
  const auto& namespaces = definition.counting.namespaces;
  if (namespaces.size() == 1) deed.ns = namespaces.front();
  note(tx, caller, std::move(deed));
}

}  // namespace

std::vector<KpiDefinition> KpiDefinitions::list_all_at(Timestamp at) {
  return definitions_of(database_.read(
      "list KPIs as they were",
      [&](schema::Transaction& tx) { return schema::list_kpi_definitions_at(tx, at); }));
}

bool KpiDefinitions::may_read(const Caller& caller, const KpiDefinition& definition) {
  if (definition.namespaces.empty()) {
    return administers(caller) &&
           (caller.scopes.has(Scope::read) || caller.scopes.has(Scope::admin));
  }
  return std::ranges::all_of(definition.namespaces, [&](const std::string& ns) {
    return registry::may_read(caller, access_.standing(caller, namespace_name(ns)));
  });
}

void KpiDefinitions::require_maintainer(const Caller& caller,
                                        const KpiDefinition& definition) {
  for (const std::string& ns : definition.namespaces) {
    access_.require(caller, namespace_name(ns), Role::maintainer);
  }
  if (!definition.namespaces.empty() || caller.administers_server()) return;
  throw Error(ErrorCode::permission_denied,
              "a KPI that names no namespaces is defined by an administrator of the "
              "server, with the scope 'admin'");
}

std::optional<KpiDefinition> KpiDefinitions::find(const Name& id) {
  const auto row = database_.read("find a KPI", [&](schema::Transaction& tx) {
    return schema::find_newest_kpi_definition(tx, id.folded());
  });
  if (!row) return std::nullopt;
  return definition_of(*row);
}

Put<KpiDefinition> KpiDefinitions::put(const Caller& caller, const Name& id,
                                       const std::string& document,
                                       const Precondition<KpiDefinition>& precondition) {
  KpiDefinition wanted = KpiDefinition::parse(document);
  wanted.id = id.text();
  const auto before = find(id);
  if (before && !may_read(caller, *before)) {
    throw Error(ErrorCode::already_exists, "the id " + id.text() + " is taken");
  }
  if (before) require_maintainer(caller, *before);
  for (std::size_t i = 0; i < wanted.namespaces.size(); ++i) {
    const auto standing = access_.standing(caller, namespace_name(wanted.namespaces[i]));
    if (!registry::may_read(caller, standing)) {
      const std::string detail = "there is no namespace " + wanted.namespaces[i];
      throw Error(ErrorCode::unprocessable, detail,
                  {{fmt::format("/namespaces/{}", i), detail}});
    }
    wanted.counting.namespaces.push_back(standing.ns.id);
  }
  require_maintainer(caller, wanted);
  if (before) require_same_spelling(*before, id);

  return database_.transact("define a KPI", [&](schema::Transaction& tx) {
    const auto now = schema::lock_kpi(tx, id.folded());
    require_unchanged(before, now);
    precondition(before ? &*before : nullptr);
    if (before && before->document == document) {
      return Put<KpiDefinition>{*before, Outcome::updated};
    }
    KpiDefinition made = wanted;
    made.revision = before ? before->revision + 1 : 1;
    made.defined_at = next_time(tx, clock_.now(), before);
    made.defined_by = caller.name;
    Counting& counting = made.counting;
    counting.kpi_id = now ? now->id : make_kpi(tx, id, made.defined_at);
    const std::string rule = counting.rule();
    counting.id = schema::upsert_kpi_counting(tx, counting.kpi_id, rule);
    counting = Counting::parse(counting.id, counting.kpi_id, rule);
    schema::insert_kpi_definition(tx, {.kpi_id = counting.kpi_id,
                                       .name = made.id,
                                       .revision = made.revision,
                                       .document = document,
                                       .counting_id = counting.id,
                                       .rule = rule,
                                       .defined_at = made.defined_at,
                                       .defined_by = made.defined_by});
    schema::update_kpi_revision(tx, counting.kpi_id, made.revision);
    note_definition(tx, caller, made);
    return Put<KpiDefinition>{made, before ? Outcome::updated : Outcome::created};
  });
}

KpiDefinition KpiDefinitions::get(const Caller& caller, const Name& id) {
  auto found = find(id);
  if (!found || !may_read(caller, *found)) throw no_kpi(id);
  return *std::move(found);
}

std::vector<KpiDefinition> KpiDefinitions::revisions(const Caller& caller, const Name& id) {
  const auto newest = get(caller, id);
  auto found = definitions_of(
      database_.read("list the revisions of a KPI", [&](schema::Transaction& tx) {
        return schema::list_kpi_revisions(tx, newest.counting.kpi_id);
      }));
  std::erase_if(found, [&](const auto& revision) { return !may_read(caller, revision); });
  return found;
}

Page<KpiDefinition> KpiDefinitions::list(const Caller& caller, const PageRequest& page) {
  auto found = definitions_of(database_.read("list KPIs", [&](schema::Transaction& tx) {
    return schema::list_newest_kpi_definitions(tx);
  }));
  std::erase_if(found, [&](const KpiDefinition& definition) {
    const auto folded = Name::parse("a KPI", definition.id).folded();
    return (page.after && folded <= *page.after) || !may_read(caller, definition);
  });
  return page_of<KpiDefinition>(
      std::move(found), page, [](const KpiDefinition& definition) { return definition; },
      [](const KpiDefinition& last) { return Name::parse("a KPI", last.id).folded(); });
}

std::vector<KpiDefinition> KpiDefinitions::list_at(const Caller& caller, Timestamp at) {
  auto found = list_all_at(at);
  std::erase_if(found,
                [&](const auto& definition) { return !may_read(caller, definition); });
  return found;
}

}  // namespace mendel::registry
