"""Builds ONNX files with TensorRT-RTX's own parser and builder, for a GPU that need not be there.

    real_builder.py COMPUTE_CAPABILITY MODEL.onnx ..

Prints a JSON list, one object a file: "errors" of the parser ("node: reason") and of the builder, the collectives of
the parsed "network" as [name, ranks] in their order, and of the built "engine" as [name, kind of layer] in its own.
A program of its own: some models that it must not be given end the process.
"""

import json
import re
import sys

import tensorrt_rtx_bindings as trt

RANKS = 2
LEAST, USUAL, MOST = 2, 8, 16  # what free dimensions may be


class Log(trt.ILogger):
    """Keeps errors, and the list of layers that the builder writes at its end: no GPU is needed to read it."""

    def __init__(self):
        super().__init__()
        self.errors, self.layers = [], ""

    def log(self, severity, message):
        if severity <= trt.ILogger.ERROR:
            self.errors.append(message)
        elif message.startswith("Layers:"):
            self.layers = message


def shape_of(tensor, size):
    """Its shape with free dimensions of that size; a rank's part of one is named so by the compiler."""
    parts = (RANKS if tensor.get_dimension_name(axis).endswith(".part") else 1 for axis in range(len(tensor.shape)))
    return [size // part if dim == -1 else dim for dim, part in zip(tensor.shape, parts)]


def profile_of(builder, network):
    """One optimisation profile for the inputs with free dimensions; None when there are none."""
    profile, free = builder.create_optimization_profile(), False
    for tensor in map(network.get_input, range(network.num_inputs)):
        if -1 in tensor.shape:
            free = True
            profile.set_shape(tensor.name, *(shape_of(tensor, size) for size in (LEAST, USUAL, MOST)))
    return profile if free else None


def engine_collectives(layers):
    """[name, kind] of the layers that communicate. The compiler appends _U1_myl0_2 to a name."""
    found = re.findall(r"^Name: (.*?), LayerType: (comm_\w+|DistCollective)\b", layers, re.MULTILINE)
    return [[re.sub(r"(_U\d+)?(_myl\d+_\d+)?$", "", name), kind] for name, kind in found]


def build(file, capability):
    log = Log()
    builder = trt.Builder(log)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(file):
        problems = map(parser.get_error, range(parser.num_errors))
        return {"errors": [f"{e.node_name()}: {e.desc()}" for e in problems]}
    layers = map(network.get_layer, range(network.num_layers))
    collectives = [[layer.name, layer.num_ranks] for layer in layers if layer.type == trt.LayerType.DIST_COLLECTIVE]
    config = builder.create_builder_config()
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.__members__[f"SM{capability}"], 0)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if (profile := profile_of(builder, network)) is not None:
        config.add_optimization_profile(profile)
    built = builder.build_serialized_network(network, config)
    return {"errors": log.errors if built is None else [], "network": collectives,
            "engine": engine_collectives(log.layers), "bytes": 0 if built is None else built.nbytes}


if __name__ == "__main__":
    print(json.dumps([build(file, sys.argv[1]) for file in sys.argv[2:]]))
