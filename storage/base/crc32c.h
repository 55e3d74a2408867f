#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mendel {

// The CRC-32C (Castagnoli) of RFC 3720, appendix B.4: finds rotten bits, not liars. Uses
// the processor's own instruction where there is one. Any thread.
std::uint32_t crc32c(std::span<const std::byte> data);

// Goes on after bytes whose CRC-32C is before; 0 is that of none.
std::uint32_t crc32c_after(std::uint32_t before, std::span<const std::byte> data);

// The same without the instruction: what other processors run.
std::uint32_t crc32c_portable(std::span<const std::byte> data);

}  // namespace mendel
