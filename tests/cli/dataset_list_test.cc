#include "cli/dataset_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/csv_reader.h"
#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using storage::ManifestFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kHeader = "path,size,checksum,locations\n";

std::vector<ManifestFile> csv(const std::string& text) {
  return parse_dataset_list(text, ListNotation::csv);
}

std::vector<ManifestFile> json_lines(const std::string& text) {
  return parse_dataset_list(text, ListNotation::json_lines);
}

template <typename Read>
std::string refusal(Read read) {
  try {
    ADD_FAILURE() << "accepted " << read().size() << " files";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "";
}

std::string csv_refusal(const std::string& text) {
  return refusal([&] { return csv(text); });
}

std::string json_refusal(const std::string& text) {
  return refusal([&] { return json_lines(text); });
}

TEST(CsvReader, ReadsWhatTheRfcHas) {
  CsvReader reader("a,b\r\n\"x,\"\"y\"\"\r\nz\",\n\n,\n1,\"2\"");
  const auto fields = [&] { return reader.next()->fields; };
  EXPECT_THAT(fields(), ElementsAre("a", "b"));
  EXPECT_THAT(fields(), ElementsAre("x,\"y\"\r\nz", ""));
  const auto third = reader.next();
  EXPECT_THAT(third->fields, ElementsAre("", ""));
  EXPECT_EQ(third->line, 5u);
  EXPECT_THAT(fields(), ElementsAre("1", "2"));
  EXPECT_FALSE(reader.next());
}

TEST(CsvReader, RefusesQuotesThatMakeNoSense) {
  for (const char* bad : {"a\nb\"c\n", "a\n\"b\n\n", "a\n\"b\"c\n"}) {
    CsvReader reader(bad);
    reader.next();
    try {
      reader.next();
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("line 2 ")) << bad;
    }
  }
}

TEST(DatasetList, IsReadFromCsv) {
  const auto files =
      csv("\xEF\xBB\xBFlocations,checksum,size,path\n"
          "root://a//f  https://b/f?x=1,adler32:1A2B3C4D,9,d/f.root\r\n"
          "\"root://a//g,h\",md5:" +
          std::string(32, 'a') + ",0,\"g,h\"\n");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, "d/f.root");
  EXPECT_EQ(files[0].size_bytes, 9u);
  EXPECT_EQ(files[0].checksum, "adler32:1a2b3c4d");
  EXPECT_THAT(files[0].locations, ElementsAre("root://a//f", "https://b/f?x=1"));
  EXPECT_EQ(files[1].path, "g,h");
  EXPECT_THAT(files[1].locations, ElementsAre("root://a//g,h"));
}

TEST(DatasetList, IsReadFromJsonLines) {
  const auto files = json_lines(
      R"({"path":"f","size":9,"checksum":"crc32c:1a2b3c4d","locations":["root://a//f","file:///f"]})"
      "\r\n\n"
      R"({"path":"g","size":1,"checksum":"sha256:)" +
      std::string(64, '0') + R"(","location":"root://a//g root://b//g"})");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_THAT(files[0].locations, ElementsAre("root://a//f", "file:///f"));
  EXPECT_THAT(files[1].locations, ElementsAre("root://a//g", "root://b//g"));
  EXPECT_EQ(files[1].size_bytes, 1u);
}

TEST(DatasetList, NamesTheLineOfWhatIsWrong) {
  const std::string good = "a,1,adler32:1a2b3c4d,root://a//f\n";
  EXPECT_THAT(csv_refusal(""), HasSubstr("empty"));
  EXPECT_THAT(csv_refusal(kHeader), HasSubstr("no files"));
  EXPECT_THAT(csv_refusal(good), HasSubstr("line 1 has a column 'a'"));
  EXPECT_THAT(csv_refusal("path,size\nf,1\n"), HasSubstr("line 1 is no header"));
  EXPECT_THAT(csv_refusal("path,size,path,checksum\n"), HasSubstr("'path' twice"));
  EXPECT_THAT(csv_refusal(kHeader + good + "b,1,x\n"), HasSubstr("line 3 has 3 fields"));
  EXPECT_THAT(csv_refusal(kHeader + good + "b,-1,md5:0,root://a//b\n"),
              HasSubstr("line 3 has the size '-1'"));
  EXPECT_THAT(csv_refusal(kHeader + good + "b,1,adler32:1,root://a//b\n"),
              HasSubstr("line 3: checksum has to be"));
  EXPECT_THAT(csv_refusal(kHeader + good + "b,1,adler32:00000001,/eos/b\n"),
              HasSubstr("line 3: locations/0 is not a URI"));
  EXPECT_THAT(csv_refusal(kHeader + good + "b,1,adler32:00000001,\n"),
              HasSubstr("line 3 has no location"));
  EXPECT_THAT(csv_refusal(kHeader + good + "../b,1,adler32:00000001,root://a//b\n"),
              HasSubstr("line 3: path"));
  EXPECT_THAT(csv_refusal(kHeader + good + "b,1,adler32:00000001,\"a:b\nc:d\"\n" + good),
              HasSubstr("line 5: path"));
  EXPECT_THAT(csv_refusal(kHeader + good + "A,1,adler32:00000001,root://a//b\n"),
              HasSubstr("line 3: path"));
}

TEST(DatasetList, NamesTheLineOfWhatIsWrongInJson) {
  const std::string good =
      R"({"path":"f","size":9,"checksum":"crc32c:1a2b3c4d","locations":["root://a//f"]})"
      "\n";
  const std::string bad[] = {
      "[]\n",
      "{\"path\":\"g\"\n",
      "{\"path\":\"g\",\"size\":9,\"checksum\":\"crc32c:1a2b3c4d\"}\n",
      "{\"path\":\"g\",\"size\":\"9\",\"checksum\":\"crc32c:1a2b3c4d\",\"location\":\"a:"
      "b\"}\n",
      "{\"path\":\"g\",\"size\":-9,\"checksum\":\"crc32c:1a2b3c4d\",\"location\":\"a:b\"}"
      "\n",
      "{\"path\":\"g\",\"size\":9,\"checksum\":\"crc32c:1a2b3c4d\",\"locations\":[]}\n",
      "{\"path\":\"g\",\"size\":9,\"checksum\":\"crc32c:1a2b3c4d\",\"locations\":[1]}\n",
      "{\"path\":1,\"size\":9,\"checksum\":\"crc32c:1a2b3c4d\",\"location\":\"a:b\"}\n",
      "{\"path\":\"g\",\"size\":9,\"checksum\":\"x\",\"location\":\"a:b\"}\n",
      "{\"path\":\"g\",\"size\":9,\"checksum\":\"x\",\"location\":\"a:b\",\"more\":1}\n",
      good,
  };
  for (const std::string& line : bad) {
    EXPECT_THAT(json_refusal(good + "\n" + line), HasSubstr("line 3")) << line;
  }
}

TEST(DatasetList, IsReadInTheNotationOfItsName) {
  const testing::TemporaryDirectory directory;
  const std::string rows = std::string(kHeader) + "f,1,adler32:1a2b3c4d,root://a//f\n";
  const std::string json =
      R"({"path":"f","size":1,"checksum":"adler32:1a2b3c4d","location":"root://a//f"})";
  for (const char* name : {"list.csv", "list"}) {
    write_file(directory / name, rows);
    EXPECT_EQ(load_dataset_list(directory / name).size(), 1u);
  }
  for (const char* name : {"list.ndjson", "list.jsonl", "list"}) {
    write_file(directory / name, json);
    EXPECT_EQ(load_dataset_list(directory / name).size(), 1u);
  }
  EXPECT_THROW(load_dataset_list(directory / "absent.csv"), Error);
}

}  // namespace
}  // namespace mendel::cli
