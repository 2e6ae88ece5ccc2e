// Any text as a model card, and the networks that it describes.
#include "model/card.h"

#include "model/network.h"
#include "sealite/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealite;
  try {
    const model::Card card = model::parse_card("fuzz", std::string(data, data + size));
    try {
      model::make_detector(card)->parameters();
    } catch (const Error&) {
    }
    model::make_embedder(card)->parameters();
  } catch (const Error&) {
  }
  return 0;
}
