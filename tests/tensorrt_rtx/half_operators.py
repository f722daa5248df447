"""A model of every operator that `tessera build --fp16` and `--bf16` compute in 16 bits: each has an output of its name."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = (2, 8, 8, 8)
UNARY = ("Abs Elu Erf Flatten Gelu GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish Identity IsNaN LeakyRelu Mish Neg "
         "Relu Selu Sigmoid Softmax Softplus Softsign Swish Tanh ReduceMax ReduceMin Transpose Trilu").split()
BINARY = "Add Div MatMul Max Min Mul PRelu Sub".split()


class OperatorModel:
    def __init__(self):
        self._nodes, self._constants, self.operators = [], [], []
        self._random = np.random.default_rng(0)

    def add(self, operator: str, inputs, *, count: int = 1, **attributes) -> None:
        """`inputs`: names, and arrays, which become constants."""
        names = [value if isinstance(value, str) else self._constant(operator, value) for value in inputs]
        outputs = [operator, *(f"{operator}.{more}" for more in range(1, count))]
        self._nodes.append(helper.make_node(operator, names, outputs, **attributes))
        self.operators.append(operator)

    def floats(self, *shape: int) -> np.ndarray:
        return self._random.uniform(0.5, 1.5, shape).astype(np.float32)

    def model(self) -> onnx.ModelProto:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)
        outputs = [helper.make_tensor_value_info(name, TensorProto.BOOL if name == "IsNaN" else TensorProto.FLOAT, None)
                   for name in self.operators]
        graph = helper.make_graph(self._nodes, "operators", [x], outputs, self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)], ir_version=10)

    def _constant(self, operator: str, value) -> str:
        name = f"{operator}.constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name


def operator_model() -> OperatorModel:
    made = OperatorModel()
    for operator in UNARY:
        made.add(operator, ["x"])
    for operator in BINARY:
        made.add(operator, ["x", made.floats(*SHAPE[1:])])
    made.add("ThresholdedRelu", ["x"], alpha=0.0)  # elsewhere rounding may jump over it
    _add_images(made)
    _add_moves(made)
    _add_products(made)
    return made


def _add_images(made: OperatorModel) -> None:
    made.add("Conv", ["x", made.floats(8, 8, 3, 3)], pads=[1, 1, 1, 1])
    made.add("ConvTranspose", ["x", made.floats(8, 8, 3, 3)], strides=[2, 2])
    made.add("AveragePool", ["x"], kernel_shape=[2, 2], strides=[2, 2])
    made.add("MaxPool", ["x"], kernel_shape=[2, 2], strides=[2, 2])
    made.add("BatchNormalization", ["x", *(made.floats(8) for _ in range(4))])
    made.add("DepthToSpace", ["x"], blocksize=2)
    made.add("SpaceToDepth", ["x"], blocksize=2)


def _add_moves(made: OperatorModel) -> None:
    ints = lambda *values: np.array(values, np.int64)  # noqa: E731
    made.add("Clip", ["x", np.float32(-1), np.float32(1)])
    made.add("Concat", ["x", made.floats(*SHAPE)], axis=1)
    made.add("Expand", ["x", ints(3, 1, 1, 1, 1)])
    made.add("Gather", ["x", ints(1, 3)], axis=1)
    made.add("GatherElements", ["x", np.zeros(SHAPE, np.int64)], axis=1)
    made.add("GatherND", ["x", np.zeros((3, 2), np.int64)])
    made.add("ScatterElements", ["x", np.zeros((2, 1, 8, 8), np.int64), made.floats(2, 1, 8, 8)], axis=1)
    made.add("ScatterND", ["x", np.array([[0, 1], [1, 1]], np.int64), made.floats(2, 8, 8)])
    made.add("Pad", ["x", ints(0, 0, 1, 1, 0, 0, 1, 1), np.float32(0.5)])
    made.add("Reshape", ["x", ints(2, -1)])
    made.add("Slice", ["x", ints(0, 1), ints(1, 5), ints(0, 1)])
    made.add("Split", ["x"], count=2, axis=1, num_outputs=2)
    made.add("Unsqueeze", ["x", ints(0)])
    made.add("Squeeze", ["Unsqueeze", ints(0)])
    made.add("Tile", ["x", ints(1, 2, 1, 1)])
    made.add("Where", ["IsNaN", "x", made.floats(*SHAPE)])


def _add_products(made: OperatorModel) -> None:
    made.add("Einsum", ["x", made.floats(*SHAPE)], equation="bcij,bcjk->bcik")
    made.add("Gemm", ["Flatten", made.floats(512, 8), made.floats(8)])
    made.add("Attention", ["Add", "Mul", "Sub"])
    made.add("RotaryEmbedding", ["x", made.floats(2, 8, 4), made.floats(2, 8, 4)])
