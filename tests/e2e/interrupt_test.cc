#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "base/mapped_file.h"
#include "e2e/demo_model.h"
#include "e2e/run_sealite.h"

namespace sealite {
namespace {

using std::chrono::duration;
using Clock = std::chrono::steady_clock;

// A detector of about 70 MB, so that converting takes long enough to be interrupted.
constexpr const char* kCard =
    "args: {nbits: 256, img_size_proc: 256}\n"
    "extractor:\n"
    "  model: convnext_tiny\n"
    "  params:\n"
    "    encoder: {depths: [1, 1, 1, 2], dims: [128, 256, 512, 896], stem_stride: 4}\n"
    "    pixel_decoder: {upscale_stages: [1]}\n";

class Interrupt : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(inputs_ / "medium.yaml", kCard);
    expect_success(run_sealite({"make-checkpoint", "--card", inputs_ / "medium.yaml", "--part", "detector",
                                "-o", inputs_ / "medium.pth"}));
    expect_success(run_sealite(convert()));  // warms the page cache
    const auto start = Clock::now();
    expect_success(run_sealite(convert()));
    whole_ = Clock::now() - start;
    std::filesystem::rename(output(), complete());
    ASSERT_GT(std::filesystem::file_size(complete()), 64U << 20U);
  }
  std::filesystem::path complete() const { return inputs_ / "complete.tflite"; }
  std::filesystem::path output() const { return outputs_ / "medium.tflite"; }
  std::vector<std::string> convert() const {
    return {"convert", inputs_ / "medium.pth", "-o", output(), "--card", inputs_ / "medium.yaml"};
  }
  // Starts a conversion and sends `signal` after that part of its usual time.
  Outcome interrupted(int signal, double part) const {
    Process process(sealite_command(convert()));
    std::this_thread::sleep_for(whole_ * part);
    process.send(signal);
    return process.wait();
  }
  // The whole file or nothing at all, hidden files included; removes it.
  void expect_all_or_nothing(bool all) const {
    EXPECT_EQ(outputs_.entries(), all ? 1 : 0);
    EXPECT_EQ(std::filesystem::exists(output()), all);
    if (!all || !std::filesystem::exists(output())) return;
    const MappedFile found(output());
    const MappedFile expected(complete());
    EXPECT_TRUE(std::ranges::equal(found.bytes(), expected.bytes())) << "the file is not complete";
    std::filesystem::remove(output());
  }
  void interrupt_often(int signal) const {
    int caught = 0;
    for (double part = 0.15; part < 1.2; part += 0.15) {
      SCOPED_TRACE(part);
      const Outcome outcome = interrupted(signal, part);
      if (outcome.status == static_cast<int>(ErrorCode::kInterrupted)) {
        ++caught;
        expect_refusal(outcome, ErrorCode::kInterrupted, {"interrupted; no unfinished file is left"});
        expect_all_or_nothing(false);
      } else if (outcome.status == 0) {
        expect_all_or_nothing(true);  // it was done before
      } else {
        EXPECT_EQ(outcome.signal, signal) << outcome.err;  // before main could take care of signals
        expect_all_or_nothing(false);
      }
    }
    EXPECT_GT(caught, 0) << "no signal came while it converted";
  }

  ScratchFolder inputs_;
  ScratchFolder outputs_;
  duration<double> whole_{};
};

// One test for all signals: making the checkpoint costs more than they do.
TEST_F(Interrupt, LeavesTheWholeFileOrNothing) {
  for (const int signal : {SIGINT, SIGTERM}) {
    SCOPED_TRACE(signal);
    interrupt_often(signal);
  }
  SCOPED_TRACE(SIGKILL);
  for (double part = 0.2; part < 1; part += 0.2) {
    SCOPED_TRACE(part);
    const Outcome outcome = interrupted(SIGKILL, part);
    if (outcome.status == 0 || std::filesystem::exists(output())) {
      expect_all_or_nothing(true);
    } else {
      EXPECT_EQ(outcome.signal, SIGKILL);
      expect_all_or_nothing(false);
    }
  }
}

// Nobody writes into this pipe: one signal is enough, as for everything else.
class PipeInterrupt : public ::testing::TestWithParam<int> {};

TEST_P(PipeInterrupt, EndsTheWaitForCandidates) {
  const ScratchFolder folder;
  expect_success(convert_demo(folder / "demo.tflite"));
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Process process(sealite_command({"detect", folder / "demo.tflite", asset("coffee.png"), "--candidates",
                                   pipe, "--timeout", "60"}));  // so that this test ends at all
  // Once this can open the pipe, the program reads from it.
  int writer = -1;
  while ((writer = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  process.send(GetParam());
  expect_refusal(process.wait(), ErrorCode::kInterrupted, {"interrupted"});
  ::close(writer);
}

INSTANTIATE_TEST_SUITE_P(Signals, PipeInterrupt, ::testing::Values(SIGINT, SIGTERM));

}  // namespace
}  // namespace sealite
