// Softmax, cross-entropy and the counting of correct samples; all in float32, a warp a row.

struct CrossEntropyArguments {
  const float* logits;
  const int* labels;
  float *losses, *probabilities;
  int rows, classes;
};

KERNEL crossEntropy(const CrossEntropyArguments a) {
  begin();
  const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (row >= a.rows) return;
  const float* z = a.logits + static_cast<uint64>(row) * a.classes;
  float largest = LEAST;
  for (int k = lane; k < a.classes; k += 32) largest = fmaxf(largest, z[k]);
  largest = warpMaximum(largest);
  float sum = 0;
  for (int k = lane; k < a.classes; k += 32) sum += expf(z[k] - largest);
  sum = warpSum(sum);
  for (int k = lane; k < a.classes; k += 32) {
    a.probabilities[static_cast<uint64>(row) * a.classes + k] = expf(z[k] - largest) / sum;
  }
  if (lane == 0) a.losses[row] = logf(sum) + largest - z[a.labels[row]];
}

struct WeightedSumArguments {
  const float *values, *weights;
  float* result;
  int count, divides;
};

/// Σ weight · value, perhaps divided by Σ weight. One block.
KERNEL weightedSum(const WeightedSumArguments a) {
  begin();
  __shared__ double sums[2][256];
  double sum = 0, weight = 0;
  for (int i = threadIdx.x; i < a.count; i += 256) {
    // A sample without weight does not count, whatever its value.
    if (a.weights[i] != 0) sum += static_cast<double>(a.weights[i]) * a.values[i];
    weight += a.weights[i];
  }
  sums[0][threadIdx.x] = sum;
  sums[1][threadIdx.x] = weight;
  __syncthreads();
  if (threadIdx.x > 0) return;
  sum = weight = 0;
  for (int i = 0; i < 256; i++) {
    sum += sums[0][i];
    weight += sums[1][i];
  }
  *a.result = static_cast<float>(a.divides ? sum / weight : sum);
}

struct CrossEntropyGradientArguments {
  const float *gradient, *probabilities, *weights;
  const int* labels;
  float* output;
  int rows, classes;
};

KERNEL crossEntropyGradient(const CrossEntropyGradientArguments a) {
  begin();
  const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (row >= a.rows) return;
  float sum = 0;
  for (int i = lane; i < a.rows; i += 32) sum += a.weights[i];
  sum = warpSum(sum);
  const float factor = *a.gradient * (a.weights[row] / sum);
  for (int k = lane; k < a.classes; k += 32) {
    const uint64 place = static_cast<uint64>(row) * a.classes + k;
    a.output[place] = factor * (a.probabilities[place] - (k == a.labels[row] ? 1.0f : 0.0f));
  }
}

struct CorrectArguments {
  const float* logits;
  const int* labels;
  float* correct;
  int rows, classes, top;
};

/// 1 for a row whose label is among the `top` largest logits, else 0: the rules of `CorrectCount`.
KERNEL correctRows(const CorrectArguments a) {
  begin();
  const int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
  if (row >= a.rows) return;
  const float* z = a.logits + static_cast<uint64>(row) * a.classes;
  const int label = a.labels[row];
  const float own = z[label];
  float larger = 0;
  for (int k = lane; k < a.classes; k += 32) {
    if (k == label) continue;
    const bool isLarger = own != own || z[k] != z[k] || z[k] > own || (z[k] == own && k < label);
    larger += isLarger ? 1.0f : 0.0f;
  }
  larger = warpSum(larger);
  if (lane == 0) a.correct[row] = larger < a.top ? 1.0f : 0.0f;
}

struct SoftmaxArguments {
  const Real *gradient, *x;
  Real* output;
  int outer, extent, inner;
};

/// Along an axis of `extent` numbers at the distance `inner`. A thread takes one row.
KERNEL softmax(const SoftmaxArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.outer) * a.inner;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const uint64 start = i / a.inner * a.extent * a.inner + i % a.inner;
    float largest = LEAST;
    for (int k = 0; k < a.extent; k++) {
      largest = fmaxf(largest, real(a.x[start + static_cast<uint64>(k) * a.inner]));
    }
    float sum = 0;
    for (int k = 0; k < a.extent; k++) {
      sum += expf(real(a.x[start + static_cast<uint64>(k) * a.inner]) - largest);
    }
    for (int k = 0; k < a.extent; k++) {
      const uint64 place = start + static_cast<uint64>(k) * a.inner;
      store(a.output[place], expf(real(a.x[place]) - largest) / sum);
    }
  }
}

/// x is the softmax's result.
KERNEL softmaxGradient(const SoftmaxArguments a) {
  begin();
  const uint64 count = static_cast<uint64>(a.outer) * a.inner;
  const uint64 step = static_cast<uint64>(gridDim.x) * blockDim.x;
  for (uint64 i = static_cast<uint64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const uint64 start = i / a.inner * a.extent * a.inner + i % a.inner;
    float sum = 0;
    for (int k = 0; k < a.extent; k++) {
      const uint64 place = start + static_cast<uint64>(k) * a.inner;
      sum += real(a.gradient[place]) * real(a.x[place]);
    }
    for (int k = 0; k < a.extent; k++) {
      const uint64 place = start + static_cast<uint64>(k) * a.inner;
      store(a.output[place], real(a.x[place]) * (real(a.gradient[place]) - sum));
    }
  }
}
