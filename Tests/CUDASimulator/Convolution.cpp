// Convolutions on the processor. Numbers are gathered into packed arrays of doubles, so the loops
// know neither strides nor types, and sums are exact enough to be no matter.
#include "Convolution.h"

#include <thread>
#include <vector>

#include "Shared.h"

namespace simulator {
namespace {

using Numbers = std::vector<double>;

double load(DataType type, const void *data, int64_t index) {
  switch (type) {
    case floatType: return ((const float *)data)[index];
    case halfType: return halfToFloat(((const unsigned short *)data)[index]);
    case bfloat16Type: return bfloat16ToFloat(((const unsigned short *)data)[index]);
  }
  __builtin_unreachable();
}

void store(DataType type, void *data, int64_t index, float value) {
  switch (type) {
    case floatType: ((float *)data)[index] = value; break;
    case halfType: ((unsigned short *)data)[index] = floatToHalf(value); break;
    case bfloat16Type: ((unsigned short *)data)[index] = floatToBFloat16(value); break;
  }
}

// Visits all elements with the axes in this order from the outermost on: body(offset in the
// tensor).
template <class Body> void visit(const Tensor &tensor, const int (&order)[4], Body body) {
  const auto size = [&](int level) { return tensor.size[order[level]]; };
  const auto stride = [&](int level) { return tensor.stride[order[level]]; };
  for (int64_t a = 0; a < size(0); a++) {
    for (int64_t b = 0; b < size(1); b++) {
      for (int64_t c = 0; c < size(2); c++) {
        const int64_t offset = a * stride(0) + b * stride(1) + c * stride(2);
        for (int64_t d = 0; d < size(3); d++) body(offset + d * stride(3));
      }
    }
  }
}

constexpr int channelsLast[4] = {0, 2, 3, 1};
constexpr int filterForward[4] = {2, 3, 1, 0};   // r s c k
constexpr int filterBackward[4] = {2, 3, 0, 1};  // r s k c

Numbers gather(const Tensor &tensor, const void *data, const int (&order)[4]) {
  Numbers numbers;
  numbers.reserve(size_t(tensor.size[0] * tensor.size[1] * tensor.size[2] * tensor.size[3]));
  visit(tensor, order, [&](int64_t at) { numbers.push_back(load(tensor.type, data, at)); });
  return numbers;
}

void scatter(
  const Tensor &tensor, void *data, const int (&order)[4], const Numbers &numbers, double alpha) {
  const double *next = numbers.data();
  visit(tensor, order, [&](int64_t at) { store(tensor.type, data, at, float(alpha * *next++)); });
}

void add(double *to, const double *from, double factor, int64_t count) {
  for (int64_t index = 0; index < count; index++) to[index] += factor * from[index];
}

// body(start, end) on two threads for a half each. Neither writes what the other does.
template <class Body> void halve(int64_t count, Body body) {
  if (count < 2) return body(int64_t(0), count);
  std::thread other(body, int64_t(0), count / 2);
  body(count / 2, count);
  other.join();
}

// For outputs p q and taps r s with an input there: body(position in x, in y, tap). `start` and
// `end` limit the rows, which count through the images.
template <class Body> void visit(const Convolution &it, int64_t start, int64_t end, Body body) {
  const int64_t height = it.x.size[2], width = it.x.size[3], rows = it.y.size[2];
  for (int64_t row = start; row < end; row++) {
    const int64_t image = row / rows, p = row % rows;
    for (int64_t q = 0; q < it.y.size[3]; q++) {
      for (int64_t r = 0; r < it.w.size[2]; r++) {
        const int64_t h = p * it.stride[0] - it.padding[0] + r * it.dilation[0];
        if (h < 0 || h >= height) continue;
        for (int64_t s = 0; s < it.w.size[3]; s++) {
          const int64_t w = q * it.stride[1] - it.padding[1] + s * it.dilation[1];
          if (w < 0 || w >= width) continue;
          body((image * height + h) * width + w, row * it.y.size[3] + q, r * it.w.size[3] + s);
        }
      }
    }
  }
}

int64_t count(const Tensor &tensor) {
  return tensor.size[0] * tensor.size[1] * tensor.size[2] * tensor.size[3];
}

void forward(const Convolution &it, const Buffers &buffers) {
  const int64_t c = it.w.size[1], k = it.w.size[0];
  const Numbers x = gather(it.x, buffers.x, channelsLast);
  const Numbers w = gather(it.w, buffers.w, filterForward);
  Numbers y(size_t(count(it.y)));
  halve(it.y.size[0] * it.y.size[2], [&](int64_t start, int64_t end) {
    visit(it, start, end, [&](int64_t from, int64_t to, int64_t tap) {
      for (int64_t channel = 0; channel < c; channel++) {
        add(&y[to * k], &w[(tap * c + channel) * k], x[from * c + channel], k);
      }
    });
  });
  scatter(it.y, buffers.y, channelsLast, y, it.alpha);
}

void backwardData(const Convolution &it, const Buffers &buffers) {
  const int64_t c = it.w.size[1], k = it.w.size[0];
  const Numbers y = gather(it.y, buffers.y, channelsLast);
  const Numbers w = gather(it.w, buffers.w, filterBackward);
  Numbers x(size_t(count(it.x)));
  halve(it.y.size[0], [&](int64_t start, int64_t end) {
    visit(it, start * it.y.size[2], end * it.y.size[2], [&](int64_t to, int64_t from, int64_t tap) {
      for (int64_t channel = 0; channel < k; channel++) {
        add(&x[to * c], &w[(tap * k + channel) * c], y[from * k + channel], c);
      }
    });
  });
  scatter(it.x, buffers.x, channelsLast, x, it.alpha);
}

void backwardFilter(const Convolution &it, const Buffers &buffers) {
  const int64_t c = it.w.size[1], k = it.w.size[0];
  const Numbers x = gather(it.x, buffers.x, channelsLast);
  const Numbers y = gather(it.y, buffers.y, channelsLast);
  Numbers w(size_t(count(it.w)));
  halve(c, [&](int64_t start, int64_t end) {
    visit(it, 0, it.y.size[0] * it.y.size[2], [&](int64_t image, int64_t output, int64_t tap) {
      for (int64_t channel = start; channel < end; channel++) {
        add(&w[(tap * c + channel) * k], &y[output * k], x[image * c + channel], k);
      }
    });
  });
  scatter(it.w, buffers.w, filterForward, w, it.alpha);
}

void sumChannels(const Tensor &y, const Statistics &statistics, const Buffers &buffers) {
  const int64_t channels = y.size[1];
  Numbers sum(size_t(channels), 0.0), squares(size_t(channels), 0.0);
  int64_t index = 0;
  visit(y, channelsLast, [&](int64_t at) {
    const double value = load(y.type, buffers.y, at);
    sum[index % channels] += value;
    squares[index++ % channels] += value * value;
  });
  scatter(statistics.sum, buffers.sum, channelsLast, sum, 1);
  scatter(statistics.squares, buffers.squares, channelsLast, squares, 1);
}

}  // namespace

void compute(
  const Convolution &it, const std::optional<Statistics> &statistics, const Buffers &buffers) {
  switch (it.direction) {
    case Direction::forward: forward(it, buffers); break;
    case Direction::backwardData: backwardData(it, buffers); break;
    case Direction::backwardFilter: backwardFilter(it, buffers); break;
  }
  if (statistics) sumChannels(it.y, *statistics, buffers);
}

}  // namespace simulator
