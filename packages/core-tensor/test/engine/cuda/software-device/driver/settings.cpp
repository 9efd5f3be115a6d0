// What tests set and read: through the environment before the library is loaded, or by functions of its own.
#include <cctype>
#include <cstdlib>

#include "device.h"

namespace software {

std::recursive_mutex deviceLock;
Result lost = success;
std::map<std::string, int64_t> counters;

static Settings fromEnvironment() {
  Settings made;
  made.values = {
      {"memory", 1024ll << 20}, {"capability", 90}, {"driverVersion", 13000}, {"deviceCount", 1},
      // Of a block's threads: 0 forward, 1 backward, more: shuffled by this seed. Blocks run backward unless it is 0.
      {"threadOrder", 0},
      // Work of streams is kept until something waits for it.
      {"deferred", 0},
      // The n-th launch or allocation from here on fails with this error; 0 for none.
      {"failingLaunch", 0}, {"failingAllocation", 0}, {"failure", launchFailed},
  };
  for (auto& [name, value] : made.values) {
    std::string variable = "OCELLI_SOFTWARE_DEVICE_";
    for (char letter : name) {
      if (isupper(letter)) variable += '_';
      variable += (char)toupper(letter);
    }
    if (const char* text = getenv(variable.c_str())) value = strtoll(text, nullptr, 10);
  }
  return made;
}

Settings settings = fromEnvironment();

std::string& failureDetail() {
  static thread_local std::string detail;
  return detail;
}

static std::map<Result, std::string>& lastDetails() {
  static std::map<Result, std::string> details;
  return details;
}

Result failure(Result error, const std::string& detail) {
  lastDetails()[error] = detail;
  failureDetail() = detail;
  return error;
}

Result deviceFailure(Result error, const std::string& detail) {
  if (lost == success) lost = error;
  return failure(error, detail);
}

const std::string& detailOf(Result error) { return lastDetails()[error]; }

}  // namespace software

/** Gives whether there is a setting of this name. */
EXPORTED int softwareDeviceSet(const char* name, int64_t value) {
  std::lock_guard lock(software::deviceLock);
  auto found = software::settings.values.find(name);
  if (found == software::settings.values.end()) return 0;
  found->second = value;
  return 1;
}

/** A setting or a counter (launches, graphLaunches, copies, allocations, bytesInUse, peakBytes, products); -1 for no such. */
EXPORTED int64_t softwareDeviceRead(const char* name) {
  std::lock_guard lock(software::deviceLock);
  if (std::string(name) == "bytesInUse") return (int64_t)software::deviceBytesInUse();
  if (auto found = software::settings.values.find(name); found != software::settings.values.end()) return found->second;
  auto found = software::counters.find(name);
  return found == software::counters.end() ? -1 : found->second;
}

/** What the last error was about. */
EXPORTED const char* softwareDeviceMessage() { return software::failureDetail().c_str(); }

EXPORTED int softwareDeviceFail(int error, const char* detail) { return software::failure(error, detail); }

EXPORTED void softwareDeviceCount(const char* counter) {
  std::lock_guard lock(software::deviceLock);
  software::counters[counter]++;
}
