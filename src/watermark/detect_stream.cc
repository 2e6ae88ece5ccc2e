#include "watermark/detect_stream.h"

#include "base/context.h"
#include "base/ordered_stages.h"
#include "base/stopwatch.h"

namespace sealite::watermark {
namespace {

// A picture on its way.
struct Item {
  pixels::Planes planes;
  StreamedPicture found;
};

void resize(const ResizedPicture& resized, std::size_t index, Item& item) {
  const Stopwatch stopwatch;
  try {
    item.planes = resized(index);
  } catch (const Error& error) {
    if (is_cancellation(error.code())) throw;
    item.found.error = error;
  }
  item.found.seconds = stopwatch.seconds();
}

// Numbers that are none are this picture's error.
void run_model(DetectorModel& model, Item& item) {
  const Stopwatch stopwatch;
  item.found.logits = model.unchecked_logits(item.planes);
  item.found.error = broken_logits(item.found.logits);
  if (item.found.error) item.found.logits.clear();
  item.found.seconds += stopwatch.seconds();
}

}  // namespace

void detect_stream(DetectorModel& model, std::size_t count, std::size_t threads,
                   const ResizedPicture& resized,
                   const std::function<void(std::size_t index, StreamedPicture found)>& give) {
  std::vector<Item> places(stage_places(threads));
  const Context& host = current_context();
  Context alone = host;
  alone.threads = count > 1 ? 1 : host.threads;  // the others are in the model and with other pictures
  OrderedStages stages;
  stages.prepare = [&](std::size_t index, std::size_t place) {
    const InContext scope(alone);
    places[place] = Item();
    resize(resized, index, places[place]);
  };
  stages.run = [&](std::size_t, std::size_t place) {
    if (!places[place].found.error) run_model(model, places[place]);
  };
  // Apart from the model, which can go on with the next picture.
  stages.give = [&](std::size_t index, std::size_t place) { give(index, std::move(places[place].found)); };
  run_ordered(count, threads, stages);
}

}  // namespace sealite::watermark
