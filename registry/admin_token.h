#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mendel::registry {

// DIR/admin-token: the secret and a newline, mode 0600, whole or absent.
std::optional<std::string> read_admin_token(const std::filesystem::path& file);
void write_admin_token(const std::filesystem::path& file, const std::string& secret);

// The same for another line that only we may read.
void write_private_file(const std::filesystem::path& file, const std::string& line);

}  // namespace mendel::registry
