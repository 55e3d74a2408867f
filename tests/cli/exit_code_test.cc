#include "cli/exit_code.h"

#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

TEST(ExitCode, IsWhatTheHelpSays) {
  EXPECT_EQ(exit_code(ErrorCode::not_found), 10);
  EXPECT_EQ(exit_code(ErrorCode::gone), 10);
  EXPECT_EQ(exit_code(ErrorCode::already_exists), 11);
  EXPECT_EQ(exit_code(ErrorCode::aborted), 11);
  EXPECT_EQ(exit_code(ErrorCode::unauthenticated), 12);
  EXPECT_EQ(exit_code(ErrorCode::permission_denied), 12);
  EXPECT_EQ(exit_code(ErrorCode::unavailable), 13);
  EXPECT_EQ(exit_code(ErrorCode::data_loss), 14);
  EXPECT_EQ(exit_code(ErrorCode::cancelled), 130);
  EXPECT_EQ(exit_code(ErrorCode::internal), 1);
}

}  // namespace
}  // namespace mendel::cli
