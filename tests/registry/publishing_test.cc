#include "registry/services/publishing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "registry/services/access.h"
#include "registry/services/aliases.h"
#include "registry/services/artifacts.h"
#include "registry/services/blobs.h"
#include "registry/services/namespaces.h"
#include "registry/services/tokens.h"
#include "registry/services/versions.h"
#include "storage/base/error.h"
#include "storage/memory_object_store.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/test_database.h"

namespace mendel::registry {
namespace {

using storage::ArtifactKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

storage::ManifestFile stored_file(const std::string& path, const Digest& digest) {
  storage::ManifestFile file;
  file.path = path;
  file.digest = digest;
  return file;
}

RenderedVersion render_nothing(const Version&) { return {"{}", "\"tag\""}; }

// A registry with one namespace, lhcb, and its administrator.
class Publishing : public ::testing::Test {
 protected:
  Publishing() {
    tokens.establish_bootstrap_token(kSecret, TokenService::OtherBootstrapTokens::keep);
    admin = access.authenticate(kSecret);
    changes.start();
    namespaces.put(admin, Name::parse("a namespace", "lhcb"), {}, [](const auto*) {});
    ns = access.require(admin, Name::parse("a namespace", "lhcb"), Role::owner).ns.id;
  }
  ~Publishing() override { changes.stop(); }

  Digest upload(const std::string& bytes) {
    const Digest digest = Digest::of(bytes);
    const auto upload = blobs.begin_upload(ns, digest, bytes.size());
    upload->append(as_bytes(bytes));
    upload->finish();
    return digest;
  }

  PublishingService::Request request(const std::string& name, const std::string& content) {
    storage::Manifest manifest;
    manifest.files.push_back(stored_file("model.so", upload(content)));
    return {.artifact = ArtifactName::parse("lhcb", name),
            .kind = ArtifactKind::model,
            .manifest = manifest};
  }

  PublishingService::Outcome publish(const PublishingService::Request& request) {
    return publishing.publish(admin, ns, request);
  }

  VersionNumber number_at(const std::string& reference) {
    const Reference parsed = Reference::parse(reference);
    return versions.get(parsed.artifact, ArtifactKind::model, parsed.version)
        ->version.number;
  }

  const std::string kSecret = "mdl_" + std::string(43, 'A');
  testing::TestDatabase test_database;
  schema::Database& database = test_database.database();
  testing::ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
  storage::MemoryObjectStore objects;
  ChangeFeed changes{database};
  AccessService access{database, changes, clock};
  NamespacePacks packs{objects, 1 << 20};
  BlobService blobs{database, packs};
  VersionService versions{database, changes, blobs, render_nothing};
  InputService inputs{database, access};
  ManifestService manifests{blobs, inputs};
  PublishingService publishing{database,  changes,  blobs, inputs,
                               manifests, versions, clock};
  AliasService aliases{database, changes, clock};
  NamespaceService namespaces{database, changes, access};
  TokenService tokens{database, changes, access, clock};
  Caller admin;
  NamespaceId ns = 0;
};

TEST_F(Publishing, NumbersVersionsFromOne) {
  EXPECT_EQ(publish(request("trk", "a")).record->version.number, 1);
  EXPECT_EQ(publish(request("trk", "b")).record->version.number, 2);
  EXPECT_EQ(publish(request("pid", "a")).record->version.number, 1);
}

TEST_F(Publishing, MakesNoVersionOfWhatTheNewestIsAlready) {
  publish(request("trk", "a"));
  auto again = request("trk", "a");
  again.message = "another word for the same";
  again.aliases.push_back(AliasName::parse("staging"));
  const auto outcome = publish(again);
  EXPECT_FALSE(outcome.created);
  EXPECT_EQ(outcome.record->version.number, 1);
  EXPECT_EQ(number_at("lhcb/trk@staging"), 1) << "aliases are moved all the same";

  again.hyperparameters = R"({"lr":0.001})";
  EXPECT_TRUE(publish(again).created) << "other hyperparameters are another version";
}

TEST_F(Publishing, AnOlderVersionsContentIsANewVersion) {
  publish(request("trk", "a"));
  publish(request("trk", "b"));
  const auto outcome = publish(request("trk", "a"));
  EXPECT_TRUE(outcome.created);
  EXPECT_EQ(outcome.record->version.number, 3);
  EXPECT_EQ(number_at("lhcb/trk@" + outcome.record->version.digest.to_string()), 3)
      << "a digest means the newest version that has it";
}

TEST_F(Publishing, AKeyMakesARepetitionAnswerTheSame) {
  auto first = request("trk", "a");
  first.idempotency = {"key-1", Digest::of("body")};
  EXPECT_TRUE(publish(first).created);
  publish(request("trk", "b"));

  const auto repeated = publish(first);
  EXPECT_TRUE(repeated.created);
  EXPECT_EQ(repeated.record->version.number, 1);
  EXPECT_EQ(number_at("lhcb/trk"), 2);

  first.idempotency->request = Digest::of("another body");
  try {
    publish(first);
    FAIL() << "the key was taken for another request";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unprocessable);
  }
}

TEST_F(Publishing, AKeyWhoseVersionWasDeletedSaysSo) {
  auto first = request("trk", "a");
  first.idempotency = {"key-1", Digest::of("body")};
  publish(first);
  versions.remove(admin, first.artifact, ArtifactKind::model, VersionRef(1),
                  "pushed by mistake");
  EXPECT_THROW(publish(first), Error);
}

TEST_F(Publishing, NamesTheFilesWhoseBytesAreMissing) {
  auto incomplete = request("trk", "a");
  incomplete.manifest->files.push_back(stored_file("b", Digest::of("never uploaded")));
  try {
    publish(incomplete);
    FAIL() << "published a file without bytes";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unprocessable);
    ASSERT_EQ(error.fields().size(), 1u);
    EXPECT_EQ(error.fields()[0].pointer, "/files/1/digest");
  }
  EXPECT_THROW(number_at("lhcb/trk"), Error) << "nothing was made";
}

TEST_F(Publishing, TakesAManifestThatWasUploaded) {
  const auto described = publish(request("trk", "a"));
  auto by_digest = request("pid", "a");
  by_digest.manifest.reset();
  by_digest.manifest_digest = described.record->version.digest;
  EXPECT_EQ(publish(by_digest).record->version.digest, described.record->version.digest);

  by_digest.manifest_digest = upload("{\"not\":\"a manifest\"}");
  EXPECT_THROW(publish(by_digest), Error);
  by_digest.manifest_digest = Digest::of("unknown");
  EXPECT_THROW(publish(by_digest), Error);
}

TEST_F(Publishing, AManifestMustTellTheRightSizes) {
  upload("weights");
  auto lying = request("trk", "a");
  lying.manifest.reset();
  storage::Manifest manifest;
  manifest.files.push_back(stored_file("model.so", Digest::of("weights")));
  lying.manifest_digest = upload(storage::encode_manifest(manifest));
  EXPECT_THROW(publish(lying), Error);
}

TEST_F(Publishing, ANameIsOfOneKind) {
  publish(request("trk", "a"));
  auto dataset = request("TRK", "b");
  dataset.kind = ArtifactKind::dataset;
  dataset.manifest->kind = ArtifactKind::dataset;
  try {
    publish(dataset);
    FAIL() << "one name had two kinds";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), HasSubstr("lhcb/trk is of kind model"));
  }
}

// Goal: numbers have neither gaps nor races.
// Method: 200 publishers at once, each with a content of its own, to one artifact.
TEST_F(Publishing, ConcurrentPublishersGetConsecutiveNumbers) {
  constexpr int kPublishers = 200;
  std::vector<PublishingService::Request> requests;
  for (int i = 0; i < kPublishers; ++i)
    requests.push_back(request("trk", std::to_string(i)));
  std::vector<VersionNumber> numbers(kPublishers);
  {
    std::vector<std::jthread> publishers;
    for (int i = 0; i < kPublishers; ++i) {
      publishers.emplace_back([&, i] {
        // As many at once as the pool has connections for; the others wait for one.
        numbers[i] = publish(requests[i]).record->version.number;
      });
    }
  }
  std::ranges::sort(numbers);
  std::vector<VersionNumber> expected(kPublishers);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(numbers, expected);
}

// Goal: who cannot publish keeps nobody else from it, though they share a transaction.
// Method: 100 publishers at once, every fifth with a key that was used for another request.
TEST_F(Publishing, ARefusedPublisherLeavesTheOthersAlone) {
  auto earlier = request("trk", "earlier");
  earlier.idempotency = {"key-1", Digest::of("body")};
  publish(earlier);

  constexpr int kPublishers = 100;
  std::vector<PublishingService::Request> requests;
  for (int i = 0; i < kPublishers; ++i) {
    requests.push_back(request("trk", std::to_string(i)));
    if (i % 5 == 0) requests.back().idempotency = {"key-1", Digest::of("another body")};
  }
  std::vector<std::optional<VersionNumber>> numbers(kPublishers);
  std::vector<std::optional<ErrorCode>> refusals(kPublishers);
  {
    std::vector<std::jthread> publishers;
    for (int i = 0; i < kPublishers; ++i) {
      publishers.emplace_back([&, i] {
        try {
          numbers[i] = publish(requests[i]).record->version.number;
        } catch (const Error& error) {
          refusals[i] = error.code();
        }
      });
    }
  }
  for (int i = 0; i < kPublishers; ++i) {
    EXPECT_EQ(numbers[i].has_value(), i % 5 != 0);
    EXPECT_EQ(refusals[i] == ErrorCode::unprocessable, i % 5 == 0);
  }
  EXPECT_EQ(number_at("lhcb/trk"), 1 + kPublishers * 4 / 5);
}

TEST_F(Publishing, LatestPassesOverYankedVersions) {
  publish(request("trk", "a"));
  publish(request("trk", "b"));
  const auto trk = ArtifactName::parse("lhcb", "trk");
  versions.yank(admin, trk, ArtifactKind::model, VersionRef(2), "wrong calibration",
                VersionService::PointingAliases::forbid);
  EXPECT_EQ(number_at("lhcb/trk"), 1);
  EXPECT_EQ(number_at("lhcb/trk:2"), 2) << "a yanked version still resolves";
  versions.restore(admin, trk, ArtifactKind::model, VersionRef(2), "it was right");
  EXPECT_EQ(number_at("lhcb/trk"), 2);
}

TEST_F(Publishing, AVersionThatAnAliasPointsAtIsYankedByForceAlone) {
  auto first = request("trk", "a");
  first.aliases.push_back(AliasName::parse("production"));
  publish(first);
  const auto trk = ArtifactName::parse("lhcb", "trk");
  EXPECT_THROW(versions.yank(admin, trk, ArtifactKind::model, VersionRef(1), "wrong",
                             VersionService::PointingAliases::forbid),
               Error);
  EXPECT_EQ(versions
                .yank(admin, trk, ArtifactKind::model, VersionRef(1), "wrong",
                      VersionService::PointingAliases::allow)
                ->version.state,
            VersionState::yanked);
}

TEST_F(Publishing, ADeletedVersionIsGoneAndItsNumberNeverComesBack) {
  publish(request("trk", "a"));
  publish(request("trk", "b"));
  const auto trk = ArtifactName::parse("lhcb", "trk");
  versions.remove(admin, trk, ArtifactKind::model, VersionRef(2), "pushed by mistake");
  EXPECT_THROW(number_at("lhcb/trk:2"), Error);
  EXPECT_EQ(number_at("lhcb/trk"), 1);
  const auto again = publish(request("trk", "b"));
  EXPECT_TRUE(again.created);
  EXPECT_EQ(again.record->version.number, 3);
}

TEST_F(Publishing, AliasesKeepEveryMove) {
  const auto trk = ArtifactName::parse("lhcb", "trk");
  const auto production = AliasName::parse("production");
  const auto anything = [](const std::optional<AliasService::Move>&) {};
  publish(request("trk", "a"));
  publish(request("trk", "b"));

  aliases.set(admin, ns, trk, ArtifactKind::model, production, 1, "first", anything);
  clock.advance(std::chrono::hours(1));
  const auto move =
      aliases.set(admin, ns, trk, ArtifactKind::model, production, 2, "better", anything);
  EXPECT_EQ(move.previous, 1);
  EXPECT_EQ(move.move, 2);
  EXPECT_EQ(number_at("lhcb/trk@Production"), 2) << "aliases ignore case";

  const auto then = parse_rfc3339("2024-02-13T00:30:00Z");
  EXPECT_EQ(aliases.get_at(trk, ArtifactKind::model, production, then).version, 1);
  EXPECT_THROW(aliases.get_at(trk, ArtifactKind::model, production,
                              parse_rfc3339("2024-02-12T00:00:00Z")),
               Error);
  EXPECT_THROW(aliases.get_at(trk, ArtifactKind::model, production,
                              parse_rfc3339("2030-01-01T00:00:00Z")),
               Error);

  aliases.remove(admin, ns, trk, ArtifactKind::model, production, "withdrawn", anything);
  EXPECT_THROW(aliases.get(trk, ArtifactKind::model, production), Error);
  EXPECT_THROW(number_at("lhcb/trk@production"), Error);
  std::vector<std::string> reasons;
  for (const auto& kept :
       aliases.history(trk, ArtifactKind::model, production, std::nullopt, 100)) {
    reasons.push_back(kept.reason);
  }
  EXPECT_THAT(reasons, ElementsAre("withdrawn", "better", "first"));
}

TEST_F(Publishing, AMoveThatChangesNothingIsNoMove) {
  const auto trk = ArtifactName::parse("lhcb", "trk");
  const auto production = AliasName::parse("production");
  const auto anything = [](const std::optional<AliasService::Move>&) {};
  publish(request("trk", "a"));
  aliases.set(admin, ns, trk, ArtifactKind::model, production, 1, "first", anything);
  const auto again =
      aliases.set(admin, ns, trk, ArtifactKind::model, production, 1, "again", anything);
  EXPECT_EQ(again.move, 1);
  EXPECT_EQ(again.reason, "first");
}

TEST_F(Publishing, WhatIsRememberedFollowsEveryChange) {
  const auto trk = ArtifactName::parse("lhcb", "trk");
  const auto production = AliasName::parse("production");
  const auto anything = [](const std::optional<AliasService::Move>&) {};
  publish(request("trk", "a"));
  publish(request("trk", "b"));
  for (int move = 0; move < 20; ++move) {
    const VersionNumber wanted = move % 2 + 1;
    aliases.set(admin, ns, trk, ArtifactKind::model, production, wanted, "", anything);
    ASSERT_EQ(number_at("lhcb/trk@production"), wanted);
    const auto remembered =
        versions.remembered(trk, ArtifactKind::model, VersionRef(production));
    if (remembered) {
      ASSERT_EQ(remembered->version.number, wanted);
    }
  }
}

}  // namespace
}  // namespace mendel::registry
