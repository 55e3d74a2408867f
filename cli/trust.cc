#include "cli/trust.h"

#include <unistd.h>

#include <cstdlib>

namespace mendel::cli {

namespace {

constexpr const char* kFiles[] = {
    "etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch
    "etc/pki/tls/certs/ca-bundle.crt",                   // Enterprise Linux up to 9
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // from 10 on
    "etc/ssl/ca-bundle.pem",                             // SUSE
    "etc/ssl/cert.pem",                                  // Alpine
};

constexpr const char* kDirectories[] = {
    "etc/grid-security/certificates",
    "cvmfs/grid.cern.ch/etc/grid-security/certificates",
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool is_readable(const std::filesystem::path& path) {
  return ::access(path.c_str(), R_OK) == 0;
}

}  // namespace

TrustedCertificates resolve_trust(const std::string& asked_file) {
  if (!asked_file.empty()) return {asked_file, ""};
  for (const char* name : {"MENDEL_CACERT", "CURL_CA_BUNDLE"}) {
    if (const std::string file = environment(name); !file.empty()) return {file, ""};
  }
  const TrustedCertificates named{environment("SSL_CERT_FILE"),
                                  environment("SSL_CERT_DIR")};
  if (!named.file.empty() || !named.directory.empty()) return named;
  return system_certificates("/");
}

TrustedCertificates system_certificates(const std::filesystem::path& root) {
  for (const char* file : kFiles) {
    if (is_readable(root / file)) return {root / file, ""};
  }
  for (const char* directory : kDirectories) {
    if (is_readable(root / directory)) return {"", root / directory};
  }
  return {};
}

}  // namespace mendel::cli
