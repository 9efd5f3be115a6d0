// The software device inside: memory, streams and the running of blocks. The driver's functions are a thin layer above it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../compiler/module.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace software {

using Result = int;

constexpr Result success = 0, invalidValue = 1, outOfMemory = 2, notInitialized = 3, noDevice = 100, invalidDevice = 101,
                 invalidImage = 200, invalidContext = 201, noBinaryForGpu = 209, invalidHandle = 400, notFound = 500,
                 notReady = 600, illegalAddress = 700, launchOutOfResources = 701, illegalInstruction = 715,
                 misalignedAddress = 716, launchFailed = 719, captureUnsupported = 900, captureInvalidated = 901,
                 captureUnmatched = 903, captureUnjoined = 904, captureImplicit = 906, unknownError = 999;

/** One lock around every call of the driver. */
extern std::recursive_mutex deviceLock;

/** What tests set and read by name; see README.md. */
struct Settings {
  std::map<std::string, int64_t> values;
  int64_t& operator[](const char* name) { return values.at(name); }
};
extern Settings settings;
extern std::map<std::string, int64_t> counters;

/** Keeps what cuGetErrorString appends to the text of this error. */
Result failure(Result error, const std::string& detail);
std::string& failureDetail();
/** An error of the device itself: every later call gives it too. */
Result deviceFailure(Result error, const std::string& detail);
extern Result lost;

struct Allocation {
  char* mapping;
  size_t mappingBytes;
  char* inner;
  size_t innerBytes;
  char* base;
  size_t bytes;
  bool host;
};

Result allocate(size_t bytes, bool host, void** address);
Result release(void* address, bool host);
/** The allocation that holds an address, or whose end it is. */
const Allocation* allocationAt(const void* address);
bool holds(const void* address, size_t bytes);
/** Where an address lies, in words. */
std::string describeAddress(const void* address);
/** Whether something was written around an allocation; an error then. */
Result checkGuards();
void releaseAll();
size_t deviceBytesInUse();
/** Dynamic shared memory, which ends at a forbidden page. */
char* dynamicShared(unsigned bytes);

struct LoadedModule;
struct Function {
  const Kernel* kernel;
  LoadedModule* module;
  int maximumDynamicShared;
};
struct LoadedModule {
  void* library;
  const Module* module;
  std::map<std::string, std::unique_ptr<Function>> functions;
};
Result loadModule(const void* image, LoadedModule** loaded);
void unloadModule(LoadedModule* module);

struct Launch {
  Function* function;
  Triple grid, block;
  unsigned dynamicShared;
  std::vector<std::vector<char>> arguments;
};
Result checkLaunch(const Launch& launch);
Result runLaunch(const Launch& launch);

/** In which order the threads of a block run; empty: forward. */
extern std::vector<int> threadOrder;
/** Runs all threads of one block; gives false after an error. */
bool runBlock(const Launch& launch, Triple block);
/** Called in a thread of a kernel, or by the handler of a fault in one: leaves the block. */
[[noreturn]] void abandonBlock(Result error, const std::string& detail);
std::string describeThread();
Result blockFailure();
unsigned mostShared();
extern thread_local bool insideKernel;
/** The stacks of a failed block are not continued. */
void forgetFibers();

using Work = std::function<Result()>;

/** Gives work to a stream: done at once, kept until it is waited for (`deferred`), or recorded by a capture. */
Result submit(void* stream, Work work);
bool isCapturing(void* stream);

}  // namespace software

/** For the library of matrix products. */
EXPORTED int softwareDeviceSubmit(void* stream, std::function<int()>* work);
EXPORTED bool softwareDeviceHolds(const void* address, size_t bytes);
EXPORTED int softwareDeviceFail(int error, const char* detail);
EXPORTED void softwareDeviceCount(const char* counter);
