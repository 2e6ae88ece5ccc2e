#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <initializer_list>

#include "e2e/demo_model.h"

#if defined(__x86_64__)

namespace sealite {
namespace {

// The filter of docs/security.md as a program of the kernel's: what is in `calls` ends the process, a new
// process (clone without CLONE_THREAD) too; clone3, whose flags a filter cannot see, is not there (glibc then
// uses clone).
std::vector<sock_filter> make_filter(std::initializer_list<int> calls) {
  const auto load = [](std::size_t offset) {
    return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  };
  const sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  const auto skip_unless = [](unsigned value, std::uint8_t count) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
  };
  std::vector<sock_filter> filter{load(offsetof(seccomp_data, arch)),
                                  sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0)),
                                  kill, load(offsetof(seccomp_data, nr))};
  for (const int call : calls) {
    filter.push_back(skip_unless(static_cast<unsigned>(call), 1));
    filter.push_back(kill);
  }
  filter.push_back(skip_unless(SYS_clone3, 1));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
  filter.push_back(skip_unless(SYS_clone, 3));
  filter.push_back(load(offsetof(seccomp_data, args[0])));
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
  filter.push_back(kill);
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

// Runs a command without network, new processes, and changes of rights or of the system.
Outcome run_confined(std::vector<std::string> command) {
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  std::vector<sock_filter> filter = make_filter({SYS_socket,
                                                 SYS_connect,
                                                 SYS_bind,
                                                 SYS_listen,
                                                 SYS_accept,
                                                 SYS_accept4,
                                                 SYS_sendto,
                                                 SYS_fork,
                                                 SYS_vfork,
                                                 SYS_ptrace,
                                                 SYS_process_vm_readv,
                                                 SYS_process_vm_writev,
                                                 SYS_mount,
                                                 SYS_umount2,
                                                 SYS_setuid,
                                                 SYS_setgid,
                                                 SYS_setns,
                                                 SYS_unshare,
                                                 SYS_chroot,
                                                 SYS_bpf,
                                                 SYS_init_module,
                                                 SYS_kexec_load,
                                                 SYS_reboot,
                                                 SYS_io_uring_setup});
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  const ScratchFolder folder;
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(99);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(99);
    ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // the leak check looks on with ptrace, from a new process
    ::execvp(words[0], words.data());
    ::_exit(98);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  Outcome outcome;
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.out = read_text(out);
  outcome.err = read_text(err);
  return outcome;
}

TEST(Sandbox, TheFilterEndsWhatStartsAProgram) {
  const Outcome outcome = run_confined({"sh", "-c", "ls >/dev/null; exit 0"});
  if (outcome.status == 99) GTEST_SKIP() << "this system allows no seccomp filter";
  EXPECT_EQ(outcome.signal, SIGSYS);
}

TEST(Sandbox, ConvertDetectAndEmbedNeedNoNetworkAndNoOtherProgram) {
  const ScratchFolder folder;
  const std::string detector = folder / "demo.detector.tflite";
  const std::string embedder = folder / "demo.embedder.tflite";
  const Outcome converted =
      run_confined(sealite_command({"convert", asset("demo.pth"), "--card", asset("demo.card.yaml"), "--part",
                                    "both", "-o", folder / "demo.tflite", "--quantize", "int8"}));
  if (converted.status == 99) GTEST_SKIP() << "this system allows no seccomp filter";
  expect_success(converted);
  for (const char* extension : {".png", ".jpg", ".webp", ".avif", ".tif"}) {
    const std::string marked = folder / (std::string("marked") + extension);
    expect_success(run_confined(
        sealite_command({"embed", embedder, asset("coffee.png"), "-o", marked, "--message", kDemoMessage})));
    const Outcome found =
        run_confined(sealite_command({"detect", detector, marked, asset("coffee.png"), "--expect",
                                      kDemoMessage, "--threads", "2", "--jobs", "2"}));
    expect_success(found);
    EXPECT_NE(found.out.find("matches: "), std::string::npos) << found.out;
  }
  expect_success(run_confined(sealite_command({"inspect", asset("demo.pth")})));
  expect_success(
      run_confined(sealite_command({"extract", asset("demo.pth"), "-o", folder / "detector.pth"})));
}

}  // namespace
}  // namespace sealite

#endif
