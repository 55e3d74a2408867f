#pragma once

#include <optional>
#include <string_view>

namespace mendel::cli {

// What a line gives away to whoever may read it: "a private key", "a GitHub token"; nullopt
// if it looks harmless. Knows the forms that are unmistakable: PEM private keys (a grid
// proxy has one) and the tokens whose issuers gave them a prefix.
std::optional<std::string_view> find_credential(std::string_view line);

// The same of a file that only its name tells: a password store, a key store, a grid proxy.
std::optional<std::string_view> find_credential_file(std::string_view path);

}  // namespace mendel::cli
