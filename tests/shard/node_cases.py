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
def _collected():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return collect_testcases(None)


def all_cases():
    """(cases of one node whose values are all tensors, the number of all cases)"""
    return [case for test in _collected() if (case := _single(test))], len(_collected())


def function_bodies():
    """Cases of several nodes: the bodies of functions, written out."""
    cases = []
    for test in _collected():
        inputs = _inputs(test)
        if inputs is not None and len(test.model.graph.node) > 1:
            cases.append(Case(test.name, test.model, inputs))
    return cases


def _inputs(test):
    """By name; None where they are not all tensors."""
    graph = test.model.graph
    arrays = list(test.data_sets[0][0]) if test.data_sets else []
    if any(not isinstance(a, (numpy.ndarray, numpy.generic)) for a in arrays) or len(arrays) != len(graph.input):
        return None
    return {info.name: numpy.asarray(a) for info, a in zip(graph.input, arrays)}


def _single(test):
    graph = test.model.graph
    inputs = _inputs(test)
    if inputs is None or len(graph.node) != 1 or graph.node[0].domain not in ("", "ai.onnx"):
        return None
    model = onnx.ModelProto.FromString(test.model.SerializeToString())
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
