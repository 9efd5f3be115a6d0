// The product itself: operands are arranged in panels of floats, so that the inner loop runs over vectors.
#include "product.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace software {

static float fromBits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static uint32_t toBits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

static float fromHalf(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, mantissa = half & 1023;
  if (exponent == 31) return fromBits(sign | 0x7f800000 | mantissa << 13);
  float magnitude = exponent ? fromBits((exponent + 112) << 23 | mantissa << 13) : (float)mantissa * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

static uint16_t toHalf(float value) {
  uint32_t bits = toBits(value), sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00);
  if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
  if (magnitude < 0x38800000) return (uint16_t)(sign | (toBits(fromBits(magnitude) + 0.5f) - 0x3f000000));
  return (uint16_t)(sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13));
}

size_t bytesOf(int type) { return type == typeFloat32 ? 4 : 2; }

float readElement(const void* from, size_t index, int type) {
  if (type == typeFloat32) return ((const float*)from)[index];
  uint16_t bits = ((const uint16_t*)from)[index];
  return type == typeFloat16 ? fromHalf(bits) : fromBits((uint32_t)bits << 16);
}

void writeElement(void* to, size_t index, int type, float value) {
  if (type == typeFloat32) {
    ((float*)to)[index] = value;
  } else if (type == typeFloat16) {
    ((uint16_t*)to)[index] = toHalf(value);
  } else {
    uint32_t bits = toBits(value);
    bool nan = (bits & 0x7fffffff) > 0x7f800000;
    ((uint16_t*)to)[index] = (uint16_t)(nan ? bits >> 16 | 64 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
}

constexpr int rows = 16, columns = 6, depthAtOnce = 256;
typedef float Vector __attribute__((vector_size(32), aligned(4)));

static float rounded(float value, bool tf32) { return tf32 ? fromBits((toBits(value) + 0x1000) & 0xffffe000) : value; }

/** Panels of `width` neighbours of the outer axis for each place of the inner axis k; the rest of the last is zero. */
static std::vector<float> arrange(const Operand& from, bool outerIsContiguous, int64_t outer, int64_t k, int width, bool tf32) {
  int64_t panels = (outer + width - 1) / width;
  std::vector<float> packed((size_t)(panels * width * k));
  for (int64_t panel = 0; panel < panels; panel++) {
    float* to = packed.data() + panel * width * k;
    int64_t filled = std::min<int64_t>(width, outer - panel * width);
    auto read = [&](int64_t inner, int64_t offset) {
      int64_t along = panel * width + offset;
      size_t index = (size_t)(outerIsContiguous ? along + inner * from.leading : inner + along * from.leading);
      to[inner * width + offset] = rounded(readElement(from.data, index, from.type), tf32);
    };
    if (outerIsContiguous) {
      for (int64_t inner = 0; inner < k; inner++)
        for (int64_t offset = 0; offset < filled; offset++) read(inner, offset);
    } else {
      for (int64_t offset = 0; offset < filled; offset++)
        for (int64_t inner = 0; inner < k; inner++) read(inner, offset);
    }
  }
  return packed;
}

/** Adds the products of a panel of rows and one of columns to a block of sums. */
static void multiplyPanels(const float* a, const float* b, int64_t k, float sums[columns][rows]) {
  for (int64_t start = 0; start < k; start += depthAtOnce) {
    Vector block[columns][2] = {};
    int64_t stop = std::min<int64_t>(k, start + depthAtOnce);
    for (int64_t inner = start; inner < stop; inner++) {
      const Vector low = *(const Vector*)(a + inner * rows), high = *(const Vector*)(a + inner * rows + 8);
      for (int column = 0; column < columns; column++) {
        float factor = b[inner * columns + column];
        block[column][0] += low * factor;
        block[column][1] += high * factor;
      }
    }
    for (int column = 0; column < columns; column++)
      for (int row = 0; row < rows; row++) sums[column][row] += block[column][row / 8][row % 8];
  }
}

void multiply(const Operand& a, const Operand& b, int64_t m, int64_t n, int64_t k, bool tf32, float* out) {
  std::vector<float> left = arrange(a, !a.transposed, m, k, rows, tf32), right = arrange(b, b.transposed, n, k, columns, tf32);
  for (int64_t row = 0; row < m; row += rows) {
    int64_t rowCount = std::min<int64_t>(rows, m - row);
    for (int64_t column = 0; column < n; column += columns) {
      float sums[columns][rows] = {};
      multiplyPanels(left.data() + row * k, right.data() + column * k, k, sums);
      int64_t columnCount = std::min<int64_t>(columns, n - column);
      for (int64_t j = 0; j < columnCount; j++) memcpy(out + row + (column + j) * m, sums[j], (size_t)rowCount * 4);
    }
  }
}

}  // namespace software
