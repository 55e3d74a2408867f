// The server is given its directories as /proc/self/fd/N, opened by us: it can work in them
// although its user cannot reach them by name (DIR below /root, or private to root), and a
// socket's path never exceeds the 107 bytes that the system allows.

#include "schema/postgres_cluster.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::schema {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kRole = "mendel";
constexpr const char* kDatabase = "mendel";
constexpr const char* kPort = "5432";  // names the socket: .s.PGSQL.5432
constexpr std::size_t kSocketDirectorySizeMax = 107 - sizeof("/.s.PGSQL.5432") + 1;
constexpr auto kPollPause = 10ms;
constexpr auto kLockPatience = 2s;
constexpr auto kLeftoverPatience = 10s;

// For two cores and a server whose errors we report ourselves. What must be durable stays
// so: fsync, full_page_writes and synchronous_commit are on by default.
constexpr std::array kSettings{
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=128MB",
    "max_wal_size=1GB",
    "random_page_cost=1.1",
    "recovery_init_sync_method=syncfs",  // not an fsync per file after a crash
    "max_parallel_workers_per_gather=0",
    "jit=off",
    "timezone=UTC",
    "log_destination=stderr",
    "logging_collector=off",
    "log_line_prefix=",
    "log_min_messages=log",
    "log_error_verbosity=terse",
    "log_checkpoints=off",
};

std::string path_through(const Fd& directory) {
  return "/proc/self/fd/" + std::to_string(directory.get());
}

Fd open_directory(const fs::path& path) { return open_file(path, O_PATH | O_DIRECTORY, 0); }

void make_private_directory(const fs::path& path, const std::optional<SystemUser>& owner) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_posix_error("make directory", path.string(), errno);
  }
  if (owner && lchown(path.c_str(), owner->uid, owner->gid) != 0) {
    throw_posix_error("give away", path.string(), errno);
  }
  if (chmod(path.c_str(), 0700) != 0)
    throw_posix_error("make private", path.string(), errno);
}

std::optional<uid_t> owner_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return status.st_uid;
  if (errno == ENOENT) return std::nullopt;
  throw_posix_error("look at", path.string(), errno);
}

// Nobody means: as we are.
std::optional<SystemUser> choose_user(const fs::path& data,
                                      const std::string& system_user) {
  const auto owner = owner_of(data);
  if (geteuid() != 0) {
    if (!owner || *owner == geteuid()) return std::nullopt;
    throw Error(ErrorCode::failed_precondition,
                data.string() + " belongs to the user with id " + std::to_string(*owner) +
                    ": start as that user or as root, or give it away with chown -R");
  }
  if (!owner) return get_system_user(system_user);
  if (*owner != 0) return get_system_user(*owner);
  throw Error(ErrorCode::failed_precondition,
              data.string() + " belongs to root, and PostgreSQL refuses to run as root: " +
                  "chown -R " + system_user + " " + data.string());
}

int read_major(const fs::path& data) {
  std::ifstream file(data / "PG_VERSION");
  int major = 0;
  if (!(file >> major)) {
    throw Error(ErrorCode::data_loss, "no version in " + (data / "PG_VERSION").string());
  }
  return major;
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::optional<pid_t> parse_pid(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return pid;
}

// PostgreSQL's lock files begin with the postmaster's process id.
std::optional<pid_t> read_pid(const fs::path& path) {
  const auto lines = read_lines(path);
  if (lines.empty()) return std::nullopt;
  return parse_pid(lines[0]);
}

// While it lives, this thread looks at files as the given user, who alone may follow the
// /proc links of that user's processes where root lacks CAP_SYS_PTRACE (in containers).
class LookingAs {
 public:
  explicit LookingAs(const std::optional<SystemUser>& user) {
    if (user) {
      setfsgid(user->gid);
      setfsuid(user->uid);
    }
  }
  ~LookingAs() {
    setfsuid(geteuid());
    setfsgid(getegid());
  }
  LookingAs(const LookingAs&) = delete;
  LookingAs& operator=(const LookingAs&) = delete;
};

bool is_postgres(const fs::path& process) {
  const auto name = read_lines(process / "comm");
  return !name.empty() && name[0] == "postgres";
}

bool is_postgres_in(const fs::path& process, const struct stat& directory) {
  struct stat where {};
  return is_postgres(process) && stat((process / "cwd").c_str(), &where) == 0 &&
         where.st_dev == directory.st_dev && where.st_ino == directory.st_ino;
}

// Dead, though its parent has not asked for its end yet; or of another program, which got
// its number after a reboot.
bool is_no_postmaster(pid_t pid) {
  const fs::path process = "/proc/" + std::to_string(pid);
  if (!is_postgres(process)) return true;
  const auto status = read_lines(process / "stat");
  return status.empty() || status[0].find(") Z ") != std::string::npos;
}

template <class Condition>
bool wait_until(Condition condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPollPause);
  }
  return true;
}

// A child that a mendeld was just starting when it was killed holds the lock until it has
// become PostgreSQL, or has given up.
Fd take_lock(const fs::path& path) {
  Fd lock = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  const auto is_taken = [&] {
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) throw_posix_error("lock", path.string(), errno);
    return false;
  };
  if (wait_until(is_taken, kLockPatience)) return lock;
  throw Error(ErrorCode::failed_precondition,
              "another mendeld uses this data directory: it holds " + path.string());
}

// What an initdb had started when it was killed may write there for a moment longer.
void remove_unfinished(const fs::path& directory) {
  std::error_code error;
  const auto is_gone = [&] {
    fs::remove_all(directory, error);
    return !error;
  };
  if (wait_until(is_gone, kLeftoverPatience)) return;
  throw_posix_error("remove", directory.string(), error.value());
}

// libpq reads a comma as the start of another host.
bool fits_in_url(const std::string& socket_directory) {
  return socket_directory.size() <= kSocketDirectorySizeMax &&
         socket_directory.find(',') == std::string::npos;
}

std::string quote_value(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

}  // namespace

PostgresCluster::PostgresCluster(const fs::path& directory, const std::string& system_user)
    : directory_(fs::absolute(directory)),
      data_(directory_ / "postgres"),
      run_(directory_ / "run") {
  fs::create_directories(directory_);
  user_ = choose_user(data_, system_user);
  make_private_directory(run_, user_);
  lock_ = take_lock(run_ / "lock");

  if (!owner_of(data_)) create();
  programs_ = postgres_of_major(read_major(data_));
  data_fd_ = open_directory(data_);
  run_fd_ = open_directory(run_);
  end_processes();
}

void PostgresCluster::create() {
  const fs::path unfinished = directory_ / "postgres.tmp";
  remove_unfinished(unfinished);
  make_private_directory(unfinished, user_);
  programs_ = newest_postgres();

  const Fd data = open_directory(unfinished);
  run(command(
      {programs_->path_of("initdb"), "--pgdata", path_through(data), "--username", kRole,
       "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"},
      data));
  Command make_database = command({programs_->path_of("postgres"), "--single", "-F", "-D",
                                   path_through(data), "postgres"},
                                  data);
  make_database.input = std::string("create database ") + kDatabase + "\n";
  run(make_database);

  // Once, instead of an fsync for each of a thousand files.
  const Fd readable = open_file(unfinished, O_RDONLY | O_DIRECTORY, 0);
  if (syncfs(readable.get()) != 0) throw_posix_error("sync", unfinished.string(), errno);
  fs::rename(unfinished, data_);
  sync_directory(directory_);
}

Command PostgresCluster::command(std::vector<std::string> arguments,
                                 const Fd& inherited) const {
  return {.arguments = std::move(arguments),
          .user = user_,
          .inherited_files = {inherited.get()},
          .output = std::nullopt,
          .input = {},
          .signal_when_parent_dies = SIGKILL};
}

Command PostgresCluster::server(int output) const {
  Command server = command({programs_->path_of("postgres"), "-D", path_through(data_fd_),
                            "-k", path_through(run_fd_), "-p", kPort},
                           data_fd_);
  for (const char* setting : kSettings) {
    server.arguments.insert(server.arguments.end(), {"-c", setting});
  }
  server.inherited_files.push_back(run_fd_.get());
  server.output = output;
  server.signal_when_parent_dies = SIGINT;
  return server;
}

std::vector<pid_t> PostgresCluster::processes() const {
  struct stat directory {};
  if (stat(data_.c_str(), &directory) != 0) {
    throw_posix_error("look at", data_.string(), errno);
  }
  const LookingAs user(user_);
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = parse_pid(entry.path().filename());
    if (pid && is_postgres_in(entry.path(), directory)) found.push_back(*pid);
  }
  return found;
}

void PostgresCluster::end_processes() const {
  stop(read_pid(data_ / "postmaster.pid"));
  for (const auto& left : {data_ / "postmaster.pid", run_ / ".s.PGSQL.5432.lock"}) {
    const auto pid = read_pid(left);
    // PostgreSQL would take any living process of this number for its own, and not start;
    // nor would it with a file that a kill left empty.
    if (!pid || is_no_postmaster(*pid)) fs::remove(left);
  }
}

void PostgresCluster::stop(std::optional<pid_t> postmaster) const {
  const auto all_ended = [this] { return processes().empty(); };

  const auto running = processes();
  if (postmaster && std::ranges::find(running, *postmaster) != running.end()) {
    kill(*postmaster, SIGINT);
    if (wait_until(all_ended, 20s)) return;
  }
  for (const int signal : {SIGQUIT, SIGKILL}) {
    for (const pid_t pid : processes()) kill(pid, signal);
    if (wait_until(all_ended, 5s)) return;
  }
  throw Error(ErrorCode::unavailable,
              "PostgreSQL processes of an earlier start do not end in " + data_.string());
}

// The eighth line of postmaster.pid is the server's state.
bool PostgresCluster::is_ready(pid_t server) const {
  const auto lines = read_lines(data_ / "postmaster.pid");
  return lines.size() >= 8 && parse_pid(lines[0]) == server &&
         lines[7].starts_with("ready");
}

std::string PostgresCluster::url() const {
  const std::string host = fits_in_url(run_) ? run_.string() : path_through(run_fd_);
  return "host=" + quote_value(host) + " port=" + kPort + " user=" + kRole +
         " dbname=" + kDatabase;
}

}  // namespace mendel::schema
