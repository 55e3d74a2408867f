#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "cli/agent/runner.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/wait.h"

namespace mendel::cli {

// Attempts in directories of their own, and shell commands to run there. No other test,
// which may run at the same time, has an attempt of the same key.
class TaskTest : public ::testing::Test {
 protected:
  Task task(const std::string& script, const std::string& name = "attempt-1") {
    const std::filesystem::path directory = directory_ / name;
    std::filesystem::create_directories(directory / "source");
    const std::string key = name + "." + std::to_string(::getpid());
    return {AttemptFiles(directory), key, "a test", {"sh", "-c", script}, {}, std::nullopt};
  }

  // Until it is neither waiting nor running.
  static TaskStatus wait(Runner& runner, const Task& task, const std::string& handle) {
    TaskStatus status{TaskStatus::State::waiting};
    EXPECT_TRUE(testing::eventually([&] {
      status = runner.poll(task, handle);
      return status.state == TaskStatus::State::ended ||
             status.state == TaskStatus::State::gone;
    }));
    return status;
  }

  static void wait_for_file(const std::filesystem::path& path) {
    EXPECT_TRUE(testing::eventually([&] { return std::filesystem::exists(path); })) << path;
  }

  std::string path(const std::string& name) const { return directory_ / name; }

 private:
  testing::TemporaryDirectory directory_;
};

}  // namespace mendel::cli
