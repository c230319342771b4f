// Average pooling: over windows, and over all pixels of an image.

struct AveragePoolingArguments {
  const Real* x;
  Real* output;
  int images, height, width, channels, rows, columns;
  int windowHeight, windowWidth, strideHeight, strideWidth, top, left, bottom, right;
  int dilationHeight, dilationWidth;
  /// 0: padding counts; 1: it does not; 2: adaptive windows.
  int kind;
};

/// The places that a window looks at along one axis, and how many count.
struct Window { int first, end, step, size; };
__device__ __forceinline__ Window windowAt(
  int index, int kind, int extent, int count, int window, int stride, int before, int after,
  int dilation
) {
  Window result;
  if (kind == 2) {
    result.first = static_cast<int>(static_cast<long long>(index) * extent / count);
    result.end =
      static_cast<int>((static_cast<long long>(index + 1) * extent + count - 1) / count);
    result.step = 1;
    result.size = result.end - result.first;
    return result;
  }
  const int start = index * stride - before;
  result.step = dilation;
  result.first = start;
  while (result.first < 0) result.first += dilation;
  result.end = min(start + (window - 1) * dilation + 1, extent);
  if (kind == 0) {
    // Windows may reach beyond the padding, where nothing counts.
    const int limit = extent + after;
    result.size = min(window, (limit - start + dilation - 1) / dilation);
  } else {
    result.size =
      result.end > result.first ? (result.end - result.first + dilation - 1) / dilation : 0;
  }
  return result;
}
__device__ __forceinline__ Window rowsOf(const AveragePoolingArguments& a, int row) {
  return windowAt(
    row, a.kind, a.height, a.rows, a.windowHeight, a.strideHeight, a.top, a.bottom,
    a.dilationHeight);
}
__device__ __forceinline__ Window columnsOf(const AveragePoolingArguments& a, int column) {
  return windowAt(
    column, a.kind, a.width, a.columns, a.windowWidth, a.strideWidth, a.left, a.right,
    a.dilationWidth);
}

KERNEL averagePooling(const AveragePoolingArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.images) * a.rows * a.columns * a.channels;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Pixel p = pixelAt<1>(i, a.rows, a.columns, a.channels);
    const Window rows = rowsOf(a, p.row), columns = columnsOf(a, p.column);
    float sum = 0;
    for (int h = rows.first; h < rows.end; h += rows.step) {
      for (int w = columns.first; w < columns.end; w += columns.step) {
        sum += real(
          a.x[((static_cast<uint64>(p.image) * a.height + h) * a.width + w) * a.channels
              + p.channel]);
      }
    }
    store(a.output[i], sum / (rows.size * columns.size));
  }
}

/// x is the output's gradient here, `[images, rows, columns, channels]`.
KERNEL averagePoolingGradient(const AveragePoolingArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.images) * a.height * a.width * a.channels;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Pixel p = pixelAt<1>(i, a.height, a.width, a.channels);
    float sum = 0;
    for (int row = 0; row < a.rows; row++) {
      const Window rows = rowsOf(a, row);
      if (p.row < rows.first || p.row >= rows.end || (p.row - rows.first) % rows.step) continue;
      for (int column = 0; column < a.columns; column++) {
        const Window columns = columnsOf(a, column);
        if (p.column < columns.first || p.column >= columns.end) continue;
        if ((p.column - columns.first) % columns.step) continue;
        const float g = real(
          a.x[((static_cast<uint64>(p.image) * a.rows + row) * a.columns + column) * a.channels
              + p.channel]);
        sum += g / (rows.size * columns.size);
      }
    }
    store(a.output[i], sum);
  }
}

struct GlobalAverageArguments {
  const void* x;
  void* output;
  int images, pixels, channels;
};

/// From activations to means in float32. A warp takes 32 channels of an image.
KERNEL globalAverage(const GlobalAverageArguments a) {
  begin();
  __shared__ float sums[8][32];
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32;
  const int channel = blockIdx.x * 32 + lane;
  for (int image = blockIdx.y; image < a.images; image += gridDim.y) {
    float sum = 0;
    if (channel < a.channels) {
      const Real* x = static_cast<const Real*>(a.x)
        + static_cast<uint64>(image) * a.pixels * a.channels + channel;
      for (int pixel = row; pixel < a.pixels; pixel += 8) {
        sum += real(x[static_cast<uint64>(pixel) * a.channels]);
      }
    }
    sums[row][lane] = sum;
    __syncthreads();
    if (row == 0 && channel < a.channels) {
      sum = 0;
      for (int r = 0; r < 8; r++) sum += sums[r][lane];
      static_cast<float*>(a.output)[static_cast<uint64>(image) * a.channels + channel] =
        sum / a.pixels;
    }
    __syncthreads();
  }
}

/// From gradients in float32 to those of activations.
KERNEL globalAverageGradient(const GlobalAverageArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.images) * a.pixels * a.channels;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  const uint64 size = static_cast<uint64>(a.pixels) * a.channels;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const uint64 image = i / size;
    const float g = static_cast<const float*>(a.x)[image * a.channels + i % a.channels];
    store(static_cast<Real*>(a.output)[i], g / a.pixels);
  }
}
