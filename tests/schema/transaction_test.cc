#include "schema/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "storage/base/error.h"
#include "tests/testing/test_database.h"

namespace mendel::schema {
namespace {

using ::testing::ElementsAre;

constexpr Statement kText{"echo_text", "select $1::text as value"};
constexpr Statement kBytea{"echo_bytea", "select $1::bytea as value"};
constexpr Statement kTime{"echo_time", "select $1::timestamptz as value"};
constexpr Statement kBigint{"echo_bigint", "select $1::bigint as value"};
constexpr Statement kDouble{"echo_double", "select $1::float8 as value"};
constexpr Statement kBool{"echo_bool", "select $1::boolean as value"};
constexpr Statement kDigests{"echo_digests", "select unnest($1::bytea[]) as value"};
constexpr Statement kTexts{"echo_texts", "select unnest($1::text[]) as value"};
constexpr Statement kBigints{"echo_bigints", "select unnest($1::bigint[]) as value"};
constexpr Statement kTimes{"echo_times", "select unnest($1::timestamptz[]) as value"};
constexpr Statement kCountDistinct{
    "count_distinct", "select count(distinct d) as value from unnest($1::bytea[]) as d"};
constexpr Statement kNone{"no_row", "select 1 as value where false"};
constexpr Statement kTwo{"two_rows", "select generate_series(1, 2) as value"};

class TransactionTest : public ::testing::Test {
 protected:
  template <class T, class Value>
  T echo(const Statement& statement, const Value& value) {
    return test_database.database().read("echo", [&](Transaction& tx) {
      return at<T>(tx.exec_one(statement, value), "value");
    });
  }
  template <class T>
  T echo(const Statement& statement,
         const T& value) requires(!std::is_same_v<T, ArrayParameter>) {
    return echo<T, T>(statement, value);
  }
  template <class T>
  std::vector<T> echo_array(const Statement& statement, const ArrayParameter& array) {
    return test_database.database().read("echo", [&](Transaction& tx) {
      std::vector<T> values;
      for (const Row& row : tx.exec(statement, array))
        values.push_back(at<T>(row, "value"));
      return values;
    });
  }

  testing::TestDatabase test_database = testing::TestDatabase::without_tables();
};

TEST_F(TransactionTest, ValuesComeBackAsTheyWent) {
  const std::string text = "it's \"quoted\" \\ {a,b} λ\n";
  EXPECT_EQ(echo(kText, text), text);
  EXPECT_EQ(echo(kBytea, Digest::of("x")), Digest::of("x"));
  const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}, std::byte{'\\'}};
  EXPECT_EQ(echo(kBytea, bytes), bytes);
  const auto lowest = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(echo(kBigint, lowest), lowest);
  EXPECT_EQ(echo(kDouble, 0.1), 0.1);
  EXPECT_EQ(echo(kBool, true), true);
}

TEST_F(TransactionTest, TimesKeepTheirMicroseconds) {
  for (const char* text : {"2024-02-29T23:59:59.000001Z", "2024-02-13T00:00:00.5Z",
                           "1999-12-31T23:59:59Z", "1969-07-20T20:17:40.1Z"}) {
    EXPECT_EQ(echo(kTime, parse_rfc3339(text)), parse_rfc3339(text)) << text;
  }
}

TEST_F(TransactionTest, AnEmptyOptionalIsNull) {
  EXPECT_EQ(echo(kText, std::optional<std::string>()), std::nullopt);
  EXPECT_EQ(echo(kBytea, std::optional<Digest>()), std::nullopt);
  EXPECT_EQ(echo(kBigint, std::optional<std::int64_t>(7)), 7);
  EXPECT_ANY_THROW(echo<std::string>(kText, std::optional<std::string>()));
}

TEST_F(TransactionTest, TextWithNulIsRefused) {
  try {
    echo(kText, std::string("a\0b", 3));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

TEST_F(TransactionTest, ArraysComeBackAsTheyWent) {
  const std::vector<Digest> digests{Digest::of("a"), Digest::of("b")};
  EXPECT_EQ(echo_array<Digest>(kDigests, array_of(digests)), digests);

  const std::vector<std::optional<std::string>> texts{"a,\"b\" {}", std::nullopt, "",
                                                      "NULL"};
  EXPECT_EQ(echo_array<std::optional<std::string>>(kTexts, array_of(texts)), texts);

  const std::vector<std::int64_t> numbers{-1, 0, std::int64_t{1} << 40};
  EXPECT_EQ(echo_array<std::int64_t>(kBigints, array_of(numbers)), numbers);

  const std::vector<Timestamp> times{parse_rfc3339("1999-12-31T23:59:59.999999Z")};
  EXPECT_EQ(echo_array<Timestamp>(kTimes, array_of(times)), times);

  EXPECT_TRUE(echo_array<Digest>(kDigests, array_of(std::vector<Digest>())).empty());
}

TEST_F(TransactionTest, AnArrayCanBeOneColumnOfManyStructs) {
  struct File {
    std::string path;
    std::uint64_t size_bytes;
  };
  const std::vector<File> files{{"a", 1}, {"b", 2}};
  EXPECT_THAT(echo_array<std::string>(kTexts, array_of(files, &File::path)),
              ElementsAre("a", "b"));
  EXPECT_THAT(echo_array<std::int64_t>(kBigints, array_of(files, &File::size_bytes)),
              ElementsAre(1, 2));
}

TEST_F(TransactionTest, TakesAHundredThousandDigestsAtOnce) {
  std::vector<Digest> digests;
  for (int i = 0; i < 100'000; ++i) digests.push_back(Digest::of(std::to_string(i)));
  EXPECT_EQ((echo<std::int64_t, ArrayParameter>(kCountDistinct, array_of(digests))),
            100'000);
}

TEST_F(TransactionTest, CountsTheRowsItWasPromised) {
  test_database.database().read("count rows", [](Transaction& tx) {
    EXPECT_FALSE(tx.exec_optional(kNone));
    EXPECT_THROW(tx.exec_one(kNone), Error);
    EXPECT_THROW(tx.exec_optional(kTwo), Error);
  });
}

}  // namespace
}  // namespace mendel::schema
