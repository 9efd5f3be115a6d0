// What a compiled program (a shared object) and the software device know of each other.
#pragma once

namespace software {

struct Triple {
  unsigned x, y, z;
};

/** A call that all named lanes of a warp make together: `lanes` are what each passed, `present` those that arrived. */
using WarpCompletion = void (*)(void** lanes, unsigned present);

/** What the device does for a running thread. */
struct Runtime {
  /** Waits for all threads of the block; gives how many passed a true predicate. */
  int (*barrier)(bool predicate);
  /** Waits for the lanes of `mask`; the last to come completes the call for all. */
  void (*warp)(unsigned mask, const char* operation, void* mine, WarpCompletion complete);
  unsigned (*lane)();
  /** An asynchronous copy into shared memory: made when its group is waited for. */
  void (*copyLater)(void* to, const void* from, unsigned bytes, unsigned copied);
  void (*commitCopies)();
  void (*waitForCopies)(unsigned groupsLeft);
  /** Ends the launch with an error; does not return. */
  void (*fail)(int error, const char* what, const char* file, unsigned line);
  unsigned char* dynamicShared;
};

struct Parameter {
  unsigned bytes;
  bool pointer;
  /** Of what a pointer points at. */
  unsigned alignment;
};

struct Kernel {
  const char* name;
  void (*run)(void** arguments);
  const Parameter* parameters;
  int parameterCount;
  /** Static shared memory. */
  char* sharedStart;
  char* sharedStop;
  /** From __launch_bounds__, or 1024. */
  int maximumThreads;
};

struct Module {
  unsigned magic;
  /** 90 for sm_90. */
  int architecture;
  const Kernel* kernels;
  int kernelCount;
  Triple *thread, *block, *blockSize, *gridSize;
  const Runtime** runtime;
};

constexpr unsigned moduleMagic = 0x0ce11150;

}  // namespace software
