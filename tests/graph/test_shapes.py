"""Types, shapes and symbols that Tessera infers, against what onnxruntime computes for every value of every zoo model."""

import json
import subprocess
import warnings

import numpy
import onnx
import onnxruntime
from onnx import helper
from onnx.backend.test.case.node import collect_testcases
from onnx_inputs import random_inputs

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

# Where OpenVINO 2026.4 infers something else than the operator's specification says.
KNOWN_WRONG = {
    "test_dft_irfft": "the axis given as an input is taken for one of the real tensor",
    "test_dft_irfft_opset19": "as above",
    "test_dft_rfft": "as above",
    "test_dft_rfft_opset19": "as above",
    "test_gru_batchwise": "layout 1 does not transpose Y_h",
    "test_lstm_batchwise": "as above",
    "test_simple_rnn_batchwise": "as above",
    "test_maxpool_2d_ceil_output_size_reduce_by_one": "a window that starts in the padding is counted",
    "test_col2im_5d": "two image dimensions only: refused",
}


def inferred(program, *paths):
    """For each model its values, or {"error": ..}."""
    done = subprocess.run([program, *paths], check=True, capture_output=True, text=True)
    models = [json.loads(line) for line in done.stdout.splitlines()]
    return [m if "error" in m else [value for value in m if not value["constant"]] for m in models]


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


def test_inferred_shapes_are_those_computed(onnx_infer_shapes, zoo_model):
    values = inferred(onnx_infer_shapes, zoo_model)[0]
    known = sum("shape" in value for value in values)
    assert known >= 0.99 * len(values), f"rank known of {known} of {len(values)} values"
    dimensions = [pair for v in values if "shape" in v for pair in zip(v["shape"], v["symbols"], strict=True)]
    told = sum(size >= 0 or symbol >= 0 for size, symbol in dimensions)
    assert told >= 0.99 * len(dimensions), f"{told} of {len(dimensions)} dimensions have a size or a symbol"
    names = [name for v in values if "shape" in v for size, name in zip(v["shape"], v.get("names", [])) if size < 0]
    named = sum(name != "" for name in names)
    assert named >= 0.95 * len(names), f"{named} of {len(names)} dynamic dimensions are known to be an input's"
    print(
        f"{zoo_model.stem}: rank of {known}/{len(values)} values, size or symbol of {told}/{len(dimensions)} dimensions, "
        f"an input's symbol on {named}/{len(names)} dynamic ones"
    )

    for first, others in [(2, 7), (3, 5), (1, 1)]:
        real = computed(zoo_model, first, others)
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


def without_declared_outputs(model):
    """The model as bytes; and what it declared: name -> sizes, None where free."""
    declared = {}
    for info in model.graph.output:
        if info.type.HasField("tensor_type") and info.type.tensor_type.HasField("shape"):
            dims = info.type.tensor_type.shape.dim
            declared[info.name] = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
        info.ClearField("type")
    return model.SerializeToString(), declared


def contradicts(value, sizes):
    if "shape" not in value:
        return False
    pairs = zip(value["shape"], sizes, strict=False)
    return len(value["shape"]) != len(sizes) or any(got >= 0 and size not in (None, got) for got, size in pairs)


def test_outputs_of_every_node_test_model_are_unknown_or_right(onnx_infer_shapes, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [case for case in collect_testcases(None) if case.model is not None]
    declared = {}
    for case in cases:
        content, declared[case.name] = without_declared_outputs(case.model)
        (tmp_path / case.name).write_bytes(content)
    wrong, outputs, known = set(), 0, 0
    for (name, sizes), values in zip(declared.items(), inferred(onnx_infer_shapes, *(tmp_path / n for n in declared)), strict=True):
        if "error" in values:
            wrong.add(name)
            continue
        by_name = {value["name"]: value for value in values}
        for output, shape in sizes.items():
            value = by_name.get(output, {})
            outputs += 1
            known += "shape" in value
            if contradicts(value, shape):
                wrong.add(name)
    print(f"{known} of {outputs} outputs with a rank")
    assert wrong == set(KNOWN_WRONG)
    assert known >= 0.85 * outputs
