// Products that cuDNN has no engine for: one thread a number of the result. Correct for all
// extents; speed is not their purpose.

struct MatrixProductArguments {
  const float *left, *right;
  float* output;
  int matrices, rows, inner, columns;
  int leftRow, leftInner, rightInner, rightColumn;
};

/// Strides say how either matrix lies.
KERNEL matrixProduct(const MatrixProductArguments a) {
  begin();
  __shared__ float left[16][17], right[16][17];
  const int column = blockIdx.x * 16 + threadIdx.x % 16, row = blockIdx.y * 16 + threadIdx.x / 16;
  const int tileRow = threadIdx.x / 16, tileColumn = threadIdx.x % 16;
  for (int matrix = blockIdx.z; matrix < a.matrices; matrix += gridDim.z) {
    const float* l = a.left + static_cast<uint64>(matrix) * a.rows * a.inner;
    const float* r = a.right + static_cast<uint64>(matrix) * a.inner * a.columns;
    float sum = 0;
    for (int start = 0; start < a.inner; start += 16) {
      const int k = start + tileColumn, i = start + tileRow;
      left[tileRow][tileColumn] = row < a.rows && k < a.inner
        ? l[static_cast<uint64>(row) * a.leftRow + static_cast<uint64>(k) * a.leftInner] : 0.0f;
      right[tileRow][tileColumn] = column < a.columns && i < a.inner
        ? r[static_cast<uint64>(i) * a.rightInner + static_cast<uint64>(column) * a.rightColumn]
        : 0.0f;
      __syncthreads();
#pragma unroll
      for (int j = 0; j < 16; j++) sum += left[tileRow][j] * right[j][tileColumn];
      __syncthreads();
    }
    if (row < a.rows && column < a.columns) {
      a.output[(static_cast<uint64>(matrix) * a.rows + row) * a.columns + column] = sum;
    }
  }
}

/// x `[N, H, W, C]`, filter `[K, R, S, C]`, y `[N, P, Q, K]`; one of them is the result.
struct ConvolutionArguments {
  const Real *x, *filter, *y;
  Real* output;
  int n, h, w, c, k, r, s, p, q, strideHeight, strideWidth, top, left;
};

KERNEL convolution(const ConvolutionArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.n) * a.p * a.q * a.k;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    uint64 rest = i;
    const int k = rest % a.k; rest /= a.k;
    const int q = rest % a.q; rest /= a.q;
    const int p = rest % a.p; rest /= a.p;
    float sum = 0;
    for (int r = 0; r < a.r; r++) {
      const int h = p * a.strideHeight + r - a.top;
      if (h < 0 || h >= a.h) continue;
      for (int s = 0; s < a.s; s++) {
        const int w = q * a.strideWidth + s - a.left;
        if (w < 0 || w >= a.w) continue;
        const Real* x = a.x + ((rest * a.h + h) * a.w + w) * a.c;
        const Real* f = a.filter + ((static_cast<uint64>(k) * a.r + r) * a.s + s) * a.c;
        for (int c = 0; c < a.c; c++) sum += real(x[c]) * real(f[c]);
      }
    }
    store(a.output[i], sum);
  }
}

KERNEL convolutionInputGradient(const ConvolutionArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.n) * a.h * a.w * a.c;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    uint64 rest = i;
    const int c = rest % a.c; rest /= a.c;
    const int w = rest % a.w; rest /= a.w;
    const int h = rest % a.h; rest /= a.h;
    float sum = 0;
    for (int r = 0; r < a.r; r++) {
      const int down = h + a.top - r;
      if (down < 0 || down % a.strideHeight || down / a.strideHeight >= a.p) continue;
      for (int s = 0; s < a.s; s++) {
        const int right = w + a.left - s;
        if (right < 0 || right % a.strideWidth || right / a.strideWidth >= a.q) continue;
        const Real* y = a.y
          + ((rest * a.p + down / a.strideHeight) * a.q + right / a.strideWidth) * a.k;
        for (int k = 0; k < a.k; k++) {
          sum += real(y[k]) * real(a.filter[((static_cast<uint64>(k) * a.r + r) * a.s + s) * a.c + c]);
        }
      }
    }
    store(a.output[i], sum);
  }
}

KERNEL convolutionFilterGradient(const ConvolutionArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.k) * a.r * a.s * a.c;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    uint64 rest = i;
    const int c = rest % a.c; rest /= a.c;
    const int s = rest % a.s; rest /= a.s;
    const int r = rest % a.r;
    const int k = rest / a.r;
    double sum = 0;
    for (int n = 0; n < a.n; n++) {
      for (int p = 0; p < a.p; p++) {
        const int h = p * a.strideHeight + r - a.top;
        if (h < 0 || h >= a.h) continue;
        float row = 0;
        for (int q = 0; q < a.q; q++) {
          const int w = q * a.strideWidth + s - a.left;
          if (w < 0 || w >= a.w) continue;
          row += real(a.x[((static_cast<uint64>(n) * a.h + h) * a.w + w) * a.c + c])
            * real(a.y[((static_cast<uint64>(n) * a.p + p) * a.q + q) * a.k + k]);
        }
        sum += row;
      }
    }
    store(a.output[i], static_cast<float>(sum));
  }
}
