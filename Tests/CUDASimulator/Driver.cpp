// The CUDA driver's functions for the device and its memory. Addresses are those of the processor's
// memory, because kernels get them inside of their parameters; a register of the allocations finds
// those that are not the device's.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "Simulator.h"

namespace simulator {
namespace {

constexpr size_t totalMemory = 4ull << 30, guardBytes = 64, alignment = 256;
constexpr unsigned char guardByte = 0xA5;

struct State {
  std::recursive_mutex lock;
  bool initialized = false;
  int contexts = 0;
  std::map<uint64_t, size_t> allocations;  // device memory
  size_t used = 0;
  std::set<void *> pinned;
};

State &state() {
  static State *const state = new State;  // never destroyed: programs call until their very end
  return *state;
}

int context;  // its address is the handle of the one context
thread_local void *current = nullptr;

bool isIntact(uint64_t address, size_t bytes) {
  for (size_t index = 0; index < guardBytes; index++) {
    const auto before = (const unsigned char *)(address - guardBytes);
    const auto after = (const unsigned char *)(address + bytes);
    if (before[index] != guardByte || after[index] != guardByte) return false;
  }
  return true;
}

}  // namespace

std::recursive_mutex &lock() { return state().lock; }

Result callable() {
  return !state().initialized ? notInitialized : !current ? invalidContext : success;
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::fputs("simulated GPU: ", stderr);
  std::vfprintf(stderr, format, arguments);
  std::fputs("\n", stderr);
  va_end(arguments);
  std::abort();
}

bool isDeviceMemory(uint64_t address, size_t bytes) {
  const std::lock_guard guard(lock());
  auto next = state().allocations.upper_bound(address);
  if (next == state().allocations.begin()) return false;
  const auto [start, size] = *--next;
  return address - start <= size && bytes <= size - (address - start);
}

void checkGuards() {
  for (const auto &[address, bytes] : state().allocations) {
    if (isIntact(address, bytes)) continue;
    fail("something wrote past the allocation of %zu bytes at %#llx; the last kernel was \"%s\"",
      bytes, (unsigned long long)address, lastKernel.c_str());
  }
}

// The device -------------------------------------------------------------------------------------

EXPORT Result cuInit(unsigned flags) {
  const std::lock_guard guard(lock());
  if (flags) return invalidValue;
  state().initialized = true;
  return success;
}

EXPORT Result cuDriverGetVersion(int *version) { return *version = 13000, success; }

EXPORT Result cuDeviceGetCount(int *count) {
  if (!state().initialized) return notInitialized;
  return *count = 1, success;
}

EXPORT Result cuDeviceGet(int *device, int ordinal) {
  if (!state().initialized) return notInitialized;
  if (ordinal) return invalidDevice;
  return *device = 0, success;
}

EXPORT Result cuDeviceGetName(char *name, int length, int device) {
  if (device) return invalidDevice;
  if (length < 1) return invalidValue;
  return std::snprintf(name, size_t(length), "Simulated GPU"), success;
}

EXPORT Result cuDeviceTotalMem_v2(size_t *bytes, int device) {
  if (device) return invalidDevice;
  return *bytes = totalMemory, success;
}

EXPORT Result cuDeviceGetAttribute(int *value, int attribute, int device) {
  if (device) return invalidDevice;
  *value = attribute == 75 ? 9 : attribute == 16 ? 4 : 0;  // capability 9.0, 4 multiprocessors
  return success;
}

EXPORT Result cuDevicePrimaryCtxRetain(void **handle, int device) {
  const std::lock_guard guard(lock());
  if (!state().initialized) return notInitialized;
  if (device) return invalidDevice;
  state().contexts++;
  return *handle = &context, success;
}

EXPORT Result cuDevicePrimaryCtxRelease_v2(int device) {
  const std::lock_guard guard(lock());
  if (device) return invalidDevice;
  if (!state().contexts) return invalidContext;
  state().contexts--;
  return success;
}

EXPORT Result cuCtxSetCurrent(void *handle) {
  const std::lock_guard guard(lock());
  if (handle && (handle != &context || !state().contexts)) return invalidContext;
  current = handle;
  return success;
}

// Memory -----------------------------------------------------------------------------------------

EXPORT Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  const Call call;
  if (call.result) return call.result;
  *free = totalMemory - state().used;
  *total = totalMemory;
  return success;
}

EXPORT Result cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  const Call call;
  if (call.result) return call.result;
  if (captureForbids()) return captureUnsupported;
  if (!address || !bytes) return invalidValue;
  if (bytes > totalMemory - state().used) return outOfMemory;
  const size_t whole = (alignment + bytes + guardBytes + alignment - 1) / alignment * alignment;
  const auto block = (unsigned char *)std::aligned_alloc(alignment, whole);
  if (!block) return outOfMemory;
  std::memset(block, guardByte, whole);
  std::memset(block + alignment, 0xFF, bytes);  // NaN, whatever the type of the numbers
  *address = uint64_t(block) + alignment;
  state().allocations[*address] = bytes;
  state().used += bytes;
  return success;
}

EXPORT Result cuMemFree_v2(uint64_t address) {
  const Call call;
  if (call.result) return call.result;
  if (captureForbids()) return captureUnsupported;
  if (!address) return success;
  const auto found = state().allocations.find(address);
  if (found == state().allocations.end()) return invalidValue;
  checkGuards();
  std::memset((void *)address, 0xFF, found->second);  // for those who read it all the same
  state().used -= found->second;
  state().allocations.erase(found);
  std::free((void *)(address - alignment));
  return success;
}

EXPORT Result cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  const Call call;
  if (call.result) return call.result;
  if (captureForbids()) return captureUnsupported;
  if (!pointer || !bytes) return invalidValue;
  *pointer = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!*pointer) return outOfMemory;
  std::memset(*pointer, 0xFF, bytes);
  state().pinned.insert(*pointer);
  return success;
}

EXPORT Result cuMemFreeHost(void *pointer) {
  const Call call;
  if (call.result) return call.result;
  if (captureForbids()) return captureUnsupported;
  if (!state().pinned.erase(pointer)) return invalidValue;
  std::free(pointer);
  return success;
}

// A graph may outlive the memory that it was recorded for; a GPU would then write anywhere.
void require(uint64_t address, size_t bytes) {
  if (!bytes || isDeviceMemory(address, bytes)) return;
  fail("a graph uses %zu bytes at %#llx, which are free", bytes, (unsigned long long)address);
}

bool isHostMemory(const void *pointer) { return pointer && !isDeviceMemory(uint64_t(pointer), 1); }

EXPORT Result cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
  const Call call;
  if (call.result) return call.result;
  if (bytes && !(isHostMemory(from) && isDeviceMemory(to, bytes))) return invalidValue;
  return submit(stream, [=] {
    require(to, bytes);
    std::memcpy((void *)to, from, bytes);
  });
}

EXPORT Result cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  const Call call;
  if (call.result) return call.result;
  if (bytes && !(isHostMemory(to) && isDeviceMemory(from, bytes))) return invalidValue;
  return submit(stream, [=] {
    require(from, bytes);
    std::memcpy(to, (const void *)from, bytes);
  });
}

EXPORT Result cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  const Call call;
  if (call.result) return call.result;
  if (bytes && !(isDeviceMemory(to, bytes) && isDeviceMemory(from, bytes))) return invalidValue;
  return submit(stream, [=] {
    require(to, bytes);
    require(from, bytes);
    std::memmove((void *)to, (const void *)from, bytes);
  });
}

EXPORT Result cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
  const Call call;
  if (call.result) return call.result;
  if (bytes && !isDeviceMemory(to, bytes)) return invalidValue;
  return submit(stream, [=] {
    require(to, bytes);
    std::memset((void *)to, value, bytes);
  });
}

}  // namespace simulator
