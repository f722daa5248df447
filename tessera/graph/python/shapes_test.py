"""Types, shapes and symbols that Tessera infers, against what onnxruntime computes for every value of every zoo model."""

import json
import os
import pathlib
import subprocess

import numpy
import onnx
import onnxruntime
import pytest
from onnx import helper
from random_inputs import random_inputs

INFER_SHAPES = os.environ["TESSERA_ONNX_INFER_SHAPES"]
ZOO = pathlib.Path(os.environ["TESSERA_ZOO"])
TYPES = {
    "FP32": numpy.float32,
    "FP16": numpy.float16,
    "FP64": numpy.float64,
    "INT64": numpy.int64,
    "INT32": numpy.int32,
    "INT8": numpy.int8,
    "UINT8": numpy.uint8,
    "BOOL": numpy.bool_,
}


def zoo_models():
    models = sorted(ZOO.glob("*.onnx"))
    assert models, f"no models in {ZOO}: set TESSERA_ZOO"
    return models


def inferred(path):
    done = subprocess.run([INFER_SHAPES, path], check=True, capture_output=True, text=True)
    return [value for value in json.loads(done.stdout) if not value["constant"]]


def computed(path, first, others):
    """Every value of the main graph by name, with the sizes of the dynamic dimensions as given."""
    model = onnx.load(path)
    inputs = random_inputs(model, first, others)
    model = onnx.shape_inference.infer_shapes(model)
    outputs = {info.name for info in model.graph.output}
    constants = {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    types = {info.name: info.type.tensor_type.elem_type for info in model.graph.value_info}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in outputs | constants and name in types:
                model.graph.output.append(helper.make_tensor_value_info(name, types[name], None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return inputs | dict(zip(names, session.run(names, inputs), strict=True))


@pytest.mark.parametrize("path", zoo_models(), ids=lambda path: path.stem)
def test_inferred_shapes_are_those_computed(path):
    values = inferred(path)
    known = sum("shape" in value for value in values)
    assert known >= 0.99 * len(values), f"rank known of {known} of {len(values)} values"
    dimensions = [pair for v in values if "shape" in v for pair in zip(v["shape"], v["symbols"], strict=True)]
    told = sum(size >= 0 or symbol >= 0 for size, symbol in dimensions)
    assert told >= 0.99 * len(dimensions), f"{told} of {len(dimensions)} dimensions have a size or a symbol"
    names = [name for v in values if "shape" in v for size, name in zip(v["shape"], v.get("names", [])) if size < 0]
    named = sum(name != "" for name in names)
    assert named >= 0.95 * len(names), f"{named} of {len(names)} dynamic dimensions are known to be an input's"
    print(
        f"{path.stem}: rank of {known}/{len(values)} values, size or symbol of {told}/{len(dimensions)} dimensions, "
        f"an input's symbol on {named}/{len(names)} dynamic ones"
    )

    for first, others in [(2, 7), (3, 5), (1, 1)]:
        real = computed(path, first, others)
        sizes = {}  # of symbols
        compared = 0
        for value in values:
            if value["name"] not in real or "shape" not in value:
                continue
            compared += 1
            got = real[value["name"]]
            assert got.dtype == TYPES[value["type"]], value
            assert len(got.shape) == len(value["shape"]), value
            for size, shape_says, symbol in zip(got.shape, value["shape"], value["symbols"], strict=True):
                assert shape_says in (-1, size), (value, got.shape)
                if symbol >= 0:
                    assert sizes.setdefault(symbol, size) == size, (value, got.shape)
        assert compared >= 0.99 * len(values)
