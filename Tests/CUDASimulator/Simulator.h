// What the parts of the simulated GPU share. One lock guards it all: a test may use several
// threads, and the kernels' shared memory is static.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "Shared.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace simulator {

// Codes of the CUDA driver.
enum Result : int {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  notInitialized = 3,
  invalidDevice = 101,
  invalidImage = 200,
  invalidContext = 201,
  invalidHandle = 400,
  notFound = 500,
  captureUnsupported = 900,
  captureInvalidated = 901,
  captureUnjoined = 904,
  captureWrongThread = 908,
};

std::recursive_mutex &lock();

// A mistake that a GPU would answer with wrong results or a hang: says it and ends the process.
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Whether a call of the driver may be made at all: after cuInit, on a thread with a context.
Result callable();
struct Call {
  std::lock_guard<std::recursive_mutex> guard{lock()};
  Result result = callable();
};

// Device memory.
bool isDeviceMemory(uint64_t address, size_t bytes);  // wholly within one live allocation
void checkGuards();  // fails if something wrote past an allocation
void require(uint64_t address, size_t bytes);  // fails if that is no longer device memory

// Runs the work now, or records it if the stream captures. The work must hold copies of all it
// needs.
using Work = std::function<void()>;
Result submit(void *stream, Work work);
// Whether a capture forbids this thread what might wait for the device. Asking ends that capture.
bool captureForbids();

// Kernels. A parameter of more than 16 bytes lies on the stack, and a function finds its own there
// whatever follows: so each kernel can be called as one of 4096 bytes, the most that CUDA allows.
struct Arguments {
  unsigned char bytes[4096];
};
struct Kernel {
  std::string name;
  void (*entry)(Arguments);
  SimulatedPosition *position;
};
void run(const Kernel &kernel, SimulatedIndex grid, SimulatedIndex block,
  const Arguments &arguments);
extern const SimulatorCalls calls;
extern std::string lastKernel;  // the one that wrote past an allocation, if one did

// What stands for a cubin: this prefix, and the path of a library.
constexpr char cubinPrefix[] = "simulated cubin ";

}  // namespace simulator
