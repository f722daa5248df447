"""The answers of onnxruntime, an engine that Tessera does not use, and random inputs that a model can take."""

from __future__ import annotations

import functools
import pathlib

import numpy as np
import onnx
import onnxruntime


class Reference:
    """One model in onnxruntime."""

    def __init__(self, model: pathlib.Path):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tables = _table_lengths(model)
        self.outputs = [output.name for output in self._session.get_outputs()]

    def answer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return dict(zip(self.outputs, self._session.run(None, inputs)))

    def random_inputs(self, batch: int = 2, length: int = 16, seed: int = 0) -> dict[str, np.ndarray]:
        """Indexes inside their tables, padded masks, floats; free first dimensions get `batch`, others `length`."""
        random = np.random.default_rng(seed)
        return {i.name: self._random(random, i, batch, length) for i in self._session.get_inputs()}

    def _random(self, random, given, batch, length):
        shape = [size if isinstance(size, int) else (batch if axis == 0 else length)
                 for axis, size in enumerate(given.shape)]
        if given.type == "tensor(float)":
            return random.standard_normal(shape, np.float32)
        assert given.type == "tensor(int64)", given.type
        if given.name in self._tables:
            return random.integers(0, self._tables[given.name], shape, np.int64)
        if not shape:
            return np.array(random.integers(0, 1000), np.int64)  # a step, a count
        ends = random.integers((shape[-1] + 1) // 2, shape[-1] + 1, [*shape[:-1], 1])
        return (np.arange(shape[-1]) < ends).astype(np.int64)


@functools.cache
def _table_lengths(model: pathlib.Path) -> dict[str, int]:
    """Length of the table that each input indexes directly."""
    graph = onnx.load(model, load_external_data=False).graph
    rows = {tensor.name: tensor.dims[0] for tensor in graph.initializer if tensor.dims}
    rows.update({node.output[0]: node.attribute[0].t.dims[0] for node in graph.node
                 if node.op_type == "Constant" and node.attribute[0].t.dims})
    return {node.input[1]: rows[node.input[0]] for node in graph.node
            if node.op_type == "Gather" and node.input[0] in rows}


def worst_relative_error(got: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> float:
    """Over all outputs: the largest difference over the largest value. Integers must be equal."""
    assert got.keys() == wanted.keys()
    worst = 0.0
    for name, reference in wanted.items():
        assert got[name].shape == reference.shape, name
        assert got[name].dtype == reference.dtype, name
        if not np.issubdtype(reference.dtype, np.floating):
            assert np.array_equal(got[name], reference), name
            continue
        difference = np.abs(got[name].astype(np.float64) - reference.astype(np.float64))
        assert np.array_equal(np.isnan(got[name]), np.isnan(reference)), name
        worst = max(worst, float(np.nanmax(difference)) / float(np.nanmax(np.abs(reference))))
    return worst
