// The binary form of a one-dimensional array, big-endian (PostgreSQL's array_recv):
//
//   int32 dimensions (0 when empty) | int32 has nulls | uint32 element type's OID
//   int32 length | int32 first index (1)
//   per element: int32 size (-1 for null) | bytes

#include "schema/transaction.h"

#include <bit>
#include <charconv>

#include "storage/base/error.h"

namespace mendel::schema {

namespace {

// PostgreSQL counts from here; we count from 1970.
constexpr Timestamp kPostgresEpoch =
    std::chrono::sys_days{std::chrono::January / 1 / std::chrono::year{2000}};

template <class Unsigned>
std::string big_endian(Unsigned number) {
  std::string bytes(sizeof number, '\0');
  for (std::size_t i = 0; i < sizeof number; ++i) {
    bytes[i] = static_cast<char>(number >> (8 * (sizeof number - 1 - i)));
  }
  return bytes;
}

void require_no_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument, "text must not contain the character U+0000");
  }
}

std::string hex_bytea(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\x";
  text.reserve(2 + 2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

[[noreturn]] void fail_field(const pqxx::field& field, std::string_view wanted) {
  throw Error(ErrorCode::internal, std::string("column ") + field.name() + " holds " +
                                       (field.is_null() ? "null" : field.c_str()) +
                                       " where " + std::string(wanted) + " is expected");
}

std::string_view text_of(const pqxx::field& field) { return {field.c_str(), field.size()}; }

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

// Reads digits off the front of text; -1 where there are none.
int take_number(std::string_view& text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

int take_microseconds(std::string_view& text) {
  if (!take(text, '.')) return 0;
  int micros = 0;
  for (int scale = 100'000; scale > 0; scale /= 10) {
    if (text.empty() || text[0] < '0' || text[0] > '9') continue;
    micros += (text[0] - '0') * scale;
    text.remove_prefix(1);
  }
  return micros;
}

}  // namespace

std::string parameter(std::string_view text) {
  require_no_nul(text);
  return std::string(text);
}

std::string parameter(const Digest& digest) { return hex_bytea(digest.bytes()); }

std::string parameter(const std::vector<std::byte>& bytes) { return hex_bytea(bytes); }

std::string parameter(Timestamp time) { return format_rfc3339(time); }

void ArrayParameter::append_raw(std::string_view bytes) {
  elements_ += big_endian(static_cast<std::uint32_t>(bytes.size()));
  elements_ += bytes;
  ++count_;
}

void ArrayParameter::append_null() {
  elements_ += big_endian(~std::uint32_t{0});
  ++count_;
  has_nulls_ = true;
}

void ArrayParameter::append(std::int64_t number) {
  append_raw(big_endian(static_cast<std::uint64_t>(number)));
}

void ArrayParameter::append(std::int32_t number) {
  append_raw(big_endian(static_cast<std::uint32_t>(number)));
}

void ArrayParameter::append(double number) {
  append_raw(big_endian(std::bit_cast<std::uint64_t>(number)));
}

void ArrayParameter::append(Timestamp time) {
  append(static_cast<std::int64_t>((time - kPostgresEpoch).count()));
}

void ArrayParameter::append(std::string_view text) {
  require_no_nul(text);
  append_raw(text);
}

pqxx::binarystring ArrayParameter::encoded() const {
  const std::uint32_t dimensions = count_ == 0 ? 0 : 1;
  std::string array = big_endian(dimensions) + big_endian(std::uint32_t{has_nulls_}) +
                      big_endian(static_cast<std::uint32_t>(element_));
  if (count_ > 0) array += big_endian(count_) + big_endian(std::uint32_t{1}) + elements_;
  return pqxx::binarystring(array);
}

std::vector<std::byte> parse_bytes(const pqxx::field& field) {
  std::string_view text = text_of(field);
  if (field.is_null() || !text.starts_with("\\x")) fail_field(field, "a bytea");
  text.remove_prefix(2);

  std::vector<std::byte> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] =
        static_cast<std::byte>(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
  }
  return bytes;
}

Digest parse_digest(const pqxx::field& field) {
  const auto bytes = parse_bytes(field);
  if (bytes.size() != Digest::kSizeBytes) fail_field(field, "a SHA-256");
  return Digest::from_bytes(bytes);
}

// What DateStyle ISO and TimeZone UTC print: 2024-02-13 00:00:00.123456+00.
Timestamp parse_timestamp(const pqxx::field& field) {
  std::string_view text = text_of(field);
  const int year = take_number(text);
  take(text, '-');
  const int month = take_number(text);
  take(text, '-');
  const int day = take_number(text);
  take(text, ' ');
  const int hour = take_number(text);
  take(text, ':');
  const int minute = take_number(text);
  take(text, ':');
  const int second = take_number(text);
  const int micros = take_microseconds(text);

  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (text != "+00" || !date.ok() || hour < 0 || minute < 0 || second < 0) {
    fail_field(field, "a timestamptz in UTC");
  }
  return std::chrono::sys_days{date} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second} +
         std::chrono::microseconds{micros};
}

void Transaction::prepare(const Statement& statement) {
  transaction_.conn().prepare(statement.name, statement.sql);
}

Rows Transaction::exec(const ComposedStatement& statement) {
  const auto values = pqxx::prepare::make_dynamic_params(statement.parameters);
  failed_ = true;
  Rows rows;
  if (statement.name.empty()) {
    rows = transaction_.exec_params(statement.sql, values);
  } else {
    transaction_.conn().prepare(statement.name, statement.sql);
    rows = transaction_.exec_prepared(statement.name, values);
  }
  failed_ = false;
  return rows;
}

Row Transaction::only_row(const Statement& statement, const Rows& rows) {
  if (rows.size() != 1) {
    throw Error(ErrorCode::internal, std::string(statement.name) + " gave " +
                                         std::to_string(rows.size()) +
                                         " rows where one is expected");
  }
  return rows[0];
}

void Transaction::exec_script(std::string_view sql) {
  failed_ = true;
  transaction_.exec(std::string(sql));
  failed_ = false;
}

}  // namespace mendel::schema
