#include "cli/credential_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace mendel::cli {
namespace {

// Written in pieces, so that scanners of this repository find none.
const std::string kFound[] = {
    "-----BEGIN RSA "
    "PRIVATE KEY-----",
    "  -----BEGIN OPENSSH "
    "PRIVATE KEY-----",
    "-----BEGIN ENCRYPTED "
    "PRIVATE KEY-----",
    "key: \"-----BEGIN "
    "PRIVATE KEY-----\\nMII\"",
    "-----BEGIN PGP "
    "PRIVATE KEY BLOCK-----",
    "aws_access_key_id=AKIA" + std::string(16, 'Z'),
    "'ASIA" + std::string(16, '7') + "'",
    "export GH=ghp_" + std::string(36, 'a'),
    "gho_" + std::string(36, 'a'),
    "github_pat_" + std::string(82, 'a'),
    "https://oauth2:glpat-" + std::string(20, 'x') + "@example.org/",
    "xoxb-" + std::string(12, '1'),
    "MENDEL_TOKEN=mdl_" + std::string(43, '-'),
    "hf_" + std::string(34, 'q'),
    "Bearer eyJ" + std::string(20, 'a') + ".eyJ" + std::string(20, 'b') + "." +
        std::string(20, 'c'),
};

const std::string kHarmless[] = {
    "",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "# a PRIVATE KEY is kept elsewhere",
    "AKIA" + std::string(15, 'Z'),
    "xAKIA" + std::string(16, 'Z'),
    "ghp_short",
    "mdl_" + std::string(42, 'a'),
    "xoxb-",
    "github_pat_",
    "eyJ0eXAi.eyJ0eXAi",
    std::string(10'000, 'A'),
};

TEST(CredentialScan, FindsWellKnownForms) {
  for (const std::string& line : kFound) EXPECT_TRUE(find_credential(line)) << line;
}

TEST(CredentialScan, LeavesOtherLinesAlone) {
  for (const std::string& line : kHarmless) EXPECT_FALSE(find_credential(line)) << line;
}

TEST(CredentialScan, KnowsFilesByTheirNames) {
  for (const char* path : {".netrc", "a/.git-credentials", "host.p12", "x509up_u1000"}) {
    EXPECT_TRUE(find_credential_file(path)) << path;
  }
  for (const char* path : {"netrc.py", "p12", "x509/readme", "keys/public.pem"}) {
    EXPECT_FALSE(find_credential_file(path)) << path;
  }
}

}  // namespace
}  // namespace mendel::cli
