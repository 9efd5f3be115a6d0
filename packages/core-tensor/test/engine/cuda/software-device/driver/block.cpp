// Runs the threads of a block, one at a time.
//
// Threads run on stacks of their own ("fibers"). A stack takes one thread after another until a thread has to wait; only
// then is another stack begun, so that a kernel without barriers runs as a loop on one.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "device.h"
#include "switch.h"

namespace software {

struct Copy {
  char* to;
  const char* from;
  unsigned bytes, copied;
};

struct Thread {
  int index = 0;
  Triple position = {};
  std::vector<std::vector<Copy>> groups;
  std::vector<Copy> open;
  /** What it waits for; null while it runs. */
  const char* waitsFor = nullptr;
};

struct Fiber {
  char* stack = nullptr;
  void* context = nullptr;
  Thread thread;
  bool begun = false;
};

/** A call that some lanes of a warp have made and others have yet to make. */
struct Pending {
  unsigned mask, arrived;
  const char* operation;
};

struct Warp {
  void* lanes[32];
  Fiber* fibers[32];
  unsigned exited = 0;
  std::vector<Pending> pending;
};

constexpr size_t stackBytes = 256 << 10;

static std::vector<std::unique_ptr<Fiber>> fibers;
static std::vector<Fiber*> idle;
static std::deque<Fiber*> ready;
static std::vector<Fiber*> atBarrier;
static std::vector<Warp> warps;
static void* hostContext;
static Fiber* current;
static const Launch* launch;
static const Module* module;
static int threadCount, nextThread, exitedThreads, barrierCount, barrierTrue, barrierResult;
static Result blockError;
static Runtime runtime;
Result blockFailure() { return blockError; }
thread_local bool insideKernel = false;

std::string describeThread() {
  auto triple = [](Triple of) {
    return "(" + std::to_string(of.x) + ", " + std::to_string(of.y) + ", " + std::to_string(of.z) + ")";
  };
  if (!launch) return "";
  std::string text = "kernel " + std::string(launch->function->kernel->name) + ", block " + triple(*module->block);
  return current ? text + ", thread " + triple(current->thread.position) : text;
}

static void setPosition(const Thread& thread) { *module->thread = thread.position; }

/** Gives the processor back to runBlock. */
static void suspend() {
  Fiber* mine = current;
  switchContext(&mine->context, hostContext);
  current = mine;
  setPosition(mine->thread);
}

void abandonBlock(Result error, const std::string& detail) {
  blockError = failure(error, detail + " (" + describeThread() + ")");
  void* left;
  switchContext(&left, hostContext);
  __builtin_unreachable();
}

void forgetFibers() {
  idle.clear();
  ready.clear();
  atBarrier.clear();
  for (auto& fiber : fibers) {
    fiber->begun = false;
    idle.push_back(fiber.get());
  }
  current = nullptr;
}

static std::string endedWithout(const char* operation) {
  return "a thread named in the mask of " + std::string(operation) + " has ended without calling it";
}

static void runThreads() {
  void* arguments[64];
  for (size_t i = 0; i < launch->arguments.size(); i++) arguments[i] = (void*)launch->arguments[i].data();
  while (nextThread < threadCount) {
    Fiber* mine = current;
    Thread& thread = mine->thread;
    thread.index = threadOrder.empty() ? nextThread : threadOrder[(size_t)nextThread];
    nextThread++;
    unsigned x = launch->block.x, y = launch->block.y, index = (unsigned)thread.index;
    thread.position = {index % x, index / x % y, index / x / y};
    thread.groups.clear();
    thread.open.clear();
    setPosition(thread);
    launch->function->kernel->run(arguments);
    exitedThreads++;
    Warp& warp = warps[(size_t)thread.index / 32];
    warp.exited |= 1u << (thread.index % 32);
    for (const Pending& call : warp.pending)
      if (call.mask & warp.exited) abandonBlock(launchFailed, endedWithout(call.operation));
  }
}

static void fiberMain() {
  for (;;) {
    runThreads();
    idle.push_back(current);
    suspend();
  }
}

static Fiber* takeFiber() {
  if (idle.empty()) {
    auto made = std::make_unique<Fiber>();
    char* memory = (char*)mmap(nullptr, stackBytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mprotect(memory, 4096, PROT_NONE);
    made->stack = memory + 4096;
    idle.push_back(made.get());
    fibers.push_back(std::move(made));
  }
  Fiber* fiber = idle.back();
  idle.pop_back();
  if (!fiber->begun) {
    fiber->begun = true;
    fiber->context = makeContext(fiber->stack, stackBytes, fiberMain);
  }
  return fiber;
}

static int barrier(bool predicate) {
  if (exitedThreads)
    abandonBlock(launchFailed, std::to_string(exitedThreads) + " threads of the block have ended before this __syncthreads");
  barrierCount++;
  barrierTrue += predicate;
  Fiber* mine = current;
  if (barrierCount == threadCount) {
    barrierResult = barrierTrue;
    barrierCount = barrierTrue = 0;
    for (Fiber* other : atBarrier) ready.push_back(other);
    atBarrier.clear();
    return barrierResult;
  }
  mine->thread.waitsFor = "__syncthreads";
  atBarrier.push_back(mine);
  suspend();
  mine->thread.waitsFor = nullptr;
  return barrierResult;
}

static unsigned lane() { return (unsigned)current->thread.index % 32; }

static void warpCall(unsigned mask, const char* operation, void* mine, WarpCompletion complete) {
  Fiber* fiber = current;
  int index = fiber->thread.index, myLane = index % 32;
  Warp& warp = warps[(size_t)index / 32];
  int lanes = std::min(32, threadCount - index / 32 * 32);
  unsigned existing = lanes == 32 ? ~0u : (1u << lanes) - 1;
  if (!(mask >> myLane & 1)) abandonBlock(launchFailed, std::string(operation) + " is called by a thread that its mask does not name");
  if (mask & existing & warp.exited) abandonBlock(launchFailed, endedWithout(operation));
  Pending* call = nullptr;
  for (Pending& other : warp.pending) {
    if (other.mask == mask && !strcmp(other.operation, operation)) call = &other;
    else if (other.mask & mask)
      abandonBlock(launchFailed, std::string("threads of a warp call different functions together: ") + other.operation + " and " + operation);
  }
  if (!call) call = &warp.pending.emplace_back(Pending{mask, 0, operation});
  warp.lanes[myLane] = mine;
  warp.fibers[myLane] = fiber;
  call->arrived |= 1u << myLane;
  if (call->arrived == (mask & existing)) {
    complete(warp.lanes, call->arrived);
    for (int other = 0; other < 32; other++)
      if (other != myLane && call->arrived >> other & 1) ready.push_back(warp.fibers[other]);
    warp.pending.erase(warp.pending.begin() + (call - warp.pending.data()));
    return;
  }
  fiber->thread.waitsFor = operation;
  suspend();
  fiber->thread.waitsFor = nullptr;
}

static void copyLater(void* to, const void* from, unsigned bytes, unsigned copied) {
  if ((bytes != 4 && bytes != 8 && bytes != 16) || copied > bytes)
    abandonBlock(launchFailed, "cp.async copies 4, 8 or 16 bytes, not " + std::to_string(bytes));
  if ((uintptr_t)to % bytes || (copied && (uintptr_t)from % bytes)) abandonBlock(misalignedAddress, "misaligned address given to cp.async");
  current->thread.open.push_back({(char*)to, (const char*)from, bytes, copied});
}

static void commitCopies() {
  current->thread.groups.push_back(std::move(current->thread.open));
  current->thread.open.clear();
}

static void waitForCopies(unsigned groupsLeft) {
  auto& groups = current->thread.groups;
  while (groups.size() > groupsLeft) {
    for (const Copy& copy : groups.front()) {
      memcpy(copy.to, copy.from, copy.copied);
      memset(copy.to + copy.copied, 0, copy.bytes - copy.copied);
    }
    groups.erase(groups.begin());
  }
}

static void failInKernel(int error, const char* what, const char* file, unsigned line) {
  abandonBlock(error, std::string(what) + (*file ? ", line " + std::to_string(line) + " of " + file : ""));
}

static bool reportDeadlock() {
  for (auto& fiber : fibers) {
    const Thread& thread = fiber->thread;
    if (!thread.waitsFor) continue;
    current = fiber.get();
    std::string others = barrierCount ? std::to_string(barrierCount) + " threads wait at __syncthreads, " : "";
    blockError = failure(launchFailed, others + std::to_string(exitedThreads) + " of " + std::to_string(threadCount) +
                                           " have ended, and this one waits for others at " + thread.waitsFor + " (" +
                                           describeThread() + ")");
    break;
  }
  return false;
}

bool runBlock(const Launch& given, Triple block) {
  launch = &given;
  module = given.function->module->module;
  const Kernel* kernel = given.function->kernel;
  threadCount = (int)(given.block.x * given.block.y * given.block.z);
  nextThread = exitedThreads = barrierCount = barrierTrue = 0;
  blockError = success;
  current = nullptr;
  *module->block = block;
  *module->blockSize = given.block;
  *module->gridSize = given.grid;
  runtime = {barrier, warpCall, lane, copyLater, commitCopies, waitForCopies, failInKernel, nullptr};
  runtime.dynamicShared = (unsigned char*)dynamicShared(given.dynamicShared);
  *module->runtime = &runtime;
  memset(runtime.dynamicShared, 0xff, (given.dynamicShared + 15) / 16 * 16);
  if (kernel->sharedStart) memset(kernel->sharedStart, 0xff, (size_t)(kernel->sharedStop - kernel->sharedStart));
  warps.assign((size_t)(threadCount + 31) / 32, Warp());
  while (exitedThreads < threadCount) {
    Fiber* next = nullptr;
    if (!ready.empty()) {
      next = ready.front();
      ready.pop_front();
    } else if (nextThread < threadCount) {
      next = takeFiber();
    } else {
      reportDeadlock();
    }
    if (next) {
      current = next;
      if (next->thread.waitsFor) setPosition(next->thread);
      switchContext(&hostContext, next->context);
    }
    if (blockError) {
      for (auto& fiber : fibers) fiber->thread.waitsFor = nullptr;
      forgetFibers();
      launch = nullptr;
      return false;
    }
  }
  current = nullptr;
  launch = nullptr;
  return true;
}

}  // namespace software
