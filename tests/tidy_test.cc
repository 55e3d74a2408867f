// Tidies the tree, after TigerBeetle's tidy.zig: what a compiler does not see and a
// reviewer should not have to. Sizes are reported, not limited.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace mendel {
namespace {

namespace fs = std::filesystem;

struct TextFile {
  std::string path;  // from the root of the project
  std::string text;
  std::vector<std::string> lines;
};

// Bytes chosen for a test, such as golden files, are not text of ours.
constexpr std::string_view kTestData = "tests/data/";

bool is_text_of_ours(const fs::path& path) {
  if (path.generic_string().starts_with(kTestData)) return false;
  const auto extension = path.extension();
  return extension != ".pyc" && extension != ".bin" && extension != ".pack";
}

TextFile read(const fs::path& root, const fs::path& path) {
  std::ifstream file(root / path, std::ios::binary);
  TextFile result{
      path.generic_string(), std::string(std::istreambuf_iterator(file), {}), {}};
  std::istringstream stream(result.text);
  for (std::string line; std::getline(stream, line);) result.lines.push_back(line);
  return result;
}

std::vector<TextFile> read_tree() {
  const fs::path root = MENDEL_ROOT;
  std::vector<TextFile> files;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_regular_file() && entry.path().filename() != ".git") {
      files.push_back(read(root, entry.path().lexically_relative(root)));
    }
  }
  for (const auto* top :
       {".ci", "bench", "ci", "cli", "registry", "schema", "storage", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const auto path = entry.path().lexically_relative(root);
      if (entry.is_regular_file() && is_text_of_ours(path))
        files.push_back(read(root, path));
    }
  }
  std::ranges::sort(files, {}, &TextFile::path);
  return files;
}

const std::vector<TextFile>& tree() {
  static const std::vector<TextFile> files = read_tree();
  return files;
}

bool has_extension(const TextFile& file, std::string_view extension) {
  return file.path.ends_with(extension);
}

std::string place(const TextFile& file, std::size_t line) {
  return file.path + ":" + std::to_string(line + 1);
}

// Whether CMake lists a source: the CMakeLists.txt of its folder, or of one above, has its
// path from there, with or without the extension.
bool is_in_cmake(const TextFile& source) {
  const fs::path path = source.path;
  for (auto folder = path.parent_path();; folder = folder.parent_path()) {
    const auto lists = (folder / "CMakeLists.txt").generic_string();
    const auto name = path.lexically_relative(folder).replace_extension().generic_string();
    const std::regex mention(R"re((^|[\s("]))re" + name + R"re((\.cc)?($|[\s)"]))re");
    const auto found = std::ranges::find(tree(), lists, &TextFile::path);
    if (found != tree().end() && std::regex_search(found->text, mention)) return true;
    if (folder.empty()) return false;
  }
}

TEST(Tidy, EverySourceIsInCMake) {
  for (const auto& file : tree()) {
    EXPECT_TRUE(!has_extension(file, ".cc") || is_in_cmake(file)) << file.path;
  }
}

TEST(Tidy, EveryHeaderIsIncluded) {
  for (const auto& header : tree()) {
    if (!has_extension(header, ".h")) continue;
    const auto include = "#include \"" + header.path + "\"";
    EXPECT_TRUE(std::ranges::any_of(tree(), [&](const TextFile& file) {
      return file.text.find(include) != std::string::npos;
    })) << header.path;
  }
}

TEST(Tidy, NothingIsLeftOpen) {
  const std::regex mark(R"(\b(TO)"
                        R"(DO|FIX)"
                        R"(ME|XX)"
                        R"(X|HA)"
                        R"(CK)\b)");
  for (const auto& file : tree()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], mark)) << place(file, i);
    }
  }
}

TEST(Tidy, EveryDocumentHasOneTitle) {
  for (const auto& file : tree()) {
    if (!has_extension(file, ".md")) continue;
    int titles = 0;
    bool in_code = false;
    for (const auto& line : file.lines) {
      if (line.starts_with("```")) in_code = !in_code;
      if (!in_code && line.starts_with("# ")) ++titles;
    }
    EXPECT_EQ(titles, 1) << file.path;
    EXPECT_TRUE(file.text.starts_with("# "))
        << file.path << " does not begin with its title";
  }
}

TEST(Tidy, LinesHaveNoTabsAndNoBlanksAtTheirEnds) {
  for (const auto& file : tree()) {
    EXPECT_TRUE(file.text.empty() || file.text.ends_with('\n'))
        << file.path << " ends midway";
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_EQ(file.lines[i].find('\t'), std::string::npos) << place(file, i);
      EXPECT_FALSE(file.lines[i].ends_with(' ') || file.lines[i].ends_with('\r'))
          << place(file, i);
    }
  }
}

TEST(Tidy, NothingPointsIntoOneMachine) {
  const std::regex personal(R"((^|[\s"'=(:])/(home|root|Users|work)/[A-Za-z0-9])");
  for (const auto& file : tree()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], personal)) << place(file, i);
    }
  }
}

using Sizes = std::multimap<std::size_t, std::string, std::greater<>>;

void report(std::string_view what, const Sizes& sizes) {
  std::cout << what << ":\n";
  for (auto it = sizes.begin(); it != sizes.end() && std::distance(sizes.begin(), it) < 5;
       ++it) {
    std::cout << "  " << it->first << " lines  " << it->second << "\n";
  }
}

// Functions as the project's formatting shows them: from a line in the first column that
// opens a brace after an argument list to the next line that begins with the closing one.
Sizes function_sizes(const TextFile& file) {
  Sizes sizes;
  std::size_t begin = 0;
  std::string name;
  bool has_body = false;
  const std::regex head(R"(^(?!namespace|struct|class|enum)[A-Za-z].*?([\w:~]+)\(.*)");
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const auto& line = file.lines[i];
    std::smatch match;
    if (std::regex_match(line, match, head)) {
      name = match[1];
      begin = i;
      has_body = false;
    }
    if (line.ends_with(" {")) has_body = true;
    if (!has_body && line.ends_with(';')) name.clear();
    if (name.empty() || !line.starts_with('}')) continue;
    sizes.emplace(i - begin + 1, place(file, begin) + " " + name);
    name.clear();
  }
  return sizes;
}

TEST(Tidy, ReportsTheLongestFilesAndFunctions) {
  Sizes files;
  Sizes functions;
  for (const auto& file : tree()) {
    if (!has_extension(file, ".cc") && !has_extension(file, ".h")) continue;
    files.emplace(file.lines.size(), file.path);
    if (has_extension(file, ".cc")) functions.merge(function_sizes(file));
  }
  report("longest files", files);
  report("longest functions", functions);
  EXPECT_FALSE(files.empty());
  EXPECT_FALSE(functions.empty());
}

}  // namespace
}  // namespace mendel
