// cuDNN's descriptors: attributes by their numbers, as the two parts of the interface see them.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "Convolution.h"
#include "Simulator.h"

namespace simulator {

enum Status : int { ok = 0, badParameter = 2000, notSupported = 3000, executionFailed = 5000 };

enum Kind : int {
  convolutionKind = 1, engineKind = 2, configurationKind = 3, heuristicsKind = 4, planKind = 5,
  forwardKind = 10, backwardFilterKind = 11, backwardDataKind = 12, statisticsKind = 14,
  graphKind = 15, packKind = 16, tensorKind = 17,
};

enum Type : int {
  handleType = 0, dataTypeType = 1, booleanType = 2, int64Type = 3, floatingType = 4,
  doubleType = 5, pointerType = 6, convolutionModeType = 7, heuristicModeType = 8,
  numericalNoteType = 11, descriptorType = 15, statisticsModeType = 16, behaviorNoteType = 19,
  int32Type = 23,
};

inline size_t elementBytes(int type) {
  switch (type) {
    case handleType: case int64Type: case doubleType: case pointerType: return 8;
    case booleanType: return 1;
    default: return 4;
  }
}

struct Descriptor;
using Shared = std::shared_ptr<Descriptor>;

struct Attribute {
  int type;
  int64_t count;
  std::vector<char> bytes;
  std::vector<Shared> descriptors;
};

struct Descriptor {
  Kind kind;
  bool finalized = false;
  std::map<int, Attribute> attributes;
  Tensor tensor;                                // of a tensor
  Convolution convolution;                      // of a convolution's operation, and of its graph
  std::optional<Statistics> statistics;         // of that operation, and of its graph
};

struct Failure {
  Status status;
  std::string text;
};

inline void demand(bool condition, const std::string &text, Status status = badParameter) {
  if (!condition) throw Failure{status, text};
}

inline std::string nameOf(const Descriptor &descriptor, int attribute) {
  return "attribute " + std::to_string(attribute) + " of a descriptor of kind " +
    std::to_string(descriptor.kind);
}

template <class T> std::vector<T> values(const Descriptor &descriptor, int attribute) {
  const Attribute &found = descriptor.attributes.at(attribute);
  std::vector<T> values(size_t(found.count));
  if (!values.empty()) std::memcpy(values.data(), found.bytes.data(), values.size() * sizeof(T));
  return values;
}

inline double number(const Descriptor &descriptor, int attribute) {
  return descriptor.attributes.at(attribute).type == doubleType
    ? values<double>(descriptor, attribute)[0] : values<float>(descriptor, attribute)[0];
}

inline Descriptor &part(const Descriptor &descriptor, int attribute, Kind kind) {
  Descriptor &part = *descriptor.attributes.at(attribute).descriptors[0];
  demand(part.kind == kind, nameOf(descriptor, attribute) + " has the wrong kind");
  return part;
}

template <class T> Attribute made(Type type, std::vector<T> values) {
  Attribute attribute{type, int64_t(values.size()), {}, {}};
  attribute.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(attribute.bytes.data(), values.data(), attribute.bytes.size());
  return attribute;
}

inline Attribute made(std::vector<Shared> descriptors) {
  const int64_t count = int64_t(descriptors.size());
  return {descriptorType, count, {}, std::move(descriptors)};
}

// Checks the attributes against each other, and adds those that can only be read.
void finalize(const Shared &descriptor);
// Runs a plan on a stream, or records it.
void execute(const Descriptor &plan, const Descriptor &pack, void *stream);

}  // namespace simulator
