// Tests the simulated GPU as a program that opens its library: kernels against loops, the order of
// captured work, and what must be refused. Convolutions and the units for matrix products have
// files of their own.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "SelfTest.h"

namespace {

// Kernels ----------------------------------------------------------------------------------------

const char *const source = R"(
struct Arguments { const float *x; float *sums; unsigned *counter; float *last; int count; };

// Sums blocks of 100 threads by shuffles and shared memory; the last block sums the sums.
extern "C" __global__ void __launch_bounds__(100) sumBlocks(const Arguments a) {
  __shared__ float partial[4];
  __shared__ bool isLast;
  const int index = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = index < a.count ? a.x[index] : 0;
  // The last warp has four lanes only.
  for (int lanes = threadIdx.x < 96 ? 16 : 2; lanes; lanes /= 2) {
    sum += __shfl_xor_sync(threadIdx.x < 96 ? 0xffffffffu : 0xfu, sum, lanes);
  }
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    a.sums[blockIdx.x] = partial[0] + partial[1] + partial[2] + partial[3];
    __threadfence();
    isLast = atomicInc(a.counter, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!isLast || threadIdx.x > 0) return;
  float all = 0;
  for (int block = 0; block < int(gridDim.x); block++) all += a.sums[block];
  *a.last = all;
}

struct AddArguments { float *x; long long count; float amount; };
extern "C" __global__ void add(const AddArguments a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index < a.count) a.x[index] += a.amount;
}

struct ProbeArguments { int *out; long long unused[2]; };
extern "C" __global__ void probe(const ProbeArguments a) {
  const int lane = threadIdx.x % 32;
  int *const out = a.out + threadIdx.x * 5;
  out[0] = __shfl_down_sync(0xffffffffu, lane * 10, 3);
  out[1] = __shfl_sync(0xffffffffu, lane, 5, 8);
  out[2] = __syncthreads_or(threadIdx.x == 40);
  out[3] = __ballot_sync(0xffffffffu, lane % 2);
  out[4] = __shfl_up_sync(0xffffffffu, lane, 1) + blockDim.y * 100 + min(1, 2) + __popc(7u);
}

struct ConvertArguments { const float *x; float *half; float *bfloat; int count; };
extern "C" __global__ void convert(const ConvertArguments a) {
  for (int index = 0; index < a.count; index++) {
    a.half[index] = halfToFloat(floatToHalf(a.x[index]));
    a.bfloat[index] = bfloat16ToFloat(floatToBFloat16(a.x[index]));
  }
}
)";

// Each ends the process with a message.
const char *const deadly = R"(
struct Arguments { float *x; long long unused[2]; };
extern "C" __global__ void writeBehind(const Arguments a) { a.x[blockDim.x + threadIdx.x] = 1; }
extern "C" __global__ void diverge(const Arguments a) {
  if (threadIdx.x < 32) __syncthreads();
  else {
    __syncthreads();
  }
}
extern "C" __global__ void strand(const Arguments a) {
  if (threadIdx.x % 2) __syncwarp();
  else __syncthreads();
}
)";

void testKernels(void *stream) {
  bool ok = false;
  compile("extern \"C\" __global__ void broken(", &ok);
  EXPECT(!ok);
  void *const module = compile(source, &ok);
  EXPECT(ok);
  if (!ok) return;

  const int count = 1234, blocks = 13;
  std::vector<float> x(count);
  float expected = 0;
  for (int index = 0; index < count; index++) expected += x[index] = float(index % 17);
  const Address input = upload(x, stream), sums = allocate(blocks * 4), last = allocate(4);
  const Address counter = upload(std::vector<unsigned>{0}, stream);
  struct { Address x, sums, counter, last; int count; } sumArguments{
    input, sums, counter, last, count};
  EXPECT(launch(module, "sumBlocks", sumArguments, blocks, 100, stream) == 0);
  EXPECT(download<float>(last, 1, stream)[0] == expected);
  EXPECT(download<unsigned>(counter, 1, stream)[0] == 0);

  // Captured work runs at each launch of the graph, and not before.
  struct { Address x; long long count; float amount; } addArguments{input, count, 2};
  void *graph = nullptr, *executable = nullptr;
  EXPECT(call("cuStreamBeginCapture_v2", stream, 1) == 0);
  EXPECT(launch(module, "add", addArguments, 5, 256, stream) == 0);
  EXPECT(launch(module, "sumBlocks", sumArguments, blocks, 100, stream) == 0);
  EXPECT(call("cuStreamEndCapture", stream, &graph) == 0);
  EXPECT(call("cuGraphInstantiateWithFlags", &executable, graph, 0ull) == 0);
  EXPECT(call("cuGraphDestroy", graph) == 0);
  EXPECT(download<float>(last, 1, stream)[0] == expected);
  for (int replay = 1; replay <= 3; replay++) {
    EXPECT(call("cuGraphLaunch", executable, stream) == 0);
    EXPECT(download<float>(last, 1, stream)[0] == expected + 2 * count * replay);
  }
  EXPECT(call("cuGraphExecDestroy", executable) == 0);
  EXPECT(call("cuStreamBeginCapture_v2", stream, 1) == 0);
  Address none = 0;
  EXPECT(call("cuMemAlloc_v2", &none, size_t(4)) == 900);
  EXPECT(call("cuStreamEndCapture", stream, &graph) == 901);

  const Address probed = allocate(64 * 5 * 4);
  struct { Address out; long long unused[2]; } probeArguments{probed, {}};
  EXPECT(launch(module, "probe", probeArguments, 1, 64, stream) == 0);
  const auto out = download<int>(probed, 64 * 5, stream);
  for (int thread = 0; thread < 64; thread++) {
    const int lane = thread % 32, *const row = &out[thread * 5];
    EXPECT(row[0] == 10 * (lane < 29 ? lane + 3 : lane));
    EXPECT(row[1] == lane / 8 * 8 + 5);
    EXPECT(row[2] == 1);
    EXPECT(unsigned(row[3]) == 0xaaaaaaaau);
    EXPECT(row[4] == (lane ? lane - 1 : 0) + 104);
  }

  const std::vector<float> numbers = {1, 1.0009766f, 1.00048828125f, 1.00146484375f, 65519, 65520,
    -1e-7f, 3e-8f, 2.9802322e-8f, 6.1035156e-5f, 1.00390625f, 1.01171875f, INFINITY, NAN, 3.4e38f};
  const std::vector<float> halves = {1, 1.0009765625f, 1, 1.001953125f, 65504, INFINITY,
    -1.1920929e-7f, 5.9604645e-8f, 0, 6.1035156e-5f, 1.00390625f, 1.01171875f, INFINITY, NAN,
    INFINITY};
  const std::vector<float> bfloats = {1, 1, 1, 1, 65536, 65536, -1e-7f, 3e-8f, 2.9802322e-8f,
    6.1035156e-5f, 1, 1.015625f, INFINITY, NAN, INFINITY};
  const int total = int(numbers.size());
  const Address half = allocate(total * 4), bfloat = allocate(total * 4);
  struct { Address x, half, bfloat; int count; } convertArguments{
    upload(numbers, stream), half, bfloat, total};
  EXPECT(launch(module, "convert", convertArguments, 1, 1, stream) == 0);
  const auto asHalf = download<float>(half, total, stream);
  const auto asBFloat = download<float>(bfloat, total, stream);
  for (int index = 0; index < total; index++) {
    const float a = asHalf[index], b = asBFloat[index];
    EXPECT(a == halves[index] || (std::isnan(a) && std::isnan(halves[index])));
    EXPECT(b == bfloats[index] ||
      std::fabs(b - bfloats[index]) <= std::fabs(bfloats[index]) / 256 ||
      (std::isnan(b) && std::isnan(bfloats[index])));
  }

  // What must be refused.
  EXPECT(launch(module, "add", addArguments, 1, 1025, stream) == 1);
  EXPECT(launch(module, "add", addArguments, 0, 32, stream) == 1);
  EXPECT(call("cuMemAlloc_v2", &none, size_t(0)) == 1);
  EXPECT(call("cuMemsetD8Async", last, (unsigned char)0, size_t(5), stream) == 1);
  EXPECT(call("cuMemFree_v2", last + 1) == 1);
  EXPECT(call("cuMemFree_v2", last) == 0 && call("cuMemFree_v2", last) == 1);
  EXPECT(std::isnan(download<float>(allocate(4), 1, stream)[0]));
  EXPECT(call("cuModuleUnload", module) == 0 && call("cuModuleUnload", module) == 400);
}

// What another process writes to its standard error before it aborts.
template <class Body> std::string lastWords(Body body) {
  int ends[2];
  EXPECT(pipe(ends) == 0);
  const pid_t process = fork();
  if (process == 0) {
    dup2(ends[1], 2);
    body();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, count);
  }
  close(ends[0]);
  int status = 0;
  waitpid(process, &status, 0);
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  return text;
}

void testDeaths(void *stream) {
  bool ok = false;
  void *const module = compile(deadly, &ok);
  struct { Address x; long long unused[2]; } arguments{allocate(256), {}};
  const auto after = [&](const char *name, unsigned threads) {
    return lastWords([&] {
      launch(module, name, arguments, 1, threads, stream);
      call("cuStreamSynchronize", stream);
    });
  };
  EXPECT(after("writeBehind", 64).find("wrote past the allocation of 256") != std::string::npos);
  EXPECT(after("diverge", 64).find("waits at line") != std::string::npos);
  EXPECT(after("strand", 32).find("waits at line") != std::string::npos);
}

}  // namespace

int main(int count, char **arguments) {
  folder = count > 1 ? arguments[1] : ".";
  void *context = nullptr, *stream = nullptr;
  EXPECT(call("cuDevicePrimaryCtxRetain", &context, 0) == 3);
  EXPECT(call("cuInit", 0u) == 0);
  EXPECT(call("cuStreamCreate", &stream, 1u) == 201);
  EXPECT(call("cuDevicePrimaryCtxRetain", &context, 0) == 0);
  EXPECT(call("cuCtxSetCurrent", context) == 0);
  EXPECT(call("cuStreamCreate", &stream, 1u) == 0);
  testKernels(stream);
  testDeaths(stream);
  testMatrixUnits(stream);
  testConvolutions(stream);
  EXPECT(call("cuStreamDestroy_v2", stream) == 0);
  if (!failures) std::puts("the simulated GPU passes its test");
  return failures != 0;
}
