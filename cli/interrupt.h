#pragma once

#include <atomic>
#include <chrono>

namespace mendel::cli {

// Ctrl-C and SIGTERM end a command by Error{cancelled}, thrown where it works or waits, so
// that what it had begun is taken back on the way out. A second Ctrl-C ends it at once.
void catch_interrupts();

// For those that look by themselves, such as HttpClient.
const std::atomic<bool>& interrupted();

void throw_if_interrupted();
void sleep_unless_interrupted(std::chrono::milliseconds duration);

}  // namespace mendel::cli
