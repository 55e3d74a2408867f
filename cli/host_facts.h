#pragma once

#include "cli/api_client.h"

namespace mendel::cli {

// What this machine is, as far as it can be found out: {"platform", "cpu", "gpu",
// "modules", "container", "binary_tag"}, each only where there is one. Never throws for
// what is not there. Says nothing that names the machine or its user.
Json find_host_facts();

// The members of /etc/os-release and its like: KEY=value or KEY="value" a line.
Json parse_os_release(std::string_view text);

// What `nvidia-smi --query-gpu=name,driver_version --format=csv,noheader` prints:
// {"driver", "devices": {name: count}}; null if it makes no sense.
Json parse_nvidia_smi(std::string_view text);

// "A:B:C" as a list, without empty parts.
Json parse_modules(std::string_view text);

}  // namespace mendel::cli
