#pragma once

#include <filesystem>
#include <string>

namespace mendel::cli {

// Whose certificates TLS believes: those in a PEM file, and those in a directory under the
// hashes of their names (openssl rehash). Both empty: what libcurl was built with.
struct TrustedCertificates {
  std::string file;
  std::string directory;
};

// The file that was asked for; else MENDEL_CACERT, CURL_CA_BUNDLE, or SSL_CERT_FILE with
// SSL_CERT_DIR; else those of the system.
TrustedCertificates resolve_trust(const std::string& asked_file);

// Where distributions keep them, below root; a grid host may have those of the grid only.
// Not left to libcurl: it knows the place of the system that it was built for, and the
// packaged client runs on others.
TrustedCertificates system_certificates(const std::filesystem::path& root);

}  // namespace mendel::cli
