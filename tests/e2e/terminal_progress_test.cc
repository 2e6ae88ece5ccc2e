#include <pty.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "e2e/demo_model.h"

namespace sealite {
namespace {

// What the program writes to a terminal, standard output and error together.
std::string on_terminal(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = sealite_command(arguments);
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  int terminal = -1;
  const pid_t id = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (id == 0) {
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  if (id < 0) {  // never a signal to -1, which is everybody
    ADD_FAILURE() << "no terminal: errno " << errno;
    return {};
  }
  // However fast the machine is, the program gets a tenth of the time, so that a single run takes seconds.
  std::jthread slower([id](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      ::kill(id, SIGSTOP);
      std::this_thread::sleep_for(std::chrono::milliseconds(90));
      ::kill(id, SIGCONT);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  std::string text;
  char block[4096];
  for (;;) {
    const ssize_t got = ::read(terminal, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;  // EIO: the program has ended
    text.append(block, static_cast<std::size_t>(got));
  }
  slower.request_stop();
  slower.join();
  ::close(terminal);
  int status = -1;
  ::waitpid(id, &status, 0);
  EXPECT_EQ(status, 0) << text;
  return text;
}

// One run of 18 GMAC: nobody knows which share is done, but that it goes on.
TEST(TerminalProgress, ASingleLongRunIsNotSilent) {
  const ScratchFolder folder;
  const std::string model = folder / "large.tflite";
  expect_success(convert_demo(model, {"--image-size", "2048"}));
  const std::vector<std::string> command{"detect", model, asset("coffee.png"), "--no-cache"};
  const std::string text = on_terminal(command);
  const std::size_t line = text.find("\rreading the picture  ");
  const std::size_t away = text.rfind("\r\033[K");
  ASSERT_NE(line, std::string::npos) << text;
  ASSERT_NE(away, std::string::npos) << text;
  EXPECT_LT(line, away);
  EXPECT_LT(away, text.find("  message: ")) << "the line is gone before the answer: " << text;
  expect_success(run_sealite(command));  // no terminal, nothing on stderr
}

}  // namespace
}  // namespace sealite
