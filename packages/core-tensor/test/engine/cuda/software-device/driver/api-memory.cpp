// The driver's functions for memory and copies.
#include <cstring>

#include "api.h"

using namespace software;

EXPORTED int cuMemGetInfo_v2(size_t* free, size_t* total) {
  CALL;
  *total = (size_t)settings["memory"];
  *free = *total - deviceBytesInUse();
  return success;
}

EXPORTED int cuMemAlloc_v2(DevicePointer* address, size_t bytes) {
  CALL;
  if (Result error = unsupportedDuringCapture("memory is allocated")) return error;
  return allocate(bytes, false, (void**)address);
}

EXPORTED int cuMemFree_v2(DevicePointer address) {
  CALL;
  if (!address) return success;
  if (Result error = unsupportedDuringCapture("memory is freed")) return error;
  if (Result error = drainAll()) return error;
  return release((void*)address, false);
}

EXPORTED int cuMemAllocAsync(DevicePointer* address, size_t bytes, void*) {
  CALL;
  return allocate(bytes, false, (void**)address);
}

EXPORTED int cuMemFreeAsync(DevicePointer address, void* stream) {
  CALL;
  return submit(stream, [=] { return release((void*)address, false); });
}

EXPORTED int cuMemAllocHost_v2(void** address, size_t bytes) {
  CALL;
  if (Result error = unsupportedDuringCapture("pinned memory is allocated")) return error;
  return allocate(bytes, true, address);
}

EXPORTED int cuMemHostAlloc(void** address, size_t bytes, unsigned) { return cuMemAllocHost_v2(address, bytes); }

EXPORTED int cuMemFreeHost(void* address) {
  CALL;
  if (Result error = unsupportedDuringCapture("pinned memory is freed")) return error;
  if (Result error = drainAll()) return error;
  return release(address, true);
}

EXPORTED int cuMemHostGetDevicePointer_v2(DevicePointer* address, void* host, unsigned) {
  CALL;
  const Allocation* one = allocationAt(host);
  if (!one || !one->host) return failure(invalidValue, "an address that is not pinned memory");
  *address = (DevicePointer)host;
  return success;
}

static Result checkDevice(DevicePointer address, size_t bytes, const char* role) {
  const Allocation* one = allocationAt((void*)address);
  if (one && !one->host && holds((void*)address, bytes)) return success;
  return failure(invalidValue, std::to_string(bytes) + " bytes " + role + " " + describeAddress((void*)address) + ", which do not fit");
}

static Result copy(void* to, const void* from, size_t bytes) {
  memmove(to, from, bytes);
  counters["copies"]++;
  counters["copiedBytes"] += (int64_t)bytes;
  return success;
}

/** Whether the device can read it at any time later. */
static bool isPinned(const void* host, size_t bytes) { return holds(host, bytes); }

EXPORTED int cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes, void* stream) {
  CALL;
  if (!bytes) return success;
  if (!from) return failure(invalidValue, "a copy from a null pointer");
  if (Result error = checkDevice(to, bytes, "to be written")) return error;
  if (isPinned(from, bytes) || isCapturing(stream)) return submit(stream, [=] { return copy((void*)to, from, bytes); });
  auto kept = std::make_shared<std::vector<char>>((const char*)from, (const char*)from + bytes);
  return submit(stream, [=] { return copy((void*)to, kept->data(), bytes); });
}

EXPORTED int cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, size_t bytes, void* stream) {
  CALL;
  if (!bytes) return success;
  if (!to) return failure(invalidValue, "a copy to a null pointer");
  if (Result error = checkDevice(from, bytes, "to be read")) return error;
  bool pinned = isPinned(to, bytes);
  if (Result error = submit(stream, [=] { return copy(to, (void*)from, bytes); })) return error;
  // Ordinary memory is filled before the call returns.
  return pinned || isCapturing(stream) ? success : drain(streamOf(stream));
}

EXPORTED int cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes, void* stream) {
  CALL;
  if (!bytes) return success;
  if (Result error = checkDevice(to, bytes, "to be written")) return error;
  if (Result error = checkDevice(from, bytes, "to be read")) return error;
  if (to < from + bytes && from < to + bytes) return failure(invalidValue, "a copy between overlapping places");
  return submit(stream, [=] { return copy((void*)to, (void*)from, bytes); });
}

static Result now(Result given) { return given ? given : drainAll(); }

EXPORTED int cuMemcpyHtoD_v2(DevicePointer to, const void* from, size_t bytes) {
  return now(cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr));
}

EXPORTED int cuMemcpyDtoH_v2(void* to, DevicePointer from, size_t bytes) {
  CALL;
  if (Result error = drainAll()) return error;
  return now(cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr));
}

EXPORTED int cuMemcpyDtoD_v2(DevicePointer to, DevicePointer from, size_t bytes) {
  return now(cuMemcpyDtoDAsync_v2(to, from, bytes, nullptr));
}

template <class T> static int fill(DevicePointer to, T value, size_t count, void* stream) {
  CALL;
  if (!count) return success;
  if (to % sizeof(T)) return failure(invalidValue, "a misaligned address is filled");
  if (Result error = checkDevice(to, count * sizeof(T), "to be filled")) return error;
  return submit(stream, [=] {
    for (size_t i = 0; i < count; i++) ((T*)to)[i] = value;
    return success;
  });
}

EXPORTED int cuMemsetD8Async(DevicePointer to, unsigned char value, size_t count, void* stream) {
  return fill(to, value, count, stream);
}
EXPORTED int cuMemsetD16Async(DevicePointer to, unsigned short value, size_t count, void* stream) {
  return fill(to, value, count, stream);
}
EXPORTED int cuMemsetD32Async(DevicePointer to, unsigned value, size_t count, void* stream) {
  return fill(to, value, count, stream);
}
EXPORTED int cuMemsetD8_v2(DevicePointer to, unsigned char value, size_t count) { return now(fill(to, value, count, nullptr)); }
EXPORTED int cuMemsetD32_v2(DevicePointer to, unsigned value, size_t count) { return now(fill(to, value, count, nullptr)); }
