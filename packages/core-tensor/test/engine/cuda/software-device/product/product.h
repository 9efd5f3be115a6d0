#pragma once
#include <cstddef>
#include <cstdint>

namespace software {

constexpr int typeFloat32 = 0, typeFloat16 = 2, typeBfloat16 = 14;

size_t bytesOf(int type);
float readElement(const void* from, size_t index, int type);
void writeElement(void* to, size_t index, int type, float value);

/** A matrix in columns: element (row, column) is at row + column · leading. */
struct Operand {
  const void* data;
  int type;
  int64_t leading;
  bool transposed;
};

/** out (m × n, in columns) = op(a) · op(b), in float32; with `tf32` the operands are rounded to its 10 bits. */
void multiply(const Operand& a, const Operand& b, int64_t m, int64_t n, int64_t k, bool tf32, float* out);

}  // namespace software
