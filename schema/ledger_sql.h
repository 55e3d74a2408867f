#pragma once

// For statement files only: pieces that several statements about the ledger are made of.

#include <cstdint>
#include <string>
#include <vector>

#include "schema/composer.h"
#include "schema/ledger_sums.h"

namespace mendel::schema {

// The text of an array of numbers, in which there is nothing to quote.
std::string array_text(const std::vector<std::int64_t>& numbers);

// "from … where …" of the scope's entries in some batches: e is the entry, b its batch.
std::string entries_of(Composer& composer, const LedgerScope& scope, BatchRange batches);

// "from …" of links and of what they count: e is the entry, with its recorded_at, and
// l.link a link. A correction takes the links of its event away with it, or brings them
// back. and_where: more about e, from the composer, and "" for nothing.
std::string links_of(Composer& composer, const LedgerScope& scope, BatchRange batches,
                     const std::string& and_where);

}  // namespace mendel::schema
