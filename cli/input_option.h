#pragma once

#include <string>
#include <string_view>

#include "cli/api_client.h"

namespace mendel::cli {

// What --data, --validated-on, --parent and --env were told, as an input of the wire:
//
//   lhcb/calib-2016:3             {"role", "ref"}
//   root://eos.example.org//f     {"role", "uri"}, which nobody can verify
//   root://…//f@sha256:HEX        {"role", "uri": "root://…//f", "digest"}
//   calib=lhcb/calib-2016:3       the same with "name", under which it will be laid out
//
// The URI of a container image keeps its digest, which is part of it. Throws
// invalid_argument, naming the option, for what is neither, and for a URI with a password.
Json parse_input(std::string_view option, std::string_view role, std::string_view text);

// Whether it begins with a scheme: a reference has a '/' before its first ':'.
bool is_uri(std::string_view text);

}  // namespace mendel::cli
