#pragma once

#include "storage/base/error.h"

namespace mendel::cli {

// What the command tells the shell; scripts rely on these numbers.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 10;
inline constexpr int kExitConflict = 11;
inline constexpr int kExitAccessDenied = 12;
inline constexpr int kExitTryAgain = 13;
inline constexpr int kExitDamagedData = 14;
inline constexpr int kExitInterrupted = 130;

int exit_code(ErrorCode code);

}  // namespace mendel::cli
