#include "cli/referenced_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/checksum.h"
#include "cli/local_file.h"
#include "storage/base/digest.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using State = ReferencedCheck::State;
using ::testing::HasSubstr;

class ReferencedFile : public ::testing::Test {
 protected:
  ReferencedFile() { write_file(directory_ / "a b", "Wikipedia"); }

  ReferencedCheck check(const std::string& checksum, std::uint64_t size_bytes,
                        std::vector<std::string> locations) {
    storage::ManifestFile file;
    file.path = "f";
    file.checksum = checksum;
    file.size_bytes = size_bytes;
    file.locations = std::move(locations);
    return check_referenced(file);
  }

  std::string here() const { return "file://" + directory_.path() + "/a%20b"; }

  testing::TemporaryDirectory directory_;
};

TEST_F(ReferencedFile, IsRightWithAnyKindOfChecksum) {
  for (const std::string& checksum :
       {std::string("adler32:11e60398"), std::string("crc32c:2d0e3663"),
        std::string("md5:9c677286866aad38f8e9b660f5411814"),
        Digest::of("Wikipedia").to_string()}) {
    const Fd file = open_for_reading(directory_ / "a b");
    EXPECT_EQ(checksum_like(checksum, file, "a b"), checksum);
    EXPECT_EQ(check(checksum, 9, {here()}).state, State::right);
  }
}

TEST_F(ReferencedFile, IsWrongWithAnotherSizeOrChecksum) {
  EXPECT_EQ(check("adler32:11e60398", 8, {here()}).state, State::wrong);
  EXPECT_THAT(check("adler32:11e60398", 8, {here()}).reason,
              HasSubstr("9 bytes and not 8"));
  EXPECT_EQ(check("adler32:11e60399", 9, {here()}).state, State::wrong);
  EXPECT_THAT(check("adler32:11e60399", 9, {here()}).reason, HasSubstr("adler32:11e60398"));
}

TEST_F(ReferencedFile, IsUncheckedWhereItCannotBeRead) {
  const auto remote = check("adler32:11e60398", 9, {"root://eos.example.org//f"});
  EXPECT_EQ(remote.state, State::unchecked);
  EXPECT_THAT(remote.reason, HasSubstr("root:"));
  const auto absent = check("adler32:11e60398", 9, {"file:///no/such/file"});
  EXPECT_EQ(absent.state, State::unchecked);
  EXPECT_THAT(absent.reason, HasSubstr("/no/such/file"));
}

TEST_F(ReferencedFile, IsReadAtTheFirstPlaceThatCanBe) {
  EXPECT_EQ(check("adler32:11e60398", 9,
                  {"root://eos.example.org//f", "file:///no/such/file", here()})
                .state,
            State::right);
}

TEST(LocalPath, IsThatOfAFileLocation) {
  EXPECT_EQ(local_path("file:///a%20b/c"), "/a b/c");
  EXPECT_EQ(local_path("file://localhost/a"), "/a");
  EXPECT_EQ(local_path("file:/a"), "/a");
  for (const char* other : {"file://host/a", "root://host//a", "/a", "file:a",
                            "file:///a%2", "file:///a%zz", "file:///a%00"}) {
    EXPECT_FALSE(local_path(other)) << other;
  }
}

}  // namespace
}  // namespace mendel::cli
