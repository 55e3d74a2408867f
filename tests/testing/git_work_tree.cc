#include "tests/testing/git_work_tree.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace mendel::testing {

namespace fs = std::filesystem;

namespace {

constexpr const char* kGit =
    "env GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE=@1500000000 "
    "GIT_COMMITTER_DATE=@1500000001 git -c user.name='Ada Lovelace' "
    "-c user.email=ada@example.org -c init.defaultBranch=main "
    "-c protocol.file.allow=always -c advice.detachedHead=false ";

}  // namespace

std::string run_in(const std::string& directory, const std::string& command) {
  const std::string whole = "cd '" + directory + "' && " + command + " 2>&1";
  FILE* const pipe = ::popen(whole.c_str(), "r");
  std::string printed;
  std::array<char, 4096> buffer;
  while (const std::size_t size = ::fread(buffer.data(), 1, buffer.size(), pipe)) {
    printed.append(buffer.data(), size);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << printed;
  if (printed.ends_with('\n')) printed.pop_back();
  return printed;
}

GitWorkTree GitWorkTree::init(const std::string& directory, const std::string& options) {
  fs::create_directories(directory);
  GitWorkTree tree(directory);
  tree.git("init -q " + options + " .");
  return tree;
}

std::string GitWorkTree::git(const std::string& arguments) const {
  return run_in(directory_, kGit + arguments);
}

void GitWorkTree::write(const std::string& name, const std::string& content) const {
  const fs::path path = fs::path(directory_) / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

std::string GitWorkTree::read(const std::string& name) const {
  std::ifstream file(fs::path(directory_) / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string GitWorkTree::commit_all(const std::string& message) const {
  git("add -A");
  git("commit -q --allow-empty -m '" + message + "'");
  return git("rev-parse HEAD");
}

}  // namespace mendel::testing
