#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mendel::registry {

// How mendeld was started: flags, then MENDELD_… in the environment, then the configuration
// file.
struct Options {
  std::filesystem::path data;
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 8230;
  std::string database;  // postgresql://…; empty: a private server under data
  std::filesystem::path objects;
  std::filesystem::path client_dir;  // of packaged clients
  std::string tls_certificate;
  std::string tls_key;
  bool plain_http = false;
  bool new_admin_token = false;
  std::string log_level = "info";
  std::string postgres_user = "postgres";  // whom the private server runs as under root
  std::size_t io_threads = 2;
  std::size_t workers = 16;
  std::size_t drain_seconds = 30;
  std::vector<std::string> egress_allow;  // where the server may connect to besides
  std::size_t poll_seconds = 60;          // between two looks at a repository
};

// nullopt: nothing to run (--help, --version, or a mistake, which was printed); the exit
// status is left in exit_status.
std::optional<Options> parse_options(int argc, char** argv, int& exit_status);

// Throws invalid_argument where the options contradict each other or would let a token
// travel in clear.
void check(const Options& options);

}  // namespace mendel::registry
