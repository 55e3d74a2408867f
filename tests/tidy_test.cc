// Tidies the tree, after TigerBeetle's tidy.zig: what a compiler does not see and a
// reviewer should not have to. Sizes are reported, not limited.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <set>
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
constexpr std::string_view kTestData[] = {"tests/data/", "tests/fuzz/corpus/"};

bool is_text_of_ours(const fs::path& path) {
  for (const auto folder : kTestData) {
    if (path.generic_string().starts_with(folder)) return false;
  }
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

// Every path that the words of the CMakeLists.txt files may mean: from their folder, or
// from the root; with their extension, or as the name of a program with a source of that
// name.
std::set<std::string> paths_in_cmake() {
  std::set<std::string> paths;
  const std::regex word(R"re([^\s()"]+)re");
  for (const auto& file : tree()) {
    if (fs::path(file.path).filename() != "CMakeLists.txt") continue;
    const auto folder = fs::path(file.path).parent_path();
    for (std::sregex_iterator it(file.text.begin(), file.text.end(), word), end; it != end;
         ++it) {
      const auto text = std::regex_replace(it->str(), std::regex(R"(\$\{\w+\}/)"), "");
      for (const auto& path : {folder / text, fs::path(text), folder / (text + ".cc")}) {
        paths.insert(path.lexically_normal().generic_string());
      }
    }
  }
  return paths;
}

TEST(Tidy, EverySourceIsInCMake) {
  const auto listed = paths_in_cmake();
  for (const auto& file : tree()) {
    EXPECT_TRUE(!has_extension(file, ".cc") || listed.contains(file.path)) << file.path;
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

TEST(Tidy, EveryLinkOfADocumentLeadsSomewhere) {
  const std::regex link(R"re(\]\(([^)#:]+)(#[^)]*)?\))re");
  for (const auto& file : tree()) {
    if (!has_extension(file, ".md")) continue;
    const auto folder = (fs::path(MENDEL_ROOT) / file.path).parent_path();
    for (std::sregex_iterator it(file.text.begin(), file.text.end(), link), end; it != end;
         ++it) {
      EXPECT_TRUE(fs::exists(folder / it->str(1)))
          << file.path << " links to " << it->str(1);
    }
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
