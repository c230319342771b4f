"""Steps of inference in programs that take converted networks: float32, their best settings."""

from __future__ import annotations

import numpy
from work import Runner, Work


def reference(work: Work) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Random images and PyTorch's logits for them; the converted network lies beside them."""
    path = work.models / f"{work.network}-{work.batch}.npz"
    if not path.exists():
        import torch
        from networks import network

        model, images = network(work.network).eval(), torch.rand(work.shape) - 0.5
        with torch.no_grad():
            numpy.savez(path, images=images, logits=model(images))
        torch.onnx.export(
            model,
            (images,),
            onnx(work),
            input_names=["images"],
            output_names=["logits"],
            dynamo=False,
        )
    arrays = numpy.load(path)
    return arrays["images"], arrays["logits"]


def onnx(work: Work) -> str:
    return str(work.models / f"{work.network}-{work.batch}.onnx")


def verify(logits: numpy.ndarray, expected: numpy.ndarray) -> None:
    """Refuses what is no float32 arithmetic on the same network."""
    difference = numpy.abs(logits - expected).max() / numpy.abs(expected).max()
    if not difference < 1e-4:
        raise ValueError(f"the logits are not PyTorch's: they differ by {difference:.1e}")


def onnxruntime(work: Work) -> Runner:
    import onnxruntime

    images, logits = reference(work)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = work.threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(onnx(work), options, ["CPUExecutionProvider"])
    verify(session.run(None, {"images": images})[0], logits)
    return Runner(lambda: session.run(None, {"images": images}), work.batch)


def openvino(work: Work, throughput: bool = False) -> Runner:
    """One batch after another, or with `throughput` as many side by side as OpenVINO likes."""
    import openvino

    images, logits = reference(work)
    settings = {
        "INFERENCE_NUM_THREADS": work.threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "THROUGHPUT" if throughput else "LATENCY",
        # It would bind the threads of every session to the same cores.
        "ENABLE_CPU_PINNING": work.alone,
    }
    model = openvino.Core().compile_model(onnx(work), "CPU", settings)
    request = model.create_infer_request()
    verify(request.infer([images])[0], logits)
    if not throughput:
        return Runner(lambda: request.infer([images], share_inputs=True), work.batch)
    requests = openvino.AsyncInferQueue(model)

    def step() -> None:
        # Each start waits for an idle request, so none is idle from the second step on.
        for _ in range(len(requests)):
            requests.start_async([images], share_inputs=True)

    return Runner(step, len(requests) * work.batch)


def ncnn(work: Work) -> Runner:
    """ncnn takes one image at a time."""
    import ncnn

    images, logits = reference(work)
    parameters, filters = (work.models / f"{work.network}.ncnn.{end}" for end in ("param", "bin"))
    if not filters.exists():
        import pnnx
        import torch
        from networks import network

        path = work.models / f"{work.network}.pt"
        model = network(work.network).eval()
        pnnx.export(model, str(path), torch.from_numpy(images[:1]), fp16=False)
    net = ncnn.Net()
    net.opt.num_threads = work.threads
    net.opt.lightmode = True
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_packed = net.opt.use_bf16_storage = False
    net.load_param(str(parameters))
    net.load_model(str(filters))
    inputs = [ncnn.Mat(image).clone() for image in images]

    def step() -> list[ncnn.Mat]:
        outputs = []
        for image in inputs:
            extractor = net.create_extractor()
            extractor.input("in0", image)
            outputs.append(extractor.extract("out0")[1])
        return outputs

    verify(numpy.stack([numpy.array(output) for output in step()]), logits)
    return Runner(step, work.batch)


def mnn(work: Work) -> Runner:
    import MNN

    images, logits = reference(work)
    path = work.models / f"{work.network}-{work.batch}.mnn"
    if not path.exists():
        # Not by MNN.tools.mnnconvert: that installs packages unasked, and reports to its makers.
        import _tools

        files = ["--modelFile", onnx(work), "--MNNModel", str(path)]
        _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--bizCode", "peer", *files])
    runtime = MNN.nn.create_runtime_manager(
        ({"backend": "CPU", "numThread": work.threads, "precision": "high"},)
    )
    network = MNN.nn.load_module_from_file(
        str(path), ["images"], ["logits"], runtime_manager=runtime, shape_mutable=False
    )
    inputs = [MNN.expr.const(images, list(work.shape), MNN.expr.NCHW)]

    def step() -> numpy.ndarray:
        return network.forward(inputs)[0].read()

    verify(step(), logits)
    return Runner(step, work.batch)
