#pragma once

#include "cli/config.h"

namespace CLI {
class App;
}

namespace mendel::cli {

// Each of these gives a command its options, its help and what it does once it was chosen.
// global is filled while the command line is parsed, before any command runs.
void declare_login(CLI::App& app, const GlobalOptions& global);
void declare_whoami(CLI::App& app, const GlobalOptions& global);
void declare_namespace(CLI::App& app, const GlobalOptions& global);
void declare_principal(CLI::App& app, const GlobalOptions& global);
void declare_token(CLI::App& app, const GlobalOptions& global);

void declare_push(CLI::App& app, const GlobalOptions& global);
void declare_pull(CLI::App& app, const GlobalOptions& global);
void declare_cat(CLI::App& app, const GlobalOptions& global);
void declare_url(CLI::App& app, const GlobalOptions& global);
void declare_verify(CLI::App& app, const GlobalOptions& global);
void declare_reproduce(CLI::App& app, const GlobalOptions& global);

void declare_list(CLI::App& app, const GlobalOptions& global);
void declare_show(CLI::App& app, const GlobalOptions& global);
void declare_log(CLI::App& app, const GlobalOptions& global);
void declare_files(CLI::App& app, const GlobalOptions& global);
void declare_diff(CLI::App& app, const GlobalOptions& global);
void declare_search(CLI::App& app, const GlobalOptions& global);
void declare_pedigree(CLI::App& app, const GlobalOptions& global);
void declare_commits(CLI::App& app, const GlobalOptions& global);

void declare_alias(CLI::App& app, const GlobalOptions& global);
void declare_yank(CLI::App& app, const GlobalOptions& global);
void declare_restore(CLI::App& app, const GlobalOptions& global);
void declare_delete(CLI::App& app, const GlobalOptions& global);

void declare_run(CLI::App& app, const GlobalOptions& global);
void declare_send(CLI::App& app, const GlobalOptions& global);

void declare_secret(CLI::App& app, const GlobalOptions& global);
void declare_hook(CLI::App& app, const GlobalOptions& global);

void declare_pipeline(CLI::App& app, const GlobalOptions& global);
void declare_trigger(CLI::App& app, const GlobalOptions& global);
void declare_job(CLI::App& app, const GlobalOptions& global);
void declare_agent(CLI::App& app, const GlobalOptions& global);

// What an agent starts a command with; hidden.
void declare_supervise(CLI::App& app, const GlobalOptions& global);

void declare_admin(CLI::App& app, const GlobalOptions& global);
void declare_completion(CLI::App& app, const GlobalOptions& global);

}  // namespace mendel::cli
