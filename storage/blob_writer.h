#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/digest.h"
#include "storage/base/io.h"
#include "storage/chunk_trail.h"
#include "storage/pack.h"

namespace mendel::storage {

// Which chunks need not be stored again, because some pack has them.
class KnownChunks {
 public:
  virtual ~KnownChunks() = default;

  // For each digest the pack that has it, or nullopt. Asked once per segment of a blob, in
  // the order of the stream.
  virtual std::vector<std::optional<Digest>> find(std::span<const Digest> digests) = 0;
};

// Where packs go, one after the other: into an object store, or to a server.
class PackTarget {
 public:
  virtual ~PackTarget() = default;

  // A new pack begins: its bytes are written to the sink that is returned, which is valid
  // until end_pack().
  virtual Sink& begin_pack() = 0;
  // blobs: those that this pack completes, so that it can be named as their place.
  virtual void end_pack(PackIndex index, std::vector<StoredBlob> blobs) = 0;
};

// Cuts blobs into chunks and writes what is not known yet into packs: the one way in which
// bytes get into Mendel, used by the server for plain uploads and by the command for
// pushes.
//
// Bytes are appended as they come. A blob of one chunk becomes one blob record; a larger
// one leaves and inner recipes (recipe.h) before its new chunks. Packs are closed at
// kPackSizeTarget, between segments. Memory: one segment (kLeafSizeTarget plus a chunk),
// the index of one pack and one recipe per level. For one thread. Once it has thrown, it is
// of no use.
class BlobWriter {
 public:
  BlobWriter(PackTarget& target, KnownChunks& known);
  ~BlobWriter();

  void append(std::span<const std::byte> data);

  // Appending without a copy: room for the next bytes, valid until the next call, and how
  // many of them were filled.
  std::span<std::byte> room();
  void filled(std::size_t size_bytes);

  // The blob that comes next is probably much like an older one, whose trail must stay
  // until it has ended. Changes how long it takes, and nothing else. Between blobs.
  void follow(const ChunkTrail& older);

  // Ends the blob that was appended and returns its digest; the next append() begins
  // another. end_pack() reports where it lies.
  Digest end_blob();

  // The canonical bytes of a manifest, as one record. Between blobs.
  void add_manifest(const Digest& digest, std::span<const std::byte> bytes);

  // A blob of one chunk whose digest the caller has computed already. Between blobs.
  // Throws invalid_argument if the chunker would cut it.
  void add_small_blob(const Digest& digest, std::span<const std::byte> bytes);

  // Closes the pack that is open, if any.
  void flush();

  std::uint64_t chunk_bytes_new() const;  // raw bytes of chunks that were written
  std::uint64_t pack_bytes() const;       // bytes handed to the target

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mendel::storage
