#include "schema/content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/access.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"
#include "tests/testing/test_database.h"

namespace mendel::schema {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Content : ::testing::Test {
  std::int64_t make_namespace(std::string_view name) {
    return database.transact("make a namespace", [&](Transaction& tx) {
      return insert_namespace(tx, name, "", "private")->id;
    });
  }
  std::int64_t insert_pack(std::int64_t ns, const std::string& name,
                           std::vector<std::int64_t> hooks) {
    return database.transact("insert a pack", [&](Transaction& tx) {
      return insert_pack_if_absent(tx, ns, {Digest::of(name), 100, 1, hooks});
    });
  }
  std::vector<Digest> packs_with(std::int64_t ns, const std::vector<std::int64_t>& hooks,
                                 std::int32_t limit) {
    return database.read("find packs", [&](Transaction& tx) {
      return find_packs_by_hooks(tx, ns, hooks, limit);
    });
  }

  testing::TestDatabase test;
  Database& database = test.database();
  std::int64_t lhcb = make_namespace("lhcb");
  std::int64_t atlas = make_namespace("atlas");
};

TEST_F(Content, APackHasOneRowPerNamespace) {
  const auto first = insert_pack(lhcb, "p", {1});
  EXPECT_EQ(insert_pack(lhcb, "p", {1}), first);
  EXPECT_NE(insert_pack(atlas, "p", {1}), first);
}

TEST_F(Content, PacksAreFoundByTheHooksThatTheyShareTheMost) {
  insert_pack(lhcb, "one", {-5, 1, 9});
  insert_pack(lhcb, "two", {1, 2, 9});
  insert_pack(atlas, "other", {1, 2, 3, 4});
  EXPECT_THAT(packs_with(lhcb, {1, 2, 3}, 10),
              ElementsAre(Digest::of("two"), Digest::of("one")));
  EXPECT_THAT(packs_with(lhcb, {1, 2, 3}, 1), ElementsAre(Digest::of("two")));
  EXPECT_THAT(packs_with(lhcb, {-5}, 10), ElementsAre(Digest::of("one")));
  EXPECT_THAT(packs_with(lhcb, {3}, 10), IsEmpty());
  EXPECT_THAT(packs_with(lhcb, {}, 10), IsEmpty());
}

TEST_F(Content, BlobsStayWhereTheyWereFirst) {
  const auto first = insert_pack(lhcb, "first", {});
  const auto second = insert_pack(lhcb, "second", {});
  const std::vector<BlobRow> blobs{{Digest::of("a"), 1, std::nullopt},
                                   {Digest::of("b"), 2, Digest::of("recipe")}};
  database.transact("insert", [&](Transaction& tx) {
    insert_blobs(tx, lhcb, first, blobs);
    insert_blobs(tx, lhcb, second, blobs);
    insert_blobs(tx, lhcb, second, {});
  });
  database.read("look", [&](Transaction& tx) {
    const auto found = find_blob(tx, lhcb, Digest::of("b"));
    EXPECT_EQ(found->pack, Digest::of("first"));
    EXPECT_EQ(found->pack_namespace, lhcb);
    EXPECT_EQ(found->recipe, Digest::of("recipe"));
    EXPECT_FALSE(find_blob(tx, atlas, Digest::of("b")));
    const std::vector<Digest> asked{Digest::of("b"), Digest::of("x"), Digest::of("a"),
                                    Digest::of("b")};
    EXPECT_THAT(find_blob_sizes(tx, lhcb, asked), ElementsAre(2, std::nullopt, 1, 2));
    EXPECT_EQ(find_blobs(tx, lhcb, asked).size(), 2);
    EXPECT_THAT(find_blobs(tx, atlas, asked), IsEmpty());
  });
}

TEST_F(Content, ManyBlobsAreInsertedAtOnce) {
  const auto pack = insert_pack(lhcb, "p", {});
  std::vector<BlobRow> blobs;
  std::vector<Digest> digests;
  for (int i = 0; i < 100'000; ++i) {
    digests.push_back(Digest::of(std::to_string(i)));
    blobs.push_back({digests.back(), i, std::nullopt});
  }
  database.transact("insert",
                    [&](Transaction& tx) { insert_blobs(tx, lhcb, pack, blobs); });
  const auto sizes = database.read(
      "look", [&](Transaction& tx) { return find_blob_sizes(tx, lhcb, digests); });
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(sizes[i], i);
}

TEST_F(Content, ABlobIsAttachedFromANamespaceThatHasIt) {
  const auto pack = insert_pack(lhcb, "p", {});
  const std::vector<BlobRow> blobs{{Digest::of("a"), 1, std::nullopt}};
  database.transact("attach", [&](Transaction& tx) {
    insert_blobs(tx, lhcb, pack, blobs);
    const std::vector absent{Digest::of("a"), Digest::of("x")};
    EXPECT_EQ(attach_blobs(tx, atlas, lhcb, absent), Digest::of("x"));
    EXPECT_EQ(attach_blobs(tx, lhcb, atlas, absent), Digest::of("x"));
    const std::vector present{Digest::of("a")};
    EXPECT_EQ(attach_blobs(tx, atlas, lhcb, present), std::nullopt);
    EXPECT_EQ(attach_blobs(tx, atlas, lhcb, present), std::nullopt);
    EXPECT_EQ(find_blob(tx, atlas, Digest::of("a"))->pack_namespace, lhcb);
  });
}

TEST_F(Content, AnUploadKnowsItsPacksAndForgetsThemAtItsEnd) {
  const Timestamp now = parse_rfc3339("2024-02-13T00:00:00Z");
  const std::string id = make_uuid_v7(now);
  const auto first = insert_pack(lhcb, "first", {});
  const auto second = insert_pack(lhcb, "second", {});
  database.transact("upload", [&](Transaction& tx) {
    insert_upload(tx, {id, lhcb, std::nullopt, now, now + std::chrono::days(7)});
    insert_upload_pack(tx, id, first);
    insert_upload_pack(tx, id, second);
    insert_upload_pack(tx, id, second);
    EXPECT_EQ(list_upload_packs(tx, id, 10).size(), 2);
    EXPECT_EQ(list_upload_packs(tx, id, 1)[0].name, Digest::of("second"));
    EXPECT_FALSE(find_upload(tx, lhcb, id, now + std::chrono::days(7)));
    EXPECT_FALSE(find_upload(tx, atlas, id, now));
    EXPECT_FALSE(delete_upload(tx, atlas, id));
    EXPECT_TRUE(delete_upload(tx, lhcb, id));
    EXPECT_THAT(list_upload_packs(tx, id, 10), IsEmpty());
  });
  const auto after_the_end = [&] {
    database.transact("add", [&](Transaction& tx) { insert_upload_pack(tx, id, first); });
  };
  EXPECT_THROW(after_the_end(), Error);
}

}  // namespace
}  // namespace mendel::schema
