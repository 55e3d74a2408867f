#include "cli/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

// An environment that names no server, and a home of its own.
class Config : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"MENDEL_URL", "MENDEL_TOKEN", "MENDEL_CACERT"})
      ::unsetenv(name);
    ::setenv("XDG_CONFIG_HOME", home.path().c_str(), 1);
  }

  testing::TemporaryDirectory home;
};

TEST_F(Config, SavesALoginForItsOwnerAlone) {
  save_login(login_file(), {"https://m.example.org", "mdl_x", false});
  struct stat status;
  ASSERT_EQ(::stat(login_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto login = find_login(login_file());
  ASSERT_TRUE(login);
  EXPECT_EQ(login->url, "https://m.example.org");
  EXPECT_EQ(login->token, "mdl_x");
}

TEST_F(Config, RefusesToGuessAServer) { EXPECT_THROW(resolve_access({}), Error); }

TEST_F(Config, PrefersFlagsToTheEnvironmentAndThatToTheLogin) {
  save_login(login_file(), {"https://login.example.org", "from-login", false});
  EXPECT_EQ(resolve_access({}).url, "https://login.example.org");
  EXPECT_EQ(resolve_access({}).token, "from-login");

  ::setenv("MENDEL_URL", "https://environment.example.org/", 1);
  ::setenv("MENDEL_TOKEN", "from-environment", 1);
  EXPECT_EQ(resolve_access({}).url, "https://environment.example.org");
  EXPECT_EQ(resolve_access({}).token, "from-environment");

  write_file(home / "token", "from-flag\n");
  GlobalOptions options;
  options.url = "https://flag.example.org";
  options.token_file = home / "token";
  EXPECT_EQ(resolve_access(options).url, "https://flag.example.org");
  EXPECT_EQ(resolve_access(options).token, "from-flag");
}

TEST_F(Config, GivesTheLoginsTokenToNoOtherServer) {
  save_login(login_file(), {"https://login.example.org", "from-login", false});
  GlobalOptions options;
  options.url = "https://other.example.org";
  EXPECT_EQ(resolve_access(options).token, "");
}

TEST_F(Config, LetsNoTokenTravelInClearUnlessItIsAllowed) {
  ::setenv("MENDEL_TOKEN", "secret", 1);
  GlobalOptions options;
  options.url = "http://mendel.example.org";
  EXPECT_THROW(resolve_access(options), Error);
  options.plain_http = true;
  EXPECT_EQ(resolve_access(options).token, "secret");
}

TEST(ServerUrl, KnowsWhatStaysOnThisMachine) {
  for (const char* url : {"http://127.0.0.1:8230", "http://127.9.9.9", "http://localhost:1",
                          "http://[::1]:8230", "https://anywhere.example.org"}) {
    EXPECT_FALSE(travels_in_clear(url)) << url;
  }
  for (const char* url : {"http://example.org", "http://127.example.org",
                          "http://localhost.org", "http://10.0.0.1", "http://[::2]"}) {
    EXPECT_TRUE(travels_in_clear(url)) << url;
  }
}

TEST(ServerUrl, RefusesWhatIsNone) {
  for (const char* url : {"", "example.org", "ftp://example.org", "http://",
                          "https://a:b@host", "http://host?x=1", "http://ho st"}) {
    EXPECT_THROW(parse_server_url(url), Error) << url;
  }
  EXPECT_EQ(parse_server_url("https://host/mendel//"), "https://host/mendel");
}

TEST_F(Config, HasNoCacheUnlessOneIsNamed) {
  ::unsetenv("MENDEL_CACHE");
  EXPECT_FALSE(cache_settings());
  ::setenv("MENDEL_CACHE", "/scratch", 1);
  ::setenv("MENDEL_CACHE_MAX", "20G", 1);
  const auto settings = cache_settings();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->directory, "/scratch");
  EXPECT_EQ(settings->size_bytes_max, 20ull << 30);
  ::unsetenv("MENDEL_CACHE");
  ::unsetenv("MENDEL_CACHE_MAX");
}

TEST(Size, HasAUnit) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("12"), 12u);
  EXPECT_EQ(parse_size("1K"), 1024u);
  EXPECT_EQ(parse_size("500M"), 500ull << 20);
  EXPECT_EQ(parse_size("3T"), 3ull << 40);
}

TEST(Size, IsAWholeNumberThatFits) {
  for (const char* text : {"", "G", "-1", "1.5G", "1GB", "1 G", "1g", "1X", "16777216T"}) {
    EXPECT_THROW(parse_size(text), Error) << text;
  }
}

}  // namespace
}  // namespace mendel::cli
