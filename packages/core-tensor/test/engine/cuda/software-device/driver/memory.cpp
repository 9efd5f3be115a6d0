// Device memory and pinned memory: pages of the processor's between pages that nobody may touch.
//
// An allocation ends at a forbidden page, so that a kernel that reads or writes beyond it stops there. New memory holds ones
// only, a NaN in every format of floats and -1 in every integer's, so that nothing works by memory that happens to be zero.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "device.h"

namespace software {

static const size_t page = (size_t)sysconf(_SC_PAGESIZE), guard = 16 * page, alignment = 256;
static std::map<const char*, Allocation> allocations;
/** Freed ones whose addresses are kept from use for a while, so that a use after the release is found. */
static std::deque<Allocation> released;
static size_t bytesInUse = 0;

static size_t roundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }
static size_t accounted(const Allocation& one) { return one.host ? 0 : roundUp(one.bytes, 512); }

size_t deviceBytesInUse() { return bytesInUse; }

Result allocate(size_t bytes, bool host, void** address) {
  if (bytes == 0 || !address) return failure(invalidValue, "an allocation of 0 bytes");
  if (settings["failingAllocation"] > 0 && --settings["failingAllocation"] == 0)
    return failure(outOfMemory, "an allocation that was told to fail");
  size_t limit = (size_t)settings["memory"];
  if (!host && bytesInUse + roundUp(bytes, 512) > limit)
    return failure(outOfMemory, std::to_string(bytes) + " bytes were asked for, " + std::to_string(limit - bytesInUse) +
                                    " of " + std::to_string(limit) + " are free");
  Allocation one = {};
  one.host = host;
  one.bytes = bytes;
  one.innerBytes = roundUp(bytes, page);
  one.mappingBytes = one.innerBytes + 2 * guard;
  void* mapping = mmap(nullptr, one.mappingBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return failure(outOfMemory, "the processor's memory is used up");
  one.mapping = (char*)mapping;
  one.inner = one.mapping + guard;
  if (mprotect(one.inner, one.innerBytes, PROT_READ | PROT_WRITE)) {
    munmap(mapping, one.mappingBytes);
    return failure(outOfMemory, "the processor's memory is used up");
  }
  memset(one.inner, 0xff, one.innerBytes);
  one.base = one.inner + one.innerBytes - roundUp(bytes, alignment);
  allocations[one.base] = one;
  bytesInUse += accounted(one);
  counters["allocations"]++;
  if ((int64_t)bytesInUse > counters["peakBytes"]) counters["peakBytes"] = (int64_t)bytesInUse;
  *address = one.base;
  return success;
}

static Result checkGuard(const Allocation& one) {
  auto written = [&](const char* from, const char* to) -> const char* {
    // All bytes are alike and the first is untouched: the usual case, compared quickly.
    if (from >= to || ((unsigned char)*from == 0xff && !memcmp(from, from + 1, (size_t)(to - from - 1)))) return nullptr;
    for (; from < to; from++)
      if ((unsigned char)*from != 0xff) return from;
    return nullptr;
  };
  const char* where = written(one.inner, one.base);
  if (!where) where = written(one.base + one.bytes, one.inner + one.innerBytes);
  if (!where) return success;
  return deviceFailure(illegalAddress, "something was written " + describeAddress(where));
}

Result checkGuards() {
  for (const auto& [base, one] : allocations)
    if (Result error = checkGuard(one)) return error;
  return success;
}

Result release(void* address, bool host) {
  auto found = allocations.find((const char*)address);
  if (found == allocations.end() || found->second.host != host)
    return failure(invalidValue, "an address that was not allocated, or was freed already, is freed");
  Allocation one = found->second;
  Result result = checkGuard(one);
  bytesInUse -= accounted(one);
  allocations.erase(found);
  mprotect(one.inner, one.innerBytes, PROT_NONE);
  madvise(one.inner, one.innerBytes, MADV_DONTNEED);
  released.push_back(one);
  if (released.size() > 512) {
    munmap(released.front().mapping, released.front().mappingBytes);
    released.pop_front();
  }
  return result;
}

void releaseAll() {
  while (!allocations.empty()) {
    auto& [base, one] = *allocations.begin();
    release((void*)base, one.host);
  }
  bytesInUse = 0;
}

const Allocation* allocationAt(const void* address) {
  auto next = allocations.upper_bound((const char*)address);
  if (next == allocations.begin()) return nullptr;
  const Allocation& one = std::prev(next)->second;
  return (const char*)address <= one.base + one.bytes ? &one : nullptr;
}

bool holds(const void* address, size_t bytes) {
  const Allocation* one = allocationAt(address);
  return one && (size_t)((const char*)address - one->base) + bytes <= one->bytes;
}

char* dynamicShared(unsigned bytes) {
  constexpr size_t most = 256 << 10;
  static char* const end = [] {
    char* memory = (char*)mmap(nullptr, most + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory + most, guard, PROT_NONE);
    return memory + most;
  }();
  return end - (bytes + 15) / 16 * 16;
}

std::string describeAddress(const void* address) {
  const char* at = (const char*)address;
  auto within = [&](const Allocation& one) { return at >= one.mapping && at < one.mapping + one.mappingBytes; };
  auto relative = [&](const Allocation& one) {
    std::string what = std::string(one.host ? "a pinned" : "a device") + " allocation of " + std::to_string(one.bytes) + " bytes";
    if (at < one.base) return std::to_string(one.base - at) + " bytes before " + what;
    size_t offset = (size_t)(at - one.base);
    if (offset < one.bytes) return "at byte " + std::to_string(offset) + " of " + what;
    return std::to_string(offset - one.bytes) + " bytes past the end of " + what;
  };
  for (const auto& [base, one] : allocations)
    if (within(one)) return relative(one);
  for (const auto& one : released)
    if (within(one)) return relative(one) + " that has been freed";
  char text[64];
  snprintf(text, sizeof text, "at %p, which is no device memory", address);
  return text;
}

}  // namespace software

EXPORTED bool softwareDeviceHolds(const void* address, size_t bytes) {
  std::lock_guard lock(software::deviceLock);
  return software::holds(address, bytes);
}
