#pragma once

#include <filesystem>
#include <string>

#include "cli/api_client.h"

namespace mendel::cli {

// Lays out the working tree that a source tells of, in an empty directory: the commit,
// fetched from repository (a URL or a path), its submodules at their recorded commits, and
// the patch applied. Throws what run_git() throws, and data_loss where a submodule is not
// at the commit that was recorded.
void check_out(const Json& source, const std::string& repository, const std::string& patch,
               const std::filesystem::path& directory);

// The same at the tip of a ref, which may be a branch, a tag, a full name or a commit, with
// all submodules as they are recorded there; the commit. Nothing but the repository and the
// ref is known. Throws not_found, too.
std::string check_out_ref(const std::string& repository, const std::string& ref,
                          const std::filesystem::path& directory);

// Whether the commit can still be had from the repository: fetches it, without its history
// where the server gives single commits, into a directory that is gone afterwards. Empty:
// it can; otherwise why not.
std::string why_commit_is_lost(const std::string& repository, const std::string& commit);

}  // namespace mendel::cli
