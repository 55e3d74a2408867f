#include "cli/exit_code.h"

namespace mendel::cli {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
    case ErrorCode::gone: return kExitNotFound;
    case ErrorCode::already_exists:
    case ErrorCode::aborted:
    case ErrorCode::failed_precondition: return kExitConflict;
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied: return kExitAccessDenied;
    case ErrorCode::resource_exhausted:
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable: return kExitTryAgain;
    case ErrorCode::data_loss: return kExitDamagedData;
    case ErrorCode::cancelled: return kExitInterrupted;
    case ErrorCode::invalid_argument:
    case ErrorCode::unprocessable:
    case ErrorCode::too_large:
    case ErrorCode::out_of_range:
    case ErrorCode::out_of_space:
    case ErrorCode::internal: return kExitFailure;
  }
  return kExitFailure;
}

}  // namespace mendel::cli
