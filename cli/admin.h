#pragma once

#include "cli/command.h"

namespace mendel::cli {

// The subcommands of admin that have files of their own.
void declare_purge(CLI::App& admin, const GlobalOptions& global);
void declare_audit(CLI::App& admin, const GlobalOptions& global);
void declare_rotate_secrets(CLI::App& admin, const GlobalOptions& global);

}  // namespace mendel::cli
