"""The node test cases of the onnx package, as single-node models with their inputs."""

import collections
import functools
import warnings

import numpy
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

Case = collections.namedtuple("Case", "name model inputs")  # inputs: name -> array, constants excluded

# Which inputs an op reads as sizes, axes or indices: rules look at them when they are constant.
OPERANDS = {
    "Reshape": [1], "Expand": [1], "Tile": [1], "Squeeze": [1], "Unsqueeze": [1], "Split": [1], "Slice": [1, 2, 3, 4],
    "CumSum": [1], "Pad": [1, 3], "TopK": [1], "Resize": [1, 2, 3], "Trilu": [1], "Clip": [1, 2],
    "ConstantOfShape": [0], "Range": [0, 1, 2], "OneHot": [1],
}


@functools.cache
def all_cases():
    """(cases of one node whose values are all tensors, the number of all cases)"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collected = collect_testcases(None)
    cases = [case for test in collected if (case := _single(test))]
    return cases, len(collected)


def _single(test):
    graph = test.model.graph
    if len(graph.node) != 1 or not test.data_sets or graph.node[0].domain not in ("", "ai.onnx"):
        return None
    arrays = list(test.data_sets[0][0])
    if any(not isinstance(a, (numpy.ndarray, numpy.generic)) for a in arrays) or len(arrays) != len(graph.input):
        return None
    model = onnx.ModelProto.FromString(test.model.SerializeToString())
    inputs = {info.name: numpy.asarray(a) for info, a in zip(graph.input, arrays)}
    node = model.graph.node[0]
    operands = list(OPERANDS.get(node.op_type, []))
    operands += range(1, len(node.input)) if node.op_type.startswith("Reduce") else []
    for i in operands:
        if i < len(node.input) and node.input[i] in inputs:
            _fix(model, node.input[i], inputs.pop(node.input[i]))
    return Case(test.name, model, inputs)


def _fix(model, name, array):
    """Makes an input of the model a constant."""
    model.graph.initializer.append(numpy_helper.from_array(array, name))
    kept = [info for info in model.graph.input if info.name != name]
    del model.graph.input[:]
    model.graph.input.extend(kept)
