#pragma once

#include "schema/database.h"

namespace mendel::schema {

// Throws what the database throws when it is away.
void ping(Transaction& tx);

}  // namespace mendel::schema
