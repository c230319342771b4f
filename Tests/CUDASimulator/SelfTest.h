// What the parts of the simulator's own test share: calling the library by names, device memory,
// and kernels.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

inline void *compile(const char *text, bool *ok) {
  void *program = nullptr, *module = nullptr;
  EXPECT(call("nvrtcCreateProgram", &program, text, "test.cu", 0, (const char *const *)nullptr,
    (const char *const *)nullptr) == 0);
  const char *options[] = {"--gpu-architecture=sm_90", "-DUNUSED=1"};
  *ok = call("nvrtcCompileProgram", program, 2, (const char *const *)options) == 0;
  size_t bytes = 0;
  EXPECT(call("nvrtcGetProgramLogSize", program, &bytes) == 0);
  std::string log(bytes, ' ');
  EXPECT(call("nvrtcGetProgramLog", program, log.data()) == 0);
  EXPECT(*ok == (bytes == 1));
  if (*ok) {
    EXPECT(call("nvrtcGetCUBINSize", program, &bytes) == 0);
    std::vector<char> image(bytes);
    EXPECT(call("nvrtcGetCUBIN", program, image.data()) == 0);
    EXPECT(call("cuModuleLoadData", &module, (const void *)image.data()) == 0);
  }
  EXPECT(call("nvrtcDestroyProgram", &program) == 0 && !program);
  return module;
}

template <class Arguments>
int launch(void *module, const char *name, Arguments arguments, unsigned blocks, unsigned threads,
  void *stream) {
  void *function = nullptr;
  EXPECT(call("cuModuleGetFunction", &function, module, name) == 0);
  unsigned char buffer[4096];
  std::memset(buffer, 0xFF, sizeof buffer);
  std::memcpy(buffer, &arguments, sizeof arguments);
  void *parameters[] = {buffer};
  return call("cuLaunchKernel", function, blocks, 1u, 1u, threads, 1u, 1u, 0u, stream,
    (void **)parameters, (void **)nullptr);
}

void testMatrixUnits(void *stream);
void testConvolutions(void *stream);
