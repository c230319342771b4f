// What cuDNN's descriptors mean: the checks of a finalized one, the engines for a graph, and the
// run of a plan.
#include "Descriptors.h"

namespace simulator {
namespace {

constexpr int64_t engines = 2, workspaceBytes[engines] = {256, 0};

void finalizeTensor(Descriptor &it) {
  const int type = values<int>(it, 901)[0];
  demand(type == floatType || type == halfType || type == bfloat16Type, "type of a tensor",
    notSupported);
  const auto size = values<int64_t>(it, 902), stride = values<int64_t>(it, 903);
  demand(size.size() == stride.size(), "a tensor has as many strides as dimensions");
  demand(size.size() == 4, "only tensors of four dimensions are simulated", notSupported);
  if (it.attributes.count(907)) {
    demand(!values<char>(it, 907)[0], "virtual tensors are not simulated", notSupported);
  }
  it.tensor = {DataType(type), values<int64_t>(it, 906)[0], values<int64_t>(it, 900)[0], {}, {}};
  for (int axis = 0; axis < 4; axis++) {
    demand(size[axis] > 0 && stride[axis] > 0, "dimensions and strides of a tensor are positive");
    it.tensor.size[axis] = size[axis];
    it.tensor.stride[axis] = stride[axis];
  }
  const int64_t alignment = it.tensor.alignment;
  demand(alignment > 0 && alignment % it.tensor.elementBytes() == 0, "alignment of a tensor");
}

void finalizeConvolution(Descriptor &it) {
  const int64_t dimensions = values<int64_t>(it, 106)[0];
  for (const int attribute : {102, 103, 104, 105}) {
    const auto list = values<int64_t>(it, attribute);
    demand(int64_t(list.size()) == dimensions, nameOf(it, attribute) + ": as many as dimensions");
    for (const int64_t value : list) {
      demand(value >= (attribute <= 103 ? 1 : 0), nameOf(it, attribute) + " is too small");
    }
  }
  demand(dimensions == 2, "only two spatial dimensions are simulated", notSupported);
  demand(values<int>(it, 100)[0] == floatType, "only sums of floats are simulated", notSupported);
  demand(values<int>(it, 101)[0] == 1, "only cross-correlation is simulated", notSupported);
}

// The numbers of an operation's attributes, which are the same for each direction in another order.
struct Numbering {
  Direction direction;
  int alpha, beta, convolution, w, x, y;
};

Numbering numberingOf(Kind kind) {
  if (kind == forwardKind) return {Direction::forward, 700, 701, 702, 703, 704, 705};
  if (kind == backwardDataKind) return {Direction::backwardData, 706, 707, 708, 709, 710, 711};
  return {Direction::backwardFilter, 712, 713, 714, 715, 716, 717};
}

void finalizeOperation(Descriptor &it) {
  const Numbering number = numberingOf(it.kind);
  const Descriptor &convolution = part(it, number.convolution, convolutionKind);
  Convolution &result = it.convolution;
  result.direction = number.direction;
  result.x = part(it, number.x, tensorKind).tensor;
  result.w = part(it, number.w, tensorKind).tensor;
  result.y = part(it, number.y, tensorKind).tensor;
  result.alpha = simulator::number(it, number.alpha);
  demand(simulator::number(it, number.beta) == 0, "only beta = 0 is simulated", notSupported);
  const Tensor &x = result.x, &w = result.w, &y = result.y;
  demand(x.id != w.id && x.id != y.id && w.id != y.id, "two tensors have one identifier");
  demand(x.size[1] % w.size[1] == 0, "channels of the image and of the filter");
  demand(x.size[1] == w.size[1], "groups are not simulated", notSupported);
  demand(y.size[0] == x.size[0] && y.size[1] == w.size[0], "images or channels of the output");
  for (int axis = 0; axis < 2; axis++) {
    const auto value = [&](int attribute) { return values<int64_t>(convolution, attribute)[axis]; };
    result.dilation[axis] = value(102);
    result.stride[axis] = value(103);
    result.padding[axis] = value(105);
    const int64_t space = x.size[2 + axis] + value(105) + value(104);
    const int64_t reach = result.dilation[axis] * (w.size[2 + axis] - 1) + 1;
    demand(space >= reach, "the filter is larger than the padded image");
    const int64_t expected = (space - reach) / result.stride[axis] + 1;
    demand(y.size[2 + axis] == expected, "the output's size is " +
      std::to_string(y.size[2 + axis]) + ", and " + std::to_string(expected) + " follows");
  }
  const Direction direction = result.direction;
  const Tensor &output = direction == Direction::forward ? y
    : direction == Direction::backwardData               ? x
                                                         : w;
  const Tensor &first = direction == Direction::forward ? x : y;
  const Tensor &second = direction == Direction::backwardFilter ? x : w;
  demand(first.type == second.type, "the two inputs have different types", notSupported);
  demand(output.type == first.type || output.type == floatType, "type of the output", notSupported);
}

void finalizeStatistics(Descriptor &it) {
  const Statistics statistics{
    part(it, 772, tensorKind).tensor, part(it, 773, tensorKind).tensor,
    part(it, 774, tensorKind).tensor};
  demand(values<int>(it, 770)[0] == 0, "mode of statistics", notSupported);
  demand(values<int>(it, 771)[0] == floatType, "precision of statistics", notSupported);
  for (const Tensor &output : {statistics.sum, statistics.squares}) {
    for (int axis = 0; axis < 4; axis++) {
      const int64_t expected = axis == 1 ? statistics.x.size[1] : 1;
      demand(output.size[axis] == expected, "dimensions of statistics");
    }
    demand(output.type == floatType, "statistics are floats", notSupported);
  }
  it.statistics = statistics;
}

void finalizeGraph(Descriptor &it) {
  const auto &operations = it.attributes.at(801).descriptors;
  const Descriptor *convolution = nullptr, *statistics = nullptr;
  for (const Shared &operation : operations) {
    const Descriptor *&place = operation->kind == statisticsKind ? statistics : convolution;
    demand(!place, "two operations of one kind in a graph", notSupported);
    demand(operation->kind == statisticsKind || operation->kind == forwardKind ||
      operation->kind == backwardDataKind || operation->kind == backwardFilterKind,
      "a part of a graph is no operation");
    place = operation.get();
  }
  demand(convolution, "a graph without a convolution", notSupported);
  it.convolution = convolution->convolution;
  if (statistics) {
    demand(convolution->kind == forwardKind, "statistics follow a forward convolution only",
      notSupported);
    demand(statistics->statistics->x.id == it.convolution.y.id, "statistics of another tensor",
      notSupported);
    it.statistics = statistics->statistics;
  }
  it.attributes[802] = made(int64Type, std::vector<int64_t>{engines});
}

void finalizeEngine(Descriptor &it) {
  part(it, 1300, graphKind);
  const int64_t index = values<int64_t>(it, 1301)[0];
  demand(index >= 0 && index < engines, "there is no such engine", notSupported);
  // The first works like a tensor core's: floats might lose bits there.
  it.attributes[1303] = made(numericalNoteType, index ? std::vector<int>{} : std::vector<int>{0});
  it.attributes[1305] = made(behaviorNoteType, std::vector<int>{});
  it.attributes[1302] = made({});
  it.attributes[1304] = made({});
}

void finalizeHeuristics(Descriptor &it) {
  const int mode = values<int>(it, 200)[0];
  demand(mode >= 0 && mode <= 3, "mode of the heuristics");
  part(it, 201, graphKind);
  std::vector<Shared> configurations;
  for (int64_t index = 0; index < engines; index++) {
    const auto engine = std::make_shared<Descriptor>();
    engine->kind = engineKind;
    engine->attributes[1300] = it.attributes[201];
    engine->attributes[1301] = made(int64Type, std::vector<int64_t>{index});
    finalize(engine);
    const auto configuration = std::make_shared<Descriptor>();
    configuration->kind = configurationKind;
    configuration->attributes[300] = made({engine});
    finalize(configuration);
    configurations.push_back(configuration);
  }
  it.attributes[202] = made(configurations);
}

int64_t engineOf(const Descriptor &configuration) {
  return values<int64_t>(part(configuration, 300, engineKind), 1301)[0];
}

}  // namespace

void finalize(const Shared &descriptor) {
  Descriptor &it = *descriptor;
  switch (it.kind) {
    case tensorKind: finalizeTensor(it); break;
    case convolutionKind: finalizeConvolution(it); break;
    case forwardKind: case backwardDataKind: case backwardFilterKind: finalizeOperation(it); break;
    case statisticsKind: finalizeStatistics(it); break;
    case graphKind: finalizeGraph(it); break;
    case engineKind: finalizeEngine(it); break;
    case heuristicsKind: finalizeHeuristics(it); break;
    case configurationKind: case planKind: {
      const Descriptor &configuration =
        it.kind == planKind ? part(it, 401, configurationKind) : it;
      const std::vector<int64_t> bytes{workspaceBytes[engineOf(configuration)]};
      it.attributes[it.kind == planKind ? 402 : 303] = made(int64Type, bytes);
      break;
    }
    case packKind:
      demand(it.attributes.at(1000).count == it.attributes.at(1001).count,
        "as many pointers as identifiers");
      break;
  }
  it.finalized = true;
}

void execute(const Descriptor &plan, const Descriptor &pack, void *stream) {
  demand(plan.kind == planKind && plan.finalized, "the plan is not finalized, or is no plan");
  demand(pack.kind == packKind && pack.finalized, "the pack is not finalized, or is no pack");
  const Descriptor &configuration = part(plan, 401, configurationKind);
  const Descriptor &graph = part(part(configuration, 300, engineKind), 1300, graphKind);
  std::map<int64_t, void *> pointers;
  const auto pointersInOrder = values<void *>(pack, 1001);
  const auto identifiers = values<int64_t>(pack, 1000);
  for (size_t index = 0; index < identifiers.size(); index++) {
    demand(pointers.emplace(identifiers[index], pointersInOrder[index]).second,
      "an identifier is there twice");
  }

  struct Span { uint64_t address, bytes; };
  std::vector<Span> spans;
  const auto use = [&](const Tensor &tensor) {
    const auto found = pointers.find(tensor.id);
    const std::string name = "tensor " + std::to_string(tensor.id);
    demand(found != pointers.end(), name + " has no pointer");
    const Span span{uint64_t(found->second), uint64_t(tensor.bytes())};
    demand(span.address % uint64_t(tensor.alignment) == 0, name + " is not aligned");
    demand(isDeviceMemory(span.address, span.bytes), name + " is not within one allocation");
    spans.push_back(span);
    return found->second;
  };
  const Convolution &convolution = graph.convolution;
  Buffers buffers{use(convolution.x), use(convolution.w), use(convolution.y), nullptr, nullptr};
  if (graph.statistics) {
    buffers.sum = use(graph.statistics->sum);
    buffers.squares = use(graph.statistics->squares);
  }
  const int64_t scratch = workspaceBytes[engineOf(configuration)];
  if (scratch) {
    demand(pack.attributes.count(1003), "the plan needs a workspace");
    spans.push_back({uint64_t(values<void *>(pack, 1003)[0]), uint64_t(scratch)});
    demand(isDeviceMemory(spans.back().address, spans.back().bytes), "the workspace is too small");
  }
  for (size_t a = 0; a < spans.size(); a++) {
    for (size_t b = 0; b < a; b++) {
      demand(spans[a].address + spans[a].bytes <= spans[b].address ||
        spans[b].address + spans[b].bytes <= spans[a].address, "two buffers overlap");
    }
  }
  const Result result = submit(
    stream, [spans, buffers, scratch, convolution, statistics = graph.statistics] {
      for (const Span &span : spans) require(span.address, span.bytes);
      lastKernel = "a convolution";
      if (scratch) std::memset((void *)spans.back().address, 0xB7, size_t(scratch));
      compute(convolution, statistics, buffers);
    });
  demand(result == success, "the stream does not take work: " + std::to_string(result),
    executionFailed);
}

}  // namespace simulator
