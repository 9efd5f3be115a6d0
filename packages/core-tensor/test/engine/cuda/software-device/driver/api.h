#pragma once
#include "streams.h"

/** The beginning of a call that needs a context. */
#define CALL \
  std::lock_guard lock(software::deviceLock); \
  if (software::Result unready = software::readiness()) return unready

namespace software {

using DevicePointer = unsigned long long;

/** Not before cuInit, not without a context, not after the device was lost. */
Result readiness();
void resetDevice();
void unloadAll();

}  // namespace software
