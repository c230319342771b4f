// Tests the units for matrix products against plain loops.
#include "SelfTest.h"
#include "Shared.h"

namespace {

const char *const source = R"(
struct Arguments { const unsigned short *a, *b; float *half, *bfloat; };

// The product of 16×16 and 16×8 numbers, both by rows; b is transposed as it is loaded. The columns
// behind those of b are zeros.
extern "C" __global__ void multiplyMatrices(const Arguments m) {
  __shared__ unsigned short a[16 * 24], b[16 * 24];
  const int lane = threadIdx.x, row = lane / 2, column = lane % 2 * 8;
  beginCopy(a + row * 24 + column, m.a + row * 16 + column, true);
  beginCopy(b + row * 24 + column, m.b + row * 8, column == 0);
  finishCopies();
  __syncthreads();
  unsigned x[4], y[4];
  loadMatrices(x, a + lane % 16 * 24 + lane / 16 * 8);
  loadTransposed(y, b + lane % 16 * 24 + lane / 16 * 8);
  float half[4] = {1, 1, 1, 1}, bfloat[4] = {};
  multiplyHalf(half, x, y[0], y[1]);
  multiplyHalf(half, x, y[2], y[3]);
  multiplyBFloat16(bfloat, x, y[0], y[1]);
  for (int i = 0; i < 4; i++) {
    const int place = (lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2;
    m.half[place] = half[i];
    m.bfloat[place] = bfloat[i];
  }
}
)";

}  // namespace

void testMatrixUnits(void *stream) {
  bool ok = false;
  void *const module = compile(source, &ok);
  EXPECT(ok);
  if (!ok) return;
  // Sums of products of small whole numbers are exact.
  const auto x = [](int i) { return float(i * 7 % 31 - 15); };
  const auto y = [](int i) { return float(i * 5 % 23 - 11); };
  for (const bool isHalf : {true, false}) {
    const auto stored = isHalf ? floatToHalf : floatToBFloat16;
    std::vector<unsigned short> a, b;
    for (int i = 0; i < 16 * 16; i++) a.push_back(stored(x(i)));
    for (int i = 0; i < 16 * 8; i++) b.push_back(stored(y(i)));
    const Address half = allocate(128 * 4), bfloat = allocate(128 * 4);
    struct { Address a, b, half, bfloat; } arguments{
      upload(a, stream), upload(b, stream), half, bfloat};
    EXPECT(launch(module, "multiplyMatrices", arguments, 1, 32, stream) == 0);
    const auto result = download<float>(isHalf ? half : bfloat, 128, stream);
    for (int i = 0; i < 128; i++) {
      float sum = isHalf ? 1 : 0;
      for (int k = 0; k < 16; k++) sum += x(i / 8 * 16 + k) * y(k * 8 + i % 8);
      EXPECT(result[i] == sum);
    }
  }
}
