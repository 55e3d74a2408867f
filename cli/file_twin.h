#pragma once

#include <filesystem>
#include <optional>

#include "cli/partial_file.h"

namespace mendel::cli {

// The three ways in which the bytes of a file come to be at a second place. That place must
// not exist. The first two return nullopt where they cannot be had: between two file
// systems, or on one that does not know them.

// A file of its own that shares the blocks until one of the two is written to (FICLONE).
std::optional<PartialFile> clone_file(const Fd& original, const std::filesystem::path& twin,
                                      ::mode_t mode);

// A second name of the same file, so that mode, owner and times are the same too. Only for
// a file of this user's that nobody may write to. nullopt for others, and for a process
// that may write to any file whatever its mode says, as root may: what one did to the one
// would be done to the other.
std::optional<PartialFile> link_file(const std::filesystem::path& original,
                                     const std::filesystem::path& twin);

PartialFile copy_file(const Fd& original, const std::filesystem::path& twin, ::mode_t mode);

}  // namespace mendel::cli
