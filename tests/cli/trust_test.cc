#include "cli/trust.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

class Trust : public ::testing::Test {
 protected:
  Trust() {
    for (const char* name : kNames) ::unsetenv(name);
  }
  ~Trust() override {
    for (const char* name : kNames) ::unsetenv(name);
  }

  static constexpr const char* kNames[] = {"MENDEL_CACERT", "CURL_CA_BUNDLE",
                                           "SSL_CERT_FILE", "SSL_CERT_DIR"};
  testing::TemporaryDirectory root;
};

TEST_F(Trust, IsWhatIsNamedFirst) {
  ::setenv("SSL_CERT_FILE", "/ssl.pem", 1);
  EXPECT_EQ(resolve_trust("").file, "/ssl.pem");
  ::setenv("CURL_CA_BUNDLE", "/curl.pem", 1);
  EXPECT_EQ(resolve_trust("").file, "/curl.pem");
  ::setenv("MENDEL_CACERT", "/mendel.pem", 1);
  EXPECT_EQ(resolve_trust("").file, "/mendel.pem");
  EXPECT_EQ(resolve_trust("/flag.pem").file, "/flag.pem");
}

TEST_F(Trust, MayBeADirectoryOrBoth) {
  ::setenv("SSL_CERT_DIR", "/certificates", 1);
  EXPECT_EQ(resolve_trust("").file, "");
  EXPECT_EQ(resolve_trust("").directory, "/certificates");
  ::setenv("SSL_CERT_FILE", "/ssl.pem", 1);
  EXPECT_EQ(resolve_trust("").file, "/ssl.pem");
  EXPECT_EQ(resolve_trust("").directory, "/certificates");
}

TEST_F(Trust, IsFoundWhereTheSystemKeepsIt) {
  EXPECT_EQ(system_certificates(root.path()).file, "");
  EXPECT_EQ(system_certificates(root.path()).directory, "");

  write_file(root / "etc/grid-security/certificates/a.0", "");
  EXPECT_EQ(system_certificates(root.path()).directory,
            root / "etc/grid-security/certificates");
  write_file(root / "etc/pki/tls/certs/ca-bundle.crt", "");
  EXPECT_EQ(system_certificates(root.path()).file,
            root / "etc/pki/tls/certs/ca-bundle.crt");
  EXPECT_EQ(system_certificates(root.path()).directory, "");
  write_file(root / "etc/ssl/certs/ca-certificates.crt", "");
  EXPECT_EQ(system_certificates(root.path()).file,
            root / "etc/ssl/certs/ca-certificates.crt");
}

}  // namespace
}  // namespace mendel::cli
