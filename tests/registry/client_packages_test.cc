#include "registry/services/client_packages.h"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/base/error.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::registry {
namespace {

namespace fs = std::filesystem;

class Packages : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) {
    std::ofstream(directory / name, std::ios::binary) << content;
  }

  std::string read(const std::string& name) {
    const auto opened = packages.open(Name::parse("client", name));
    std::string content(opened.package.size_bytes + 1, '\0');
    content.resize(opened.bytes->read(std::as_writable_bytes(std::span(content))));
    EXPECT_EQ(Digest::of(content), opened.package.digest);
    return content;
  }

  testing::TemporaryDirectory directory;
  ClientPackages packages{directory.path()};
};

TEST_F(Packages, AreTheFilesOfTheDirectory) {
  write("mendel-linux-x86_64.tar.gz", "content");
  write("mendel-linux-aarch64.tar.gz", "other");
  const auto list = packages.list();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name, "mendel-linux-aarch64.tar.gz");
  EXPECT_EQ(list[1].size_bytes, 7u);
  EXPECT_EQ(list[1].digest, Digest::of("content"));
  EXPECT_EQ(read("mendel-linux-x86_64.tar.gz"), "content");
}

TEST_F(Packages, AreNoneOfAnythingElse) {
  write(".mendel.tar.gz.new", "half");
  fs::create_directory(directory / "folder");
  fs::create_symlink("nowhere", directory / "dangling");
  EXPECT_TRUE(packages.list().empty());
  EXPECT_THROW(read("folder"), Error);
  EXPECT_THROW(read("dangling"), Error);
  EXPECT_THROW(read("absent"), Error);
}

TEST_F(Packages, AreNoneWithoutTheDirectory) {
  ClientPackages none(directory / "absent");
  EXPECT_TRUE(none.list().empty());
}

TEST_F(Packages, MayBeReplacedWhileTheServerRuns) {
  write("mendel.tar.gz", "older");
  EXPECT_EQ(read("mendel.tar.gz"), "older");
  write("new", "newer");
  fs::rename(directory / "new", directory / "mendel.tar.gz");
  EXPECT_EQ(read("mendel.tar.gz"), "newer");
}

}  // namespace
}  // namespace mendel::registry
