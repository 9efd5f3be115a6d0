// Launches: what a card would refuse, and what goes wrong in a kernel.
#include <csetjmp>
#include <csignal>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "device.h"

namespace software {

constexpr unsigned sharedWithoutAsking = 48 << 10, mostThreads = 1024;

Result checkLaunch(const Launch& launch) {
  const Kernel& kernel = *launch.function->kernel;
  auto refuse = [&](Result error, const std::string& why) {
    return failure(error, "the launch of kernel " + std::string(kernel.name) + " is refused: " + why);
  };
  auto [bx, by, bz] = launch.block;
  auto [gx, gy, gz] = launch.grid;
  auto text = [](Triple of) { return std::to_string(of.x) + " x " + std::to_string(of.y) + " x " + std::to_string(of.z); };
  uint64_t threads = (uint64_t)bx * by * bz;
  if (!threads || bx > mostThreads || by > mostThreads || bz > 64 || threads > mostThreads)
    return refuse(invalidValue, "a block of " + text(launch.block) + " threads");
  if (threads > (uint64_t)kernel.maximumThreads)
    return refuse(invalidValue, "a block of " + std::to_string(threads) + " threads, where its launch bounds say " + std::to_string(kernel.maximumThreads));
  if (!gx || !gy || !gz || gx > 2147483647u || gy > 65535 || gz > 65535)
    return refuse(invalidValue, "a grid of " + text(launch.grid) + " blocks");
  size_t fixed = (size_t)(kernel.sharedStop - kernel.sharedStart);
  if (fixed > sharedWithoutAsking) return refuse(invalidValue, std::to_string(fixed) + " bytes of static shared memory");
  if (launch.dynamicShared > (unsigned)launch.function->maximumDynamicShared || fixed + launch.dynamicShared > mostShared())
    return refuse(invalidValue, std::to_string(launch.dynamicShared) + " bytes of dynamic shared memory, " +
                                    std::to_string(launch.function->maximumDynamicShared) + " are allowed, beside " + std::to_string(fixed) + " static ones");
  for (int i = 0; i < kernel.parameterCount; i++) {
    const Parameter& parameter = kernel.parameters[i];
    if (!parameter.pointer) continue;
    void* pointer;
    memcpy(&pointer, launch.arguments[(size_t)i].data(), sizeof pointer);
    std::string which = "argument " + std::to_string(i);
    if (!pointer) return refuse(invalidValue, which + " is a null pointer");
    if (!allocationAt(pointer)) return refuse(illegalAddress, which + " lies " + describeAddress(pointer));
    if ((uintptr_t)pointer % parameter.alignment)
      return refuse(misalignedAddress, which + " is not a multiple of " + std::to_string(parameter.alignment) + " bytes");
  }
  return success;
}

unsigned mostShared() { return settings["capability"] == 80 ? 163 << 10 : 227 << 10; }

std::vector<int> threadOrder;

/** Fixes in which order the threads of the blocks that follow run. */
static void prepareOrder(const Launch& of) {
  int64_t wanted = settings["threadOrder"];
  threadOrder.clear();
  if (!wanted) return;
  threadOrder.resize((size_t)of.block.x * of.block.y * of.block.z);
  std::iota(threadOrder.begin(), threadOrder.end(), 0);
  if (wanted == 1) std::reverse(threadOrder.begin(), threadOrder.end());
  else std::shuffle(threadOrder.begin(), threadOrder.end(), std::mt19937((unsigned)wanted));
}

static sigjmp_buf leaveKernel;
static thread_local Result faultError;
static char faultDetail[512];

constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
/** What handled these signals before a launch, and handles those of other threads during it. */
static struct sigaction handledBefore[4];

static void faultElsewhere(int signal, siginfo_t* information, void* context) {
  for (int i = 0; i < 4; i++) {
    if (signals[i] != signal) continue;
    const struct sigaction& before = handledBefore[i];
    if (before.sa_flags & SA_SIGINFO) return before.sa_sigaction(signal, information, context);
    if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) return before.sa_handler(signal);
  }
  // Returning repeats what failed, this time with the end of the process.
  ::signal(signal, SIG_DFL);
}

static void faultInKernel(int signal, siginfo_t* information, void* context) {
  if (!insideKernel) return faultElsewhere(signal, information, context);
  const char* what = "it was accessed";
#if defined(__x86_64__)
  if (signal == SIGSEGV) what = ((ucontext_t*)context)->uc_mcontext.gregs[REG_ERR] & 2 ? "something was written" : "something was read";
#else
  (void)context;
#endif
  std::string where = signal == SIGSEGV || signal == SIGBUS ? std::string(what) + " " + describeAddress(information->si_addr)
                      : signal == SIGFPE                    ? std::string("an integer was divided by zero, or the least one by -1")
                                                            : std::string("an illegal instruction");
  snprintf(faultDetail, sizeof faultDetail, "%s (%s)", where.c_str(), describeThread().c_str());
  faultError = signal == SIGFPE ? launchFailed : signal == SIGILL ? illegalInstruction : illegalAddress;
  siglongjmp(leaveKernel, 1);
}

/** While it lives, faults of this thread are turned into errors of the device. */
class FaultGuard {
  stack_t stackBefore_;

 public:
  FaultGuard() {
    static thread_local char handlerStack[64 << 10];
    stack_t stack = {};
    stack.ss_sp = handlerStack;
    stack.ss_size = sizeof handlerStack;
    sigaltstack(&stack, &stackBefore_);
    struct sigaction action = {};
    action.sa_sigaction = faultInKernel;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int i = 0; i < 4; i++) sigaction(signals[i], &action, &handledBefore[i]);
    insideKernel = true;
  }
  ~FaultGuard() {
    insideKernel = false;
    for (int i = 0; i < 4; i++) sigaction(signals[i], &handledBefore[i], nullptr);
    sigaltstack(&stackBefore_, nullptr);
  }
};

Result runLaunch(const Launch& launch) {
  if (lost) return lost;
  // Memory that an argument points at may have been freed since it was recorded.
  if (Result error = checkLaunch(launch)) return error;
  counters["launches"]++;
  if (settings["failingLaunch"] > 0 && --settings["failingLaunch"] == 0)
    return deviceFailure((Result)settings["failure"], "a launch that was told to fail");
  FaultGuard faultGuard;
  if (sigsetjmp(leaveKernel, 1)) {
    forgetFibers();
    return deviceFailure(faultError, faultDetail);
  }
  prepareOrder(launch);
  bool backward = settings["threadOrder"] != 0;
  auto [gx, gy, gz] = launch.grid;
  uint64_t count = (uint64_t)gx * gy * gz;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t index = backward ? count - 1 - i : i;
    Triple block = {(unsigned)(index % gx), (unsigned)(index / gx % gy), (unsigned)(index / gx / gy)};
    if (!runBlock(launch, block)) return deviceFailure(blockFailure(), failureDetail());
  }
  return success;
}

}  // namespace software
