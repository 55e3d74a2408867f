#include "registry/api/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "registry/services/search_query.h"
#include "schema/search_sql.h"
#include "schema/transaction.h"
#include "storage/base/http_client.h"
#include "tests/testing/registry_server.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RegistryServer;
using Names = std::vector<std::string>;

std::string search_path(const std::string& text, const std::string& more = "") {
  return "/api/v1/search?q=" + percent_encode(text) + more;
}

// A server with the namespace lhcb, and words for what is in it.
class Search : public ::testing::Test {
 protected:
  Search() { make_namespace("lhcb", "private"); }

  void make_namespace(const std::string& name, const std::string& visibility) {
    const auto answer = server.send("PUT", "/api/v1/namespaces/" + name,
                                    json{{"visibility", visibility}}.dump());
    ASSERT_LT(answer.status, 300) << answer.body;
  }

  // files: contents by path.
  void publish(const std::string& kind, const std::string& artifact, const json& files,
               json body = json::object()) {
    const std::string ns = artifact.substr(0, artifact.find('/'));
    body["files"] = json::array();
    for (const auto& [path, content] : files.items()) {
      body["files"].push_back(
          {{"path", path}, {"digest", server.put_blob(ns, content.get<std::string>())}});
    }
    const auto answer =
        server.send("POST", "/api/v1/" + kind + "/" + artifact + "/versions", body.dump());
    ASSERT_EQ(answer.status, 201) << answer.body;
  }

  json page(const std::string& text, const std::string& more = "",
            const RegistryServer::HeaderList& headers = {}) {
    const Answer answer = server.send("GET", search_path(text, more), "", headers);
    EXPECT_EQ(answer.status, 200) << text << "\n" << answer.body;
    return answer.status == 200 ? answer.json() : json{{"items", json::array()}};
  }

  // The references of versions, the names of runs; newest first.
  Names find(const std::string& text, const RegistryServer::HeaderList& headers = {}) {
    Names names;
    const json found = page(text, "", headers);
    for (const json& item : found["items"]) {
      names.push_back(item.value(item["is"] == "run" ? "name" : "ref", ""));
    }
    return names;
  }

  void execute(const std::string& sql) {
    server.database().transact("prepare a test",
                               [&](schema::Transaction& tx) { tx.exec_script(sql); });
  }

  RegistryServer server;
};

class SearchOfVersions : public Search {
 protected:
  SearchOfVersions() {
    publish("datasets", "lhcb/calib-2016", {{"a.root", "events"}, {"common.txt", "common"}},
            {{"message", "Calibration of 2016"}, {"labels", {{"data-taking", "2016MU"}}}});
    publish(
        "models", "lhcb/Lamarr-trk", {{"libtrk.so", "trk 1"}, {"common.txt", "common"}},
        {{"message", "first try, Größe ok"},
         {"metrics", {{"chi2_ndf", 3.5}, {"auc", "NaN"}}},
         {"hyperparameters",
          {{"training", {{"lr", 0.01}, {"epochs", "20"}}},
           {"layers", {128, 64}},
           {"optimizer", "adam"},
           {"early_stopping", true},
           {"seed", nullptr}}},
         {"source",
          {{"commit", std::string(20, '1') + std::string(20, '2')}, {"dirty", false}}}});
    publish("models", "lhcb/Lamarr-trk", {{"libtrk.so", "trk 2"}, {"common.txt", "common"}},
            {{"message", "retrained on calib-2016:1"},
             {"metrics", {{"chi2_ndf", 2.4}}},
             {"labels", {{"data-taking", "2016MU"}, {"note", "100%_a\\b"}}},
             {"hyperparameters",
              {{"training", {{"lr", 1e-3}, {"epochs", 20}}}, {"optimizer", "sgd"}}},
             {"aliases", {"production"}},
             {"source",
              {{"commit", std::string(10, '1') + std::string(30, '3')}, {"dirty", true}}}});
    publish("models", "lhcb/lamarr-pid", {{"libpid.so", "pid"}},
            {{"message", "a GAN, \"best\" one"}, {"labels", {{"data-taking", "2018"}}}});
  }

  static inline const std::string kTrk1 = "lhcb/Lamarr-trk:1";
  static inline const std::string kTrk2 = "lhcb/Lamarr-trk:2";
  static inline const std::string kPid = "lhcb/lamarr-pid:1";
  static inline const std::string kCalib = "lhcb/calib-2016:1";
};

TEST_F(SearchOfVersions, FindsThemByWhatTheyAreAndWhatMadeThem) {
  const struct {
    std::string query;
    Names found;
  } cases[] = {
      {"", {kPid, kTrk2, kTrk1, kCalib}},
      {"kind:model", {kPid, kTrk2, kTrk1}},
      {"kind!=model", {kCalib}},
      {"namespace:LHCb kind:dataset", {kCalib}},
      {"namespace:other", {}},
      {"namespace:other OR kind:dataset", {kCalib}},
      {"name:lamarr-trk", {kTrk2, kTrk1}},
      {"name:LAMARR-*", {kPid, kTrk2, kTrk1}},
      {"name=lamarr-*", {}},
      {"name:lhcb/*pid", {kPid}},
      {"name:lamarr_trk", {}},
      {"alias:production", {kTrk2}},
      {"alias:prod*", {kTrk2}},
      {"NOT alias:*", {kPid, kTrk1, kCalib}},
      {"state:active name:lamarr-pid", {kPid}},
      {"state:yanked", {}},
      {"creator:admin kind:dataset", {kCalib}},
      {"creator:somebody", {}},

      {"label.data-taking:2016MU", {kTrk2, kCalib}},
      {"label.data-taking:2016mu", {}},
      {"label.data-taking:201*", {kPid, kTrk2, kCalib}},
      {"label.data-taking!=2016MU", {kPid}},
      {"NOT label.data-taking:2016MU", {kPid, kTrk1}},
      {"label.data-taking:*", {kPid, kTrk2, kCalib}},
      {"label.note:\"100%_a\\\\b\"", {kTrk2}},
      {"label.note:100*_*b", {kTrk2}},
      {"label.note:*x*", {}},

      {"param.training.lr < 0.005", {kTrk2}},
      {"param.training.lr <= 0.01", {kTrk2, kTrk1}},
      {"param.training.lr = 1e-2", {kTrk1}},
      {"param.training.lr != 0.01", {kTrk2}},
      {"param.training.lr > 0.01", {}},
      {"param.training.epochs=20", {kTrk2, kTrk1}},
      {"param.training.epochs=\"20\"", {kTrk1}},
      {"param.layers.0=128 param.layers.1>=64", {kTrk1}},
      {"param.optimizer:ad*", {kTrk1}},
      {"param.optimizer!=adam", {kTrk2}},
      {"param.optimizer:*", {kTrk2, kTrk1}},
      {"param.early_stopping:true", {kTrk1}},
      {"param.seed:null", {kTrk1}},
      {"param.training:*", {}},

      {"metric.chi2_ndf < 3", {kTrk2}},
      {"metric.chi2_ndf > 3", {kTrk1}},
      {"metric.auc > 0", {}},
      {"metric.auc < 0", {}},
      {"metric.auc = NaN", {kTrk1}},
      {"metric.auc != 0", {kTrk1}},
      {"NOT metric.chi2_ndf < 3", {kPid, kTrk1, kCalib}},

      {"commit:1111111111", {kTrk2, kTrk1}},
      {"commit:" + std::string(20, '1'), {kTrk1}},
      {"commit:" + std::string(20, '1') + std::string(20, '2'), {kTrk1}},
      {"commit:2222222", {}},

      {"retrained", {kTrk2}},
      {"RETRAIN", {kTrk2}},
      {"trained", {}},
      {"calib", {kTrk2, kCalib}},
      {"calib-2016", {kTrk2, kCalib}},
      {"größe", {kTrk1}},
      {"arr-tr", {kTrk2, kTrk1}},
      {"\"gan best\"", {kPid}},
      {"gan first", {}},
      {"gan OR first", {kPid, kTrk1}},
      {"-gan kind:model", {kTrk2, kTrk1}},
      {"\"...\"", {}},

      {"created:2024-02-13 kind:dataset", {kCalib}},
      {"created<2024-02-13", {}},
      {"created>2024-02-13", {}},
      {"created>=2024-02-13T00:00:00Z kind:dataset", {kCalib}},
      {"created>2024-02-13T00:00:00Z", {}},

      {"(kind:dataset OR metric.chi2_ndf<3) label.data-taking:2016MU", {kTrk2, kCalib}},
      {"param.training.lr<1 metric.chi2_ndf<9 label.data-taking:2016MU", {kTrk2}},
      {"NOT (kind:dataset OR name:*trk)", {kPid}},
  };
  for (const auto& [query, found] : cases) {
    EXPECT_THAT(find(query), ElementsAreArray(found)) << query;
  }
}

TEST_F(SearchOfVersions, FindsWhatContainsAFile) {
  const auto digest_of = [](const std::string& text) {
    return Digest::of(text).to_string();
  };
  EXPECT_THAT(find(digest_of("trk 2")), ElementsAre(kTrk2));
  EXPECT_THAT(find("digest:" + digest_of("common")), ElementsAre(kTrk2, kTrk1, kCalib));
  EXPECT_THAT(find(digest_of("common") + " kind:dataset"), ElementsAre(kCalib));
  EXPECT_THAT(find(digest_of("no file")), IsEmpty());
  EXPECT_THAT(find("kind:model NOT " + digest_of("common")), ElementsAre(kPid));

  const json found = page(digest_of("pid"));
  EXPECT_THAT(find(found["items"][0]["digest"]), ElementsAre(kPid))
      << "a version's own digest";
}

TEST_F(SearchOfVersions, KnowsFromWhenToWhenAFileWasThere) {
  const std::string kName = "lhcb/files";
  publish("models", kName, {{"a", "A"}, {"b", "B"}});
  publish("models", kName, {{"a", "A"}, {"b", "B"}}, {{"hyperparameters", {{"n", 1}}}});
  publish("models", kName, {{"a", "A"}});
  publish("models", kName, {{"a", "A"}, {"renamed", "B"}, {"again", "B"}});
  const auto versions_with = [&](const std::string& content) {
    return find(Digest::of(content).to_string() + " name:files");
  };
  EXPECT_THAT(versions_with("A"),
              ElementsAre(kName + ":4", kName + ":3", kName + ":2", kName + ":1"));
  EXPECT_THAT(versions_with("B"), ElementsAre(kName + ":4", kName + ":2", kName + ":1"));

  server.database().read("count", [&](schema::Transaction& tx) {
    constexpr schema::Statement kCount{"count_intervals", R"sql(
      select count(*) from version_file f join artifact a on a.id = f.artifact_id
       where a.name = 'files'
    )sql"};
    EXPECT_EQ(tx.exec_one(kCount)[0].as<int>(), 3) << "a row per file and stretch";
  });
}

TEST_F(SearchOfVersions, FindsNoDeletedOne) {
  publish("models", "lhcb/old", {{"x", "deleted"}}, {{"message", "vanishing"}});
  publish("models", "lhcb/old", {{"x", "stays"}});
  const std::string path = "/api/v1/models/lhcb/old/versions/";
  EXPECT_EQ(server.send("DELETE", path + "1", R"({"reason":"wrong"})").status, 204);
  for (const std::string query :
       {"vanishing", "name:old NOT kind:dataset", "name:old", "old"}) {
    EXPECT_THAT(find(query), Not(::testing::Contains("lhcb/old:1"))) << query;
  }
  EXPECT_THAT(find(Digest::of("deleted").to_string()), IsEmpty());

  EXPECT_EQ(server.send("POST", path + "2/yank", R"({"reason":"bad"})").status, 200);
  EXPECT_THAT(find("state:yanked"), ElementsAre("lhcb/old:2"));
}

TEST_F(SearchOfVersions, FindsThemByEvaluationsAndByTheirRuns) {
  execute(R"sql(
    insert into evaluation (uuid, version_id, request_digest, metrics, labels, measured_at,
                            recorded_at, recorded_by)
    select gen_random_uuid(), id, '', '{"chi2_ndf": 2.2, "x": "Infinity"}', '{}', now(), now(),
           'ci'
      from version where message = 'a GAN, "best" one';
    insert into run (uuid, namespace_id, name, request_digest, created_by, created_at,
                     started_at, labels, message, keep_rule)
    select '01900000-0000-7000-8000-000000000001', namespace_id, 'scan', '', 'ci', now(),
           now(), '{}', '', ''
      from version where message = 'a GAN, "best" one';
    insert into run_metric (run_id, name_id, namespace_id, name, point_count, last_step,
                            last_value, last_time, min_step, min_value, min_time, max_step,
                            max_value, max_time)
    select id, 0, namespace_id, 'loss', 3, 3, 0.5, now(), 2, 0.1, now(), 1, 9, now() from run;
    update version set run_id = '01900000-0000-7000-8000-000000000001'
     where message = 'a GAN, "best" one';
  )sql");
  EXPECT_THAT(find("evaluation.chi2_ndf < 2.5"), ElementsAre(kPid));
  EXPECT_THAT(find("evaluation.chi2_ndf > 2.5"), IsEmpty());
  EXPECT_THAT(find("evaluation.x > 1e300"), ElementsAre(kPid));
  EXPECT_THAT(find("metric.loss.min < 0.2"), ElementsAre(kPid));
  EXPECT_THAT(find("metric.loss.last=0.5 metric.loss.max>=9"), ElementsAre(kPid));
  EXPECT_THAT(find("kind:model NOT metric.loss.min < 0.2"), ElementsAre(kTrk2, kTrk1));
}

TEST_F(SearchOfVersions, ShowsWhatAListNeeds) {
  json item = page("alias:production")["items"][0];
  EXPECT_EQ(item["digest"].get<std::string>().size(), 71u);
  item.erase("digest");
  EXPECT_EQ(item["hyperparameters"]["digest"].get<std::string>().size(), 71u);
  item.erase("hyperparameters");
  EXPECT_EQ(item, (json{{"is", "version"},
                        {"ref", kTrk2},
                        {"artifact", "lhcb/Lamarr-trk"},
                        {"kind", "model"},
                        {"version", 2},
                        {"state", "active"},
                        {"created_at", "2024-02-13T00:00:00Z"},
                        {"created_by", "admin"},
                        {"message", "retrained on calib-2016:1"},
                        {"labels", {{"data-taking", "2016MU"}, {"note", "100%_a\\b"}}},
                        {"metrics", {{"chi2_ndf", 2.4}}},
                        {"aliases", {"production"}},
                        {"size_bytes", 11},
                        {"file_count", 2},
                        {"commit", std::string(10, '1') + std::string(30, '3')}}));
  EXPECT_EQ(page("best")["items"][0]["message"], "a GAN, \"best\" one");
}

TEST_F(SearchOfVersions, GivesPages) {
  const json first = page("kind:model", "&limit=2");
  EXPECT_EQ(first["items"][1]["ref"], kTrk2);
  const std::string next = first["next"];
  const json second = page("kind:model", "&limit=2&after=" + next);
  EXPECT_EQ(second["items"].size(), 1u);
  EXPECT_EQ(second["items"][0]["ref"], kTrk1);
  EXPECT_FALSE(second.contains("next"));
  EXPECT_EQ(page("metric.chi2_ndf<9", "&limit=1&after=" + next)["items"][0]["ref"], kTrk1);

  EXPECT_EQ(server.send("GET", search_path("a", "&after=x")).status, 400);
  const Answer refused = server.send("GET", search_path("kind:model AND OR"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.json()["detail"], HasSubstr("at character 16"));
  const Answer answer = server.send("GET", search_path(""));
  EXPECT_EQ(
      server.send("GET", search_path(""), "", {{"If-None-Match", answer.header("ETag")}})
          .status,
      304);
}

TEST_F(SearchOfVersions, AnswersTheSameOnceItIsPrepared) {
  for (int round = 0; round < 8; ++round) {
    EXPECT_THAT(find("metric.chi2_ndf < " + std::to_string(round)),
                ElementsAreArray(round < 3   ? Names{}
                                 : round < 4 ? Names{kTrk2}
                                             : Names{kTrk2, kTrk1}));
  }
}

TEST_F(Search, ShowsNobodyWhatTheyMayNotRead) {
  for (const char* const ns : {"private", "internal", "public"}) {
    if (std::string(ns) != "private") make_namespace(ns, ns);
  }
  publish("models", "lhcb/m", {{"f", "one file"}}, {{"message", "hello"}});
  publish("models", "internal/m", {{"f", "one file"}}, {{"message", "hello"}});
  publish("models", "public/m", {{"f", "one file"}}, {{"message", "hello"}});
  const std::string digest = Digest::of("one file").to_string();

  const auto token_of = [&](const std::string& principal, const json& more) {
    server.send("PUT", "/api/v1/principals/" + principal, R"({"kind":"service"})");
    json body = {{"principal", principal}, {"name", "t"}, {"scopes", {"read"}}};
    body.update(more);
    const Answer answer = server.send("POST", "/api/v1/tokens", body.dump());
    EXPECT_EQ(answer.status, 201) << answer.body;
    return "Bearer " + answer.json()["secret"].get<std::string>();
  };
  server.send("PUT", "/api/v1/principals/member", R"({"kind":"service"})");
  server.send("PUT", "/api/v1/namespaces/lhcb/members/member", R"({"role":"reader"})");

  const struct {
    std::string who;
    std::string authorization;
    Names found;
  } cases[] = {
      {"an administrator", "", {"public/m:1", "internal/m:1", "lhcb/m:1"}},
      {"nobody", "none", {"public/m:1"}},
      {"a stranger", token_of("stranger", json::object()), {"public/m:1", "internal/m:1"}},
      {"a member",
       token_of("member", json::object()),
       {"public/m:1", "internal/m:1", "lhcb/m:1"}},
      {"a token of one namespace",
       token_of("member", {{"namespace", "lhcb"}}),
       {"lhcb/m:1"}},
  };
  for (const auto& [who, authorization, found] : cases) {
    RegistryServer::HeaderList headers;
    if (!authorization.empty()) {
      headers = {{"Authorization", authorization == "none" ? "" : authorization}};
    }
    for (const std::string& query : {std::string("hello"), digest, std::string("name:m"),
                                     std::string("kind:model OR x")}) {
      EXPECT_THAT(find(query, headers), ElementsAreArray(found)) << who << ": " << query;
    }
  }
}

// --- runs
// -----------------------------------------------------------------------------------

class SearchOfRuns : public Search {
 protected:
  SearchOfRuns() {
    execute(R"sql(
      insert into hyperparameters (digest, canonical)
      select sha256(convert_to(i::text, 'utf8')),
             '{"lr":' || i / 1000.0 || ',"opt":{"name":"adam"}}'
        from generate_series(1, 3) i;
      insert into run (uuid, namespace_id, name, status, request_digest, created_by,
                       created_at, started_at, finished_at, hyperparameters, source, labels,
                       message, keep_rule)
      select ('01900000-0000-7000-8000-00000000000' || i)::uuid, n.id, 'scan-' || i,
             case i when 2 then 'failed' else 'running' end, '', 'lamarr-ci',
             timestamptz '2024-02-10T00:00:00Z' + i * interval '1 day',
             timestamptz '2024-02-10T00:00:00Z' + i * interval '1 day',
             case i when 2 then now() end, sha256(convert_to(i::text, 'utf8')),
             jsonb_build_object('commit', repeat(i::text, 40)),
             jsonb_build_object('campaign', 'c' || i % 2), 'a scan of lr', ''
        from generate_series(1, 3) i, namespace n where n.name = 'lhcb';
      insert into run_metric (run_id, name_id, namespace_id, name, point_count, last_step,
                              last_value, last_time, min_step, min_value, min_time, max_step,
                              max_value, max_time)
      select r.id, k, r.namespace_id, (array['loss', 'auc'])[k], 3, 3,
             case when r.name = 'scan-3' then 'NaN' else r.id::float8 end, now(), 2, 0.1 * r.id, now(),
             1, 9 + r.id, now()
        from run r, generate_series(1, 2) k;
    )sql");
  }
};

TEST_F(SearchOfRuns, FindsThem) {
  const struct {
    std::string query;
    Names found;
  } cases[] = {
      {"is:run", {"scan-3", "scan-2", "scan-1"}},
      {"is:run param.lr=0.002", {"scan-2"}},
      {"is:run param.lr>=0.002 metric.loss<=2", {"scan-2"}},
      {"is:run param.opt.name:adam status:running", {"scan-3", "scan-1"}},
      {"is:run metric.loss=NaN", {"scan-3"}},
      {"is:run metric.loss>0", {"scan-2", "scan-1"}},
      {"is:run metric.loss.last<2", {"scan-1"}},
      {"is:run metric.loss.min<0.15", {"scan-1"}},
      {"is:run metric.loss.max>10.5", {"scan-3", "scan-2"}},
      {"is:run NOT metric.loss>0", {"scan-3"}},
      {"is:run name:SCAN-*", {"scan-3", "scan-2", "scan-1"}},
      {"is:run name:scan-1", {"scan-1"}},
      {"is:run label.campaign:c1", {"scan-3", "scan-1"}},
      {"is:run status:failed", {"scan-2"}},
      {"is:run commit:3333333", {"scan-3"}},
      {"is:run creator:lamarr-ci created<=2024-02-12", {"scan-2", "scan-1"}},
      {"is:run created:2024-02-13", {"scan-3"}},
      {"is:run scan lr", {"scan-3", "scan-2", "scan-1"}},
      {"is:run \"scan 2\"", {"scan-2"}},
      {"is:run \"...\"", {}},
      {"is:run namespace:other", {}},
      {"is:run (status:failed OR metric.loss=NaN) param.lr>0", {"scan-3", "scan-2"}},
  };
  for (const auto& [query, found] : cases) {
    EXPECT_THAT(find(query), ElementsAreArray(found)) << query;
  }
  EXPECT_THAT(find(""), IsEmpty()) << "versions, unless it says is:run";
}

TEST_F(SearchOfRuns, FindsLabelsThatWereChanged) {
  execute(R"(update run set labels = '{"campaign": "moved"}' where name = 'scan-1')");
  EXPECT_THAT(find("is:run label.campaign:moved"), ElementsAre("scan-1"));
  EXPECT_THAT(find("is:run label.campaign:c1"), ElementsAre("scan-3"));
  EXPECT_THAT(find("is:run param.lr=0.001 scan"), ElementsAre("scan-1"));
}

TEST_F(SearchOfRuns, ShowsWhatAListNeeds) {
  json item = page("is:run status:failed metric.loss<9")["items"][0];
  EXPECT_TRUE(item.contains("finished_at"));
  EXPECT_EQ(item["hyperparameters"]["digest"].get<std::string>().size(), 71u);
  item.erase("finished_at");
  item.erase("hyperparameters");
  EXPECT_EQ(item, (json{{"is", "run"},
                        {"id", "01900000-0000-7000-8000-000000000002"},
                        {"namespace", "lhcb"},
                        {"name", "scan-2"},
                        {"status", "failed"},
                        {"started_at", "2024-02-12T00:00:00Z"},
                        {"created_by", "lamarr-ci"},
                        {"message", "a scan of lr"},
                        {"labels", {{"campaign", "c0"}}},
                        {"metrics", {{"loss", 2.0}}},
                        {"commit", std::string(40, '2')}}));
  EXPECT_EQ(page("is:run name:scan-3")["items"][0]["metrics"],
            (json{{"loss", "NaN"}, {"auc", "NaN"}}));
}

// --- plans
// ----------------------------------------------------------------------------------

// Goal: what a search reads does not grow with what others have.
// Method: 5 000 versions and runs of somebody else, each with what the search is for,
// beside 50 of the searcher's; then PostgreSQL says how many rows each part of the plan
// saw.
class SearchAmongOthers : public Search {
 protected:
  static constexpr int kOwn = 50;
  static constexpr int kForeign = 5'000;

  SearchAmongOthers() {
    make_namespace("other", "private");
    execute(fill("lhcb", kOwn));
    execute(fill("other", kForeign));
    execute("analyze");
  }

  static std::string fill(const std::string& ns, int count) {
    const std::string n = std::to_string(count);
    return R"sql(
      insert into hyperparameters (digest, canonical)
      select sha256(convert_to(i::text, 'utf8')), '{"lr":' || i % 10 / 1000.0 || '}'
        from generate_series(1, 10) i on conflict do nothing;
      insert into artifact (namespace_id, name, kind, created_at, changed_at)
      select id, 'm', 'model', now(), now() from namespace where name = ')sql" +
           ns + R"sql(';
      insert into version (artifact_id, number, digest, size_bytes, file_count, created_at,
                           created_by, message, labels, metrics, hyperparameters, source)
      select a.id, i, sha256(convert_to(i::text, 'utf8')), 1, 1, now(), 'ci', 'retrained',
             '{"k": "v"}', '{"chi2": 2}', sha256(convert_to((i % 10 + 1)::text, 'utf8')),
             '{"commit": "1111111111111111111111111111111111111111"}'
        from artifact a, namespace n, generate_series(1, )sql" +
           n + R"sql() i where n.id = a.namespace_id and n.name = ')sql" + ns + R"sql(';
      insert into version_file (artifact_id, file, first_number, last_number)
      select a.id, substring(sha256('file'), 1, 16), i, i
        from artifact a, namespace n, generate_series(1, )sql" +
           n + R"sql() i where n.id = a.namespace_id and n.name = ')sql" + ns + R"sql(';
      analyze;
      insert into alias (artifact_id, name, version_id, move)
      select v.artifact_id, 'a' || v.number, v.id, 1 from version v, namespace n
       where n.id = v.namespace_id and n.name = ')sql" +
           ns + R"sql(';
      insert into run (uuid, namespace_id, name, request_digest, created_by, created_at,
                       started_at, hyperparameters, labels, message, keep_rule)
      select gen_random_uuid(), n.id, 'scan', '', 'ci', now(), now(),
             sha256(convert_to((i % 10 + 1)::text, 'utf8')), '{"k": "v"}', 'retrained', ''
        from namespace n, generate_series(1, )sql" +
           n + R"sql() i where n.name = ')sql" + ns + R"sql(';
      insert into run_metric (run_id, name_id, namespace_id, name, point_count, last_step,
                              last_value, last_time, min_step, min_value, min_time, max_step,
                              max_value, max_time)
      select r.id, 0, n.id, 'chi2', 1, 1, 2, now(), 1, 2, now(), 1, 2, now()
        from run r join namespace n on n.id = r.namespace_id where n.name = ')sql" +
           ns + "'";
  }

  static std::string quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
    return quoted + "'";
  }

  // The plan that the server uses, for a member of lhcb.
  json plan_of(const std::string& text) {
    json plan;
    server.database().transact("explain", [&](schema::Transaction& tx) {
      tx.exec_script(
          "insert into principal (name, kind, display_name, is_admin)"
          " overriding system value values ('p', 'person', '', false)"
          " on conflict do nothing");
      tx.exec_script(
          "insert into membership (namespace_id, principal_id, role)"
          " select n.id, p.id, 'reader' from namespace n, principal p"
          " where n.name = 'lhcb' and p.name = 'p' on conflict do nothing");
      constexpr schema::Statement kPrincipal{"p",
                                             "select id from principal where name = 'p'"};
      schema::NamespaceViewer seen;
      seen.sees_internal = true;
      seen.member = tx.exec_one(kPrincipal)[0].as<std::int64_t>();
      const auto statement =
          schema::compose_search(seen, parse_search(text), {.before = {}, .limit = 101});
      std::string values;
      for (const auto& value : statement.parameters) {
        values += (values.empty() ? "" : ", ") + quoted(value);
      }
      tx.exec_script("set local plan_cache_mode = force_generic_plan");
      tx.exec_script("prepare explained as " + statement.sql);
      const auto rows = tx.exec(schema::ComposedStatement{
          "explain (analyze, format json) execute explained(" + values + ")", {}});
      plan = json::parse(rows[0][0].as<std::string>())[0]["Plan"];
      tx.exec_script("deallocate explained");
    });
    return plan;
  }

  static double rows_read(const json& plan) {
    double rows = 0;
    for (const char* const seen :
         {"Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"}) {
      rows += plan.value(seen, 0.0) * plan.value("Actual Loops", 1.0);
    }
    for (const json& part : plan.value("Plans", json::array())) rows += rows_read(part);
    return rows;
  }
};

TEST_F(SearchAmongOthers, ReadsNoRowsOfTheirs) {
  const std::string digest = Digest::of("file").to_string();
  const std::string version_digest = Digest::of("7").to_string();
  for (const std::string& query : {
           std::string(""),
           std::string("kind:model"),
           std::string("name:m*"),
           std::string("name:m"),
           std::string("label.k:v"),
           std::string("NOT label.k:v"),
           std::string("param.lr=0.005"),
           std::string("param.lr<0.005 metric.chi2<3"),
           std::string("metric.chi2=2"),
           std::string("retrained"),
           std::string("retr model"),
           std::string("commit:1111111"),
           std::string("alias:a7"),
           std::string("alias:a*"),
           digest,
           version_digest,
           "NOT " + digest,
           std::string("state:yanked"),
           std::string("creator:nobody"),
           std::string("created<2000-01-01"),
           std::string("metric.chi2.min<3"),
           std::string("evaluation.chi2<3"),
           std::string("label.k:v OR metric.chi2<3 OR alias:a7"),
           std::string("is:run"),
           std::string("is:run param.lr=0.005 metric.chi2<3"),
           std::string("is:run metric.chi2.min<3"),
           std::string("is:run status:failed"),
           std::string("is:run label.k:v retrained"),
           std::string("is:run NOT (metric.chi2<3 OR param.lr>0)"),
       }) {
    const json plan = plan_of(query);
    EXPECT_LT(rows_read(plan), 40 * kOwn) << query << "\n" << plan.dump(1);
  }
}

}  // namespace
}  // namespace mendel::registry::api
