#pragma once

#include <string>
#include <string_view>

#include "storage/base/clock.h"

namespace mendel {

// A UUID of version 7 (RFC 9562, section 5.7) in its canonical text: ids that sort by the
// millisecond in which they were made, and that nobody guesses (74 random bits).
std::string make_uuid_v7(Timestamp now);

// Canonical text of a UUID of any version, in lower case: what may be given to PostgreSQL.
bool is_uuid(std::string_view text);

}  // namespace mendel
