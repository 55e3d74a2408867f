#pragma once

#include <string>
#include <string_view>

namespace mendel::storage {

// Whether text is well-formed UTF-8 (RFC 3629): nothing overlong, no surrogates.
bool is_utf8(std::string_view text);

// Appends well-formed text with its letters folded, so that two names which a file system
// that ignores case takes for one come out the same. Covers ASCII, Latin-1, Latin
// Extended-A, Greek and Cyrillic (their simple foldings in Unicode's CaseFolding.txt);
// other scripts stay as they are. Never appends more bytes than text has.
void append_case_folded(std::string& out, std::string_view text);

}  // namespace mendel::storage
