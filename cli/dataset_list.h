#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/manifest.h"

namespace mendel::cli {

// Files that stay where they are, read from a list; "-" is standard input.
//
// CSV as RFC 4180 has it, with a header that names the columns path, size, checksum and
// locations (or location) in any order, or one JSON object with these members a line. A
// name that ends in .csv is CSV, .ndjson and .jsonl are JSON; of any other, what begins
// with
// '{' is JSON. Several locations are separated by blanks, or are a JSON list.
//
// Throws invalid_argument with the line of each rule that is broken, those of a manifest
// included, and too_large beyond kListedFilesMax.
std::vector<storage::ManifestFile> load_dataset_list(const std::string& file);

enum class ListNotation { csv, json_lines };
std::vector<storage::ManifestFile> parse_dataset_list(std::string_view text,
                                                      ListNotation notation);

inline constexpr std::size_t kListedFilesMax = 1'000'000;
inline constexpr std::size_t kListSizeMax = 512u << 20;

}  // namespace mendel::cli
