#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/agent/runner.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/wait.h"

namespace mendel::cli {

// Attempts in directories of their own, and shell commands to run there.
class TaskTest : public ::testing::Test {
 protected:
  Task task(const std::string& script, const std::string& key = "attempt-1") {
    const std::filesystem::path directory = directory_ / key;
    std::filesystem::create_directories(directory / "source");
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
