// cuDNN's functions. What can be read of a descriptor lies among its attributes from its finalizing
// on, so setting and getting are the same for all kinds.
#include <cstdio>
#include <set>

#include "Descriptors.h"

namespace simulator {
namespace {

// An attribute that may be set: how many elements of which type. floatingType allows doubles too.
struct Rule {
  Kind kind;
  int attribute;
  Type type;
  int64_t most;
  bool required;
};

const Rule rules[] = {
  {convolutionKind, 100, dataTypeType, 1, true},
  {convolutionKind, 101, convolutionModeType, 1, true},
  {convolutionKind, 102, int64Type, 8, true},
  {convolutionKind, 103, int64Type, 8, true},
  {convolutionKind, 104, int64Type, 8, true},
  {convolutionKind, 105, int64Type, 8, true},
  {convolutionKind, 106, int64Type, 1, true},
  {heuristicsKind, 200, heuristicModeType, 1, true},
  {heuristicsKind, 201, descriptorType, 1, true},
  {heuristicsKind, 203, int32Type, 1, false},
  {configurationKind, 300, descriptorType, 1, true},
  {planKind, 400, handleType, 1, true},
  {planKind, 401, descriptorType, 1, true},
  {forwardKind, 700, floatingType, 1, true},
  {forwardKind, 701, floatingType, 1, true},
  {forwardKind, 702, descriptorType, 1, true},
  {forwardKind, 703, descriptorType, 1, true},
  {forwardKind, 704, descriptorType, 1, true},
  {forwardKind, 705, descriptorType, 1, true},
  {backwardDataKind, 706, floatingType, 1, true},
  {backwardDataKind, 707, floatingType, 1, true},
  {backwardDataKind, 708, descriptorType, 1, true},
  {backwardDataKind, 709, descriptorType, 1, true},
  {backwardDataKind, 710, descriptorType, 1, true},
  {backwardDataKind, 711, descriptorType, 1, true},
  {backwardFilterKind, 712, floatingType, 1, true},
  {backwardFilterKind, 713, floatingType, 1, true},
  {backwardFilterKind, 714, descriptorType, 1, true},
  {backwardFilterKind, 715, descriptorType, 1, true},
  {backwardFilterKind, 716, descriptorType, 1, true},
  {backwardFilterKind, 717, descriptorType, 1, true},
  {statisticsKind, 770, statisticsModeType, 1, true},
  {statisticsKind, 771, dataTypeType, 1, true},
  {statisticsKind, 772, descriptorType, 1, true},
  {statisticsKind, 773, descriptorType, 1, true},
  {statisticsKind, 774, descriptorType, 1, true},
  {graphKind, 800, handleType, 1, true},
  {graphKind, 801, descriptorType, 50, true},
  {tensorKind, 900, int64Type, 1, true},
  {tensorKind, 901, dataTypeType, 1, true},
  {tensorKind, 902, int64Type, 8, true},
  {tensorKind, 903, int64Type, 8, true},
  {tensorKind, 906, int64Type, 1, true},
  {tensorKind, 907, booleanType, 1, false},
  {packKind, 1000, int64Type, 64, true},
  {packKind, 1001, pointerType, 64, true},
  {packKind, 1003, pointerType, 1, false},
  {engineKind, 1300, descriptorType, 1, true},
  {engineKind, 1301, int64Type, 1, true},
  {engineKind, 1306, int32Type, 1, false},
};

// What a program holds. It may destroy a tensor's while an operation still has the tensor.
struct Handle {
  Shared descriptor;
};
struct Library {
  void *stream = nullptr;
};

auto &handles = *new std::map<const void *, std::unique_ptr<Handle>>;
auto &libraries = *new std::map<const void *, std::unique_ptr<Library>>;
thread_local std::string lastError;

template <class Body> int guarded(Body body) {
  const std::lock_guard guard(lock());
  try {
    body();
    return ok;
  } catch (const Failure &failure) {
    lastError = failure.text;
    return failure.status;
  }
}

Handle &handleOf(const void *pointer) {
  const auto found = handles.find(pointer);
  demand(found != handles.end(), "not a descriptor");
  return *found->second;
}

const Rule *ruleOf(int kind, int attribute) {
  for (const Rule &rule : rules) {
    if (rule.kind == kind && rule.attribute == attribute) return &rule;
  }
  return nullptr;
}

void *hand(Shared descriptor) {
  auto handle = std::make_unique<Handle>(Handle{std::move(descriptor)});
  void *const pointer = handle.get();
  handles[pointer] = std::move(handle);
  return pointer;
}

void set(Descriptor &it, int attribute, int type, int64_t count, const void *elements) {
  const std::string name = nameOf(it, attribute);
  demand(!it.finalized, name + " is set after finalizing");
  const Rule *const rule = ruleOf(it.kind, attribute);
  demand(rule, name + " is not simulated", notSupported);
  const bool doubles = rule->type == floatingType && type == doubleType;
  demand(type == rule->type || doubles, name + " has another type than " + std::to_string(type));
  demand(count >= 0 && count <= rule->most, name + ": number of elements");
  demand(elements || !count, name + ": null");
  demand(count || rule->most > 1, name + ": no element");
  Attribute value{type, count, {}, {}};
  if (type == descriptorType) {
    for (int64_t index = 0; index < count; index++) {
      const Shared part = handleOf(((void *const *)elements)[index]).descriptor;
      demand(part->finalized, name + " is not finalized");
      value.descriptors.push_back(part);
    }
  } else {
    value.bytes.resize(size_t(count) * elementBytes(type));
    if (count) std::memcpy(value.bytes.data(), elements, value.bytes.size());
    if (type == handleType) {
      void *library = nullptr;
      std::memcpy(&library, value.bytes.data(), sizeof library);
      demand(libraries.count(library), name + " is no handle of the library");
    }
  }
  it.attributes[attribute] = std::move(value);
}

void get(
  const Descriptor &it, int attribute, int type, int64_t requested, int64_t *count,
  void *elements) {
  const std::string name = nameOf(it, attribute);
  demand(it.finalized, name + " is read before finalizing");
  const auto found = it.attributes.find(attribute);
  demand(found != it.attributes.end(), name + " is not there", notSupported);
  const Attribute &value = found->second;
  demand(value.type == type, name + " has another type than " + std::to_string(type));
  demand(requested >= 0 && (elements || !requested), name + ": number of elements");
  if (count) *count = value.count;
  const int64_t copied = requested < value.count ? requested : value.count;
  if (!copied) return;
  if (type != descriptorType) {
    std::memcpy(elements, value.bytes.data(), size_t(copied) * elementBytes(type));
    return;
  }
  // The caller's own descriptors, made for this, become what is read.
  for (int64_t index = 0; index < copied; index++) {
    Handle &target = handleOf(((void **)elements)[index]);
    const Shared &source = value.descriptors[size_t(index)];
    demand(target.descriptor->kind == source->kind, name + ": kind of a descriptor to be filled");
    target.descriptor = source;
  }
}

}  // namespace

EXPORT int cudnnCreate(void **library) {
  return guarded([&] {
    demand(callable() == success, "no current context");
    auto made = std::make_unique<Library>();
    *library = made.get();
    libraries[*library] = std::move(made);
  });
}

EXPORT int cudnnDestroy(void *library) {
  return guarded([&] { demand(libraries.erase(library), "not a handle of the library"); });
}

EXPORT int cudnnSetStream(void *library, void *stream) {
  return guarded([&] {
    demand(libraries.count(library), "not a handle of the library");
    libraries[library]->stream = stream;
  });
}

EXPORT size_t cudnnGetVersion() { return 91700; }
EXPORT size_t cudnnGetCudartVersion() { return 13000; }

EXPORT const char *cudnnGetErrorString(int status) {
  switch (status) {
    case ok: return "CUDNN_STATUS_SUCCESS";
    case badParameter: return "CUDNN_STATUS_BAD_PARAM";
    case notSupported: return "CUDNN_STATUS_NOT_SUPPORTED";
    case executionFailed: return "CUDNN_STATUS_EXECUTION_FAILED";
    default: return "CUDNN_STATUS unknown";
  }
}

EXPORT void cudnnGetLastErrorString(char *message, size_t bytes) {
  if (bytes) std::snprintf(message, bytes, "%s", lastError.c_str());
}

EXPORT int cudnnBackendCreateDescriptor(int kind, void **descriptor) {
  return guarded([&] {
    bool known = false;
    for (const Rule &rule : rules) known |= rule.kind == kind;
    demand(known, "descriptors of kind " + std::to_string(kind) + " are not simulated",
      notSupported);
    demand(descriptor, "no place for the descriptor");
    const auto made = std::make_shared<Descriptor>();
    made->kind = Kind(kind);
    *descriptor = hand(made);
  });
}

EXPORT int cudnnBackendDestroyDescriptor(void *descriptor) {
  return guarded([&] { demand(handles.erase(descriptor), "not a descriptor"); });
}

EXPORT int cudnnBackendSetAttribute(
  void *descriptor, int attribute, int type, int64_t count, const void *elements) {
  return guarded([&] { set(*handleOf(descriptor).descriptor, attribute, type, count, elements); });
}

EXPORT int cudnnBackendGetAttribute(
  void *descriptor, int attribute, int type, int64_t requested, int64_t *count, void *elements) {
  return guarded([&] {
    const Shared it = handleOf(descriptor).descriptor;
    get(*it, attribute, type, requested, count, elements);
  });
}

EXPORT int cudnnBackendFinalize(void *descriptor) {
  return guarded([&] {
    const Shared it = handleOf(descriptor).descriptor;
    demand(!it->finalized, "finalized twice");
    for (const Rule &rule : rules) {
      if (rule.kind != it->kind || !rule.required) continue;
      demand(it->attributes.count(rule.attribute), nameOf(*it, rule.attribute) + " is not set");
    }
    finalize(it);
  });
}

EXPORT int cudnnBackendExecute(void *library, void *plan, void *pack) {
  return guarded([&] {
    demand(libraries.count(library), "not a handle of the library");
    execute(*handleOf(plan).descriptor, *handleOf(pack).descriptor, libraries[library]->stream);
  });
}

}  // namespace simulator
