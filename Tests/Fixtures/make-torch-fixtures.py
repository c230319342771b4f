"""Makes the checkpoints of PyTorch in the folder Torch beside this script (seen with PyTorch 2.15).

NAME.json says what the checkpoint NAME holds, by PyTorch's own reading of it: each tensor under the
keys that lead to it, with its element type, extents, strides, and its elements as text, which floating
point numbers have in hexadecimal, and the numbers that are not tensors. Streams (`.th`) name storages
by their addresses, so that those files differ from run to run.

    python make-torch-fixtures.py        # needs torch and numpy
"""
import argparse
import collections
import io
import json
import pathlib
import pickle
import zipfile

import numpy
import torch

folder = pathlib.Path(__file__).parent / "Torch"


def described(value, path, tensors, numbers):
    if isinstance(value, torch.Tensor):
        elements = value.detach().reshape(-1)
        if value.dtype.is_floating_point:
            # Every type is exact in double precision.
            elements = [float(x).hex() for x in elements.double().tolist()]
        else:
            elements = [str(int(x)) for x in elements.tolist()]
        tensors.append(
            {
                "name": path,
                "type": str(value.dtype).removeprefix("torch."),
                "shape": list(value.shape),
                "strides": list(value.stride()),
                "elements": elements,
            }
        )
    elif isinstance(value, dict):
        for key, item in value.items():
            described(item, f"{path}.{key}" if path else str(key), tensors, numbers)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            described(item, f"{path}.{index}" if path else str(index), tensors, numbers)
    elif isinstance(value, (int, float, numpy.generic)):
        numbers[path] = float(value).hex()


def save(name, value, **options):
    path = folder / name
    torch.save(value, path, **options)
    describe(name)


def describe(name):
    value = torch.load(folder / name, weights_only=False)
    tensors, numbers = [], {}
    described(value, "", tensors, numbers)
    text = json.dumps({"tensors": tensors, "numbers": numbers}, indent=0)
    (folder / name).with_suffix(".json").write_text(text + "\n")


def types():
    """Every element type, with the ends of its range and numbers that are not."""
    generator = torch.Generator().manual_seed(1)
    values = {}
    for name in ["float32", "float64", "float16", "bfloat16"]:
        dtype = getattr(torch, name)
        info = torch.finfo(dtype)
        special = [0.0, -0.0, 1.0, -2.5, info.max, info.min, info.tiny, float("inf"), -float("inf")]
        values[name] = torch.tensor(special, dtype=torch.float64).to(dtype)
        values[name + ".drawn"] = torch.randn(3, 2, generator=generator).to(dtype)
    for name in ["int8", "int16", "int32", "int64", "uint8"]:
        info = torch.iinfo(getattr(torch, name))
        values[name] = torch.tensor([info.min, 0, 1, info.max], dtype=getattr(torch, name))
    values["bool"] = torch.tensor([[True, False], [False, True]])
    return collections.OrderedDict(values)


def views():
    """Tensors that share storages, and are not in the order of rows."""
    base = torch.arange(24.0).reshape(2, 3, 4)
    return {
        "base": base,
        "transposed": base.transpose(0, 2),
        "slice": base[:, 1:, ::2],
        "column": base[1, :, 3],
        "scalar": base[1, 2, 3],
        "windows": base.as_strided((3, 2, 2), (1, 1, 6), 1),
        "expanded": base[0, 0, :2].expand(3, 2),
        "channels_last": base.reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
        "empty": torch.zeros(0, 3),
        "tail": torch.arange(5)[5:],
        "parameter": torch.nn.Parameter(torch.tensor([1.5, -2.5])),
        "size": torch.Size([1, 2]),
    }


def training():
    """What a training program saves: a wrapped network, its optimizer and schedule."""
    torch.manual_seed(2)
    network = torch.nn.Sequential(
        collections.OrderedDict(
            conv1=torch.nn.Conv2d(1, 2, 3, bias=False), bn1=torch.nn.BatchNorm2d(2)
        )
    )
    network = torch.nn.DataParallel(network)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3])
    for _ in range(3):
        network(torch.randn(2, 1, 4, 4)).square().sum().backward()
        optimizer.step()
        scheduler.step()
    schedule = {k: v for k, v in scheduler.state_dict().items() if not k.startswith("_get")}
    return {
        "epoch": 3,
        "arch": "resnet20",
        "best_prec1": torch.tensor(92.5),
        "best_acc1": numpy.float64(91.78125),
        "seen": numpy.int64(-3),
        "args": argparse.Namespace(lr=0.1, arch="resnet20"),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "large": 2**70,
        "state_dict": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": schedule,
    }


folder.mkdir(exist_ok=True)
save("types.pth", types())
save("types-stream.th", types(), _use_new_zipfile_serialization=False)
save("views.pth", views())
save("views-stream.th", views(), _use_new_zipfile_serialization=False)
save("training.pth", training())
save("training-stream.th", training(), _use_new_zipfile_serialization=False)
for protocol in [3, 4, 5]:
    save(f"protocol{protocol}.pth", {"w": torch.arange(3.0), "n": 7}, pickle_protocol=protocol)
save("protocol4-stream.th", {"w": torch.arange(3.0), "n": 7}, pickle_protocol=4,
     _use_new_zipfile_serialization=False)
save("tensor.pth", torch.arange(6).reshape(2, 3))



class OldPickler(pickle.Pickler):
    """Tensors and parameters as PyTorch 0.3 wrote them, and with it the first files of torchvision."""

    def reducer_override(self, obj):
        if isinstance(obj, torch.nn.Parameter):
            return torch.nn.Parameter, (obj.data,), (True, False, collections.OrderedDict())
        if isinstance(obj, torch.Tensor):
            arguments = (obj._typed_storage(), obj.storage_offset(), tuple(obj.shape), obj.stride())
            return torch._utils._rebuild_tensor, arguments
        return NotImplemented


class Old:
    """What `torch.save` needs of the module `pickle`."""

    Pickler, dump = OldPickler, pickle.dump


old = {"weight": torch.nn.Parameter(torch.arange(6.0).reshape(2, 3)), "mean": torch.ones(2)}
save("old-stream.th", old, pickle_module=Old, _use_new_zipfile_serialization=False)
assert torch.load(folder / "old-stream.th", weights_only=True).keys() == old.keys()

# The same checkpoint, packed again without compression by Python.
with zipfile.ZipFile(folder / "views.pth") as old:
    with zipfile.ZipFile(folder / "views-repacked.pth", "w") as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry))
describe("views-repacked.pth")

# Values of every kind, by Python itself; PickleReaderTests has them too.
numbers = [0, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1]
values = {
    "numbers": numbers + [1.5, -0.0, float("inf"), None, True, False],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "texts": ["", "é😀", "x" * 300],
    "bytes": [b"xyz\xff", bytes(range(256)) + b"y"],
    3: {-1: {}, "ordered": collections.OrderedDict([("b", 1), ("a", 2)])},
}
shared = ["shared"]
values["shared"] = (shared, shared)
for protocol in [2, 3, 4, 5]:
    (folder / f"values{protocol}.pkl").write_bytes(pickle.dumps(values, protocol=protocol))

# What is no state dict.
script = torch.jit.script(torch.nn.Linear(1, 1))
buffer = io.BytesIO()
torch.jit.save(script, buffer)
(folder / "script.pt").write_bytes(buffer.getvalue())
torch.save(torch.nn.Linear(1, 1), folder / "module.pth")
(folder / "pickle.pkl").write_bytes(pickle.dumps({"w": [1.0]}, protocol=2))
