// The CUDA driver's functions for streams, graphs, modules, kernels and events. Work is done at the
// call, or recorded while its stream captures and done when the graph is launched.
#include <dlfcn.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "Simulator.h"

namespace simulator {
namespace {

using Clock = std::chrono::steady_clock;

struct Graph {
  std::vector<Work> work;
};

enum CaptureMode { captureGlobal, captureThreadLocal, captureRelaxed };

struct Stream {
  std::unique_ptr<Graph> capture;
  bool invalidated = false;
  int mode = 0;
  std::thread::id thread;
  // The capturing stream that this one has been ordered after, and the work since: it is done as late
  // as the order allows, when that stream waits for it, so that memory reused too early shows.
  void *leader = nullptr;
  std::vector<Work> pending;
};

struct Module {
  void *library;
  SimulatedPosition *position;
  std::map<std::string, Kernel> kernels;
  ~Module() { dlclose(library); }
};

struct Event {
  std::optional<Clock::time_point> time;
  void *stream = nullptr;
};

// Live objects by their handles, so that a handle used after its end is an error as on a GPU.
template <class T> struct Handles {
  std::map<void *, std::unique_ptr<T>> objects;
  T *add(std::unique_ptr<T> object) {
    T *const handle = object.get();
    objects[handle] = std::move(object);
    return handle;
  }
  T *operator[](void *handle) {
    const auto found = objects.find(handle);
    return found == objects.end() ? nullptr : found->second.get();
  }
};

// Never destroyed: programs call until their very end.
auto &streams = *new Handles<Stream>;
auto &graphs = *new Handles<Graph>;
auto &executables = *new Handles<Graph>;
auto &modules = *new Handles<Module>;
auto &events = *new Handles<Event>;

}  // namespace

bool captureForbids() {
  bool forbids = false;
  for (auto &[handle, stream] : streams.objects) {
    if (!stream->capture || stream->mode == captureRelaxed) continue;
    const bool mine = stream->thread == std::this_thread::get_id();
    if (stream->mode == captureThreadLocal && !mine) continue;
    stream->invalidated = forbids = true;
  }
  return forbids;
}

Result submit(void *handle, Work work) {
  const std::lock_guard guard(lock());
  Stream *const stream = streams[handle];
  if (handle && !stream) return invalidHandle;
  if (stream && stream->invalidated) return captureInvalidated;
  if (stream && stream->capture) {
    stream->capture->work.push_back(std::move(work));
  } else if (stream && stream->leader) {
    stream->pending.push_back(std::move(work));
  } else {
    work();
  }
  return success;
}

// Streams and graphs -----------------------------------------------------------------------------

EXPORT Result cuStreamCreate(void **handle, unsigned) {
  const Call call;
  if (call.result) return call.result;
  return *handle = streams.add(std::make_unique<Stream>()), success;
}

EXPORT Result cuStreamDestroy_v2(void *handle) {
  const Call call;
  if (call.result) return call.result;
  return streams.objects.erase(handle) ? success : invalidHandle;
}

EXPORT Result cuStreamSynchronize(void *handle) {
  const Call call;
  if (call.result) return call.result;
  Stream *const stream = streams[handle];
  if (handle && !stream) return invalidHandle;
  if (stream && stream->capture) return stream->invalidated = true, captureUnsupported;
  checkGuards();
  return success;
}

EXPORT Result cuStreamBeginCapture_v2(void *handle, int mode) {
  const Call call;
  if (call.result) return call.result;
  Stream *const stream = streams[handle];
  if (!handle) return captureUnsupported;  // the default stream cannot capture
  if (!stream) return invalidHandle;
  if (stream->capture || mode < captureGlobal || mode > captureRelaxed) return invalidValue;
  stream->capture = std::make_unique<Graph>();
  stream->invalidated = false;
  stream->mode = mode;
  stream->thread = std::this_thread::get_id();
  return success;
}

EXPORT Result cuStreamEndCapture(void *handle, void **graph) {
  const Call call;
  if (call.result) return call.result;
  Stream *const stream = streams[handle];
  if (!stream) return invalidHandle;
  if (!stream->capture) return invalidValue;
  if (stream->mode != captureRelaxed && stream->thread != std::this_thread::get_id()) {
    return captureWrongThread;
  }
  *graph = nullptr;
  auto capture = std::move(stream->capture);
  bool isJoined = true;
  for (const auto &[name, other] : streams.objects) {
    if (other->leader != handle) continue;
    isJoined = isJoined && other->pending.empty();
    other->leader = nullptr;
    other->pending.clear();
  }
  if (!isJoined) return captureUnjoined;
  if (stream->invalidated) return stream->invalidated = false, captureInvalidated;
  return *graph = graphs.add(std::move(capture)), success;
}

EXPORT Result cuGraphInstantiateWithFlags(void **executable, void *handle, unsigned long long) {
  const Call call;
  if (call.result) return call.result;
  Graph *const graph = graphs[handle];
  if (!graph) return invalidValue;
  return *executable = executables.add(std::make_unique<Graph>(*graph)), success;
}

EXPORT Result cuGraphLaunch(void *handle, void *stream) {
  const Call call;
  if (call.result) return call.result;
  Graph *const graph = executables[handle];
  if (!graph) return invalidValue;
  if (stream && streams[stream] && streams[stream]->capture) return captureUnsupported;
  return submit(stream, [graph] {
    for (const Work &work : graph->work) work();
  });
}

EXPORT Result cuGraphExecDestroy(void *handle) {
  const Call call;
  if (call.result) return call.result;
  return executables.objects.erase(handle) ? success : invalidValue;
}

EXPORT Result cuGraphDestroy(void *handle) {
  const Call call;
  if (call.result) return call.result;
  return graphs.objects.erase(handle) ? success : invalidValue;
}

// Modules and kernels ----------------------------------------------------------------------------

EXPORT Result cuModuleLoadData(void **handle, const void *image) {
  const Call call;
  if (call.result) return call.result;
  const size_t prefix = sizeof(cubinPrefix) - 1;
  if (!image || std::strncmp((const char *)image, cubinPrefix, prefix)) return invalidImage;
  void *const library = dlopen((const char *)image + prefix, RTLD_NOW | RTLD_LOCAL);
  if (!library) return invalidImage;
  auto module = std::unique_ptr<Module>(new Module{library, nullptr, {}});
  const auto connect = (void *(*)(const SimulatorCalls *))dlsym(library, "simulatorConnect1");
  if (!connect) return invalidImage;
  module->position = (SimulatedPosition *)connect(&calls);
  return *handle = modules.add(std::move(module)), success;
}

EXPORT Result cuModuleUnload(void *handle) {
  const Call call;
  if (call.result) return call.result;
  return modules.objects.erase(handle) ? success : invalidHandle;
}

EXPORT Result cuModuleGetFunction(void **function, void *handle, const char *name) {
  const Call call;
  if (call.result) return call.result;
  Module *const module = modules[handle];
  if (!module) return invalidHandle;
  const auto entry = (void (*)(Arguments))dlsym(module->library, name);
  if (!entry) return notFound;
  Kernel &kernel = module->kernels[name];
  kernel = {name, entry, module->position};
  return *function = &kernel, success;
}

EXPORT Result cuLaunchKernel(
  void *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
  unsigned blockZ, unsigned sharedBytes, void *stream, void **parameters, void **extra) {
  const Call call;
  if (call.result) return call.result;
  const Kernel *kernel = nullptr;
  for (const auto &[handle, module] : modules.objects) {
    for (const auto &[name, candidate] : module->kernels) {
      if (&candidate == function) kernel = &candidate;
    }
  }
  if (!kernel) return invalidHandle;
  const bool fits = gridX && gridX <= 0x7fffffff && gridY && gridY <= 65535 && gridZ &&
    gridZ <= 65535 && blockX && blockX <= 1024 && blockY && blockY <= 1024 && blockZ &&
    blockZ <= 64 && uint64_t(blockX) * blockY * blockZ <= 1024;
  if (!fits || sharedBytes || extra || !parameters || !parameters[0]) return invalidValue;
  auto arguments = std::make_shared<Arguments>();
  std::memcpy(arguments->bytes, parameters[0], sizeof(Arguments));
  const SimulatedIndex grid{gridX, gridY, gridZ}, block{blockX, blockY, blockZ};
  return submit(
    stream, [kernel = *kernel, grid, block, arguments] { run(kernel, grid, block, *arguments); });
}

// As the driver's CUlaunchConfig. Attributes are hints to a GPU that runs kernels at once.
struct LaunchConfiguration {
  unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
  void *stream;
  void *attributes;
  unsigned attributeCount;
};

EXPORT Result cuLaunchKernelEx(
  const LaunchConfiguration *c, void *function, void **parameters, void **extra) {
  if (!c || (c->attributeCount && !c->attributes)) return invalidValue;
  return cuLaunchKernel(
    function, c->gridX, c->gridY, c->gridZ, c->blockX, c->blockY, c->blockZ, c->sharedBytes,
    c->stream, parameters, extra);
}

// Events and errors ------------------------------------------------------------------------------

EXPORT Result cuEventCreate(void **event, unsigned) {
  const Call call;
  if (call.result) return call.result;
  return *event = events.add(std::make_unique<Event>()), success;
}

EXPORT Result cuEventRecord(void *handle, void *stream) {
  const Call call;
  if (call.result) return call.result;
  if (!events[handle] || (stream && !streams[stream])) return invalidHandle;
  events[handle]->stream = stream;
  // Within a capture it orders work, and tells no time.
  if (!stream || !streams[stream]->capture) events[handle]->time = Clock::now();
  return success;
}

EXPORT Result cuStreamWaitEvent(void *handle, void *event, unsigned) {
  const Call call;
  if (call.result) return call.result;
  Stream *const later = streams[handle];
  if (!later || !events[event]) return invalidHandle;
  Stream *const earlier = streams[events[event]->stream];
  if (!earlier) return success;
  if (earlier->capture && !later->capture) {
    later->leader = events[event]->stream;
  } else if (later->capture && earlier->leader == handle) {
    for (Work &work : earlier->pending) later->capture->work.push_back(std::move(work));
    earlier->pending.clear();
  }
  return success;
}

EXPORT Result cuEventSynchronize(void *handle) {
  const Call call;
  if (call.result) return call.result;
  return events[handle] ? success : invalidHandle;
}

EXPORT Result cuEventElapsedTime(float *milliseconds, void *start, void *end) {
  const Call call;
  if (call.result) return call.result;
  if (!events[start] || !events[end]) return invalidHandle;
  const auto from = events[start]->time, to = events[end]->time;
  if (!from || !to) return invalidHandle;
  return *milliseconds = std::chrono::duration<float, std::milli>(*to - *from).count(), success;
}

EXPORT Result cuEventDestroy_v2(void *handle) {
  const Call call;
  if (call.result) return call.result;
  return events.objects.erase(handle) ? success : invalidHandle;
}

using Errors = std::map<int, std::pair<const char *, const char *>>;
const Errors &errors = *new Errors{
  {success, {"CUDA_SUCCESS", "no error"}},
  {invalidValue, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
  {outOfMemory, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
  {notInitialized, {"CUDA_ERROR_NOT_INITIALIZED", "initialization error"}},
  {invalidDevice, {"CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"}},
  {invalidImage, {"CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"}},
  {invalidContext, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
  {invalidHandle, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
  {notFound, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
  {captureUnsupported,
    {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "not permitted when stream is capturing"}},
  {captureInvalidated, {"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "an earlier error in a capture"}},
  {captureUnjoined, {"CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "unjoined work"}},
  {captureWrongThread,
    {"CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", "capture ended on another thread"}},
};

EXPORT Result cuGetErrorName(int code, const char **name) {
  const auto found = errors.find(code);
  *name = found == errors.end() ? nullptr : found->second.first;
  return *name ? success : invalidValue;
}

EXPORT Result cuGetErrorString(int code, const char **text) {
  const auto found = errors.find(code);
  *text = found == errors.end() ? nullptr : found->second.second;
  return *text ? success : invalidValue;
}

}  // namespace simulator
