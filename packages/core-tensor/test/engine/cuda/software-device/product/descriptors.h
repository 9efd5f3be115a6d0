#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED int softwareDeviceFail(int error, const char* detail);

namespace software {

constexpr int succeeded = 0, notInitialized = 1, invalidValue = 7, executionFailed = 13, notSupported = 15;

/** A refusal whose reason cublasLtGetStatusString appends to its text. */
int refuse(int status, const std::string& reason);

/** Attributes by number, each of a fixed size. */
struct Attributes {
  std::map<int, std::vector<char>> values;

  template <class T> void define(int attribute, T value) {
    values[attribute].assign((const char*)&value, (const char*)&value + sizeof value);
  }
  template <class T> T get(int attribute) const { return *(const T*)values.at(attribute).data(); }
  int set(int attribute, const void* from, size_t bytes, const char* of);
  int read(int attribute, void* to, size_t bytes, size_t* written) const;
};

namespace layout {
constexpr int type = 0, order = 1, rows = 2, columns = 3, leading = 4, batchCount = 5, batchStride = 6, planeOffset = 7;
}
namespace description {
constexpr int computeType = 0, scaleType = 1, pointerMode = 2, transposeA = 3, transposeB = 4, transposeC = 5, fillMode = 6,
              epilogue = 7, biasPointer = 8, biasBatchStride = 10, auxiliaryPointer = 11, auxiliaryLeading = 12,
              auxiliaryBatchStride = 13, multiprocessors = 15, auxiliaryType = 22, fastAccumulation = 25, biasType = 26;
}
namespace preference {
constexpr int searchMode = 0, maximumWorkspace = 1, reductionSchemes = 3, alignmentA = 5, alignmentB = 6, alignmentC = 7,
              alignmentD = 8, maximumWaves = 9, implementations = 12;
}

}  // namespace software
