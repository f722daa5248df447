"""Inputs for a model, as its declared types and shapes want them."""

import numpy
from onnx import helper


def random_inputs(model, first=2, others=7, seed=1):
    """Dynamic dimensions get the size `first` where they stand first (batches), else `others`.

    Integers are 0 or 1, so that they index any table and masks hide little.
    """
    generator = numpy.random.default_rng(seed)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = {}
    for info in model.graph.input:
        if info.name in constants:
            continue
        tensor = info.type.tensor_type
        shape = [
            dim.dim_value if dim.HasField("dim_value") else (others if axis else first)
            for axis, dim in enumerate(tensor.shape.dim)
        ]
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        if numpy.issubdtype(dtype, numpy.integer) or dtype == bool:
            inputs[info.name] = numpy.asarray(generator.random(shape) < 0.8, dtype)
        else:
            inputs[info.name] = numpy.asarray(generator.standard_normal(shape), dtype)
    return inputs
