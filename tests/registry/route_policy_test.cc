// Who may call what, said a second time and apart from the code: a token is missing (401),
// or it may not read the thing (404, whether it exists or not), or it may read but not
// change it (403). Routes that are asked of no namespace look further in their services,
// which have tests of their own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "registry/api/problem.h"
#include "registry/api/router.h"
#include "registry/services/secret.h"
#include "storage/base/error.h"
#include "tests/testing/test_database.h"
#include "tests/testing/wait.h"
#include "tests/testing/whole_registry.h"

namespace mendel::registry::api {
namespace {

using ::testing::UnorderedElementsAreArray;

enum class Outcome {
  allowed = 200,
  unauthenticated = 401,
  forbidden = 403,
  not_found = 404
};

void PrintTo(Outcome outcome, std::ostream* out) { *out << static_cast<int>(outcome); }

constexpr Outcome ok = Outcome::allowed;
constexpr Outcome e401 = Outcome::unauthenticated;
constexpr Outcome e403 = Outcome::forbidden;
constexpr Outcome e404 = Outcome::not_found;

// What a route asks of who calls it.
enum class Needs {
  nothing,
  token,
  a_run,   // that is looked for at once; here there is none
  a_hook,  // the same, whoever asks
  administrator,
  reading,
  writing,
  maintaining,
  owning
};

struct Expected {
  std::string_view method;
  std::string_view pattern;
  Needs needs;
};

// clang-format off
constexpr Expected kRoutesExpected[] = {
    {"GET",    "/healthz",                                                  Needs::nothing},
    {"GET",    "/readyz",                                                   Needs::nothing},
    {"GET",    "/metrics",                                                  Needs::nothing},
    {"GET",    "/api/v1/openapi.json",                                      Needs::nothing},
    {"GET",    "/client/",                                                  Needs::nothing},
    {"GET",    "/client/{name}",                                            Needs::nothing},
    {"GET",    "/api/v1/whoami",                                            Needs::token},
    {"GET",    "/api/v1/namespaces",                                        Needs::nothing},
    {"GET",    "/api/v1/namespaces/{ns}",                                   Needs::reading},
    {"PUT",    "/api/v1/namespaces/{ns}",                                   Needs::token},
    {"GET",    "/api/v1/namespaces/{ns}/members",                           Needs::reading},
    {"PUT",    "/api/v1/namespaces/{ns}/members/{principal}",               Needs::owning},
    {"DELETE", "/api/v1/namespaces/{ns}/members/{principal}",               Needs::owning},
    {"GET",    "/api/v1/principals",                                        Needs::administrator},
    {"GET",    "/api/v1/principals/{name}",                                 Needs::token},
    {"PUT",    "/api/v1/principals/{name}",                                 Needs::administrator},
    {"POST",   "/api/v1/tokens",                                            Needs::token},
    {"GET",    "/api/v1/tokens",                                            Needs::token},
    {"GET",    "/api/v1/tokens/{id}",                                       Needs::token},
    {"DELETE", "/api/v1/tokens/{id}",                                       Needs::token},
    {"HEAD",   "/api/v1/namespaces/{ns}/blobs/{digest}",                    Needs::reading},
    {"PUT",    "/api/v1/namespaces/{ns}/blobs/{digest}",                    Needs::writing},
    {"POST",   "/api/v1/namespaces/{ns}/uploads",                           Needs::writing},
    {"GET",    "/api/v1/namespaces/{ns}/uploads/{id}",                      Needs::writing},
    {"DELETE", "/api/v1/namespaces/{ns}/uploads/{id}",                      Needs::writing},
    {"POST",   "/api/v1/namespaces/{ns}/uploads/{id}/blobs",                Needs::writing},
    {"POST",   "/api/v1/namespaces/{ns}/uploads/{id}/chunks",               Needs::writing},
    {"POST",   "/api/v1/namespaces/{ns}/uploads/{id}/packs",                Needs::writing},
    {"POST",   "/api/v1/admin/rebuild-index",                               Needs::administrator},
    {"POST",   "/api/v1/admin/check-ledger",                                Needs::administrator},
    {"POST",   "/api/v1/admin/purge",                                       Needs::administrator},
    {"GET",    "/api/v1/audit",                                             Needs::token},
    {"GET",    "/api/v1/triggers",                                          Needs::token},
    {"GET",    "/api/v1/triggers/{ns}/{name}",                              Needs::reading},
    {"PUT",    "/api/v1/triggers/{ns}/{name}",                              Needs::writing},
    {"DELETE", "/api/v1/triggers/{ns}/{name}",                              Needs::writing},
    {"POST",   "/api/v1/triggers/{ns}/{name}/fire",                         Needs::writing},
    {"POST",   "/api/v1/triggers/{ns}/{name}/test",                         Needs::writing},
    {"GET",    "/api/v1/events",                                            Needs::token},
    {"GET",    "/api/v1/events/{id}",                                       Needs::token},
    {"POST",   "/api/v1/events/{id}/replay",                                Needs::token},
    {"POST",   "/api/v1/runs",                                              Needs::token},
    {"GET",    "/api/v1/runs",                                              Needs::nothing},
    {"GET",    "/api/v1/runs/{id}",                                         Needs::nothing},
    {"PATCH",  "/api/v1/runs/{id}",                                         Needs::token},
    {"POST",   "/api/v1/runs/{id}/heartbeat",                               Needs::token},
    {"POST",   "/api/v1/runs/{id}/metrics",                                 Needs::a_run},
    {"GET",    "/api/v1/runs/{id}/metrics",                                 Needs::nothing},
    {"POST",   "/api/v1/runs/{id}/checkpoints",                             Needs::token},
    {"GET",    "/api/v1/runs/{id}/checkpoints",                             Needs::nothing},
    {"GET",    "/api/v1/runs/{id}/checkpoints/{step}/files",                Needs::nothing},
    {"GET",    "/api/v1/pipelines",                                                     Needs::nothing},
    {"GET",    "/api/v1/pipelines/{ns}/{name}",                                         Needs::reading},
    {"PUT",    "/api/v1/pipelines/{ns}/{name}",                                         Needs::writing},
    {"DELETE", "/api/v1/pipelines/{ns}/{name}",                                         Needs::writing},
    {"POST",   "/api/v1/jobs",                                                          Needs::token},
    {"GET",    "/api/v1/jobs",                                                          Needs::nothing},
    {"POST",   "/api/v1/jobs/lease",                                                    Needs::token},
    {"GET",    "/api/v1/jobs/{id}",                                                     Needs::nothing},
    {"POST",   "/api/v1/jobs/{id}/heartbeat",                                           Needs::token},
    {"POST",   "/api/v1/jobs/{id}/log",                                                 Needs::token},
    {"GET",    "/api/v1/jobs/{id}/log",                                                 Needs::nothing},
    {"POST",   "/api/v1/jobs/{id}/finish",                                              Needs::token},
    {"POST",   "/api/v1/jobs/{id}/cancel",                                              Needs::token},
    {"POST",   "/api/v1/jobs/{id}/retry",                                               Needs::token},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/evaluations",     Needs::writing},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/evaluations",     Needs::reading},
    {"GET",    "/api/v1/namespaces/{ns}/secrets",                           Needs::writing},
    {"PUT",    "/api/v1/namespaces/{ns}/secrets/{name}",                    Needs::writing},
    {"DELETE", "/api/v1/namespaces/{ns}/secrets/{name}",                    Needs::writing},
    {"POST",   "/api/v1/admin/rotate-secrets",                              Needs::administrator},
    {"POST",   "/api/v1/hooks",                                             Needs::token},
    {"GET",    "/api/v1/hooks",                                             Needs::token},
    {"GET",    "/api/v1/hooks/{id}",                                        Needs::token},
    {"DELETE", "/api/v1/hooks/{id}",                                        Needs::token},
    {"POST",   "/api/v1/hooks/{sender}/{id}",                                 Needs::a_hook},
    {"GET",    "/api/v1/repositories/check",                                Needs::token},
    {"GET",    "/api/v1/search",                                            Needs::nothing},
    {"GET",    "/api/v1/kpis",                                              Needs::nothing},
    {"GET",    "/api/v1/kpis/{id}",                                         Needs::nothing},
    {"PUT",    "/api/v1/kpis/{id}",                                         Needs::token},
    {"POST",   "/api/v1/kpi-events",                                        Needs::token},
    {"GET",    "/api/v1/kpi-events",                                        Needs::nothing},
    {"GET",    "/api/v1/{kind}",                                            Needs::nothing},
    {"GET",    "/api/v1/{kind}/{ns}/{name}",                                Needs::reading},
    {"PATCH",  "/api/v1/{kind}/{ns}/{name}",                                Needs::writing},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions",                       Needs::writing},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions",                       Needs::reading},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}",                 Needs::reading},
    {"DELETE", "/api/v1/{kind}/{ns}/{name}/versions/{ref}",                 Needs::maintaining},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/yank",            Needs::writing},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/restore",         Needs::writing},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/files",           Needs::reading},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/files/{path...}", Needs::reading},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/archive",         Needs::reading},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/bundle",          Needs::reading},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/recipe/{path...}", Needs::reading},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/downloads",       Needs::reading},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/pedigree",        Needs::reading},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/patch",           Needs::reading},
    {"GET",    "/api/v1/kpi-report",                                        Needs::nothing},
    {"GET",    "/api/v1/kpi-reports",                                           Needs::nothing},
    {"POST",   "/api/v1/kpi-reports",                                           Needs::token},
    {"GET",    "/api/v1/kpi-reports/{digest}",                                  Needs::nothing},
    {"POST",   "/api/v1/kpi-reports/{digest}/verify",                           Needs::token},
    {"GET",    "/api/v1/kpi-impact",                                            Needs::nothing},
    {"GET",    "/api/v1/commits/{sha}",                                     Needs::nothing},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/aliases/{alias}",                Needs::reading},
    {"PUT",    "/api/v1/{kind}/{ns}/{name}/aliases/{alias}",                Needs::writing},
    {"DELETE", "/api/v1/{kind}/{ns}/{name}/aliases/{alias}",                Needs::writing},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/aliases/{alias}/history",        Needs::reading},
};

// What servers answer from memory where they can.
constexpr std::string_view kRemembered[] = {
    "/api/v1/{kind}/{ns}/{name}/versions/{ref}",
    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/files",
    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/files/{path...}",
};

// Where the token of a job's attempt may be used: all that an agent does with a job, and
// nothing else.
constexpr std::string_view kRoutesOfAttempts[] = {
    "HEAD /api/v1/namespaces/{ns}/blobs/{digest}",
    "PUT /api/v1/namespaces/{ns}/blobs/{digest}",
    "POST /api/v1/namespaces/{ns}/uploads",
    "GET /api/v1/namespaces/{ns}/uploads/{id}",
    "DELETE /api/v1/namespaces/{ns}/uploads/{id}",
    "POST /api/v1/namespaces/{ns}/uploads/{id}/blobs",
    "POST /api/v1/namespaces/{ns}/uploads/{id}/chunks",
    "POST /api/v1/namespaces/{ns}/uploads/{id}/packs",
    "POST /api/v1/runs",
    "GET /api/v1/runs/{id}",
    "PATCH /api/v1/runs/{id}",
    "POST /api/v1/runs/{id}/heartbeat",
    "POST /api/v1/runs/{id}/metrics",
    "GET /api/v1/runs/{id}/metrics",
    "POST /api/v1/runs/{id}/checkpoints",
    "GET /api/v1/runs/{id}/checkpoints",
    "GET /api/v1/runs/{id}/checkpoints/{step}/files",
    "GET /api/v1/jobs/{id}",
    "POST /api/v1/jobs/{id}/heartbeat",
    "POST /api/v1/jobs/{id}/log",
    "GET /api/v1/jobs/{id}/log",
    "POST /api/v1/jobs/{id}/finish",
    "GET /api/v1/{kind}/{ns}/{name}",
    "POST /api/v1/{kind}/{ns}/{name}/versions",
    "GET /api/v1/{kind}/{ns}/{name}/versions",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/evaluations",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/files",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/files/{path...}",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/archive",
    "POST /api/v1/{kind}/{ns}/{name}/versions/{ref}/bundle",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/recipe/{path...}",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/pedigree",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/patch",
    "GET /api/v1/{kind}/{ns}/{name}/aliases/{alias}",
};

// Where a token with the scope kpi and no other may be used: all that a simulation job does,
// which fetches a model and records what it made with it.
constexpr std::string_view kRoutesOfRecorders[] = {
    "GET /api/v1/whoami",
    "POST /api/v1/kpi-events",
    "GET /api/v1/{kind}/{ns}/{name}/versions",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/files",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/files/{path...}",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/archive",
    "POST /api/v1/{kind}/{ns}/{name}/versions/{ref}/bundle",
    "GET /api/v1/{kind}/{ns}/{name}/versions/{ref}/recipe/{path...}",
    "GET /api/v1/{kind}/{ns}/{name}/aliases/{alias}",
};

constexpr std::string_view kNamespaces[] = {"private", "internal", "public", "absent"};

// Whoever is not said to hold less holds a token with every scope, for every namespace.
struct Rights {
  std::string_view caller;
  Outcome administrator;
  Outcome reading[std::size(kNamespaces)];
  Outcome writing[std::size(kNamespaces)];
  Outcome maintaining[std::size(kNamespaces)];
  Outcome owning[std::size(kNamespaces)];
};

constexpr Rights kRights[] = {
    //                                 reading                   writing                   maintaining               owning
    {"nobody",                  e401, {e401, e401, ok,   e401}, {e401, e401, e401, e401}, {e401, e401, e401, e401}, {e401, e401, e401, e401}},
    {"outsider",                e403, {e404, ok,   ok,   e404}, {e404, e403, e403, e404}, {e404, e403, e403, e404}, {e404, e403, e403, e404}},
    {"reader",                  e403, {ok,   ok,   ok,   e404}, {e403, e403, e403, e404}, {e403, e403, e403, e404}, {e403, e403, e403, e404}},
    {"writer",                  e403, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}, {e403, e403, e403, e404}, {e403, e403, e403, e404}},
    {"maintainer",              e403, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}, {e403, e403, e403, e404}},
    {"owner",                   e403, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}},
    {"admin",                   ok,   {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}, {ok,   ok,   ok,   e404}},
    {"owner, to read",          e403, {ok,   ok,   ok,   e404}, {e403, e403, e403, e404}, {e403, e403, e403, e404}, {e403, e403, e403, e404}},
    {"owner, to record events", e403, {e404, e404, ok,   e404}, {e404, e404, e403, e404}, {e404, e404, e403, e404}, {e404, e404, e403, e404}},
    {"owner, bound elsewhere",  e403, {e404, e404, ok,   e404}, {e404, e404, e403, e404}, {e404, e404, e403, e404}, {e404, e404, e403, e404}},
    {"admin, to read",          e403, {ok,   ok,   ok,   e404}, {e403, e403, e403, e404}, {e403, e403, e403, e404}, {e403, e403, e403, e404}},
    {"admin, bound elsewhere",  e403, {e404, e404, ok,   e404}, {e404, e404, e403, e404}, {e404, e404, e403, e404}, {e404, e404, e403, e404}},
};
// clang-format on

bool is_for_recorders(const Expected& row) {
  const std::string route = std::string(row.method) + " " + std::string(row.pattern);
  return std::ranges::find(kRoutesOfRecorders, route) != std::end(kRoutesOfRecorders);
}

// As an owner with the scope kpi alone.
Outcome expected_of_recorder(const Expected& row, std::size_t ns) {
  if (!is_for_recorders(row)) return e403;
  return row.needs == Needs::reading && kNamespaces[ns] == "absent" ? e404 : ok;
}

Outcome expected_outcome(const Rights& rights, const Expected& row, std::size_t ns) {
  const bool records = rights.caller == "owner, to record events";
  const bool asks_for_token = row.needs == Needs::token || row.needs == Needs::a_run;
  if (records && (is_for_recorders(row) || asks_for_token)) {
    return expected_of_recorder(row, ns);
  }
  switch (row.needs) {
    case Needs::nothing: return ok;
    case Needs::token: return rights.caller == "nobody" ? e401 : ok;
    case Needs::a_run: return rights.caller == "nobody" ? e401 : e404;
    case Needs::a_hook: return e404;
    case Needs::administrator: return rights.administrator;
    case Needs::reading: return rights.reading[ns];
    case Needs::writing: return rights.writing[ns];
    case Needs::maintaining: return rights.maintaining[ns];
    case Needs::owning: return rights.owning[ns];
  }
  return ok;
}

void replace(std::string& text, std::string_view what, std::string_view by) {
  if (const auto at = text.find(what); at != std::string::npos)
    text.replace(at, what.size(), by);
}

std::string target_of(std::string_view pattern, std::string_view ns) {
  std::string target(pattern);
  replace(target, "{kind}", "models");
  replace(target, "{sender}", "nobody");
  replace(target, "{ns}", ns);
  replace(target, "{name}", "lamarr-trk");
  replace(target, "{principal}", "reader");
  replace(target, "{id}", "01a1fe0c-89bd-7173-af3a-7189431de521");
  replace(target, "{step}", "100");
  replace(target, "{digest}", Digest::of("some bytes").to_string());
  replace(target, "{ref}", "1");
  replace(target, "{alias}", "production");
  replace(target, "{path...}", "lib/tracking.so");
  return target;
}

template <class Item>
void always(const Item*) {}

class RoutePolicy : public ::testing::Test {
 protected:
  RoutePolicy() {
    registry.changes.start();
    const std::string secret = make_secret();
    registry.tokens.establish_bootstrap_token(secret,
                                              TokenService::OtherBootstrapTokens::keep);
    admin = registry.access.authenticate(secret);
    secrets["admin"] = secret;

    make_namespace("private", Visibility::private_);
    make_namespace("internal", Visibility::internal);
    make_namespace("public", Visibility::public_);
    make_namespace("elsewhere", Visibility::private_);
    make_principal("outsider", Role::none);
    make_principal("reader", Role::reader);
    make_principal("writer", Role::writer);
    make_principal("maintainer", Role::maintainer);
    make_principal("owner", Role::owner);
    for (const std::string principal : {"owner", "admin"}) {
      secrets[principal + ", to read"] = issue(principal, only(Scope::read));
      secrets[principal + ", bound elsewhere"] =
          issue(principal, Scopes::all(), "elsewhere");
    }
    secrets["owner, to record events"] = issue("owner", only(Scope::kpi));
  }
  ~RoutePolicy() override { registry.changes.stop(); }

  static Name name(std::string_view text) { return Name::parse("a name", text); }

  static Scopes only(Scope scope) {
    Scopes scopes;
    scopes.add(scope);
    return scopes;
  }

  void make_namespace(std::string_view text, Visibility visibility) {
    namespaces.push_back(registry.namespaces
                             .put(admin, name(text),
                                  {.description = std::nullopt, .visibility = visibility},
                                  always<NamespaceInfo>)
                             .item);
  }

  // With its role in every namespace.
  void make_principal(const std::string& text, Role role) {
    registry.principals.put(admin, name(text), {}, always<Principal>);
    if (role != Role::none) {
      for (const NamespaceInfo& ns : namespaces) {
        registry.namespaces.put_member(admin, ns, name(text), role, always<Member>);
      }
    }
    secrets[text] = issue(text, Scopes::all());
  }

  std::string issue(std::string_view principal, Scopes scopes,
                    std::optional<std::string_view> ns = std::nullopt) {
    TokenRequest request;
    request.principal = name(principal);
    request.scopes = scopes;
    if (ns) request.ns = name(*ns);
    return registry.tokens.issue(admin, request).secret;
  }

  RequestHead head_of(std::string_view caller, std::string_view method,
                      std::string target) {
    RequestHead head;
    head.id = "request-1";
    head.method = method;
    head.target = std::move(target);
    if (caller != "nobody") {
      head.headers.set("Authorization", "Bearer " + secrets.at(std::string(caller)));
    }
    return head;
  }

  // Another refusal than those of a policy means that the route's handler was asked.
  Outcome outcome_of(const RequestHead& head) {
    const auto refusal = router.open(head)->begin();
    const int status = refusal ? refusal->status : 200;
    return status == 401 || status == 403 || status == 404 ? Outcome(status)
                                                           : Outcome::allowed;
  }

  void answer(const RequestHead& head) {
    const auto exchange = router.open(head);
    if (!exchange->begin()) exchange->answer("");
  }

  bool is_answered_from_memory(const RequestHead& head) {
    return router.open(head)->answer_from_memory().has_value();
  }

  void publish_something(const NamespaceInfo& ns) {
    const std::string_view bytes = "some bytes";
    const auto upload = registry.blobs.begin_upload(ns.id, Digest::of(bytes), bytes.size());
    upload->append(std::as_bytes(std::span(bytes)));
    upload->finish();
    storage::Manifest manifest;
    manifest.files.emplace_back().path = "lib/tracking.so";
    manifest.files.back().digest = Digest::of(bytes);
    registry.publishing.publish(admin, ns.id,
                                {.artifact = ArtifactName::parse(ns.name, "lamarr-trk"),
                                 .kind = manifest.kind,
                                 .manifest = manifest});
  }

  testing::TestDatabase test_database;
  testing::WholeRegistry registry{test_database.database()};
  Metrics metrics;
  Router router{routes(), registry.services, metrics};
  Caller admin;
  std::vector<NamespaceInfo> namespaces;
  std::map<std::string, std::string> secrets;
};

TEST(RoutePolicyStated, CoversEveryRoute) {
  using Row = std::pair<std::string_view, std::string_view>;
  std::vector<Row> stated;
  for (const Expected& row : kRoutesExpected) stated.emplace_back(row.method, row.pattern);
  std::vector<Row> existing;
  for (const Route& route : routes()) existing.emplace_back(route.method, route.pattern);

  EXPECT_THAT(stated, UnorderedElementsAreArray(existing));
}

TEST(RoutePolicyStated, SaysWhatAttemptsAtJobsMayUse) {
  std::vector<std::string> existing;
  for (const Route& route : routes()) {
    if (route.attempts == Attempts::refused) continue;
    existing.push_back(std::string(route.method) + " " + std::string(route.pattern));
    EXPECT_EQ(route.attempts == Attempts::ended,
              route.pattern == "/api/v1/jobs/{id}/finish");
  }
  EXPECT_THAT(existing, UnorderedElementsAreArray(kRoutesOfAttempts));
}

TEST(RoutePolicyStated, SaysWhereEventsAreRecorded) {
  std::vector<std::string> existing;
  for (const Route& route : routes()) {
    if (route.recorders == Recorders::refused) continue;
    existing.push_back(std::string(route.method) + " " + std::string(route.pattern));
  }
  EXPECT_THAT(existing, UnorderedElementsAreArray(kRoutesOfRecorders));
}

TEST_F(RoutePolicy, AllowsWhatTheTableSaysAndNothingElse) {
  for (const Expected& row : kRoutesExpected) {
    for (const Rights& rights : kRights) {
      for (std::size_t ns = 0; ns < std::size(kNamespaces); ++ns) {
        const auto head =
            head_of(rights.caller, row.method, target_of(row.pattern, kNamespaces[ns]));
        EXPECT_EQ(outcome_of(head), expected_outcome(rights, row, ns))
            << rights.caller << ": " << head.method << " " << head.target;
      }
    }
  }
}

// Every memory holds what it can, so that only the rules keep it from answering.
TEST_F(RoutePolicy, IsNotLaxerInMemory) {
  for (const NamespaceInfo& ns : namespaces) publish_something(ns);
  for (const std::string_view target : kRemembered) {
    for (const Rights& rights : kRights) {
      for (const NamespaceInfo& ns : namespaces) {
        answer(head_of(rights.caller, "GET", target_of(target, ns.name)));
      }
    }
    const auto head = head_of("reader", "GET", target_of(target, "private"));
    EXPECT_TRUE(testing::eventually([&] {
      answer(head);
      return is_answered_from_memory(head);
    })) << target;
  }
  for (const Expected& row : kRoutesExpected) {
    for (const Rights& rights : kRights) {
      for (std::size_t ns = 0; ns < std::size(kNamespaces); ++ns) {
        const auto head =
            head_of(rights.caller, row.method, target_of(row.pattern, kNamespaces[ns]));
        if (outcome_of(head) == Outcome::allowed) continue;
        EXPECT_FALSE(is_answered_from_memory(head))
            << rights.caller << ": " << head.method << " " << head.target;
      }
    }
  }
}

TEST_F(RoutePolicy, DoesNotTellWhetherWhatMayNotBeReadExists) {
  for (const char* caller : {"nobody", "outsider", "owner, bound elsewhere"}) {
    for (const Expected& row : kRoutesExpected) {
      const auto hidden = head_of(caller, row.method, target_of(row.pattern, "private"));
      const auto absent = head_of(caller, row.method, target_of(row.pattern, "missing"));
      const auto of_hidden = router.open(hidden)->begin();
      const auto of_absent = router.open(absent)->begin();
      ASSERT_EQ(of_hidden.has_value(), of_absent.has_value()) << row.pattern;
      if (!of_hidden) continue;
      EXPECT_EQ(of_hidden->status, of_absent->status) << row.pattern;
      auto expected = std::get<std::string>(of_absent->body);
      replace(expected, "missing", "private");
      EXPECT_EQ(std::get<std::string>(of_hidden->body), expected) << row.pattern;
    }
  }
}

TEST_F(RoutePolicy, RefusesATokenThatIsNotKnownOnEveryRoute) {
  secrets["stranger"] = make_secret();
  for (const Expected& row : kRoutesExpected) {
    const auto head = head_of("stranger", row.method, target_of(row.pattern, "public"));
    EXPECT_EQ(outcome_of(head), Outcome::unauthenticated) << row.pattern;
  }
}

}  // namespace
}  // namespace mendel::registry::api
