#include "storage/manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::storage {
namespace {

using nlohmann::json;

ManifestFile stored(const std::string& path, const std::string& platform = "") {
  ManifestFile file;
  file.path = path;
  file.platform = platform;
  file.digest = Digest::of(path + platform);
  file.size_bytes = path.size();
  return file;
}

ManifestFile link(const std::string& path, const std::string& target) {
  ManifestFile file;
  file.path = path;
  file.link = target;
  return file;
}

ManifestFile directory(const std::string& path) {
  ManifestFile file;
  file.path = path;
  file.directory = true;
  return file;
}

ManifestFile referenced(const std::string& path) {
  ManifestFile file;
  file.path = path;
  file.checksum = "adler32:1a2b3c4d";
  file.locations = {"root://eos.example.org//f.root"};
  file.size_bytes = 9;
  return file;
}

Manifest of(std::vector<ManifestFile> files) {
  Manifest manifest;
  manifest.files = std::move(files);
  return manifest;
}

ManifestComponent component(const std::string& name) {
  return {name, "lhcb/lamarr-trk:17", Digest::of(name)};
}

// Where and what the first error is: "/files/1/path is empty".
template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unprocessable);
    if (error.fields().empty()) return error.what();
    return error.fields()[0].pointer + " " + error.fields()[0].detail;
  }
  return "accepted";
}

std::string refusal_of(Manifest manifest) {
  return refusal([&] { normalise(manifest); });
}

std::string refusal_of_json(const std::string& text) {
  return refusal([&] { decode_manifest(text); });
}

Manifest one_of_each() {
  Manifest manifest =
      of({referenced("f.root"), directory("empty"), link("latest.so", "libtrk.so"),
          stored("libtrk.so", "x86_64_v2-el9-gcc13-opt"), stored("bin/run")});
  manifest.files.back().executable = true;
  manifest.components = {component("tracking"), component("PID")};
  return manifest;
}

TEST(Manifest, HasTheShapeThatTheInterfaceSays) {
  Manifest manifest = one_of_each();
  normalise(manifest);
  const std::string a(64, 'a');
  for (auto& file : manifest.files) {
    if (file.digest) file.digest = Digest::parse("sha256:" + a);
  }
  for (auto& each : manifest.components) each.digest = Digest::parse("sha256:" + a);
  EXPECT_EQ(
      encode_manifest(manifest),
      "{\"components\":[{\"digest\":\"sha256:" + a +
          "\",\"name\":\"PID\",\"ref\":\"lhcb/lamarr-trk:17\"},{\"digest\":\"sha256:" + a +
          "\",\"name\":\"tracking\",\"ref\":\"lhcb/lamarr-trk:17\"}],"
          "\"files\":[{\"digest\":\"sha256:" +
          a +
          "\",\"executable\":true,\"path\":\"bin/run\",\"size\":7},"
          "{\"directory\":true,\"path\":\"empty\"},"
          "{\"checksum\":\"adler32:1a2b3c4d\",\"locations\":[\"root://eos.example.org//"
          "f.root\"],"
          "\"path\":\"f.root\",\"size\":9},"
          "{\"link\":\"libtrk.so\",\"path\":\"latest.so\"},"
          "{\"digest\":\"sha256:" +
          a +
          "\",\"path\":\"libtrk.so\",\"platform\":\"x86_64_v2-el9-gcc13-opt\",\"size\":9}],"
          "\"format\":1,\"kind\":\"model\"}");
}

TEST(Manifest, IsCanonicalJson) {
  Manifest manifest = one_of_each();
  manifest.files.push_back(stored("na\"me\\ \xc3\xa9 \xf0\x9f\x98\x80"));
  normalise(manifest);
  const std::string bytes = encode_manifest(manifest);
  EXPECT_EQ(canonical_json(json::parse(bytes)), bytes);
}

TEST(Manifest, ComesBackFromItsBytes) {
  Manifest manifest = one_of_each();
  manifest.kind = ArtifactKind::environment;
  normalise(manifest);
  EXPECT_EQ(decode_manifest(encode_manifest(manifest)), manifest);
}

TEST(Manifest, AddsUpItsFiles) { EXPECT_EQ(one_of_each().size_bytes(), 9u + 9 + 7); }

TEST(Manifest, DoesNotDependOnTheOrderInWhichItIsHandedIn) {
  std::vector<ManifestFile> files;
  for (int i = 0; i < 200; ++i)
    files.push_back(
        stored("d" + std::to_string(i % 7) + "/" + std::to_string(i), i % 3 ? "" : "x"));
  Manifest expected = of(files);
  normalise(expected);
  std::mt19937 random(42);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(files.begin(), files.end(), random);
    Manifest manifest = of(files);
    normalise(manifest);
    ASSERT_EQ(manifest, expected);
  }
}

TEST(Manifest, MayHaveOnePathOncePerPlatformAndOnceForAll) {
  Manifest manifest = of({stored("a", "y"), stored("a"), stored("a", "x")});
  normalise(manifest);
  EXPECT_EQ(manifest.files[0].platform, "");
  EXPECT_EQ(manifest.files[1].platform, "x");
  EXPECT_EQ(manifest.files[2].platform, "y");
  EXPECT_EQ(refusal_of(of({stored("a", "x"), stored("b"), stored("a", "x")})),
            "/files/2/path is there twice for platform x");
  EXPECT_EQ(refusal_of(of({stored("a"), stored("a")})),
            "/files/1/path is there twice for all platforms");
}

TEST(Manifest, RefusesPathsThatAFileSystemCouldNotTellApart) {
  EXPECT_EQ(refusal_of(of({stored("dir/Name"), stored("b"), stored("Dir/name", "x")})),
            "/files/2/path differs from dir/Name only by case");
  EXPECT_EQ(refusal_of(of({stored("\xc3\x84rger"), stored("\xc3\xa4rger")})),
            "/files/1/path differs from \xc3\x84rger only by case");
  EXPECT_EQ(refusal_of(of({stored("a"), stored("a.b"), stored("a/b/c")})),
            "/files/2/path lies below a, which is a path itself");
  EXPECT_EQ(refusal_of(of({stored("A/b"), directory("a")})),
            "/files/0/path lies below a, which is a path itself");
  EXPECT_EQ(
      refusal_of(of({stored("Dir/a"), stored("dir/b"), stored("a-b"), stored("a b")})),
      "accepted");
}

TEST(Manifest, RefusesComponentsThatCollide) {
  Manifest manifest = of({stored("b"), stored("Tracking/x")});
  manifest.components = {component("tracking")};
  EXPECT_EQ(refusal_of(manifest),
            "/files/1/path lies below tracking, which is a component itself");
  manifest.files = {stored("tracking")};
  EXPECT_EQ(refusal_of(manifest),
            "/files/0/path is the name of a component and a path at once");
  manifest.files.clear();
  EXPECT_EQ(refusal_of(manifest), "accepted");
  manifest.components.push_back(component("TRACKING"));
  EXPECT_EQ(refusal_of(manifest), "/components/1/name differs from tracking only by case");
  manifest.components[1] = component("tracking");
  EXPECT_EQ(refusal_of(manifest), "/components/1/name is there twice");
}

TEST(Manifest, RefusesBadComponents) {
  for (const char* name : {"", ".a", "a/b", "a b"}) {
    Manifest manifest;
    manifest.components = {component(name)};
    EXPECT_TRUE(refusal_of(manifest).starts_with("/components/0/name does not match"))
        << name;
  }
  for (const char* ref : {"", "lhcb/x", "x:1", "lhcb/x:0", "lhcb/x:01", "lhcb/x:a",
                          "lhcb:x/1", "lhcb/x@production", "lhcb/x/y:1"}) {
    Manifest manifest;
    manifest.components = {component("a")};
    manifest.components[0].ref = ref;
    EXPECT_EQ(refusal_of(manifest),
              "/components/0/ref is not of the form namespace/name:number")
        << ref;
  }
}

TEST(Manifest, RefusesAnEmptyOne) {
  EXPECT_EQ(refusal_of(Manifest{}), " has neither files nor components");
}

TEST(Manifest, RefusesBadPaths) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "is empty"},
      {"/a", "is absolute"},
      {"a//b", "has an empty part"},
      {"a/", "has an empty part"},
      {"./a", "has a part '.'"},
      {"a/.", "has a part '.'"},
      {"../a", "has a part '..'"},
      {"a/../b", "has a part '..'"},
      {"a/..", "has a part '..'"},
      {std::string("a\0b", 3), "has a control character"},
      {"a\nb", "has a control character"},
      {"a\x7f", "has a control character"},
      {"a\xff", "is not valid UTF-8"},
      {std::string(kPathSizeMax + 1, 'a'), "is longer than 1024 bytes"},
  };
  for (const auto& [path, rule] : bad) {
    EXPECT_EQ(path_problem(path), rule);
    EXPECT_EQ(refusal_of(of({stored("a"), stored(path)})), "/files/1/path " + rule);
  }
  for (const std::string& path :
       {std::string("a"), std::string("..."), std::string("a/.hidden/..b"),
        std::string("a\\b"), std::string("\xe6\xbc\xa2/\xf0\x9f\x98\x80"),
        std::string(kPathSizeMax, 'a')}) {
    EXPECT_EQ(path_problem(path), std::nullopt) << path;
  }
}

TEST(Manifest, RefusesLinksThatLeadOutside) {
  for (const char* target : {"b", "../b", "./b", "../../b", "..", "../..", ".", "a//b"}) {
    EXPECT_EQ(refusal_of(of({link("x/y/l", target)})), "accepted") << target;
  }
  EXPECT_EQ(refusal_of(of({link("x/y/l", "../../../b")})), "/files/0/link leads outside");
  EXPECT_EQ(refusal_of(of({link("l", "..")})), "/files/0/link leads outside");
  EXPECT_EQ(refusal_of(of({link("x/y/l", "/etc/passwd")})), "/files/0/link is absolute");
  EXPECT_EQ(refusal_of(of({link("x/y/l", "a/../b")})),
            "/files/0/link goes up (..) after going down");
  EXPECT_EQ(refusal_of(of({link("x/y/l", "a\n")})),
            "/files/0/link has a control character");
}

TEST(Manifest, RefusesFilesOfNoneOrTwoShapes) {
  const std::string rule =
      "/files/0 has to have exactly one of digest, link, directory, locations";
  ManifestFile file;
  file.path = "a";
  EXPECT_EQ(refusal_of(of({file})), rule);
  file = stored("a");
  file.link = "b";
  EXPECT_EQ(refusal_of(of({file})), rule);
  file = referenced("a");
  file.directory = true;
  EXPECT_EQ(refusal_of(of({file})), rule);
  file = link("a", "b");
  file.executable = true;
  EXPECT_EQ(refusal_of(of({file})), "/files/0/executable is only for stored files");
  file = directory("a");
  file.size_bytes = 1;
  EXPECT_EQ(refusal_of(of({file})),
            "/files/0/size is only for stored files and files with locations");
  file = stored("a");
  file.checksum = "adler32:1a2b3c4d";
  EXPECT_EQ(refusal_of(of({file})), "/files/0/checksum is only for files with locations");
}

TEST(Manifest, RefusesBadChecksumsAndLocations) {
  for (const char* bad :
       {"", "adler32:1a2b3c4", "adler32:1A2B3C4D", "md5:00", "sha1:00", "1a2b3c4d"}) {
    ManifestFile file = referenced("a");
    file.checksum = bad;
    EXPECT_TRUE(refusal_of(of({file})).starts_with("/files/0/checksum ")) << bad;
  }
  for (const std::string& good :
       {"crc32c:" + std::string(8, '0'), "md5:" + std::string(32, 'a'),
        "sha256:" + std::string(64, 'f')}) {
    ManifestFile file = referenced("a");
    file.checksum = good;
    EXPECT_EQ(refusal_of(of({file})), "accepted") << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("eos"), std::string(":x"), std::string("root:"),
        std::string("1a:b"), std::string("root://a b"), std::string("a:\n"),
        "a:" + std::string(kLocationSizeMax, 'x')}) {
    ManifestFile file = referenced("a");
    file.locations.push_back(bad);
    EXPECT_TRUE(refusal_of(of({file})).starts_with("/files/0/locations/1 is not a URI"))
        << bad;
  }
}

TEST(Manifest, RefusesBadPlatforms) {
  for (const char* bad : {"-x", "a b", "a/b", "\xc3\xa4"}) {
    EXPECT_TRUE(refusal_of(of({stored("a", bad)})).starts_with("/files/0/platform "))
        << bad;
  }
  EXPECT_EQ(refusal_of(of({stored("a", "x86_64_v2+avx-el9-gcc13.1-opt")})), "accepted");
}

TEST(Manifest, RefusesSizesThatJsonCannotCarry) {
  Manifest manifest = of({stored("a"), stored("b")});
  manifest.files[0].size_bytes = 1ull << 53;
  EXPECT_EQ(refusal_of(manifest), "/files/1/size takes the sum of all sizes over 2^53");
}

TEST(Manifest, NamesEveryBrokenRuleUpToAHundred) {
  std::vector<ManifestFile> files(1000, stored("../a"));
  Manifest manifest = of(files);
  try {
    normalise(manifest);
    FAIL();
  } catch (const Error& error) {
    ASSERT_EQ(error.fields().size(), 100u);
    EXPECT_EQ(error.fields()[99].pointer, "/files/99/path");
  }
}

TEST(Manifest, RefusesBytesThatAreNotCanonical) {
  Manifest manifest = one_of_each();
  normalise(manifest);
  const std::string bytes = encode_manifest(manifest);
  const json document = json::parse(bytes);
  EXPECT_TRUE(refusal_of_json(document.dump(1))
                  .starts_with("the manifest is not in its canonical"));
  EXPECT_TRUE(
      refusal_of_json(bytes + "\n").starts_with("the manifest is not in its canonical"));

  json reversed = document;
  std::reverse(reversed["files"].begin(), reversed["files"].end());
  EXPECT_TRUE(
      refusal_of_json(reversed.dump()).starts_with("the manifest is not in its canonical"));

  json explicit_default = document;
  explicit_default["files"][0]["platform"] = "";
  EXPECT_TRUE(refusal_of_json(explicit_default.dump())
                  .starts_with("the manifest is not in its canonical"));
}

TEST(Manifest, RefusesWhatIsNotAManifest) {
  EXPECT_TRUE(refusal_of_json("").starts_with("the manifest is not JSON"));
  EXPECT_TRUE(refusal_of_json("{").starts_with("the manifest is not JSON"));
  EXPECT_TRUE(refusal_of_json(std::string(100000, '[')).starts_with(" is a list"));
  EXPECT_EQ(refusal_of_json("[]"), " is a list, which has no place there");
  EXPECT_EQ(refusal_of_json(R"({"files":[{"path":"a","mode":1}]})"),
            "/files/0/mode is not a member that a manifest has");
  EXPECT_EQ(refusal_of_json(R"({"owner":"me"})"),
            "/owner is not a member that a manifest has");
  EXPECT_EQ(refusal_of_json(R"({"format":2})"),
            "/format is not 1, the only format there is");
  EXPECT_EQ(refusal_of_json(R"({"kind":"paper"})"),
            "/kind is none of model, dataset, environment");
  EXPECT_EQ(refusal_of_json(R"({"files":[{"path":7}]})"),
            "/files/0/path is a number, which has no place there");
  EXPECT_EQ(refusal_of_json(R"({"files":[{"size":-1}]})"),
            "/files/0/size is a negative number, which has no place there");
  EXPECT_EQ(
      refusal_of_json(R"({"files":[{"size":1.0}]})"),
      "/files/0/size is a number that is no integer in range, which has no place there");
  EXPECT_EQ(refusal_of_json(R"({"files":[{"locations":["a:b",[]]}]})"),
            "/files/0/locations/1 is a list, which has no place there");
  EXPECT_EQ(refusal_of_json(R"({"files":[{"digest":"sha256:00"}]})"),
            "/files/0/digest is not 'sha256:' and 64 lower-case hexadecimal digits");
  EXPECT_EQ(refusal_of_json(R"({"files":[null]})"),
            "/files/0 is null, which has no place there");
}

TEST(Manifest, HandlesFourHundredThousandFiles) {
  std::vector<ManifestFile> files;
  for (int i = 0; i < 400'000; ++i) {
    files.push_back(stored("data/" + std::to_string(i % 1000) + "/" + std::to_string(i)));
  }
  Manifest manifest = of(std::move(files));
  normalise(manifest);
  const std::string bytes = encode_manifest(manifest);
  EXPECT_EQ(decode_manifest(bytes), manifest);
}

TEST(ArtifactKind, ComesBackFromItsText) {
  for (const auto kind :
       {ArtifactKind::model, ArtifactKind::dataset, ArtifactKind::environment}) {
    EXPECT_EQ(parse_artifact_kind(to_string(kind)), kind);
  }
  EXPECT_EQ(parse_artifact_kind("Model"), std::nullopt);
}

}  // namespace
}  // namespace mendel::storage
