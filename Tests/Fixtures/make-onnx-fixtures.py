#!/usr/bin/env python3
"""Makes Tests/Fixtures/ONNX/node-cases.safetensors: python make-onnx-fixtures.py

The node cases that the package `onnx` brings for the operators of residual networks, and its light
ResNet-50 with the output that is stored beside it. Needs onnx 1.23.2, numpy and safetensors.

Each case is the tensors NAME/model (bytes), NAME/input0, … and NAME/output0; a case that is refused
here has the model alone.
"""
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from safetensors.numpy import save_file

OPERATORS = {
    "Conv", "BatchNormalization", "MaxPool", "AveragePool", "Gemm", "Reshape", "Flatten", "Add",
    "MatMul", "Softmax", "Pad", "Identity", "GlobalAveragePool", "Relu", "Constant",
}


def is_taken(model):
    """Whether all values are tensors of reals, or of integers that shapes are made of."""
    graph = model.graph
    if len(graph.output) != 1:
        return False
    for value in list(graph.input) + list(graph.output):
        kind = value.type.tensor_type.elem_type
        is_shape = value.name in {n for node in graph.node for n in node.input[1:]}
        if kind != onnx.TensorProto.FLOAT and not (kind == onnx.TensorProto.INT64 and is_shape):
            return False
    return all(len(value.type.tensor_type.shape.dim) < 5 for value in graph.input) and not any(
        node.op_type in ("MaxPool", "AveragePool")
        and len(graph.input[0].type.tensor_type.shape.dim) != 4
        for node in graph.node
    )


def array(value):
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    return np.array(value, copy=True, order="C")


def main():
    tensors = {}
    for case in collect_testcases(None):
        if not {node.op_type for node in case.model.graph.node} <= OPERATORS:
            continue
        bytes = case.model.SerializeToString()
        tensors[case.name + "/model"] = np.frombuffer(bytes, np.uint8).copy()
        if not is_taken(case.model):
            continue
        inputs, outputs = case.data_sets[0]
        for index, value in enumerate(inputs):
            tensors[f"{case.name}/input{index}"] = array(value)
        tensors[case.name + "/output0"] = array(outputs[0])

    light = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")
    with open(os.path.join(light, "light_resnet50.onnx"), "rb") as file:
        tensors["light_resnet50/model"] = np.frombuffer(file.read(), np.uint8).copy()
    output = onnx.TensorProto()
    with open(os.path.join(light, "light_resnet50_output_0.pb"), "rb") as file:
        output.ParseFromString(file.read())
    tensors["light_resnet50/output0"] = array(output)

    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "ONNX", "node-cases.safetensors")
    save_file(tensors, path)
    names = [name for name in tensors if name.startswith("test_") and name.endswith("/model")]
    taken = [name for name in tensors if name.startswith("test_") and name.endswith("/output0")]
    print(f"{path}: {len(names)} cases, {len(taken)} of them with numbers", file=sys.stderr)


if __name__ == "__main__":
    main()
