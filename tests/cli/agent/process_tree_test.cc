#include "cli/agent/process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/testing/wait.h"

namespace mendel::cli {
namespace {

using ::testing::Contains;
using ::testing::Not;

// A child that waits for its end.
class Child {
 public:
  Child() : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;) ::pause();
    }
  }
  ~Child() { end(); }

  void end() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::pid_t pid() const { return pid_; }

 private:
  const ::pid_t pid_;
};

TEST(ProcessIdentity, IsOfAProcessThatIsAlive) {
  const auto self = ProcessIdentity::of_this_process();
  EXPECT_TRUE(self.is_alive());
  EXPECT_FALSE((ProcessIdentity{self.pid, self.start_ticks + 1}.is_alive()));
}

TEST(ProcessIdentity, IsReadAsItWasWritten) {
  const auto self = ProcessIdentity::of_this_process();
  const auto again = ProcessIdentity::parse(self.text());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_alive());
  for (const char* text : {"", "nobody", "12", "-1 5", "x y"}) {
    EXPECT_FALSE(ProcessIdentity::parse(text)) << text;
  }
}

TEST(ProcessIdentity, OfAnEndedProcessIsNotAliveBeforeAnybodyWaitedForIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const ::pid_t pid = ::fork();
  if (pid == 0) {
    const std::string self = ProcessIdentity::of_this_process().text();
    ::_exit(::write(ends[1], self.data(), self.size()) < 0);
  }
  siginfo_t info;
  ::waitid(P_PID, ::id_t(pid), &info, WEXITED | WNOWAIT);
  char text[64] = {};
  ASSERT_GT(::read(ends[0], text, sizeof text - 1), 0);
  EXPECT_FALSE(ProcessIdentity::parse(text)->is_alive());
  for (const int end : ends) ::close(end);
  ::waitpid(pid, nullptr, 0);
}

TEST(ProcessTree, KnowsDescendants) {
  Child child;
  EXPECT_THAT(descendants_of(::getpid()), Contains(child.pid()));
  EXPECT_THAT(descendants_of(child.pid()), Not(Contains(::getpid())));
  child.end();
  EXPECT_THAT(descendants_of(::getpid()), Not(Contains(child.pid())));
}

TEST(ProcessTree, KnowsProcessesByAVariable) {
  const ::pid_t pid = ::fork();
  if (pid == 0) {
    char* const arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("1000"),
                               nullptr};
    char* const environment[] = {const_cast<char*>("PATH=/usr/bin:/bin"),
                                 const_cast<char*>("MENDEL_MARK=one"), nullptr};
    ::execvpe("sleep", arguments, environment);
    ::_exit(1);
  }
  EXPECT_TRUE(testing::eventually(
      [&] { return processes_with("MENDEL_MARK=one") == std::vector<::pid_t>{pid}; }));
  EXPECT_TRUE(processes_with("MENDEL_MARK=on").empty());
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

}  // namespace
}  // namespace mendel::cli
