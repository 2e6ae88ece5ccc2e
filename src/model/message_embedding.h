#pragma once

#include "graph/source.h"

// Embedding a message of bits m is e = sum over k of E[2k + m_k] (videoseal modules/msg_processor.py,
// "binary"), E [2 * bits, hidden]. That is the affine map e = b + W m, one FULLY_CONNECTED and no gather.
namespace sealite::model {

/// W [hidden, bits]: W[h,k] = E[2k+1,h] - E[2k,h].
graph::SourcePtr message_filter(graph::SourcePtr embeddings);

/// b [hidden]: the sum over k of E[2k], in double.
graph::SourcePtr message_bias(graph::SourcePtr embeddings);

}  // namespace sealite::model
