#pragma once

#include <termios.h>
#include <unistd.h>

namespace mendel::cli {

// While it lives, what is typed is not shown.
class HiddenInput {
 public:
  HiddenInput() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios hidden = before_;
    hidden.c_lflag &= ~tcflag_t{ECHO};
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~HiddenInput() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  termios before_{};
};

}  // namespace mendel::cli
