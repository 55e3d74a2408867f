#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cli/trust.h"

namespace mendel::cli {

// What every command may be told on its command line.
struct GlobalOptions {
  std::string url;
  std::string token_file;
  std::string ca_file;
  bool plain_http = false;
  bool json = false;
};

// What `mendel login` remembers.
struct Login {
  std::string url;
  std::string token;
  bool plain_http = false;
};

// $XDG_CONFIG_HOME/mendel/config.json, or ~/.config/mendel/config.json.
std::filesystem::path login_file();
std::optional<Login> find_login(const std::filesystem::path& file);

// Written whole or not at all, and readable by its owner alone.
void save_login(const std::filesystem::path& file, const Login& login);

// The server to speak to, and as whom. An empty token: as nobody, who may read what is
// public.
struct ServerAccess {
  std::string url;  // without a slash at its end
  std::string token;
  TrustedCertificates trusted;
};

// Flags come first, then MENDEL_URL and MENDEL_TOKEN, then the login. The token of the
// login is for the server of the login alone. Throws invalid_argument if no server is
// named, and permission_denied where the token would travel in clear.
ServerAccess resolve_access(const GlobalOptions& options);

// Where the jobs of a node share what they pull, and how much of it.
struct CacheSettings {
  std::filesystem::path directory;
  std::uint64_t size_bytes_max;
};

// MENDEL_CACHE and MENDEL_CACHE_MAX; nullopt if the first is not set. Throws
// invalid_argument.
std::optional<CacheSettings> cache_settings();

// "500M": a whole number, and K, M, G or T for powers of 1024. Throws invalid_argument.
std::uint64_t parse_size(std::string_view text);

// The first line of the file, or of standard input for "-". Throws invalid_argument if
// empty.
std::string read_token(const std::string& file);

// http:// or https:// and a host, without credentials; returns it without a slash at its
// end.
std::string parse_server_url(std::string_view url);

// Whether what is sent there can be read on the way: http to another machine.
bool travels_in_clear(std::string_view server_url);

// Throws permission_denied if a token would travel in clear and nobody said that it may.
void require_private_channel(std::string_view server_url, bool plain_http);

}  // namespace mendel::cli
