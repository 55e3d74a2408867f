#include "registry/services/egress/repository_url.h"

#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

TEST(NormalRepository, IsTheSameForEveryWayToWriteIt) {
  for (const char* url :
       {"https://git.example.org/lhcb/train.git", "https://git.example.org/lhcb/train",
        "https://git.example.org/lhcb/train/", "https://git.example.org/lhcb/train.git/",
        "http://git.example.org/lhcb/train", "HTTPS://Git.Example.ORG/lhcb/train",
        "https://git.example.org:443/lhcb/train", "http://git.example.org:80/lhcb/train",
        "https://git.example.org./lhcb//train",
        "https://me:secret@git.example.org/lhcb/train",
        "ssh://git@git.example.org/lhcb/train.git",
        "ssh://git@git.example.org:7999/lhcb/train.git",
        "git@git.example.org:lhcb/train.git", "git@git.example.org:/lhcb/train.git",
        "git.example.org:lhcb/train", "git+ssh://git@git.example.org/lhcb/train",
        "git://git.example.org/lhcb/train", "https://git.example.org/lhcb/%74rain",
        "git.example.org/lhcb/train"}) {
    EXPECT_EQ(normal_repository(url), "git.example.org/lhcb/train") << url;
  }
}

TEST(NormalRepository, KeepsWhatTellsRepositoriesApart) {
  EXPECT_EQ(normal_repository("https://example.org/Lhcb/Train"), "example.org/Lhcb/Train");
  EXPECT_EQ(normal_repository("https://example.org:8443/a/b"), "example.org:8443/a/b");
  EXPECT_EQ(normal_repository("http://[::1]:8080/a/b.git"), "[::1]:8080/a/b");
  EXPECT_EQ(normal_repository("http://127.0.0.1:8080/a.git"), "127.0.0.1:8080/a");
  EXPECT_EQ(normal_repository("https://example.org/a%2fb/%7Euser"),
            "example.org/a%2Fb/~user");
  EXPECT_EQ(normal_repository("git@example.org:4711/a"), "example.org/4711/a");
}

TEST(NormalRepository, LeavesWhatItMadeAsItIs) {
  for (const char* url :
       {"https://example.org:8443/a/b", "http://[2001:db8::1]:81/a", "git@[::1]:a/b.git",
        "http://127.0.0.1:8080/a.git", "https://example.org/a.git.git", "example.org:1/a:b",
        "https://example.org/a/.git/", "https://example.org/a%20b"}) {
    const std::string once = normal_repository(url);
    EXPECT_EQ(normal_repository(once), once) << url;
  }
}

TEST(NormalRepository, RefusesWhatIsNoAddress) {
  for (const char* url : {"",
                          " ",
                          "/srv/git/train.git",
                          "./train",
                          "../train",
                          "~/train",
                          "train",
                          "file:///srv/git/train",
                          "ext::sh -c x",
                          "ext::sh",
                          "fd::3/x",
                          "-oProxyCommand=x/y",
                          "--upload-pack=x/y",
                          "https://",
                          "https:///a",
                          "https://example.org",
                          "https://example.org/",
                          "https://example.org/.git",
                          "https://example.org/a/../b",
                          "https://example.org/a/%2e%2e/b",
                          "https://example.org/a%0ab",
                          "https://example.org/a%00",
                          "https://example.org/a%",
                          "https://example.org/a b",
                          "https://example.org/a\nb",
                          "https://example.org/a?x",
                          "https://example.org/a#x",
                          "https://example.org:0/a",
                          "https://example.org:65536/a",
                          "https://example.org:x/a",
                          "https://exa_mple..org/a",
                          "https://-x.org/a",
                          "https://[::1/a",
                          "https://[x]/a",
                          "https://exam$ple.org/a",
                          "https://0x7f000001/a",
                          "https://2130706433/a",
                          "https://127.1/a",
                          "https://127.0.0.01/a",
                          "https://127.0.0.256/a",
                          "http+unix://%2fvar/a",
                          "https://example.org\\@inner/a",
                          "ssh://-x/a"}) {
    try {
      ADD_FAILURE() << url << " became " << normal_repository(url);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << url;
    }
  }
}

TEST(NormalRepository, RefusesOneThatIsTooLong) {
  EXPECT_THROW(normal_repository("https://example.org/" + std::string(2000, 'a')), Error);
}

TEST(RepositoryUrl, IsPutTogetherWithoutCredentials) {
  const auto url = RepositoryUrl::parse("https://me:pass@Example.org:444/a//b.git/");
  EXPECT_EQ(url.authority.user, "me:pass");
  EXPECT_EQ(url.text(), "https://example.org:444/a/b.git");
  EXPECT_EQ(RepositoryUrl::parse("http://[::1]/a").text(), "http://[::1]/a");
}

}  // namespace
}  // namespace mendel::registry
