// Tests the simulated cuDNN: each direction against a naive loop over strides, written without
// regard to the simulator's; statistics; what is read of engines and plans; and what must be
// refused.
#include <chrono>
#include <cmath>
#include <cstring>

#include "SelfTest.h"

namespace {

using Longs = std::vector<int64_t>;

struct Shape {
  int64_t n, c, h, w, k, r, s, pad[2], post[2], stride[2], dilation[2];
  int64_t p() const { return (h + pad[0] + post[0] - dilation[0] * (r - 1) - 1) / stride[0] + 1; }
  int64_t q() const { return (w + pad[1] + post[1] - dilation[1] * (s - 1) - 1) / stride[1] + 1; }
};

void *create(int kind) {
  void *descriptor = nullptr;
  EXPECT(call("cudnnBackendCreateDescriptor", kind, &descriptor) == 0);
  return descriptor;
}

int set(void *descriptor, int attribute, int type, int64_t count, const void *elements) {
  return call("cudnnBackendSetAttribute", descriptor, attribute, type, count, elements);
}

int64_t get(void *descriptor, int attribute, int type, int64_t count, void *elements) {
  int64_t available = -1;
  EXPECT(call("cudnnBackendGetAttribute", descriptor, attribute, type, count, &available,
    elements) == 0);
  return available;
}

int finalize(void *descriptor) { return call("cudnnBackendFinalize", descriptor); }

void setLongs(void *descriptor, int attribute, Longs values) {
  EXPECT(set(descriptor, attribute, 3, int64_t(values.size()), values.data()) == 0);
}

void setInteger(void *descriptor, int attribute, int type, int value) {
  EXPECT(set(descriptor, attribute, type, 1, &value) == 0);
}

// Channels last: n h w c, or k r s c.
void *tensor(int64_t id, int type, Longs size) {
  void *const it = create(17);
  setInteger(it, 901, 1, type);
  setLongs(it, 902, size);
  setLongs(it, 903, {size[1] * size[2] * size[3], 1, size[3] * size[1], size[1]});
  setLongs(it, 906, {id});
  setLongs(it, 900, {16});
  EXPECT(finalize(it) == 0);
  EXPECT(set(it, 906, 3, 1, &id) == 2000);
  return it;
}

struct Parts {
  void *x, *w, *y, *operation;
};

// Kinds and attributes: forward 10 and from 700, data 12 and from 706, filter 11 and from 712.
Parts describe(const Shape &it, int kind, int type, int64_t wrong = 0) {
  const int base = kind == 10 ? 700 : kind == 12 ? 706 : 712;
  Parts parts{tensor(1, type, {it.n, it.c, it.h, it.w}), tensor(2, type, {it.k, it.c, it.r, it.s}),
    tensor(3, type, {it.n, it.k, it.p() + wrong, it.q()}), create(kind)};
  void *const convolution = create(1);
  setInteger(convolution, 100, 1, 0);
  setInteger(convolution, 101, 7, 1);
  setLongs(convolution, 102, {it.dilation[0], it.dilation[1]});
  setLongs(convolution, 103, {it.stride[0], it.stride[1]});
  setLongs(convolution, 104, {it.post[0], it.post[1]});
  setLongs(convolution, 105, {it.pad[0], it.pad[1]});
  EXPECT(finalize(convolution) == 2000);
  setLongs(convolution, 106, {2});
  EXPECT(finalize(convolution) == 0);
  const float alpha = 1, beta = 0;
  EXPECT(set(parts.operation, base, 4, 1, &alpha) == 0);
  EXPECT(set(parts.operation, base + 1, 4, 1, &beta) == 0);
  // After the convolution: w x y, w dx dy, or dw x dy.
  void *const operands[] = {convolution, parts.w, parts.x, parts.y};
  for (int index = 0; index < 4; index++) {
    EXPECT(set(parts.operation, base + 2 + index, 15, 1, &operands[index]) == 0);
  }
  return parts;
}

void *planOf(void *library, std::vector<void *> operations, int64_t engine) {
  void *const graph = create(15), *const heuristics = create(4), *const plan = create(5);
  EXPECT(set(graph, 800, 0, 1, &library) == 0);
  EXPECT(set(graph, 801, 15, int64_t(operations.size()), operations.data()) == 0);
  EXPECT(finalize(graph) == 0);
  setInteger(heuristics, 200, 8, 3);
  EXPECT(set(heuristics, 201, 15, 1, &graph) == 0);
  EXPECT(finalize(heuristics) == 0);
  EXPECT(get(heuristics, 202, 15, 0, nullptr) == 2);
  void *configurations[] = {create(3), create(3)};
  EXPECT(get(heuristics, 202, 15, 2, configurations) == 2);
  void *described = create(2);
  EXPECT(get(configurations[engine], 300, 15, 1, &described) == 1);
  int64_t index = -1, bytes = -1;
  EXPECT(get(described, 1301, 3, 1, &index) == 1 && index == engine);
  EXPECT(get(described, 1303, 11, 0, nullptr) == (engine == 0));
  EXPECT(set(plan, 400, 0, 1, &library) == 0);
  EXPECT(set(plan, 401, 15, 1, &configurations[engine]) == 0);
  EXPECT(finalize(plan) == 0);
  EXPECT(get(plan, 402, 3, 1, &bytes) == 1 && bytes == (engine ? 0 : 256));
  return plan;
}

int execute(void *library, void *plan, Longs ids, std::vector<Address> pointers, Address scratch) {
  void *const pack = create(16);
  EXPECT(set(pack, 1000, 3, int64_t(ids.size()), ids.data()) == 0);
  EXPECT(set(pack, 1001, 6, int64_t(pointers.size()), pointers.data()) == 0);
  EXPECT(set(pack, 1003, 6, 1, &scratch) == 0);
  EXPECT(finalize(pack) == 0);
  const int status = call("cudnnBackendExecute", library, plan, pack);
  EXPECT(call("cudnnBackendDestroyDescriptor", pack) == 0);
  return status;
}

std::vector<float> noise(int64_t count, unsigned seed) {
  std::vector<float> values(size_t(count), 0);
  for (float &value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = float(int(seed >> 24) - 128) / 128;
  }
  return values;
}

// body(index in x, in w, in y) for each product of the convolution.
template <class Body> void products(const Shape &it, Body body) {
  for (int64_t n = 0; n < it.n; n++) for (int64_t k = 0; k < it.k; k++)
    for (int64_t p = 0; p < it.p(); p++) for (int64_t q = 0; q < it.q(); q++)
      for (int64_t c = 0; c < it.c; c++) for (int64_t r = 0; r < it.r; r++)
        for (int64_t s = 0; s < it.s; s++) {
          const int64_t h = p * it.stride[0] + r * it.dilation[0] - it.pad[0];
          const int64_t w = q * it.stride[1] + s * it.dilation[1] - it.pad[1];
          if (h < 0 || w < 0 || h >= it.h || w >= it.w) continue;
          body(((n * it.h + h) * it.w + w) * it.c + c, ((k * it.r + r) * it.s + s) * it.c + c,
            ((n * it.p() + p) * it.q() + q) * it.k + k);
        }
}

bool agree(const std::vector<float> &actual, const std::vector<double> &expected) {
  for (size_t index = 0; index < expected.size(); index++) {
    const double error = std::fabs(actual[index] - expected[index]);
    if (!(error <= 1e-5 * (1 + std::fabs(expected[index])))) return false;
  }
  return true;
}

void testDirections(void *library, void *stream, const Shape &it, int64_t engine) {
  const auto x = noise(it.n * it.c * it.h * it.w, 1), w = noise(it.k * it.c * it.r * it.s, 2);
  const auto y = noise(it.n * it.k * it.p() * it.q(), 3);
  std::vector<double> forward(y.size()), data(x.size()), filter(w.size());
  products(it, [&](int64_t atX, int64_t atW, int64_t atY) {
    forward[atY] += double(x[atX]) * w[atW];
    data[atX] += double(y[atY]) * w[atW];
    filter[atW] += double(y[atY]) * x[atX];
  });
  const Address scratch = allocate(256);
  const Address inX = upload(x, stream), inW = upload(w, stream), inY = upload(y, stream);
  const Address outX = allocate(x.size() * 4), outW = allocate(w.size() * 4);
  const Address outY = allocate(y.size() * 4);
  const Address sums = allocate(it.k * 4), squares = allocate(it.k * 4);

  Parts parts = describe(it, 10, 0);
  EXPECT(finalize(parts.operation) == 0);
  void *const statistics = create(14);
  void *const sum = tensor(4, 0, {1, it.k, 1, 1}), *const square = tensor(5, 0, {1, it.k, 1, 1});
  setInteger(statistics, 770, 16, 0);
  setInteger(statistics, 771, 1, 0);
  EXPECT(set(statistics, 772, 15, 1, &parts.y) == 0);
  EXPECT(set(statistics, 773, 15, 1, &sum) == 0);
  EXPECT(set(statistics, 774, 15, 1, &square) == 0);
  EXPECT(finalize(statistics) == 0);
  void *plan = planOf(library, {parts.operation, statistics}, engine);
  EXPECT(execute(library, plan, {1, 2, 3, 4, 5}, {inX, inW, outY, sums, squares}, scratch) == 0);
  EXPECT(agree(download<float>(outY, y.size(), stream), forward));
  std::vector<double> expectedSum(it.k), expectedSquares(it.k);
  for (size_t index = 0; index < forward.size(); index++) {
    expectedSum[index % it.k] += forward[index];
    expectedSquares[index % it.k] += forward[index] * forward[index];
  }
  EXPECT(agree(download<float>(sums, it.k, stream), expectedSum));
  EXPECT(agree(download<float>(squares, it.k, stream), expectedSquares));

  parts = describe(it, 12, 0);
  EXPECT(finalize(parts.operation) == 0);
  plan = planOf(library, {parts.operation}, engine);
  EXPECT(execute(library, plan, {3, 2, 1}, {inY, inW, outX}, scratch) == 0);
  EXPECT(agree(download<float>(outX, x.size(), stream), data));

  parts = describe(it, 11, 0);
  EXPECT(finalize(parts.operation) == 0);
  plan = planOf(library, {parts.operation}, engine);
  EXPECT(execute(library, plan, {1, 2, 3}, {inX, outW, inY}, scratch) == 0);
  EXPECT(agree(download<float>(outW, w.size(), stream), filter));
  EXPECT(execute(library, plan, {1, 2}, {inX, outW}, scratch) == 2000);
  EXPECT(execute(library, plan, {1, 2, 3}, {inX, outW, inY + 16}, scratch) == 2000);
  if (engine == 0) EXPECT(execute(library, plan, {1, 2, 3}, {inX, outW, inY}, 0) == 2000);

  EXPECT(finalize(describe(it, 10, 0, 1).operation) == 2000);
}

// An engine asked for by its number, and numbers that there are not.
void testEngines(void *library) {
  const Parts parts = describe({1, 1, 4, 4, 1, 3, 3, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 10, 9);
  EXPECT(finalize(parts.operation) == 0);
  void *const graph = create(15);
  EXPECT(set(graph, 800, 0, 1, &library) == 0);
  EXPECT(set(graph, 801, 15, 1, &parts.operation) == 0);
  EXPECT(finalize(graph) == 0);
  for (int64_t index = 0; index < 3; index++) {
    void *const engine = create(2), *const configuration = create(3), *const plan = create(5);
    EXPECT(set(engine, 1300, 15, 1, &graph) == 0);
    setLongs(engine, 1301, {index});
    EXPECT(finalize(engine) == (index < 2 ? 0 : 3000));
    EXPECT(set(configuration, 300, 15, 1, &engine) == (index < 2 ? 0 : 2000));
    if (index == 2) continue;
    EXPECT(finalize(configuration) == 0);
    EXPECT(finalize(plan) == 2000);
    EXPECT(set(plan, 400, 0, 1, &library) == 0 && set(plan, 401, 15, 1, &configuration) == 0);
    EXPECT(finalize(plan) == 0);
  }
}

// How long a layer of ResNet-20 takes, and that a captured plan runs at each launch only.
void testLayer(void *library, void *stream) {
  const Shape it{8, 16, 32, 32, 16, 3, 3, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  const std::vector<uint16_t> ones(size_t(it.n * it.c * it.h * it.w), 0x3c00);
  const Address x = upload(ones, stream), y = allocate(ones.size() * 2);
  const Address w = upload(std::vector<uint16_t>(size_t(it.k * it.c * 9), 0x3c00), stream);
  for (const int kind : {10, 12, 11}) {
    const Parts parts = describe(it, kind, 2);
    EXPECT(finalize(parts.operation) == 0);
    void *const plan = planOf(library, {parts.operation}, 1);
    void *graph = nullptr, *executable = nullptr;
    const std::vector<Address> pointers = {x, w, y};
    if (kind != 10) {
      EXPECT(call("cuMemcpyHtoDAsync_v2", y, (const void *)ones.data(), ones.size() * 2,
        stream) == 0);
    }
    EXPECT(call("cuStreamBeginCapture_v2", stream, 1) == 0);
    EXPECT(execute(library, plan, {1, 2, 3}, pointers, 0) == 0);
    EXPECT(call("cuStreamEndCapture", stream, &graph) == 0);
    EXPECT(call("cuGraphInstantiateWithFlags", &executable, graph, 0ull) == 0);
    if (kind == 10) EXPECT(download<uint16_t>(y, 1, stream)[0] == 0xFFFF);
    const auto start = std::chrono::steady_clock::now();
    EXPECT(call("cuGraphLaunch", executable, stream) == 0);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    std::printf("a layer of 16 channels, 8 images, kind %d: %.1f ms\n", kind, time.count());
    if (kind == 10) {
      const auto out = download<uint16_t>(y, ones.size(), stream);
      EXPECT(out[0] == 0x5400 && out[(32 + 1) * 16] == 0x5880);  // 64 in a corner, 144 within
    }
  }
}

}  // namespace

void testConvolutions(void *stream) {
  void *library = nullptr;
  EXPECT(call("cudnnCreate", &library) == 0);
  EXPECT(call("cudnnSetStream", library, stream) == 0);
  testDirections(library, stream, {2, 3, 9, 8, 5, 3, 3, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 0);
  testDirections(library, stream, {3, 4, 11, 7, 6, 3, 2, {2, 0}, {1, 1}, {2, 2}, {2, 1}}, 1);
  testDirections(library, stream, {1, 8, 6, 6, 3, 1, 1, {0, 0}, {0, 0}, {2, 2}, {1, 1}}, 1);
  testEngines(library);
  testLayer(library, stream);
  EXPECT(call("cudnnDestroy", library) == 0);
}
