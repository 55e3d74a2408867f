#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mendel::cli {

// The user's own git, for what goes over a network or writes a working tree: it knows their
// credentials, proxies and ssh settings, which libgit2 does not. Run without a terminal, so
// that it asks for nothing; without hooks; and for no transports but http, https, ssh, git
// and local files, so that no recorded URL makes it start a program.
//
// What it printed on standard output. Throws failed_precondition with what it said on
// standard error where it failed, not_found where there is no git.
std::string run_git(const std::filesystem::path& directory,
                    const std::vector<std::string>& arguments);

// Whether it succeeded.
bool git_succeeds(const std::filesystem::path& directory,
                  const std::vector<std::string>& arguments);

}  // namespace mendel::cli
