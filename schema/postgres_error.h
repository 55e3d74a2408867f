#pragma once

#include <exception>
#include <string_view>

namespace mendel::schema {

// Called while an exception is being handled: throws it again as the Error that it means.
// An Error passes through unchanged. What the database said of a violated constraint is cut
// down to the constraint's name, because such a message reaches clients.
[[noreturn]] void rethrow_postgres_error(std::string_view doing);

// Whether the connection is gone, so that another one is needed for whatever comes next. A
// commit of unknown outcome is not meant: nothing may be repeated after that.
bool is_connection_loss(const std::exception& error);

}  // namespace mendel::schema
