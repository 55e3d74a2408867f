// SQLSTATE codes: PostgreSQL 15 documentation, appendix A.

#include "schema/postgres_error.h"

#include <pqxx/pqxx>
#include <string>

#include "storage/base/error.h"

namespace mendel::schema {

namespace {

bool starts_with_any(std::string_view state,
                     std::initializer_list<std::string_view> prefixes) {
  for (const auto prefix : prefixes) {
    if (state.starts_with(prefix)) return true;
  }
  return false;
}

bool means_connection_loss(std::string_view state) {
  return starts_with_any(state, {"08", "57P01", "57P02", "57P03", "57P05", "25P03"});
}

ErrorCode code_of(std::string_view state) {
  if (state == "25P03") return ErrorCode::deadline_exceeded;  // idle in transaction
  if (means_connection_loss(state)) return ErrorCode::unavailable;
  if (starts_with_any(state, {"23001", "23503", "23505", "23P01"})) {
    return ErrorCode::already_exists;
  }
  if (starts_with_any(state, {"40"})) return ErrorCode::aborted;
  if (state == "53100") return ErrorCode::out_of_space;
  if (starts_with_any(state, {"53", "55P03"})) return ErrorCode::unavailable;
  if (state == "57014") return ErrorCode::deadline_exceeded;  // statement_timeout, cancel
  if (starts_with_any(state, {"XX001", "XX002"})) return ErrorCode::data_loss;
  // Text that PostgreSQL cannot hold: not UTF-8, or U+0000.
  if (starts_with_any(state, {"22021", "22P05"})) return ErrorCode::invalid_argument;
  return ErrorCode::internal;
}

bool violates_constraint(std::string_view state) { return state.starts_with("23"); }

std::string_view first_line(std::string_view message) {
  constexpr std::string_view kSeverity = "ERROR:  ";
  if (message.starts_with(kSeverity)) message.remove_prefix(kSeverity.size());
  return message.substr(0, message.find('\n'));
}

[[noreturn]] void fail_sql(std::string_view doing, const pqxx::sql_error& error) {
  const std::string state = error.sqlstate();
  std::string message = std::string(doing) + ": ";
  if (violates_constraint(state)) {
    message += first_line(error.what());
  } else {
    message += error.what();
    if (!state.empty()) message += " (SQLSTATE " + state + ", in " + error.query() + ")";
  }
  throw Error(code_of(state), message);
}

}  // namespace

// From the most to the least derived.
void rethrow_postgres_error(std::string_view doing) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const pqxx::sql_error& e) {
    fail_sql(doing, e);
  } catch (const pqxx::transaction_rollback& e) {
    fail(ErrorCode::aborted, doing, e);
  } catch (const pqxx::broken_connection& e) {
    fail(ErrorCode::unavailable, doing, e);
  } catch (const pqxx::in_doubt_error& e) {
    // The commit may have happened. Whoever asked may ask again, as every write of the
    // interface is idempotent; nothing on the way may.
    fail(ErrorCode::unavailable, doing, e);
  } catch (const std::exception& e) {
    fail(ErrorCode::internal, doing, e);
  }
}

bool is_connection_loss(const std::exception& error) {
  if (dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr) return true;
  const auto* sql_error = dynamic_cast<const pqxx::sql_error*>(&error);
  return sql_error != nullptr && means_connection_loss(sql_error->sqlstate());
}

}  // namespace mendel::schema
