#pragma once

#include <string>

namespace mendel::testing {

// A git repository in a directory, made by the real git as a user would make it, who has no
// configuration of their own.
class GitWorkTree {
 public:
  // Runs `git init` there, or takes what is there already.
  static GitWorkTree init(const std::string& directory, const std::string& options = "");
  explicit GitWorkTree(std::string directory) : directory_(std::move(directory)) {}

  const std::string& path() const { return directory_; }

  // What git prints, without the line feed at its end. Fails the test if git fails.
  std::string git(const std::string& arguments) const;

  void write(const std::string& name, const std::string& content) const;
  std::string read(const std::string& name) const;

  // Adds and commits all that is there; the commit.
  std::string commit_all(const std::string& message = "a commit") const;

 private:
  std::string directory_;
};

// What a shell command prints. Fails the test if it fails.
std::string run_in(const std::string& directory, const std::string& command);

}  // namespace mendel::testing
