"""Numbers that the tests repeat bit for bit, and what is stored of a tensor: for the scripts beside."""
import numpy
import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

# Attributes of our graphs are float32.
EPSILON, MOMENTUM_OF_STATISTICS, WEIGHT_DECAY = (float(numpy.float32(x)) for x in (1e-5, 0.1, 1e-4))
RATE, MOMENTUM = 0.1, 0.9
BATCH, SIDE, CLASSES = 2, 8, 10
LABELS = [7, 2]
SAMPLE = 6


def draw(name, count):
    """Numbers in [-1, 1): SplitMix64's finaliser of a hash (FNV-1a) of the name and a counter."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) % 2**64
    z = numpy.uint64(state) + numpy.uint64(0x9E3779B97F4A7C15) * numpy.arange(1, count + 1, dtype=numpy.uint64)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-23 - 1


def summary(name, tensor, sample=SAMPLE):
    values = tensor.detach().numpy().reshape(-1)
    step = max(1, -(-len(values) // sample))
    return {
        "norm": float(numpy.linalg.norm(values)),
        "projection": float(values @ draw("projection/" + name, len(values))),
        "sample": values[::step].tolist(),
    }
