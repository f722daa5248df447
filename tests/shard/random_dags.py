"""Random models of known ops: small sizes, many of them multiples of the number of ranks, the others coprime to it."""

import math

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18


class RandomDag:
    def __init__(self, seed, parts, nodes):
        self.random = numpy.random.default_rng(seed)
        self.parts = parts
        self.nodes, self.initializers, self.inputs = [], [], []
        self.live = {}  # name -> shape
        self.count = 0
        for i in range(2):
            self._input(f"x{i}", [self.size() for _ in range(self.random.integers(2, 5))])
        steps = [getattr(self, name) for name in dir(self) if name.startswith("add_")]
        while len(self.nodes) < nodes:
            self.random.choice(steps)()

    # -- parts --

    def size(self):
        return int(self.random.choice([self.parts, 2 * self.parts, 3 * self.parts, 5, 1 + 6 * self.parts // self.parts, 1]))

    def _input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.live[name] = list(shape)

    def weight(self, shape, scale=None):
        name = f"w{len(self.initializers)}"
        values = self.random.standard_normal(shape) * (scale or 1)
        self.initializers.append(numpy_helper.from_array(values.astype(numpy.float32), name))
        return name

    def ints(self, values):
        name = f"i{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(numpy.array(values, numpy.int64), name))
        return name

    def pick(self, low=1, high=5):
        """A random value with so many dimensions; later ones more often, so that graphs are deep."""
        names = [n for n, s in self.live.items() if low <= len(s) <= high and math.prod(s) <= 20000]
        if not names:
            name = f"x{len(self.inputs)}"
            self._input(name, [self.size() for _ in range(low)])
            return name, self.live[name]
        weights = numpy.arange(1, len(names) + 1) ** 2.0
        name = str(self.random.choice(names, p=weights / weights.sum()))
        return name, self.live[name]

    def op(self, op, inputs, *shapes, **attributes):
        names = [f"v{self.count + i}" for i in range(len(shapes))]
        self.count += len(shapes)
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{len(self.nodes)}", **attributes))
        self.live.update((name, list(shape)) for name, shape in zip(names, shapes))
        return names

    def axis(self, shape):
        return int(self.random.integers(0, len(shape)))

    # -- steps --

    def add_unary(self):
        x, s = self.pick()
        self.op(str(self.random.choice(["Tanh", "Relu", "Neg", "Sigmoid", "Identity", "Erf", "Abs"])), [x], s)

    def add_binary(self):
        x, s = self.pick()
        same = [n for n, t in self.live.items() if t == s]
        y = str(self.random.choice(same))
        if self.random.random() < 0.4:
            shape = [d if self.random.random() < 0.6 else 1 for d in s]
            cutoff = int(self.random.integers(0, len(s)))
            y = self.weight(shape[cutoff:])
        op = str(self.random.choice(["Add", "Sub", "Mul", "Max", "Add"]))
        self.op(op, [x, y] if self.random.random() < 0.7 else [y, x], s)

    def add_div(self):
        x, s = self.pick()
        self.initializers.append(numpy_helper.from_array(
            (1 + self.random.random(s[-1:])).astype(numpy.float32), f"d{len(self.initializers)}"))
        self.op("Div", [x, self.initializers[-1].name], s)

    def add_where(self):
        x, s = self.pick()
        zero = self.weight([])
        (c,) = self.op("Greater", [x, zero], s)
        del self.live[c]
        y = str(self.random.choice([n for n, t in self.live.items() if t == s]))
        self.op("Where", [c, x, y], s)

    def add_matmul(self):
        x, s = self.pick(2)
        n = self.size()
        self.op("MatMul", [x, self.weight([s[-1], n], s[-1] ** -0.5)], [*s[:-1], n])

    def add_product(self):
        x, s = self.pick(2)
        permutation = [*range(len(s) - 2), len(s) - 1, len(s) - 2]
        y = str(self.random.choice([n for n, t in self.live.items() if t == s]))
        (t,) = self.op("Transpose", [y], [s[i] for i in permutation], perm=permutation)
        self.op("MatMul", [x, t], [*s[:-1], s[-2]])

    def add_gemm(self):
        x, s = self.pick(2, 2)
        n, transpose = self.size(), int(self.random.integers(0, 2))
        w = self.weight([n, s[1]] if transpose else [s[1], n], s[1] ** -0.5)
        bias = [self.weight([n] if self.random.random() < 0.7 else [1, n])] if self.random.random() < 0.8 else []
        self.op("Gemm", [x, w, *bias], [s[0], n], transB=transpose)

    def add_einsum(self):
        x, s = self.pick(3, 3)
        n = self.size()
        self.op("Einsum", [x, self.weight([s[2], s[1], n], s[2] ** -0.5)], [s[0], s[1], n], equation="bij,jik->bik")

    def add_transpose(self):
        x, s = self.pick(2)
        permutation = [int(i) for i in self.random.permutation(len(s))]
        self.op("Transpose", [x], [s[i] for i in permutation], perm=permutation)

    def add_reshape(self):
        x, s = self.pick()
        t = list(s)
        for _ in range(self.random.integers(1, 3)):
            if len(t) > 1 and self.random.random() < 0.5:
                i = int(self.random.integers(0, len(t) - 1))
                t[i:i + 2] = [t[i] * t[i + 1]]
            elif len(t) < 5:
                i = self.axis(t)
                divisors = [d for d in range(1, t[i] + 1) if t[i] % d == 0]
                d = int(self.random.choice(divisors))
                t[i:i + 1] = [d, t[i] // d]
        target = list(t)
        if self.random.random() < 0.4:
            target[self.axis(t)] = -1
        for i in range(min(len(s), len(t))):
            if s[i] == t[i] and target[i] != -1 and self.random.random() < 0.3:
                target[i] = 0
        self.op("Reshape", [x, self.ints(target)], t)

    def add_squeeze(self):
        x, s = self.pick()
        if 1 in s and len(s) > 1:
            i = s.index(1)
            self.op("Squeeze", [x, self.ints([i])], s[:i] + s[i + 1:])
        elif len(s) < 5:
            i = int(self.random.integers(0, len(s) + 1))
            self.op("Unsqueeze", [x, self.ints([i])], [*s[:i], 1, *s[i:]])

    def add_flatten(self):
        x, s = self.pick(2)
        i = int(self.random.integers(0, len(s) + 1))
        self.op("Flatten", [x], [math.prod(s[:i]), math.prod(s[i:])], axis=i)

    def add_expand(self):
        x, s = self.pick()
        t = [self.size() if d == 1 else d for d in s]
        if self.random.random() < 0.3 and len(s) < 5:
            t = [self.parts, *t]
        if math.prod(t) <= 20000:
            self.op("Expand", [x, self.ints(t)], t)

    def add_tile(self):
        x, s = self.pick()
        r = [int(self.random.choice([1, 1, 2, self.parts])) for _ in s]
        if math.prod(s) * math.prod(r) <= 20000:
            self.op("Tile", [x, self.ints(r)], [a * b for a, b in zip(s, r)])

    def add_concat(self):
        x, s = self.pick()
        axis = self.axis(s)
        other = [n for n, t in self.live.items() if len(t) == len(s) and t[:axis] + t[axis + 1:] == s[:axis] + s[axis + 1:]]
        names = [x] + [str(n) for n in self.random.choice(other, self.random.integers(1, 3))]
        t = list(s)
        t[axis] = sum(self.live[n][axis] for n in names)
        if t[axis] <= 60:
            self.op("Concat", names, t, axis=axis)

    def add_split(self):
        x, s = self.pick()
        axis = self.axis(s)
        unit = self.parts if s[axis] % self.parts == 0 else 1
        units = s[axis] // unit
        if units < 2:
            return
        at = sorted(int(c) for c in self.random.choice(range(1, units), min(units - 1, int(self.random.integers(1, 3))), False))
        sizes = [unit * (b - a) for a, b in zip([0, *at], [*at, units])]
        shapes = [[*s[:axis], size, *s[axis + 1:]] for size in sizes]
        self.op("Split", [x, self.ints(sizes)], *shapes, axis=axis)

    def add_slice(self):
        x, s = self.pick()
        axis = self.axis(s)
        if s[axis] < 2:
            return
        start = int(self.random.integers(0, s[axis] - 1))
        end = int(self.random.integers(start + 1, s[axis] + 1))
        t = [*s[:axis], end - start, *s[axis + 1:]]
        self.op("Slice", [x, self.ints([start]), self.ints([end]), self.ints([axis])], t)

    def add_gather(self):
        x, s = self.pick()
        axis = self.axis(s)
        indices = [int(i) for i in self.random.integers(0, s[axis], self.size())]
        self.op("Gather", [x, self.ints(indices)], [*s[:axis], len(indices), *s[axis + 1:]], axis=axis)

    def add_softmax(self):
        x, s = self.pick()
        self.op("Softmax", [x], s, axis=self.axis(s) - len(s))

    def add_normalization(self):
        x, s = self.pick()
        self.op("LayerNormalization", [x, self.weight(s[-1:]), self.weight(s[-1:])], s, axis=-1)

    def add_reduce(self):
        x, s = self.pick(2)
        axis, keep = self.axis(s), int(self.random.integers(0, 2))
        t = [*s[:axis], *([1] if keep else []), *s[axis + 1:]]
        op = str(self.random.choice(["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2"]))
        self.op(op, [x, self.ints([axis])], t, keepdims=keep)

    def add_conv(self):
        x, s = self.pick(3, 4)
        if min(s[2:]) < 3:
            return
        group = self.parts if s[1] % self.parts == 0 and self.random.random() < 0.4 else 1
        out = group * int(self.random.integers(1, 4)) if group > 1 else self.size()
        bias = [self.weight([out])] if self.random.random() < 0.7 else []
        w = self.weight([out, s[1] // group, *[3] * (len(s) - 2)], (9 * s[1] / group) ** -0.5)
        self.op("Conv", [x, w, *bias], [s[0], out, *[d - 2 for d in s[2:]]], group=group)

    def add_shape_chain(self):
        """Reshape to a target made of the value's own Shape."""
        x, s = self.pick(2, 4)
        (shape,) = self.op("Shape", [x], [len(s)])
        (first,) = self.op("Gather", [shape, self.ints([0])], [1])
        (target,) = self.op("Concat", [first, self.ints([-1])], [2], axis=0)
        for name in (shape, first, target):
            del self.live[name]
        self.op("Reshape", [x, target], [s[0], math.prod(s[1:])])

    # -- result --

    def model(self):
        read = {name for node in self.nodes for name in node.input}
        ends = [n for n in self.live if n not in read and not n.startswith("x")]
        outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, self.live[n]) for n in ends]
        graph = helper.make_graph(self.nodes, "random", self.inputs, outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)

    def feed(self):
        shape = lambda info: [d.dim_value for d in info.type.tensor_type.shape.dim]
        return {i.name: self.random.standard_normal(shape(i)).astype(numpy.float32) for i in self.inputs}
