#include "watermark/detect_files.h"

#include <mutex>
#include <shared_mutex>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/ordered_stages.h"
#include "base/parallel.h"
#include "base/stopwatch.h"

namespace sealite::watermark {
namespace {

// A picture on its way.
struct Item {
  pixels::Planes planes;
  PictureLogits found;
};

class Reader {
 public:
  Reader(const Detector& detector, const image::ReadLimits& limits, bool several)
      : height_(detector.height()), width_(detector.width()), limits_(limits), several_(several) {}

  // libvips has one text of errors for all threads: a picture that fails is read once more with nobody beside
  // it, so that its error is its own.
  void read(const std::filesystem::path& path, Item& item) {
    const Stopwatch stopwatch;
    std::optional<OneThread> one_thread;
    if (several_) one_thread.emplace();  // the others are in the model and with other pictures
    bool good = false;
    {
      const std::shared_lock lock(alone_);
      good = try_to_read(path, item);
    }
    if (!good) {
      const std::unique_lock lock(alone_);
      if (try_to_read(path, item)) item.found.error.reset();
    }
    item.found.seconds = stopwatch.seconds();
  }

 private:
  bool try_to_read(const std::filesystem::path& path, Item& item) const {
    try {
      item.planes = pixels::resize_antialiased(image::read_picture(path, limits_), height_, width_);
      return true;
    } catch (const Error& error) {
      if (is_interrupt(error.code())) throw;
      item.found.error = error;
      return false;
    }
  }

  std::int64_t height_;
  std::int64_t width_;
  image::ReadLimits limits_;
  bool several_;
  std::shared_mutex alone_;
};

// Numbers that are none are this picture's error.
void run_model(Detector& detector, const std::filesystem::path& path, Item& item) {
  item.found.logits = detector.unchecked_logits(item.planes);
  if (const std::optional<Error> broken = broken_logits(item.found.logits))
    item.found.error = Error(broken->code(), fmt::format("'{}': {}", path.string(), broken->what()));
}

}  // namespace

void detect_files(Detector& detector, std::span<const std::filesystem::path> pictures, int readers,
                  const image::ReadLimits& limits,
                  const std::function<void(std::size_t index, PictureLogits found)>& each) {
  // One thread more than readers: the one that is in the model.
  const auto threads = static_cast<std::size_t>(readers) + 1;
  std::vector<Item> places(stage_places(threads));
  Reader reader(detector, limits, pictures.size() > 1);
  OrderedStages stages;
  stages.prepare = [&](std::size_t index, std::size_t place) {
    places[place] = Item();
    reader.read(pictures[index], places[place]);
  };
  stages.run = [&](std::size_t index, std::size_t place) {
    Item& item = places[place];
    const Stopwatch stopwatch;
    if (!item.found.error) run_model(detector, pictures[index], item);
    item.found.seconds += stopwatch.seconds();
  };
  // Apart from the model, which can go on with the next picture.
  stages.give = [&](std::size_t index, std::size_t place) { each(index, std::move(places[place].found)); };
  run_ordered(pictures.size(), threads, stages);
}

}  // namespace sealite::watermark
