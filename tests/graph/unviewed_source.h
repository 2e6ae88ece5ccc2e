#pragma once

#include <utility>

#include "graph/source.h"

namespace sealite::graph {

/// Another source without its shortcut: nothing lies in memory, everything has to be read.
class UnviewedSource : public Source {
 public:
  explicit UnviewedSource(SourcePtr base) : Source(base->type(), base->shape()), base_(std::move(base)) {}
  void read(Rows rows, MutableByteView out) const override { base_->read(rows, out); }

 private:
  SourcePtr base_;
};

inline SourcePtr unviewed(SourcePtr base) {
  return std::make_shared<UnviewedSource>(std::move(base));
}

}  // namespace sealite::graph
