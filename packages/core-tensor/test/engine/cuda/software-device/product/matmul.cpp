// Products as the library takes them: checked as it would, then done on the processor.
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "descriptors.h"
#include "product.h"

EXPORTED int softwareDeviceSubmit(void* stream, std::function<int()>* work);
EXPORTED bool softwareDeviceHolds(const void* address, size_t bytes);
EXPORTED void softwareDeviceCount(const char* counter);

namespace software {

constexpr int compute32 = 68, compute32Pedantic = 69, compute32Tf32 = 77;
constexpr uint32_t relu = 2, bias = 4, gelu = 32;
constexpr size_t workspaceWanted = 1 << 16;

struct Matrix {
  int type;
  int64_t rows, columns, leading, batchStride;
  int batchCount;

  explicit Matrix(const Attributes& from)
      : type((int)from.get<uint32_t>(layout::type)),
        rows((int64_t)from.get<uint64_t>(layout::rows)),
        columns((int64_t)from.get<uint64_t>(layout::columns)),
        leading(from.get<int64_t>(layout::leading)),
        batchStride(from.get<int64_t>(layout::batchStride)),
        batchCount(from.get<int32_t>(layout::batchCount)) {}

  /** From the first element of the first matrix to behind the last of the last. */
  size_t bytes() const { return (size_t)((batchCount - 1) * batchStride + (columns - 1) * leading + rows) * bytesOf(type); }
};

struct Problem {
  Matrix a, b, c, d;
  int compute, pointerMode, biasType;
  bool transposeA, transposeB;
  uint32_t epilogue;
  const void* biasPointer;
  int64_t biasBatchStride, m, n, k;
};

static std::string shape(const Matrix& of) {
  return std::to_string(of.rows) + " x " + std::to_string(of.columns) + " (leading dimension " + std::to_string(of.leading) + ")";
}

/** What the library refuses whatever the pointers are. */
static int check(const Problem& of) {
  const Matrix& a = of.a;
  const Matrix& b = of.b;
  const Matrix& c = of.c;
  const Matrix& d = of.d;
  if (of.m < 1 || of.n < 1 || of.k < 1) return refuse(invalidValue, "a product of " + shape(a) + " and " + shape(b));
  for (const Matrix* one : {&a, &b, &c, &d}) {
    if (one->leading < one->rows) return refuse(invalidValue, "the leading dimension is less than the rows of a matrix of " + shape(*one));
    if (one->batchCount != d.batchCount || one->batchCount < 1) return refuse(invalidValue, "matrices differ in their batch counts");
  }
  if (d.batchCount > 1 && d.batchStride < (d.columns - 1) * d.leading + d.rows)
    return refuse(invalidValue, "matrices of the result overlap: a batch stride of " + std::to_string(d.batchStride) + " for " + shape(d));
  if ((of.transposeB ? b.columns : b.rows) != of.k || (of.transposeB ? b.rows : b.columns) != of.n || d.rows != of.m || c.rows != of.m || c.columns != of.n)
    return refuse(invalidValue, "sizes do not match: a " + shape(a) + ", b " + shape(b) + ", c " + shape(c) + ", d " + shape(d));
  if (of.compute != compute32 && of.compute != compute32Pedantic && of.compute != compute32Tf32)
    return refuse(notSupported, "compute type " + std::to_string(of.compute));
  bool float32 = a.type == typeFloat32 && d.type == typeFloat32;
  bool narrow = (a.type == typeFloat16 || a.type == typeBfloat16) && (d.type == a.type || d.type == typeFloat32);
  if (a.type != b.type || c.type != d.type || !(float32 || (narrow && of.compute != compute32Tf32)))
    return refuse(notSupported, "data types " + std::to_string(a.type) + ", " + std::to_string(b.type) + ", " + std::to_string(c.type) + ", " + std::to_string(d.type) + " with compute type " + std::to_string(of.compute));
  if (of.epilogue != 1 && of.epilogue != relu && of.epilogue != gelu && of.epilogue != bias && of.epilogue != (relu | bias) && of.epilogue != (gelu | bias))
    return refuse(notSupported, "epilogue " + std::to_string(of.epilogue));
  if (of.epilogue & bias && of.biasType != -1 && of.biasType != d.type)
    return refuse(notSupported, "a bias of type " + std::to_string(of.biasType) + " for a result of type " + std::to_string(d.type));
  if (of.pointerMode > 1) return refuse(notSupported, "pointer mode " + std::to_string(of.pointerMode));
  return succeeded;
}

static int problemOf(const Attributes* of, const Attributes* a, const Attributes* b, const Attributes* c, const Attributes* d, std::unique_ptr<Problem>& made) {
  if (!of || !a || !b || !c || !d) return refuse(invalidValue, "a descriptor is missing");
  for (const Attributes* one : {a, b, c, d})
    if (one->get<int32_t>(layout::order) || one->get<int64_t>(layout::planeOffset)) return refuse(notSupported, "matrices that are not held in columns");
  auto transposed = [&](int attribute) { return of->get<int32_t>(attribute) != 0; };
  if (transposed(description::transposeC) || of->get<int32_t>(description::scaleType) != typeFloat32)
    return refuse(notSupported, "a transposed result, or factors that are not float32");
  for (int attribute : {description::transposeA, description::transposeB})
    if (of->get<int32_t>(attribute) < 0 || of->get<int32_t>(attribute) > 2) return refuse(invalidValue, "an unknown transposition");
  bool ta = transposed(description::transposeA), tb = transposed(description::transposeB);
  Matrix left(*a), right(*b);
  made.reset(new Problem{left, right, Matrix(*c), Matrix(*d), of->get<int32_t>(description::computeType),
                         of->get<int32_t>(description::pointerMode), of->get<int32_t>(description::biasType), ta, tb,
                         of->get<uint32_t>(description::epilogue), of->get<void*>(description::biasPointer),
                         of->get<int64_t>(description::biasBatchStride), ta ? left.columns : left.rows,
                         tb ? right.rows : right.columns, ta ? left.rows : left.columns});
  return check(*made);
}

/** An algorithm that the heuristic gave: it holds for one problem, and for pointers aligned as was promised. */
struct Algorithm {
  uint64_t mark, problem, alignmentAB, alignmentCD, workspace, rest[3];
};
constexpr uint64_t algorithmMark = 0x50f7a1b0;

struct Heuristic {
  Algorithm algorithm;
  size_t workspaceBytes;
  int state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Algorithm) == 64 && sizeof(Heuristic) == 96, "as the library's structures");

static uint64_t identity(const Problem& of) {
  uint64_t hash = 1469598103934665603ull;
  auto mix = [&](int64_t value) { hash = (hash ^ (uint64_t)value) * 1099511628211ull; };
  for (const Matrix* one : {&of.a, &of.b, &of.c, &of.d})
    for (int64_t value : {(int64_t)one->type, one->rows, one->columns, one->leading, one->batchStride, (int64_t)one->batchCount}) mix(value);
  for (int64_t value : {(int64_t)of.compute, (int64_t)of.transposeA, (int64_t)of.transposeB, (int64_t)of.epilogue}) mix(value);
  return hash;
}

struct Call {
  Problem problem;
  const void *alphaAt, *betaAt;
  float alpha, beta;
  const void *a, *b, *c;
  void *d, *workspace;
  size_t workspaceBytes;
};

static float activated(float x, uint32_t epilogue) {
  if (epilogue & relu) return x > 0 ? x : x != x ? x : 0;
  if (epilogue & gelu) return 0.5f * x * (1 + std::tanh(0.7978845608028654f * (x + 0.044715f * x * x * x)));
  return x;
}

static int perform(const Call& call) {
  const Problem& of = call.problem;
  float alpha = of.pointerMode ? *(const float*)call.alphaAt : call.alpha;
  float beta = of.pointerMode ? *(const float*)call.betaAt : call.beta;
  if (call.workspace) memset(call.workspace, 0xff, call.workspaceBytes);
  std::vector<float> sums((size_t)(of.m * of.n));
  int biasType = of.biasType == -1 ? of.d.type : of.biasType;
  for (int batch = 0; batch < of.d.batchCount; batch++) {
    auto at = [&](const void* start, const Matrix& matrix) { return (char*)start + batch * matrix.batchStride * (int64_t)bytesOf(matrix.type); };
    multiply({at(call.a, of.a), of.a.type, of.a.leading, of.transposeA}, {at(call.b, of.b), of.b.type, of.b.leading, of.transposeB},
             of.m, of.n, of.k, of.compute == compute32Tf32, sums.data());
    for (int64_t column = 0; column < of.n; column++)
      for (int64_t row = 0; row < of.m; row++) {
        float x = alpha * sums[(size_t)(row + column * of.m)];
        if (beta != 0) x += beta * readElement(at(call.c, of.c), (size_t)(row + column * of.c.leading), of.c.type);
        if (of.epilogue & bias) x += readElement(of.biasPointer, (size_t)(row + batch * of.biasBatchStride), biasType);
        writeElement(at(call.d, of.d), (size_t)(row + column * of.d.leading), of.d.type, activated(x, of.epilogue));
      }
  }
  softwareDeviceCount("products");
  return 0;
}

static bool overlap(const void* x, size_t xBytes, const void* y, size_t yBytes) {
  return (const char*)x < (const char*)y + yBytes && (const char*)y < (const char*)x + xBytes;
}

static int checkPointers(const Call& call, const Algorithm* algorithm) {
  const Problem& of = call.problem;
  struct Named {
    const char* name;
    const void* at;
    const Matrix& matrix;
    size_t alignment;
  };
  auto promised = [&](uint64_t pair, int shift, const Matrix& matrix) { return algorithm ? (size_t)(pair >> shift & 0xffffffff) : bytesOf(matrix.type); };
  const Named all[] = {{"a", call.a, of.a, promised(algorithm ? algorithm->alignmentAB : 0, 0, of.a)},
                       {"b", call.b, of.b, promised(algorithm ? algorithm->alignmentAB : 0, 32, of.b)},
                       {"c", call.c, of.c, promised(algorithm ? algorithm->alignmentCD : 0, 0, of.c)},
                       {"d", call.d, of.d, promised(algorithm ? algorithm->alignmentCD : 0, 32, of.d)}};
  for (const auto& [name, at, matrix, alignment] : all) {
    if (!at) return refuse(invalidValue, std::string("matrix ") + name + " is a null pointer");
    if ((uintptr_t)at % alignment)
      return refuse(invalidValue, std::string("matrix ") + name + " is not a multiple of the " + std::to_string(alignment) + " bytes that were promised");
    if (!softwareDeviceHolds(at, matrix.bytes())) return refuse(executionFailed, std::string("matrix ") + name + " reaches beyond its memory");
  }
  for (const auto& [name, at, matrix] : {std::tuple{"a", call.a, of.a}, {"b", call.b, of.b}})
    if (overlap(at, matrix.bytes(), call.d, of.d.bytes())) return refuse(invalidValue, std::string("the result overlaps matrix ") + name);
  if (call.c != call.d && overlap(call.c, of.c.bytes(), call.d, of.d.bytes())) return refuse(invalidValue, "the result overlaps matrix c without being it");
  if (call.c == call.d && (of.c.leading != of.d.leading || of.c.batchStride != of.d.batchStride))
    return refuse(invalidValue, "the result takes the place of matrix c in another layout");
  if (of.epilogue & bias) {
    if (!of.biasPointer) return refuse(invalidValue, "the bias is a null pointer");
    size_t bytes = (size_t)(of.m + (of.d.batchCount - 1) * of.biasBatchStride) * bytesOf(of.biasType == -1 ? of.d.type : of.biasType);
    if (!softwareDeviceHolds(of.biasPointer, bytes)) return refuse(executionFailed, "the bias reaches beyond its memory");
  }
  if (call.workspace && ((uintptr_t)call.workspace % 256 || !softwareDeviceHolds(call.workspace, call.workspaceBytes)))
    return refuse(invalidValue, "the workspace is misaligned or reaches beyond its memory");
  if (algorithm && algorithm->workspace > (call.workspace ? call.workspaceBytes : 0))
    return refuse(invalidValue, "the algorithm needs " + std::to_string(algorithm->workspace) + " bytes of workspace");
  return succeeded;
}

}  // namespace software

using namespace software;

EXPORTED int cublasLtMatmulAlgoGetHeuristic(void* handle, const Attributes* description, const Attributes* a, const Attributes* b,
                                            const Attributes* c, const Attributes* d, const Attributes* wanted, int requested,
                                            Heuristic* results, int* returned) {
  if (!handle) return notInitialized;
  if (!wanted || !results || !returned || requested < 1) return refuse(invalidValue, "the heuristic has no place for results");
  *returned = 0;
  std::unique_ptr<Problem> problem;
  if (int status = problemOf(description, a, b, c, d, problem)) return status;
  uint64_t limit = wanted->get<uint64_t>(preference::maximumWorkspace);
  uint64_t workspace = limit >= workspaceWanted ? workspaceWanted : 0;
  auto alignment = [&](int attribute) { return (uint64_t)wanted->get<uint32_t>(attribute); };
  results[0] = {};
  results[0].algorithm = {algorithmMark, identity(*problem), alignment(preference::alignmentA) | alignment(preference::alignmentB) << 32,
                          alignment(preference::alignmentC) | alignment(preference::alignmentD) << 32, workspace, {}};
  results[0].workspaceBytes = workspace;
  results[0].waves = 1;
  *returned = 1;
  return succeeded;
}

EXPORTED int cublasLtMatmul(void* handle, const Attributes* description, const void* alpha, const void* a, const Attributes* aLayout,
                            const void* b, const Attributes* bLayout, const void* beta, const void* c, const Attributes* cLayout,
                            void* d, const Attributes* dLayout, const Algorithm* algorithm, void* workspace, size_t workspaceBytes,
                            void* stream) {
  if (!handle) return notInitialized;
  std::unique_ptr<Problem> problem;
  if (int status = problemOf(description, aLayout, bLayout, cLayout, dLayout, problem)) return status;
  if (!alpha || !beta) return refuse(invalidValue, "a factor is a null pointer");
  if (algorithm && algorithm->mark != algorithmMark) return refuse(invalidValue, "the algorithm did not come from the heuristic");
  if (algorithm && algorithm->problem != identity(*problem)) return refuse(notSupported, "the algorithm was chosen for another product");
  bool host = problem->pointerMode == 0;
  Call call = {*problem, alpha, beta, host ? *(const float*)alpha : 0, host ? *(const float*)beta : 0, a, b, c, d, workspace, workspaceBytes};
  if (int status = checkPointers(call, algorithm)) return status;
  std::function<int()> work = [call] { return perform(call); };
  if (int error = softwareDeviceSubmit(stream, &work)) return refuse(executionFailed, "error " + std::to_string(error) + " of the driver");
  return succeeded;
}
