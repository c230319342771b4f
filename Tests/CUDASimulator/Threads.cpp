// Runs a kernel: block after block, the threads of a block by turns. A thread gives way only where
// it waits for others, so one that never does costs no more than a call.
#include <sys/mman.h>

#include <cfenv>
#include <vector>

#include "Simulator.h"

// switchStack(save, load): keeps this stack's position in *save, and goes on at `load`.
// (swapcontext would call the kernel of the operating system at each switch.)
#if defined(__x86_64__)
asm(R"(
  .text
  .type simulatorSwitchStack, @function
simulatorSwitchStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size simulatorSwitchStack, . - simulatorSwitchStack
)");
#else
#error "the simulated GPU switches stacks on x86-64 only"
#endif
extern "C" void simulatorSwitchStack(void **save, void *load);

namespace simulator {

std::string lastKernel;

namespace {

constexpr size_t stackBytes = 64 << 10, guardBytes = 4096;

struct Fiber {
  void *position;
};

enum class State { ready, inBlockBarrier, inWarpBarrier, exited };

struct Thread {
  State state;
  Fiber *fiber;
  SimulatedWait kind;
  int line;
  unsigned mask, source;
  unsigned long long value, result;
};

// The one block that runs.
struct {
  const Kernel *kernel;
  const Arguments *arguments;
  int count, next;  // threads; the first that has not begun
  int running;
  Fiber *active;
  void *scheduler;
  Thread threads[1024];
  std::vector<Fiber *> idle;
} block;

void place(int index) {
  SimulatedPosition &position = *block.kernel->position;
  const SimulatedIndex size = position.blockSize;
  const unsigned row = unsigned(index) / size.x;
  position.thread = {unsigned(index) % size.x, row % size.y, row / size.y};
  block.running = index;
}

// A fiber begins threads until one waits, and is that thread's from then on until it ends.
void fiberMain() {
  Fiber *const self = block.active;
  for (;;) {
    while (block.next < block.count) {
      const int index = block.next++;
      block.threads[index].fiber = self;
      place(index);
      block.kernel->entry(*block.arguments);
      block.threads[index].state = State::exited;
    }
    block.idle.push_back(self);
    simulatorSwitchStack(&self->position, block.scheduler);
  }
}

void resume(Fiber *fiber) {
  block.active = fiber;
  simulatorSwitchStack(&block.scheduler, fiber->position);
}

Fiber *idleFiber() {
  if (!block.idle.empty()) {
    Fiber *const fiber = block.idle.back();
    block.idle.pop_back();
    return fiber;
  }
  void *const memory = mmap(
    nullptr, guardBytes + stackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("no memory for the stack of a thread");
  mprotect(memory, guardBytes, PROT_NONE);
  // As if fiberMain had been called: six registers, where to go, and where it would return to.
  void **const top = (void **)((char *)memory + guardBytes + stackBytes);
  top[-2] = (void *)fiberMain;
  return new Fiber{top - 8};
}

unsigned long long wait(State state, SimulatedWait kind, int line) {
  Thread &thread = block.threads[block.running];
  thread.state = state;
  thread.kind = kind;
  thread.line = line;
  simulatorSwitchStack(&thread.fiber->position, block.scheduler);
  return thread.result;
}

int waitInBlock(SimulatedWait kind, int predicate, int line) {
  block.threads[block.running].value = predicate != 0;
  return int(wait(State::inBlockBarrier, kind, line));
}

unsigned long long waitInWarp(
  SimulatedWait kind, unsigned mask, unsigned long long value, unsigned source, int line) {
  Thread &thread = block.threads[block.running];
  if (!(mask >> block.running % 32 & 1)) {
    fail("%s, line %d: a lane calls with a mask without itself", block.kernel->name.c_str(), line);
  }
  thread.mask = mask;
  thread.value = value;
  thread.source = source;
  return wait(State::inWarpBarrier, kind, line);
}

// Lets lanes go on whose whole mask waits at the same operation; lanes that returned are not waited
// for. The results are handed out here, before a lane can come to its next shuffle.
bool releaseWarp(int first) {
  const int lanes = block.count - first < 32 ? block.count - first : 32;
  Thread *const warp = block.threads + first;
  bool released = false;
  for (int leader = 0; leader < lanes; leader++) {
    if (warp[leader].state != State::inWarpBarrier) continue;
    const Thread pattern = warp[leader];
    unsigned present = 0, missing = 0;
    for (int lane = 0; lane < lanes; lane++) {
      const Thread &thread = warp[lane];
      if (!(pattern.mask >> lane & 1) || thread.state == State::exited) continue;
      const bool same = thread.state == State::inWarpBarrier && thread.kind == pattern.kind &&
        thread.mask == pattern.mask && thread.line == pattern.line;
      (same ? present : missing) |= 1u << lane;
    }
    if (missing) continue;
    unsigned ballot = 0;
    for (int lane = 0; lane < lanes; lane++) {
      if (present >> lane & 1 && warp[lane].value) ballot |= 1u << lane;
    }
    for (int lane = 0; lane < lanes; lane++) {
      if (!(present >> lane & 1)) continue;
      Thread &thread = warp[lane];
      // What a lane that is not there would hand over is undefined: NaN, to be seen.
      const bool defined = thread.source < 32 && present >> thread.source & 1;
      thread.result = thread.kind == ballotWarp ? ballot
        : defined                               ? warp[thread.source].value
                                                : ~0ull;
      thread.state = State::ready;
    }
    released = true;
  }
  return released;
}

// Lets all threads go on that wait at the block's barrier; false if none is left.
bool releaseBlock() {
  const Thread *first = nullptr;
  unsigned long long any = 0;
  for (int index = 0; index < block.count; index++) {
    const Thread &thread = block.threads[index];
    if (thread.state == State::exited) continue;
    if (!first) first = &thread;
    any |= thread.value;
    if (thread.state == State::inBlockBarrier && first->state == thread.state &&
        thread.kind == first->kind && thread.line == first->line) continue;
    const SimulatedIndex at = block.kernel->position->block;
    fail(
      "%s, block (%u, %u, %u): thread %d waits at line %d for one that waits at line %d, thread %d",
      block.kernel->name.c_str(), at.x, at.y, at.z, index, thread.line, first->line,
      int(first - block.threads));
  }
  if (!first) return false;
  for (int index = 0; index < block.count; index++) {
    Thread &thread = block.threads[index];
    if (thread.state == State::exited) continue;
    thread.result = any;
    thread.state = State::ready;
  }
  return true;
}

void resumeReady(int first, int end) {
  for (int index = first; index < end; index++) {
    if (block.threads[index].state != State::ready) continue;
    place(index);
    resume(block.threads[index].fiber);
  }
}

void runBlock() {
  block.next = 0;
  while (block.next < block.count) resume(idleFiber());
  do {
    for (int first = 0; first < block.count; first += 32) {
      const int end = first + 32 < block.count ? first + 32 : block.count;
      resumeReady(first, end);
      while (releaseWarp(first)) resumeReady(first, end);
    }
  } while (releaseBlock());
}

}  // namespace

const SimulatorCalls calls = {waitInBlock, waitInWarp};

void run(
  const Kernel &kernel, SimulatedIndex grid, SimulatedIndex size, const Arguments &arguments) {
  const std::lock_guard guard(lock());
  // A caller's rounding or flushing of small numbers is not the GPU's.
  std::fenv_t environment;
  std::fegetenv(&environment);
  std::fesetenv(FE_DFL_ENV);
  lastKernel = kernel.name;
  block.kernel = &kernel;
  block.arguments = &arguments;
  block.count = int(size.x * size.y * size.z);
  SimulatedPosition &position = *kernel.position;
  position.blockSize = size;
  position.gridSize = grid;
  for (unsigned z = 0; z < grid.z; z++) {
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x; x++) {
        position.block = {x, y, z};
        runBlock();
      }
    }
  }
  std::fesetenv(&environment);
}

}  // namespace simulator
