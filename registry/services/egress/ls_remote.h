#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/error.h"

namespace mendel::registry {

// What `git ls-remote` says of a repository, and what it complains of.

// Lower-case hexadecimal digits of SHA-1 or SHA-256.
bool is_commit_id(std::string_view text);

// By full name ("refs/heads/main", "HEAD"), the commit: of an annotated tag, the one that
// it stands for. Throws unavailable for what is not such a list.
std::map<std::string, std::string> parse_refs(std::string_view output);

// "main" as a branch, else as a tag; "refs/…" and "HEAD" as they are. nullopt: it has none.
std::optional<std::string> find_commit(const std::map<std::string, std::string>& refs,
                                       std::string_view ref);

// Whether git takes it for the name of a branch or a tag, with or without "refs/heads/".
bool is_ref_name(std::string_view text);

// Why git failed, in one short line of harmless characters. not_found: there is no such
// repository, or it has moved; permission_denied: not without an account; else unavailable.
Error explain_git_failure(const std::string& repository, std::string_view complaints);

}  // namespace mendel::registry
