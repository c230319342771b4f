// A convolution as cuDNN's graphs describe it, and what computes it.
#pragma once

#include <cstdint>
#include <optional>

namespace simulator {

enum DataType : int { floatType = 0, halfType = 2, bfloat16Type = 9 };

// Four dimensions: n c h w of an image, k c r s of a filter. Strides count elements.
struct Tensor {
  DataType type;
  int64_t id, alignment;
  int64_t size[4], stride[4];

  int64_t elementBytes() const { return type == floatType ? 4 : 2; }
  int64_t bytes() const {
    int64_t last = 0;
    for (int axis = 0; axis < 4; axis++) last += (size[axis] - 1) * stride[axis];
    return (last + 1) * elementBytes();
  }
};

enum class Direction { forward, backwardData, backwardFilter };

// x and y are the gradients of the input and the output where the direction says so.
struct Convolution {
  Direction direction;
  Tensor x, w, y;
  int64_t padding[2], stride[2], dilation[2];  // the padding before; that behind follows from sizes
  double alpha;
};

// The sum and the sum of squares of each channel of y, as it is stored.
struct Statistics {
  Tensor x, sum, squares;
};

struct Buffers {
  void *x, *w, *y, *sum, *squares;
};

void compute(const Convolution &, const std::optional<Statistics> &, const Buffers &);

}  // namespace simulator
