// Against a real git over HTTP, on an address that the rules were told to permit.

#include "registry/services/egress/git_remotes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/base/error.h"
#include "tests/testing/git_http_server.h"
#include "tests/testing/git_work_tree.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::registry {
namespace {

using testing::GitHttpServer;
using testing::GitWorkTree;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::UnorderedElementsAre;

const std::string kUnknown(40, 'd');

struct GitRemotesTest : ::testing::Test {
  GitRemotesTest() {
    chmod(directory.path().c_str(), 0755);  // git may run as another user
    std::filesystem::create_directory(directory / "served");
    tree.write("a", "1");
    tree.write("data/b", "1");
    first = tree.commit_all();
    tree.git("tag -a v1 -m one");
    tree.git("branch v2");
    tree.git("tag v2");
    tree.git("branch feature/x");
    tree.write("data/b", "2");
    tree.write("data/c d\xc3\xbc", "2");
    std::filesystem::remove(directory / "tree/a");
    second = tree.commit_all();
    testing::run_in(directory.path(), "git clone -q --bare tree served/train.git");
  }

  ErrorCode failure(const std::string& repository, const std::string& ref = "main") {
    try {
      remotes.commit_of(repository, ref);
      return ErrorCode::internal;
    } catch (const Error& error) {
      said = error.what();
      return error.code();
    }
  }

  testing::TemporaryDirectory directory;
  GitWorkTree tree = GitWorkTree::init(directory / "tree", "-b main");
  std::string first;
  std::string second;
  GitHttpServer server{directory / "served"};
  const std::string url = server.url("train.git");
  Egress egress{AddressRules::parse({"127.0.0.1"}), Egress::look_up_by_system};
  GitRemotes remotes{egress, directory / "git-cache"};
  std::string said;
};

TEST_F(GitRemotesTest, FindTheCommitOfABranchATagOrARef) {
  EXPECT_EQ(remotes.commit_of(url, "main"), second);
  EXPECT_EQ(remotes.commit_of(url, "feature/x"), first);
  EXPECT_EQ(remotes.commit_of(url, "v1"), first);  // what the annotated tag stands for
  EXPECT_EQ(remotes.commit_of(url, "refs/tags/v1"), first);
  EXPECT_EQ(remotes.commit_of(url, "HEAD"), second);
  EXPECT_EQ(remotes.commit_of(url, kUnknown), kUnknown);
  EXPECT_EQ(failure(url, "none"), ErrorCode::not_found);
  EXPECT_EQ(failure(url, "heads/main"), ErrorCode::not_found);
  for (const char* ref : {"--upload-pack=touch /tmp/x", "a b", "ma*", "", "main^{}"}) {
    EXPECT_EQ(failure(url, ref), ErrorCode::invalid_argument) << ref;
  }
}

TEST_F(GitRemotesTest, ListBranchesAndTags) {
  const auto refs = remotes.list(url);
  EXPECT_EQ(refs.size(), 5u);
  EXPECT_EQ(refs.at("refs/heads/main"), second);
  EXPECT_EQ(refs.at("refs/tags/v1"), first);
}

TEST_F(GitRemotesTest, KnowWhichCommitsThereAre) {
  EXPECT_TRUE(remotes.has(url, first));
  EXPECT_TRUE(remotes.has(url, second));
  EXPECT_FALSE(remotes.has(url, kUnknown));
  EXPECT_THROW(remotes.has(url, "main"), Error);
}

TEST_F(GitRemotesTest, KnowWhichPathsChanged) {
  EXPECT_THAT(remotes.changed_paths(url, first, second),
              Optional(UnorderedElementsAre("a", "data/b", "data/c d\xc3\xbc")));
  EXPECT_EQ(remotes.changed_paths(url, kUnknown, second), std::nullopt);
}

TEST_F(GitRemotesTest, LeaveNothingOfARepositoryBehind) {
  remotes.changed_paths(url, first, second);
  EXPECT_TRUE(std::filesystem::is_empty(directory / "git-cache"));
}

TEST_F(GitRemotesTest, RemoveWhatAKilledServerLeft) {
  std::filesystem::create_directories(directory / "git-cache/left");
  const GitRemotes next(egress, directory / "git-cache");
  EXPECT_FALSE(std::filesystem::exists(directory / "git-cache"));
}

TEST_F(GitRemotesTest, SayWhetherItMayBeBetterLater) {
  EXPECT_EQ(failure(server.url("gone.git")), ErrorCode::not_found);
  EXPECT_EQ(failure(server.url("private/train.git")), ErrorCode::permission_denied);
  EXPECT_EQ(failure("http://127.0.0.1:1/train.git"), ErrorCode::unavailable);
}

TEST_F(GitRemotesTest, ReachAddressesOfBothKinds) {
  const Egress both(AddressRules::parse({"127.0.0.1", "::1"}), Egress::look_up_by_system);
  GitRemotes anywhere(both, directory / "other");
  EXPECT_EQ(anywhere.commit_of(url, "main"), second);
  try {
    anywhere.commit_of("http://[::1]:1/train.git", "main");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("Failed to connect"));
  }
}

TEST_F(GitRemotesTest, FollowNoRedirects) {
  EXPECT_EQ(failure(server.url("redirect/train.git")), ErrorCode::not_found);
  EXPECT_THAT(said, HasSubstr("has moved"));
}

TEST_F(GitRemotesTest, AskNobodyButThoseWhoArePermitted) {
  for (const char* address :
       {"http://127.0.0.2/x", "https://127.0.0.2/x", "https://[::1]/x",
        "https://10.0.0.1/x", "https://169.254.169.254/latest/x", "ssh://127.0.0.1/x",
        "git@127.0.0.1:x", "git://127.0.0.1/x", "http://me:pass@127.0.0.1/x"}) {
    EXPECT_EQ(failure(address), ErrorCode::permission_denied) << address;
    EXPECT_THAT(said, ::testing::Not(HasSubstr("pass@")));
  }
  for (const std::string& address :
       {"file://" + directory / "tree", directory / "tree", std::string("ext::sh -c id"),
        std::string("--upload-pack=id")}) {
    EXPECT_EQ(failure(address), ErrorCode::invalid_argument) << address;
  }
}

TEST_F(GitRemotesTest, DoNotBelieveTheMachinesConfiguration) {
  setenv("HOME", directory.path().c_str(), 1);
  setenv("GIT_CONFIG_COUNT", "1", 1);
  setenv("GIT_CONFIG_KEY_0", "url.http://127.0.0.1:1/.insteadOf", 1);
  setenv("GIT_CONFIG_VALUE_0", url.c_str(), 1);
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  std::ofstream(directory / ".gitconfig")
      << "[url \"http://127.0.0.1:1/\"]\n  insteadOf = " << url << "\n";
  const auto commit = remotes.commit_of(url, "main");
  for (const char* name :
       {"GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0", "http_proxy"})
    unsetenv(name);
  EXPECT_EQ(commit, second);
}

HttpAnswer get(const Egress& egress, const std::string& url,
               std::uint64_t size_max = 1000) {
  return egress.send({.method = "GET",
                      .url = url,
                      .headers = {},
                      .body = {},
                      .time_max = std::chrono::seconds(30),
                      .answer_size_max = size_max});
}

TEST_F(GitRemotesTest, EgressSendsWhereItMayAndFollowsNoRedirects) {
  EXPECT_EQ(get(egress, server.url("train.git/HEAD")).body, "ref: refs/heads/main\n");
  const auto redirect = get(egress, server.url("redirect/train.git/HEAD"));
  EXPECT_EQ(redirect.status, 302);
  EXPECT_THROW(get(egress, server.url("train.git/HEAD"), 3), Error);
  EXPECT_THROW(
      get(Egress(AddressRules(), Egress::look_up_by_system), server.url("train.git/HEAD")),
      Error);
}

// The name means another address each time that it is looked up; only the first is judged,
// and only that one is connected to.
TEST_F(GitRemotesTest, ANameThatChangesItsMindIsNotBelievedTwice) {
  int asked = 0;
  const Egress fooled(AddressRules::parse({"127.0.0.1"}), [&](const std::string&) {
    return std::vector{IpAddress::parse(asked++ == 0 ? "127.0.0.1" : "127.0.0.2").value()};
  });
  std::string named = server.url("train.git");
  named.replace(named.find("127.0.0.1"), 9, "git.example.invalid");
  GitRemotes over_name(fooled, directory / "other");
  EXPECT_EQ(over_name.commit_of(named, "main"), second);
  EXPECT_THROW(over_name.commit_of(named, "main"), Error);
  asked = 0;
  EXPECT_EQ(get(fooled, named + "/HEAD").status, 200);
  EXPECT_THROW(get(fooled, named + "/HEAD"), Error);
}

}  // namespace
}  // namespace mendel::registry
