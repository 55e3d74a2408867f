#include "schema/database.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "schema/postgres_error.h"
#include "schema/server_watch.h"
#include "schema/transaction.h"
#include "storage/base/error.h"

namespace mendel::schema {

namespace {

using namespace std::chrono_literals;

constexpr auto kWaitForConnectionMax = 10s;
constexpr int kConflictRetriesMax = 6;
constexpr auto kConflictPauseFirst = 5ms;  // doubles with each retry

// A dead server must be noticed by a connection that waits for its answer.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3>
    kConnectionParameters{{
        {"connect_timeout", "5"},
        {"keepalives_idle", "10"},
        {"tcp_user_timeout", "20000"},
    }};

constexpr const char* kSessionSettings =
    "set application_name = 'mendeld';"
    "set TimeZone = 'UTC';"
    "set DateStyle = 'ISO';"
    "set bytea_output = 'hex';"
    "set client_min_messages = 'error';"
    "set synchronous_commit = on;"
    "set statement_timeout = '60s';"
    "set lock_timeout = '20s';"
    "set idle_in_transaction_session_timeout = '60s'";

bool is_uri(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

// What the url says itself is left alone.
std::string with_connection_parameters(std::string url) {
  for (const auto& [name, value] : kConnectionParameters) {
    if (url.find(name) != std::string::npos) continue;
    if (!is_uri(url)) {
      url += ' ';
    } else {
      url += url.find('?') == std::string::npos ? '?' : '&';
    }
    url.append(name).append("=").append(value);
  }
  return url;
}

void pause_before_retry(int retry) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const std::chrono::microseconds longest = kConflictPauseFirst * (1 << retry);
  std::uniform_int_distribution<std::int64_t> pause_us(longest.count() / 2,
                                                       longest.count());
  std::this_thread::sleep_for(std::chrono::microseconds(pause_us(random)));
}

class Connection {
 public:
  Connection(const std::string& url, ServerWatch::Wait& wait)
      : connection_(url), quiet_(connection_) {
    wait.is_on(connection_.sock());
    pqxx::nontransaction(connection_).exec(kSessionSettings);
  }

  pqxx::connection& get() { return connection_; }

 private:
  pqxx::connection connection_;
  pqxx::quiet_errorhandler quiet_;  // what it would print is in the exception
};

using Body = std::function<void(Transaction&)>;

void commit(pqxx::transaction_base& transaction) {
  try {
    transaction.commit();
  } catch (const std::exception& error) {
    if (!is_connection_loss(error)) throw;
    throw pqxx::in_doubt_error(std::string("the connection broke during the commit: ") +
                               error.what());
  }
}

// Constructing the pqxx transaction sends BEGIN, so *begun also says that the server was
// there a moment ago.
template <class PqxxTransaction>
void run_in_transaction(pqxx::connection& connection, const Body& body, bool* begun) {
  PqxxTransaction transaction(connection);
  *begun = true;

  Transaction ours(transaction);
  body(ours);
  if (ours.failed()) {
    throw Error(ErrorCode::internal, "a failed statement's error was swallowed");
  }
  commit(transaction);
}

using ReadWrite = pqxx::transaction<pqxx::read_committed, pqxx::read_write>;
using ReadOnly = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;

}  // namespace

class Database::Pool {
 public:
  Pool(std::string url, std::size_t connections_max)
      : url_(with_connection_parameters(std::move(url))),
        connections_max_(connections_max),
        watch_(url_) {}

  void perform(Mode mode, const Body& body);

 private:
  class Lease;

  std::unique_ptr<Connection> take_idle_or_slot();
  void give_back(std::unique_ptr<Connection> connection);
  void drop_idle();

  const std::string url_;
  const std::size_t connections_max_;
  ServerWatch watch_;

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t open_ = 0;  // idle and lent
};

// A connection lent by the pool, thrown away instead of given back when it is broken.
class Database::Pool::Lease {
 public:
  explicit Lease(Pool& pool)
      : pool_(pool), connection_(pool.take_idle_or_slot()), wait_(pool.watch_) {
    reused_ = connection_ != nullptr;
    if (reused_) wait_.is_on(connection_->get().sock());
  }
  ~Lease() { pool_.give_back(std::move(connection_)); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  pqxx::connection& connection() {
    if (!connection_) connection_ = std::make_unique<Connection>(pool_.url_, wait_);
    return connection_->get();
  }
  bool reused() const { return reused_; }
  void discard() { connection_.reset(); }

 private:
  Pool& pool_;
  std::unique_ptr<Connection> connection_;
  ServerWatch::Wait wait_;
  bool reused_;
};

// Null means: there is room for a new one, which give_back() then accounts for.
std::unique_ptr<Connection> Database::Pool::take_idle_or_slot() {
  std::unique_lock lock(mutex_);
  const bool in_time = returned_.wait_for(lock, kWaitForConnectionMax, [this] {
    return !idle_.empty() || open_ < connections_max_;
  });
  if (!in_time) {
    throw Error(ErrorCode::unavailable,
                "all " + std::to_string(connections_max_) +
                    " database connections have been busy for too long");
  }
  if (idle_.empty()) {
    ++open_;
    return nullptr;
  }
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void Database::Pool::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::scoped_lock lock(mutex_);
    if (connection && connection->get().is_open()) {
      idle_.push_back(std::move(connection));
    } else {
      --open_;
    }
  }
  returned_.notify_one();
}

// One broken connection usually means that the server went away under all of them.
void Database::Pool::drop_idle() {
  std::vector<std::unique_ptr<Connection>> dropped;
  {
    const std::scoped_lock lock(mutex_);
    dropped.swap(idle_);
    open_ -= dropped.size();
  }
  returned_.notify_all();
}

void Database::Pool::perform(Mode mode, const Body& body) {
  int conflicts = 0;
  bool connection_replaced = false;
  for (;;) {
    bool begun = false;
    if (!watch_.server_answers()) {
      throw Error(ErrorCode::unavailable, "PostgreSQL does not answer");
    }
    {
      Lease lease(*this);
      try {
        if (mode == Mode::read_only) {
          run_in_transaction<ReadOnly>(lease.connection(), body, &begun);
        } else {
          run_in_transaction<ReadWrite>(lease.connection(), body, &begun);
        }
        return;
      } catch (const pqxx::serialization_failure&) {
        if (++conflicts > kConflictRetriesMax) throw;
      } catch (const pqxx::deadlock_detected&) {
        if (++conflicts > kConflictRetriesMax) throw;
      } catch (const std::exception& error) {
        const bool in_doubt = dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr;
        if (!in_doubt && !is_connection_loss(error)) throw;
        lease.discard();
        drop_idle();
        const bool nothing_happened = mode == Mode::read_only || (lease.reused() && !begun);
        if (!nothing_happened || connection_replaced) throw;
        connection_replaced = true;
      }
    }
    if (conflicts > 0) pause_before_retry(conflicts - 1);
  }
}

Database::Database(std::string url, std::size_t connections_max)
    : pool_(std::make_unique<Pool>(std::move(url), connections_max)) {}

Database::~Database() = default;

void Database::perform(std::string_view doing, Mode mode,
                       const std::function<void(Transaction&)>& body) {
  try {
    pool_->perform(mode, body);
  } catch (const std::exception&) {
    rethrow_postgres_error(doing);
  }
}

}  // namespace mendel::schema
