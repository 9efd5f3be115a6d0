// The driver's functions for devices, contexts and errors.
#include <cstring>

#include "api.h"

namespace software {

const std::string& detailOf(Result error);

static bool initialized = false;
static int retained = 0;
static char context;
static thread_local void* currentContext = nullptr;

Result readiness() {
  if (!initialized) return notInitialized;
  if (!currentContext || !retained) return failure(invalidContext, "no context is current in this thread");
  return lost;
}

void resetDevice() {
  streams.clear();
  events.clear();
  graphs.clear();
  unloadAll();
  releaseAll();
  lost = success;
}

struct ErrorText {
  Result error;
  const char *name, *text;
};

static const ErrorText errorTexts[] = {
    {success, "CUDA_SUCCESS", "no error"},
    {invalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {outOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {notInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {noDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {invalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {invalidImage, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {invalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {noBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {invalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {notFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {notReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {illegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {launchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {illegalInstruction, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "an illegal instruction was encountered"},
    {misalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {launchFailed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {captureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {captureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
    {captureUnmatched, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
    {captureUnjoined, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
    {captureImplicit, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", "operation would make the legacy stream depend on a capturing blocking stream"},
    {unknownError, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

static const ErrorText* textOf(Result error) {
  for (const ErrorText& one : errorTexts)
    if (one.error == error) return &one;
  return nullptr;
}

}  // namespace software

using namespace software;

EXPORTED int cuInit(unsigned flags) {
  std::lock_guard lock(deviceLock);
  if (flags) return invalidValue;
  if (settings["deviceCount"] < 1) return noDevice;
  initialized = true;
  return success;
}

EXPORTED int cuDriverGetVersion(int* version) {
  *version = (int)settings["driverVersion"];
  return success;
}

EXPORTED int cuDeviceGetCount(int* count) {
  if (!initialized) return notInitialized;
  *count = (int)settings["deviceCount"];
  return success;
}

EXPORTED int cuDeviceGet(int* device, int ordinal) {
  if (!initialized) return notInitialized;
  if (ordinal < 0 || ordinal >= settings["deviceCount"]) return failure(invalidDevice, "device " + std::to_string(ordinal));
  *device = ordinal;
  return success;
}

EXPORTED int cuDeviceGetName(char* name, int bytes, int) {
  if (!initialized) return notInitialized;
  snprintf(name, (size_t)bytes, "Software device");
  return success;
}

EXPORTED int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  if (!initialized) return notInitialized;
  memset(uuid, 0x5d, 16);
  uuid[15] = (unsigned char)device;
  return success;
}

EXPORTED int cuDeviceGetAttribute(int* value, int attribute, int) {
  if (!initialized) return notInitialized;
  const std::map<int, int64_t> attributes = {
      {1, 1024},  {2, 1024},  {3, 1024},     {4, 64},     {5, 2147483647}, {6, 65535},   {7, 65535},
      {8, 49152}, {9, 65536}, {10, 32},      {11, 2147483647}, {12, 65536}, {13, 1000000}, {14, 512},
      {15, 1},    {16, 4},    {17, 0},       {18, 0},     {19, 1},         {20, 0},      {31, 1},
      {32, 0},    {33, 0},    {34, 0},       {36, 1000000}, {37, 64},      {38, 4 << 20}, {39, 2048},
      {40, 2},    {41, 1},    {75, settings["capability"] / 10}, {76, settings["capability"] % 10},
      {78, 1},    {81, mostShared() + 1024}, {82, 65536}, {83, 0},         {95, 1},      {97, mostShared()},
      {99, 1},    {102, 0},   {106, 32},     {111, 1024}, {115, 1},        {116, 0},     {120, settings["capability"] >= 90},
      {132, 0}};
  auto found = attributes.find(attribute);
  if (found == attributes.end()) return failure(invalidValue, "attribute " + std::to_string(attribute));
  *value = (int)found->second;
  return success;
}

EXPORTED int cuDeviceTotalMem_v2(size_t* bytes, int) {
  if (!initialized) return notInitialized;
  *bytes = (size_t)settings["memory"];
  return success;
}

EXPORTED int cuDevicePrimaryCtxRetain(void** kept, int) {
  std::lock_guard lock(deviceLock);
  if (!initialized) return notInitialized;
  retained++;
  *kept = &context;
  return success;
}

EXPORTED int cuDevicePrimaryCtxRelease_v2(int) {
  std::lock_guard lock(deviceLock);
  if (!retained) return failure(invalidContext, "the primary context is released more often than retained");
  if (--retained == 0) resetDevice();
  return success;
}

EXPORTED int cuDevicePrimaryCtxReset_v2(int) {
  std::lock_guard lock(deviceLock);
  retained = 0;
  resetDevice();
  return success;
}

EXPORTED int cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return success; }

EXPORTED int cuDevicePrimaryCtxGetState(int, unsigned* flags, int* active) {
  *flags = 0;
  *active = retained > 0;
  return success;
}

EXPORTED int cuCtxSetCurrent(void* wanted) {
  if (wanted && wanted != &context) return invalidContext;
  currentContext = wanted;
  return success;
}

EXPORTED int cuCtxGetCurrent(void** current) {
  *current = currentContext;
  return success;
}

EXPORTED int cuCtxGetDevice(int* device) {
  CALL;
  *device = 0;
  return success;
}

EXPORTED int cuCtxSynchronize() {
  CALL;
  if (Result error = unsupportedDuringCapture("the context is synchronized")) return error;
  if (Result error = drainAll()) return error;
  return checkGuards();
}

EXPORTED int cuGetErrorName(int error, const char** name) {
  const ErrorText* found = textOf(error);
  *name = found ? found->name : nullptr;
  return found ? success : invalidValue;
}

/** The driver's words, and what the device knows of the last error of this kind. */
EXPORTED int cuGetErrorString(int error, const char** text) {
  std::lock_guard lock(deviceLock);
  const ErrorText* found = textOf(error);
  static thread_local std::string whole;
  whole = found ? found->text : "";
  if (const std::string& detail = detailOf(error); !detail.empty()) whole += ": " + detail;
  *text = found ? whole.c_str() : nullptr;
  return found ? success : invalidValue;
}
