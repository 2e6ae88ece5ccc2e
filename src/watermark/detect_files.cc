#include "watermark/detect_files.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <shared_mutex>

#include "base/interrupt.h"
#include "base/parallel.h"
#include "base/stopwatch.h"

namespace sealite::watermark {
namespace {

namespace tbb = oneapi::tbb;

// A picture on its way.
struct Item {
  std::size_t index = 0;
  image::Planes planes;
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
      item.planes = image::resize_antialiased(image::read_picture(path, limits_), height_, width_);
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

}  // namespace

void detect_files(Detector& detector, std::span<const std::filesystem::path> pictures, int readers,
                  const image::ReadLimits& limits,
                  const std::function<void(std::size_t index, PictureLogits found)>& each) {
  // One thread more than readers: the one that is in the model.
  const auto threads = static_cast<std::size_t>(readers) + 1;
  // What is on its way when somebody throws, oneTBB does not destroy: it gets pointers into this. Pictures
  // leave in order, so by the time that a place is taken again, its picture has left.
  std::vector<Item> places(threads + 1);
  Reader reader(detector, limits, pictures.size() > 1);
  std::size_t next = 0;
  const auto take = tbb::make_filter<void, Item*>(tbb::filter_mode::serial_in_order,
                                                  [&](tbb::flow_control& control) -> Item* {
                                                    check_interrupt();
                                                    if (next == pictures.size()) {
                                                      control.stop();
                                                      return nullptr;
                                                    }
                                                    Item& item = places[next % places.size()];
                                                    item = Item();
                                                    item.index = next++;
                                                    return &item;
                                                  });
  const auto decode = tbb::make_filter<Item*, Item*>(tbb::filter_mode::parallel, [&](Item* item) {
    reader.read(pictures[item->index], *item);
    return item;
  });
  const auto run = tbb::make_filter<Item*, Item*>(tbb::filter_mode::serial_in_order, [&](Item* item) {
    check_interrupt();
    const Stopwatch stopwatch;
    if (!item->found.error) item->found.logits = detector.detect(item->planes);
    item->found.seconds += stopwatch.seconds();
    return item;
  });
  // Apart from the model, which can go on with the next picture.
  const auto give = tbb::make_filter<Item*, void>(
      tbb::filter_mode::serial_in_order, [&](Item* item) { each(item->index, std::move(item->found)); });
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(static_cast<int>(threads));
  arena.execute([&] { tbb::parallel_pipeline(places.size(), take & decode & run & give); });
}

}  // namespace sealite::watermark
