// NVRTC's functions: a kernel's source is compiled by the compiler that built the simulator, once
// for all processes. What stands for its machine code is the path of the library that comes of it.
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "Simulator.h"

#ifndef COMPILER
#error "COMPILER: the path of the compiler of kernels"
#endif

extern char **environ;

namespace simulator {
namespace {

enum CompilerResult : int { compiled = 0, invalidInput = 3, invalidProgram = 4, failed = 6 };

struct Program {
  std::string source, log, image;
  bool isForDevice = false;  // for a real architecture: only then is there machine code
};

std::string contents(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// The folder of this library.
std::string folder() {
  Dl_info info;
  dladdr((void *)&folder, &info);
  char path[4096];
  const std::string file = realpath(info.dli_fname, path) ? path : info.dli_fname;
  return file.substr(0, file.rfind('/'));
}

// FNV-1a, 64 bits.
void hash(uint64_t &state, const std::string &text) {
  for (const char character : text + '\0') {
    state = (state ^ (unsigned char)character) * 0x100000001b3u;
  }
}

int execute(const std::vector<std::string> &command, const std::string &log) {
  std::vector<char *> arguments;
  for (const std::string &argument : command) arguments.push_back((char *)argument.c_str());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t process;
  const int error =
    posix_spawn(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  if (error) return error;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
  return status;
}

}  // namespace

EXPORT int nvrtcVersion(int *major, int *minor) { return *major = 13, *minor = 0, compiled; }

EXPORT int nvrtcCreateProgram(
  Program **program, const char *source, const char *, int headers, const char *const *,
  const char *const *) {
  if (!program || !source || headers) return invalidInput;  // headers are not simulated
  *program = new Program{source, "", ""};
  return compiled;
}

EXPORT int nvrtcDestroyProgram(Program **program) {
  if (!program || !*program) return invalidProgram;
  delete *program;
  *program = nullptr;
  return compiled;
}

EXPORT int nvrtcCompileProgram(Program *program, int count, const char *const *options) {
  if (!program) return invalidProgram;
  const std::string home = folder(), cache = home + "/cache";
  const std::string prelude = home + "/KernelPrelude.h";
  std::vector<std::string> command = {
    COMPILER, "-x", "c++", "-std=c++20", "-O2", "-fPIC", "-shared", "-fvisibility=hidden",
    "-ffp-contract=off", "-fno-math-errno", "-w", "-DRESIDUAL_SIMULATED"};
  for (int index = 0; index < count; index++) {
    const std::string option = options[index], define = "--define-macro=";
    if (option.starts_with("-D")) command.push_back(option);
    if (option.starts_with(define)) command.push_back("-D" + option.substr(define.size()));
    const bool architecture =
      option.starts_with("--gpu-architecture") || option.starts_with("-arch");
    if (architecture && option.find("sm_") != std::string::npos) program->isForDevice = true;
  }
  uint64_t key = 0xcbf29ce484222325u;
  for (const std::string &argument : command) hash(key, argument);
  hash(key, contents(prelude));
  hash(key, contents(home + "/Shared.h"));
  hash(key, contents(home + "/MatrixUnits.h"));
  hash(key, program->source);

  mkdir(cache.c_str(), 0755);
  char name[17];
  std::snprintf(name, sizeof name, "%016llx", (unsigned long long)key);
  const std::string library = cache + "/" + name + ".so";
  if (access(library.c_str(), R_OK)) {
    // Others may compile the same: each has files of its own, and the last to rename wins.
    static std::atomic<int> counter;
    const std::string stem = cache + "/" + name + "." + std::to_string(getpid()) + "-" +
      std::to_string(counter++);
    const std::string source = stem + ".cpp", log = stem + ".log", output = stem + ".so";
    std::ofstream(source, std::ios::binary) << "#line 1 \"kernel\"\n" << program->source;
    command.insert(command.end(), {"-include", prelude, source, "-o", output});
    const int status = execute(command, log);
    program->log = contents(log);
    unlink(source.c_str());
    unlink(log.c_str());
    if (status) {
      if (program->log.empty()) program->log = "no compiler: " COMPILER;
      return failed;
    }
    if (rename(output.c_str(), library.c_str())) return failed;
  }
  program->image = cubinPrefix + library;
  return compiled;
}

// Sizes count the zero at the end of a text.
EXPORT int nvrtcGetPTXSize(Program *program, size_t *bytes) {
  if (!program || program->image.empty()) return invalidProgram;
  return *bytes = program->image.size() + 1, compiled;
}

EXPORT int nvrtcGetPTX(Program *program, char *image) {
  if (!program || program->image.empty()) return invalidProgram;
  std::memcpy(image, program->image.c_str(), program->image.size() + 1);
  return compiled;
}

EXPORT int nvrtcGetCUBINSize(Program *program, size_t *bytes) {
  if (!program || program->image.empty()) return invalidProgram;
  return *bytes = program->isForDevice ? program->image.size() + 1 : 0, compiled;
}

EXPORT int nvrtcGetCUBIN(Program *program, char *image) {
  if (!program || program->image.empty() || !program->isForDevice) return invalidProgram;
  return nvrtcGetPTX(program, image);
}

EXPORT int nvrtcGetProgramLogSize(Program *program, size_t *bytes) {
  if (!program) return invalidProgram;
  return *bytes = program->log.size() + 1, compiled;
}

EXPORT int nvrtcGetProgramLog(Program *program, char *log) {
  if (!program) return invalidProgram;
  std::memcpy(log, program->log.c_str(), program->log.size() + 1);
  return compiled;
}

EXPORT const char *nvrtcGetErrorString(int result) {
  switch (result) {
    case compiled: return "NVRTC_SUCCESS";
    case invalidInput: return "NVRTC_ERROR_INVALID_INPUT";
    case invalidProgram: return "NVRTC_ERROR_INVALID_PROGRAM";
    case failed: return "NVRTC_ERROR_COMPILATION";
    default: return "NVRTC_ERROR unknown";
  }
}

}  // namespace simulator
