#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace mendel::schema {

// One open transaction; what every statement function takes first, so that none can be
// called outside one. Defined in schema/transaction.h, for statement files only.
class Transaction;

// PostgreSQL, through a bounded pool of connections that are opened when first needed and
// thrown away when they break. Any thread; a call holds its thread, and a connection, until
// it is done. Throws Error{unavailable} while the server is away, and whatever
// schema/postgres_error.cc makes of the rest.
class Database {
 public:
  // url: postgresql://… or a libpq connection string.
  Database(std::string url, std::size_t connections_max);
  ~Database();

  // Runs body in one transaction and commits it. After a serialisation failure or a
  // deadlock it runs again, a few times: body touches nothing but the database. An Error
  // thrown by body rolls back and passes through.
  template <class Body>
  auto transact(std::string_view doing, Body&& body) {
    return run(doing, Mode::read_write, std::forward<Body>(body));
  }

  // The same for queries alone, on one snapshot; also repeated once on a new connection
  // when the pool's was found broken.
  template <class Body>
  auto read(std::string_view doing, Body&& body) {
    return run(doing, Mode::read_only, std::forward<Body>(body));
  }

 private:
  enum class Mode { read_write, read_only };

  template <class Body>
  auto run(std::string_view doing, Mode mode, Body&& body) {
    using Result = std::invoke_result_t<Body&, Transaction&>;
    if constexpr (std::is_void_v<Result>) {
      perform(doing, mode, body);
    } else {
      std::optional<Result> result;
      perform(doing, mode,
              [&](Transaction& transaction) { result.emplace(body(transaction)); });
      return std::move(*result);
    }
  }
  void perform(std::string_view doing, Mode mode,
               const std::function<void(Transaction&)>& body);

  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace mendel::schema
