#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// Where the storages lie that a pickle names.
class StorageSource {
 public:
  StorageSource() = default;
  virtual ~StorageSource() = default;
  StorageSource(const StorageSource&) = delete;
  StorageSource& operator=(const StorageSource&) = delete;

  /// Its size in bytes. Throws kMalformed if it is not there.
  virtual std::uint64_t size(const StorageRef& storage) const = 0;
  /// Called once with all storages whose bytes will be asked for.
  virtual void prepare(const std::vector<const StorageRef*>& storages, Contents& contents) = 0;
  virtual ByteView bytes(const StorageRef& storage) const = 0;
};

/// What a pickled checkpoint says, its storages being in `source`. `key`: see `find_weights`. Throws
/// kMalformed, kUnsupported, kUsage.
Contents read_pickled(Pickle pickle, StorageSource& source, const std::string& key);

}  // namespace sealite::checkpoint
