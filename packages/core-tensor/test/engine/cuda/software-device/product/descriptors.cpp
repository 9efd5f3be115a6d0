// Handles and descriptors of the library of matrix products. Numbers of attributes and their sizes are those of its header.
#include "descriptors.h"

#include <cstring>

namespace software {

static std::map<int, std::string>& reasons() {
  static std::map<int, std::string> kept;
  return kept;
}

int refuse(int status, const std::string& reason) {
  reasons()[status] = reason;
  return status;
}

int Attributes::set(int attribute, const void* from, size_t bytes, const char* of) {
  auto found = values.find(attribute);
  std::string which = std::string("attribute ") + std::to_string(attribute) + " of a " + of;
  if (found == values.end()) return refuse(invalidValue, which + " is not known");
  if (!from || bytes != found->second.size())
    return refuse(invalidValue, which + " has " + std::to_string(found->second.size()) + " bytes, not " + std::to_string(bytes));
  memcpy(found->second.data(), from, bytes);
  return succeeded;
}

int Attributes::read(int attribute, void* to, size_t bytes, size_t* written) const {
  auto found = values.find(attribute);
  if (found == values.end() || (bytes && (!to || bytes != found->second.size()))) return refuse(invalidValue, "an attribute is read in another size");
  if (bytes) memcpy(to, found->second.data(), bytes);
  if (written) *written = found->second.size();
  return succeeded;
}

struct StatusText {
  int status;
  const char *name, *text;
};

static const StatusText statusTexts[] = {
    {succeeded, "CUBLAS_STATUS_SUCCESS", "the operation completed successfully"},
    {notInitialized, "CUBLAS_STATUS_NOT_INITIALIZED", "the library was not initialized"},
    {invalidValue, "CUBLAS_STATUS_INVALID_VALUE", "an unsupported value or parameter was passed to the function"},
    {executionFailed, "CUBLAS_STATUS_EXECUTION_FAILED", "the GPU program failed to execute"},
    {notSupported, "CUBLAS_STATUS_NOT_SUPPORTED", "the functionality requested is not supported"},
};

}  // namespace software

using namespace software;

static int handle;

EXPORTED int cublasLtCreate(void** made) {
  *made = &handle;
  return succeeded;
}
EXPORTED int cublasLtDestroy(void* given) { return given == &handle ? succeeded : notInitialized; }
EXPORTED size_t cublasLtGetVersion() { return 130000; }
EXPORTED size_t cublasLtGetCudartVersion() { return 13000; }

EXPORTED const char* cublasLtGetStatusName(int status) {
  for (const StatusText& one : statusTexts)
    if (one.status == status) return one.name;
  return "unknown";
}

EXPORTED const char* cublasLtGetStatusString(int status) {
  static thread_local std::string whole;
  whole = "unknown";
  for (const StatusText& one : statusTexts)
    if (one.status == status) whole = one.text;
  if (const std::string& reason = reasons()[status]; !reason.empty()) whole += ": " + reason;
  return whole.c_str();
}

EXPORTED int cublasLtMatrixLayoutCreate(Attributes** made, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  if (!made) return invalidValue;
  Attributes* one = *made = new Attributes;
  one->define<uint32_t>(layout::type, (uint32_t)type);
  one->define<int32_t>(layout::order, 0);
  one->define<uint64_t>(layout::rows, rows);
  one->define<uint64_t>(layout::columns, columns);
  one->define<int64_t>(layout::leading, leading);
  one->define<int32_t>(layout::batchCount, 1);
  one->define<int64_t>(layout::batchStride, 0);
  one->define<int64_t>(layout::planeOffset, 0);
  return succeeded;
}

EXPORTED int cublasLtMatrixLayoutDestroy(Attributes* one) {
  delete one;
  return succeeded;
}

EXPORTED int cublasLtMatrixLayoutSetAttribute(Attributes* one, int attribute, const void* from, size_t bytes) {
  return one ? one->set(attribute, from, bytes, "matrix layout") : invalidValue;
}

EXPORTED int cublasLtMatrixLayoutGetAttribute(const Attributes* one, int attribute, void* to, size_t bytes, size_t* written) {
  return one ? one->read(attribute, to, bytes, written) : invalidValue;
}

EXPORTED int cublasLtMatmulDescCreate(Attributes** made, int computeType, int scaleType) {
  if (!made) return invalidValue;
  Attributes* one = *made = new Attributes;
  one->define<int32_t>(description::computeType, computeType);
  one->define<int32_t>(description::scaleType, scaleType);
  for (int attribute : {description::pointerMode, description::transposeA, description::transposeB, description::transposeC, description::multiprocessors})
    one->define<int32_t>(attribute, 0);
  one->define<int32_t>(description::fillMode, 2);
  one->define<uint32_t>(description::epilogue, 1);
  one->define<void*>(description::biasPointer, nullptr);
  one->define<void*>(description::auxiliaryPointer, nullptr);
  for (int attribute : {description::biasBatchStride, description::auxiliaryLeading, description::auxiliaryBatchStride})
    one->define<int64_t>(attribute, 0);
  one->define<int32_t>(description::auxiliaryType, -1);
  one->define<int8_t>(description::fastAccumulation, 0);
  one->define<int32_t>(description::biasType, -1);
  return succeeded;
}

EXPORTED int cublasLtMatmulDescDestroy(Attributes* one) {
  delete one;
  return succeeded;
}

EXPORTED int cublasLtMatmulDescSetAttribute(Attributes* one, int attribute, const void* from, size_t bytes) {
  return one ? one->set(attribute, from, bytes, "product") : invalidValue;
}

EXPORTED int cublasLtMatmulDescGetAttribute(const Attributes* one, int attribute, void* to, size_t bytes, size_t* written) {
  return one ? one->read(attribute, to, bytes, written) : invalidValue;
}

EXPORTED int cublasLtMatmulPreferenceCreate(Attributes** made) {
  if (!made) return invalidValue;
  Attributes* one = *made = new Attributes;
  one->define<uint32_t>(preference::searchMode, 0);
  one->define<uint64_t>(preference::maximumWorkspace, 0);
  one->define<uint32_t>(preference::reductionSchemes, 7);
  for (int attribute : {preference::alignmentA, preference::alignmentB, preference::alignmentC, preference::alignmentD})
    one->define<uint32_t>(attribute, 256);
  one->define<float>(preference::maximumWaves, 0);
  one->define<uint64_t>(preference::implementations, ~0ull);
  return succeeded;
}

EXPORTED int cublasLtMatmulPreferenceDestroy(Attributes* one) {
  delete one;
  return succeeded;
}

EXPORTED int cublasLtMatmulPreferenceSetAttribute(Attributes* one, int attribute, const void* from, size_t bytes) {
  return one ? one->set(attribute, from, bytes, "preference") : invalidValue;
}
