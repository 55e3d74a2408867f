#include "tests/testing/git_http_server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace mendel::testing {

GitHttpServer::GitHttpServer(const std::string& directory) {
  int input[2];
  int output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0)
    throw std::runtime_error("cannot make pipes to git_http.py");
  const Fd child_input(input[0]);
  input_ = Fd(input[1]);
  const Fd answer(output[0]);
  {
    const Fd child_output(output[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_output.get(), STDOUT_FILENO);
    const char* arguments[] = {"python3", MENDEL_GIT_HTTP, directory.c_str(), nullptr};
    const int failure = posix_spawnp(&pid_, "python3", &actions, nullptr,
                                     const_cast<char**>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) throw std::runtime_error("cannot start python3");
  }
  std::string line;
  for (char c = 0; c != '\n'; line += c) {
    if (read(answer.get(), &c, 1) != 1)
      throw std::runtime_error("git_http.py did not start");
  }
  port_ = std::stoi(line);
}

GitHttpServer::~GitHttpServer() {
  input_ = Fd();
  waitpid(pid_, nullptr, 0);
}

}  // namespace mendel::testing
