#include "registry/services/pedigree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/base/error.h"
#include "tests/testing/test_database.h"
#include "tests/testing/whole_registry.h"

namespace mendel::registry {
namespace {

using storage::ArtifactKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Direction = PedigreeService::Direction;

// Two namespaces, and a reader who sees only the first.
class Pedigree : public ::testing::Test {
 protected:
  Pedigree() {
    registry.tokens.establish_bootstrap_token(kSecret,
                                              TokenService::OtherBootstrapTokens::keep);
    admin = registry.access.authenticate(kSecret);
    registry.changes.start();
    lhcb = make_namespace("lhcb");
    hidden = make_namespace("hidden");
    reader = admin;
    reader.only_namespace = lhcb.id;
    upload(lhcb);
    upload(hidden);
  }
  ~Pedigree() override { registry.changes.stop(); }

  NamespaceInfo make_namespace(const std::string& name) {
    const Name parsed = Name::parse("a namespace", name);
    registry.namespaces.put(admin, parsed, {}, [](const auto*) {});
    return registry.access.require(admin, parsed, Role::owner).ns;
  }

  void upload(const NamespaceInfo& ns) {
    const auto upload = registry.blobs.begin_upload(ns.id, kWeights, kBytes.size());
    upload->append(as_bytes(kBytes));
    upload->finish();
  }

  static InputRequest input(EdgeRole role, const std::string& ref) {
    return {.role = role,
            .name = "",
            .ref = Reference::parse(ref),
            .uri = "",
            .digest = std::nullopt};
  }
  static InputRequest outside(EdgeRole role, const std::string& uri,
                              std::optional<Digest> digest) {
    return {.role = role, .name = "", .ref = std::nullopt, .uri = uri, .digest = digest};
  }

  static PublishingService::Request request(const std::string& name) {
    storage::Manifest manifest;
    manifest.files.emplace_back().path = "weights";
    manifest.files.back().digest = kWeights;
    return {.artifact = ArtifactName::parse(name),
            .kind = ArtifactKind::model,
            .manifest = manifest};
  }

  PublishingService::Outcome publish_as(const Caller& caller,
                                        const PublishingService::Request& request) {
    const auto ns = registry.access.standing(admin, request.artifact.ns()).ns;
    return registry.publishing.publish(caller, ns.id, request);
  }

  // Publishes one version, made from inputs.
  Version publish(const std::string& name, std::vector<InputRequest> inputs = {}) {
    auto wanted = request(name);
    wanted.inputs = std::move(inputs);
    return publish_as(admin, wanted).record->version;
  }

  Version publish_set(const std::string& name,
                      std::vector<PublishingService::Component> components) {
    auto wanted = request(name);
    wanted.manifest->files.clear();
    wanted.components = std::move(components);
    return publish_as(admin, wanted).record->version;
  }

  PedigreeService::Page walk(const Caller& caller, const Version& root, Direction direction,
                             std::optional<std::int32_t> depth = std::nullopt) {
    return registry.pedigree.walk(
        caller, root,
        {.direction = direction, .depth = depth, .limit = 1000, .after = std::nullopt});
  }

  static std::vector<std::string> nodes_of(const PedigreeService::Page& page) {
    std::vector<std::string> names;
    for (const auto& node : page.nodes) {
      names.push_back(node.version ? node.version->version.reference() : node.uri);
    }
    return names;
  }

  // "lhcb/trk:1 trained-on lhcb/calib:1"
  static std::vector<std::string> edges_of(const PedigreeService::Page& page) {
    std::vector<std::string> texts;
    for (const auto& edge : page.edges) {
      texts.push_back(edge.from + " " + edge.role + " " + edge.to);
    }
    return texts;
  }

  template <class Action>
  static Error failure_of(Action action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::internal, ""};
  }

  static inline const std::string kSecret = "mdl_" + std::string(43, 'A');
  static inline const std::string kBytes = "weights";
  static inline const Digest kWeights = Digest::of(kBytes);
  testing::TestDatabase test_database;
  testing::WholeRegistry registry{test_database.database()};
  Caller admin;
  Caller reader;
  NamespaceInfo lhcb;
  NamespaceInfo hidden;
};

TEST_F(Pedigree, GoesUpToAllThatMadeAVersion) {
  const Version calib = publish("lhcb/calib");
  publish("lhcb/base", {input(EdgeRole::trained_on, "lhcb/calib")});
  const Version tuned =
      publish("lhcb/tuned",
              {input(EdgeRole::parent, "lhcb/base:1"),
               input(EdgeRole::validated_on, "lhcb/calib@latest"),
               outside(EdgeRole::environment, "docker://image", Digest::of("image"))});

  const auto page = walk(admin, tuned, Direction::up);
  EXPECT_THAT(nodes_of(page),
              ElementsAre("lhcb/tuned:1", "docker://image", "lhcb/base:1", "lhcb/calib:1"));
  EXPECT_THAT(edges_of(page), ElementsAre("lhcb/tuned:1 parent lhcb/base:1",
                                          "lhcb/tuned:1 validated-on lhcb/calib:1",
                                          "lhcb/tuned:1 environment docker://image",
                                          "lhcb/base:1 trained-on lhcb/calib:1"));
  EXPECT_EQ(page.nodes[0].depth, 0);
  EXPECT_EQ(page.nodes[1].digest, Digest::of("image"));
  EXPECT_EQ(page.next, std::nullopt);
  EXPECT_THAT(nodes_of(walk(admin, tuned, Direction::up, 0)), ElementsAre("lhcb/tuned:1"));
  EXPECT_THAT(edges_of(walk(admin, calib, Direction::up)), IsEmpty());
}

TEST_F(Pedigree, GoesDownToAllThatAVersionReached) {
  const Version calib = publish("lhcb/calib");
  publish("lhcb/trk", {input(EdgeRole::trained_on, "lhcb/calib:1")});
  publish_set("lhcb/set", {{"tracking", Reference::parse("lhcb/trk:1")}});

  const auto page = walk(admin, calib, Direction::down);
  EXPECT_THAT(nodes_of(page), ElementsAre("lhcb/calib:1", "lhcb/trk:1", "lhcb/set:1"));
  EXPECT_THAT(edges_of(page), ElementsAre("lhcb/trk:1 trained-on lhcb/calib:1",
                                          "lhcb/set:1 component lhcb/trk:1"));
  EXPECT_THAT(nodes_of(walk(admin, calib, Direction::down, 1)),
              ElementsAre("lhcb/calib:1", "lhcb/trk:1"));
}

TEST_F(Pedigree, FreezesWhatAReferenceMeans) {
  publish("lhcb/calib");
  auto first = request("lhcb/calib");
  first.hyperparameters = "{}";
  first.aliases.push_back(AliasName::parse("good"));
  publish_as(admin, first);
  const Version trk = publish("lhcb/trk", {input(EdgeRole::trained_on, "lhcb/calib@good")});
  ASSERT_EQ(trk.inputs.size(), 1u);
  EXPECT_EQ(trk.inputs[0].ref, "lhcb/calib:2");
  const auto by_digest = publish(
      "lhcb/pid",
      {input(EdgeRole::trained_on, "lhcb/calib@" + trk.inputs[0].digest->to_string())});
  EXPECT_EQ(by_digest.inputs[0].ref, "lhcb/calib:2")
      << "the newest that has the digest, as everywhere";
}

TEST_F(Pedigree, NamesEveryInputThatIsNotThereOrNotToBeSeen) {
  publish("hidden/calib");
  publish("lhcb/calib");
  auto wanted = request("lhcb/trk");
  wanted.inputs = {input(EdgeRole::trained_on, "lhcb/calib:1"),
                   input(EdgeRole::trained_on, "hidden/calib:1"),
                   input(EdgeRole::parent, "lhcb/calib:9"),
                   input(EdgeRole::parent, "nowhere/at-all")};
  const Error error = failure_of([&] { publish_as(reader, wanted); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  std::vector<std::string> pointers;
  for (const auto& field : error.fields()) pointers.push_back(field.pointer);
  EXPECT_THAT(pointers, ElementsAre("/inputs/1/ref", "/inputs/2/ref", "/inputs/3/ref"));
  EXPECT_EQ(failure_of([&] {
              registry.versions.get(wanted.artifact, ArtifactKind::model, VersionRef(1));
            }).code(),
            ErrorCode::not_found)
      << "nothing was published";
}

TEST_F(Pedigree, CountsWhatTheCallerMayNotReadAndStopsThere) {
  publish("lhcb/behind");
  publish("hidden/calib", {input(EdgeRole::parent, "lhcb/behind")});
  const Version trk = publish("lhcb/trk", {input(EdgeRole::trained_on, "hidden/calib"),
                                           input(EdgeRole::validated_on, "hidden/calib")});
  const auto page = walk(reader, trk, Direction::up);
  EXPECT_THAT(nodes_of(page), ElementsAre("lhcb/trk:1"));
  EXPECT_THAT(edges_of(page), IsEmpty());
  EXPECT_EQ(page.hidden, 1u);
}

TEST_F(Pedigree, ComesInPagesThatMissNothingAndRepeatNothing) {
  publish("lhcb/calib");
  std::vector<InputRequest> inputs;
  for (int i = 0; i < 7; ++i) {
    const std::string name = "lhcb/step" + std::to_string(i);
    publish(name, {input(EdgeRole::trained_on, "lhcb/calib")});
    inputs.push_back(input(EdgeRole::parent, name));
  }
  const Version root = publish("lhcb/root", inputs);
  const auto whole = walk(admin, root, Direction::up);
  ASSERT_EQ(whole.edges.size(), 14u);

  // With the memory of where walks stand, and on replicas that know nothing of each other.
  for (std::size_t limit = 1; limit <= 30; ++limit) {
    SCOPED_TRACE(limit);
    const bool has_memory = limit <= 15;
    std::vector<std::string> nodes;
    std::vector<std::string> edges;
    std::optional<std::string> after;
    do {
      PedigreeService replica(test_database.database());
      const auto page = (has_memory ? registry.pedigree : replica)
                            .walk(admin, root,
                                  {.direction = Direction::up,
                                   .depth = std::nullopt,
                                   .limit = has_memory ? limit : limit - 15,
                                   .after = after ? std::optional<std::string_view>(*after)
                                                  : std::nullopt});
      for (auto& name : nodes_of(page)) nodes.push_back(name);
      for (auto& text : edges_of(page)) edges.push_back(text);
      EXPECT_LE(page.edges.size(), limit);
      EXPECT_TRUE(!page.edges.empty() || !page.next) << "an empty page in the middle";
      after = page.next;
    } while (after);
    EXPECT_EQ(nodes, nodes_of(whole));
    EXPECT_EQ(edges, edges_of(whole));
  }
}

TEST_F(Pedigree, APageLooksAtTheGraphOfTheFirstOne) {
  const Version calib = publish("lhcb/calib");
  publish("lhcb/a", {input(EdgeRole::trained_on, "lhcb/calib")});
  publish("lhcb/b", {input(EdgeRole::trained_on, "lhcb/calib")});
  const auto first = registry.pedigree.walk(
      admin, calib,
      {.direction = Direction::down, .depth = {}, .limit = 1, .after = std::nullopt});
  publish("lhcb/c", {input(EdgeRole::trained_on, "lhcb/calib")});
  const auto second = registry.pedigree.walk(
      admin, calib,
      {.direction = Direction::down, .depth = {}, .limit = 10, .after = *first.next});
  EXPECT_THAT(nodes_of(second), ElementsAre("lhcb/b:1"));
}

TEST_F(Pedigree, RefusesAPageThatNeverWas) {
  const Version calib = publish("lhcb/calib");
  for (const char* after : {"", "1", "1.", ".1", "0.1", "1.x", "x.1", "1.1.1", "-1.1"}) {
    SCOPED_TRACE(after);
    EXPECT_EQ(failure_of([&] {
                registry.pedigree.walk(
                    admin, calib,
                    {.direction = Direction::up, .depth = {}, .limit = 1, .after = after});
              }).code(),
              ErrorCode::invalid_argument);
  }
}

TEST_F(Pedigree, TheSameInputsInAnyOrderMakeNoNewVersion) {
  publish("lhcb/a");
  publish("lhcb/b");
  const auto a = input(EdgeRole::trained_on, "lhcb/a");
  const auto b = input(EdgeRole::trained_on, "lhcb/b");
  EXPECT_EQ(publish("lhcb/trk", {a, b}).number, 1);
  EXPECT_EQ(publish("lhcb/trk", {b, a}).number, 1);
  EXPECT_EQ(publish("lhcb/trk", {a}).number, 2);
  EXPECT_EQ(publish("lhcb/trk", {input(EdgeRole::parent, "lhcb/a")}).number, 3);
  EXPECT_EQ(publish("lhcb/trk").number, 4);
}

TEST_F(Pedigree, WhatALiveVersionNeedsIsNotDeleted) {
  const Version calib = publish("lhcb/calib");
  const Version trk = publish("lhcb/trk", {input(EdgeRole::trained_on, "lhcb/calib")});
  const Version set =
      publish_set("hidden/set", {{"tracking", Reference::parse("lhcb/trk")}});
  const auto remove = [&](const Caller& caller, const Version& version) {
    registry.versions.remove(caller, ArtifactName::parse(version.artifact), version.kind,
                             VersionRef(version.number), "made by mistake");
  };
  const Error needed = failure_of([&] { remove(admin, calib); });
  EXPECT_EQ(needed.code(), ErrorCode::already_exists);
  EXPECT_THAT(needed.what(), HasSubstr("lhcb/trk:1"));
  EXPECT_THAT(failure_of([&] { remove(reader, trk); }).what(),
              ::testing::Not(HasSubstr("hidden/set")))
      << "what may not be read is not named";

  remove(admin, set);
  remove(admin, trk);
  remove(admin, calib);
  EXPECT_EQ(failure_of([&] {
              publish("lhcb/trk", {input(EdgeRole::trained_on, "lhcb/calib:1")});
            }).code(),
            ErrorCode::not_found);
}

TEST_F(Pedigree, ASetIsOneTreeServedFromItsOwnNamespace) {
  publish("hidden/pid");
  publish_set("hidden/inner", {{"pid", Reference::parse("hidden/pid")}});
  auto wanted = request("lhcb/set");
  wanted.components = {{"own", Reference::parse("hidden/inner")},
                       {"again", Reference::parse("hidden/pid:1")}};
  const Version set = publish_as(admin, wanted).record->version;
  EXPECT_EQ(set.file_count, 3u);
  EXPECT_EQ(set.size_bytes, 3 * kBytes.size());

  std::vector<std::string> paths;
  for (const auto& file : registry.versions.contents(set)->manifest().files) {
    paths.push_back(file.path);
    EXPECT_TRUE(registry.blobs.find(lhcb.id, *file.digest)) << file.path;
  }
  EXPECT_THAT(paths, ElementsAre("again/weights", "own/pid/weights", "weights"));
  EXPECT_EQ(Digest::of(registry.versions.component_manifest(set, "own/pid")),
            set.components[0].digest);
  EXPECT_EQ(
      failure_of([&] { registry.versions.component_manifest(set, "own/trk"); }).code(),
      ErrorCode::not_found);
}

TEST_F(Pedigree, AnUploadedSetMustNameTheDigestsThatItsComponentsHave) {
  const Version trk = publish("lhcb/trk");
  const auto adopt = [&](const Digest& digest) {
    storage::Manifest manifest;
    manifest.components.push_back({"tracking", "lhcb/trk:1", digest});
    storage::normalise(manifest);
    const std::string bytes = storage::encode_manifest(manifest);
    registry.blobs.store_manifest(lhcb.id, Digest::of(bytes), bytes);
    auto wanted = request("lhcb/set");
    wanted.manifest.reset();
    wanted.manifest_digest = Digest::of(bytes);
    return publish_as(admin, wanted).record->version;
  };
  EXPECT_EQ(failure_of([&] { adopt(Digest::of("another")); }).code(),
            ErrorCode::unprocessable);
  EXPECT_EQ(adopt(trk.digest).components[0].ref, "lhcb/trk:1");
}

TEST_F(Pedigree, FindsWhatACommitMade) {
  const std::string sha = "0123456789abcdef0123456789abcdef01234567";
  auto wanted = request("lhcb/trk");
  wanted.source = R"({"commit":")" + sha + R"("})";
  publish_as(admin, wanted);
  wanted.artifact = ArtifactName::parse("hidden/trk");
  publish_as(admin, wanted);

  const auto refs = [&](const Caller& caller, const std::string& prefix) {
    std::vector<std::string> texts;
    for (const auto& node :
         registry.pedigree.find_commit(caller, prefix, 10, std::nullopt).versions) {
      texts.push_back(node.version.reference());
    }
    return texts;
  };
  EXPECT_THAT(refs(admin, "0123456"), ElementsAre("hidden/trk:1", "lhcb/trk:1"));
  EXPECT_THAT(refs(reader, sha), ElementsAre("lhcb/trk:1"));
  EXPECT_EQ(failure_of([&] { refs(admin, "0123457"); }).code(), ErrorCode::not_found);

  wanted.source = R"({"commit":"01234567ff)" + std::string(30, '0') + R"("})";
  publish_as(admin, wanted);
  EXPECT_EQ(failure_of([&] { refs(admin, "0123456"); }).code(), ErrorCode::already_exists);
  EXPECT_THAT(refs(reader, "0123456"), ElementsAre("lhcb/trk:1"))
      << "what may not be read makes nothing ambiguous";
}

TEST_F(Pedigree, APatchMustHaveBeenUploaded) {
  auto wanted = request("lhcb/trk");
  const std::string commit = R"("commit":"0123456789abcdef0123456789abcdef01234567")";
  wanted.source = "{" + commit + R"(,"patch":")" + Digest::of("diff").to_string() + "\"}";
  const Error error = failure_of([&] { publish_as(admin, wanted); });
  EXPECT_EQ(error.code(), ErrorCode::unprocessable);
  ASSERT_EQ(error.fields().size(), 1u);
  EXPECT_EQ(error.fields()[0].pointer, "/source/patch");
  wanted.source = "{" + commit + R"(,"patch":")" + kWeights.to_string() + "\"}";
  EXPECT_EQ(publish_as(admin, wanted).record->version.number, 1);
}

}  // namespace
}  // namespace mendel::registry
