#include "registry/services/tar_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>

#include "registry/services/archive.h"
#include "storage/base/error.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::registry {
namespace {

using ::testing::HasSubstr;

struct TextSource : Source {
  explicit TextSource(std::string the_text) : text(std::move(the_text)) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t size = std::min(buffer.size(), text.size() - offset);
    std::memcpy(buffer.data(), text.data() + offset, size);
    offset += size;
    return size;
  }
  std::string text;
  std::size_t offset = 0;
};

std::string tar_of(std::vector<TarEntry> entries, std::string contents,
                   std::size_t piece_size) {
  TarSource tar(std::move(entries), std::make_unique<TextSource>(std::move(contents)));
  std::string all;
  std::string piece(piece_size, '\0');
  for (;;) {
    const std::size_t size = tar.read(std::as_writable_bytes(std::span(piece)));
    all.append(piece, 0, size);
    if (size < piece_size) return all;
  }
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string output;
  char buffer[4096];
  for (std::size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.append(buffer, size);
  }
  EXPECT_EQ(pclose(pipe), 0) << output;
  return output;
}

const std::string kLong = std::string(90, 'd') + "/" + std::string(98, 'f');
const std::string kLonger = std::string(200, 'd') + "/" + std::string(200, 'f');

std::vector<TarEntry> all_kinds() {
  using Kind = TarEntry::Kind;
  return {{Kind::file, "", "a.txt", 5, ""},
          {Kind::executable, "", "bin/run", 513, ""},
          {Kind::file, "x86_64", kLong, 1, ""},
          {Kind::file, "", kLonger, 2, ""},
          {Kind::file, "", "données/größe.so", 0, ""},
          {Kind::link, "", "latest", 0, "a.txt"},
          {Kind::link, "", "far", 0, kLonger},
          {Kind::directory, "", "empty", 0, ""}};
}
const std::string kContents = "hello" + std::string(513, 'r') + "1" + "22";

TEST(Tar, IsReadByOtherPrograms) {
  const testing::TemporaryDirectory directory;
  const std::string tar = tar_of(all_kinds(), kContents, 100);
  std::ofstream(directory / "t.tar") << tar;

  const std::string listed = output_of("LC_ALL=C.UTF-8 tar -tvf " + (directory / "t.tar"));
  for (const std::string& name : {"x86_64/" + kLong, kLonger, std::string("empty/"),
                                  std::string("données/größe.so")}) {
    EXPECT_THAT(listed, HasSubstr(name));
  }
  EXPECT_THAT(listed, HasSubstr("-rwxr-xr-x 0/0"));
  output_of("tar -C " + directory.path() + " -xf " + (directory / "t.tar"));
  EXPECT_EQ(output_of("cat " + (directory / "latest")), "hello");
  EXPECT_EQ(output_of("readlink " + (directory / "far")), kLonger + "\n");

  const std::string python = output_of(
      "python3 -c \"import tarfile; t = tarfile.open('" + (directory / "t.tar") +
      "'); print([(m.name, m.size, m.mode, m.linkname) for m in t.getmembers()])\"");
  EXPECT_THAT(python, HasSubstr("('données/größe.so', 0, 420, '')"));
  EXPECT_THAT(python, HasSubstr("('latest', 0, 511, 'a.txt')"));
  EXPECT_THAT(python, HasSubstr("('" + kLonger + "', 2, 420, '')"));
}

TEST(Tar, HasTheSizeAndBytesThatFollowFromItsEntries) {
  const std::string tar = tar_of(all_kinds(), kContents, 1 << 20);
  EXPECT_EQ(tar.size(), tar_size(all_kinds()));
  for (const std::size_t piece : {1, 7, 512, 1000}) {
    EXPECT_EQ(tar_of(all_kinds(), kContents, piece), tar);
  }
  EXPECT_EQ(tar_of({}, "", 100), std::string(1024, '\0'));
}

TEST(Tar, SaysSizesThatAHeaderHasNoRoomFor) {
  const std::uint64_t size = 9ull << 30;
  const std::vector<TarEntry> entries{{TarEntry::Kind::file, "", "large", size, ""}};
  EXPECT_EQ(tar_size(entries), 3 * 512 + size + 1024);
}

TEST(Tar, RefusesContentsThatEndEarly) {
  EXPECT_THROW(tar_of({{TarEntry::Kind::file, "", "a", 5, ""}}, "hell", 1000), Error);
}

storage::ManifestFile stored(std::string path, std::string platform) {
  storage::ManifestFile file;
  file.path = std::move(path);
  file.platform = std::move(platform);
  file.digest = Digest::of(file.path + file.platform);
  file.size_bytes = 10;
  return file;
}

std::vector<std::string> names(const ArchivePlan& plan) {
  std::vector<std::string> names;
  for (const TarEntry& entry : plan.entries) names.push_back(entry.name());
  return names;
}

storage::Manifest manifest_of(std::vector<storage::ManifestFile> files) {
  storage::Manifest manifest;
  manifest.files = std::move(files);
  normalise(manifest);
  return manifest;
}

using ::testing::ElementsAre;

TEST(Archive, HasTheFilesOfTheFirstPlatformThatIsThere) {
  const auto manifest =
      manifest_of({stored("a", ""), stored("l.so", "p1"), stored("l.so", "p2"),
                   stored("m.so", "p2"), stored("m.so", "")});
  EXPECT_THAT(names(plan_archive(manifest, {"p3", "p2"})),
              ElementsAre("a", "l.so", "m.so"));
  const auto plan = plan_archive(manifest, {"p1"});
  EXPECT_EQ(plan.contents[1].digest, Digest::of("l.sop1"));
  EXPECT_EQ(plan.contents[2].digest, Digest::of("m.so"));
  EXPECT_THROW(plan_archive(manifest, {"p3"}), Error);
}

TEST(Archive, OfSeveralPlatformsHasADirectoryForEach) {
  const auto manifest =
      manifest_of({stored("a", ""), stored("l.so", "p1"), stored("l.so", "p2")});
  EXPECT_THAT(names(plan_archive(manifest, {})), ElementsAre("a", "p1/l.so", "p2/l.so"));
  EXPECT_THAT(names(plan_archive(manifest_of({stored("a", ""), stored("l.so", "p1")}), {})),
              ElementsAre("a", "l.so"));
  EXPECT_THAT(names(plan_archive(manifest_of({stored("a", ""), stored("a", "p1")}), {})),
              ElementsAre("a", "p1/a"));
  EXPECT_THROW(
      plan_archive(manifest_of({stored("p1/x", ""), stored("l", "p1"), stored("l", "p2")}),
                   {}),
      Error);
}

}  // namespace
}  // namespace mendel::registry
