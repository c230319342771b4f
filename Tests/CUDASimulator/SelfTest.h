// What the parts of the simulator's own test share: calling the library by names, and device
// memory.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

inline std::string folder;
inline int failures = 0;

#define EXPECT(condition) \
  if (!(condition)) failures++, std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition)

// Calls a function of a library by its name; the arguments must have just the types of its
// parameters.
template <class... Parameters>
int call(const char *name, Parameters... parameters) {
  static void *const driver = dlopen((folder + "/libcuda.so.1").c_str(), RTLD_NOW | RTLD_LOCAL);
  void *const function = driver ? dlsym(driver, name) : nullptr;
  if (!function) std::printf("no %s: %s\n", name, dlerror()), std::exit(1);
  return ((int (*)(Parameters...))function)(parameters...);
}

using Address = uint64_t;

inline Address allocate(size_t bytes) {
  Address address = 0;
  EXPECT(call("cuMemAlloc_v2", &address, bytes) == 0);
  return address;
}

template <class T> Address upload(const std::vector<T> &values, void *stream) {
  const Address address = allocate(values.size() * sizeof(T));
  EXPECT(call("cuMemcpyHtoDAsync_v2", address, (const void *)values.data(),
    values.size() * sizeof(T), stream) == 0);
  return address;
}

template <class T> std::vector<T> download(Address address, size_t count, void *stream) {
  std::vector<T> values(count);
  EXPECT(call("cuMemcpyDtoHAsync_v2", (void *)values.data(), address, count * sizeof(T),
    stream) == 0);
  EXPECT(call("cuStreamSynchronize", stream) == 0);
  return values;
}

void testConvolutions(void *stream);
