"""The plan that a person writes for a transformer: queries, keys, values and the MLP's first layer cut by columns, the
layers after them by rows, all else whole. Read from the graph by what lies between the products, without the compiler's
rules. Source: M. Shoeybi et al., "Megatron-LM", 2019."""

from onnx import helper, numpy_helper

MOVES = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Slice", "Split", "Concat", "Identity", "Cast",
         "RotaryEmbedding"}
ADDS = {"Add", "Mul", "Sub", "Div", "Neg", "Where"}
CURVES = {"Gelu", "Erf", "Tanh", "Sigmoid", "Relu", "Swish", "Pow"}


class Megatron:
    def __init__(self, model, parts):
        self.parts, self.graph = parts, model.graph
        self.constants = {t.name: t for t in model.graph.initializer}
        self.makers = {name: node for node in model.graph.node for name in node.output}
        self.readers = {}
        for node in model.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def weights(self):
        """{weight: {"axis": A, "segments": [..]} or None = whole}, of every matrix."""
        plan = {}
        for node in self.graph.node:
            weight = self.weight(node)
            if weight is None:
                continue
            plan[weight] = None
            if self.before(node) in ("attention", "curve") and self.narrows_or_keeps(node):
                plan[weight] = self.rows(node, weight)
            elif self.feeds_attention(node) or self.widens(node):
                plan[weight] = self.columns(node, weight)
        # A row without its columns would need a slice of its own: whole.
        if not any(cut for cut in plan.values()):
            raise ValueError("this is no transformer")
        return plan

    # -- products with a weight --

    def weight(self, node):
        """The matrix of a product with a constant one, an expert's picked by a router too."""
        if node.op_type not in ("MatMul", "Gemm"):
            return None
        for name in node.input[:2]:
            picked = self.makers.get(name)
            if picked is not None and picked.op_type in ("GatherND", "Gather") and picked.input[0] in self.constants:
                name = picked.input[0]
            if name in self.constants and len(self.constants[name].dims) >= 2:
                return name
        return None

    def contracted(self, node, weight):
        """The axis of the weight that is summed over; the other one of its last two is the output."""
        last = len(self.constants[weight].dims) - 1
        if weight not in node.input:  # an expert's matrix on the left
            return last
        if node.op_type == "Gemm":
            return 1 if any(a.name == "transB" and a.i for a in node.attribute) else 0
        return last - 1

    def sizes(self, node):
        weight = self.weight(node)
        dims, k = self.constants[weight].dims, self.contracted(node, weight)
        return dims[k], dims[2 * len(dims) - 3 - k]

    def widens(self, node):
        """The first layer of an MLP: a curve is next, and then a product that comes back to this width."""
        inner, outer = self.sizes(node)
        ends = self.forward(node, CURVES | {"Mul"})
        return outer > inner and any(self.sizes(end)[1] == inner and self.before(end) == "curve" for end in ends)

    def narrows_or_keeps(self, node):
        if self.before(node) == "attention":
            return True
        return any(self.widens(start) for start in self.starts(node))

    # -- what lies around a product --

    def before(self, node):
        """What the last thing before a product was: "attention", a "curve", or something else."""
        pending, seen, found = [self.activation(node)], set(), set()
        while pending:
            maker = self.makers.get(pending.pop())
            if maker is None or id(maker) in seen:
                continue
            seen.add(id(maker))
            if self.attends(maker):
                found.add("attention")
            elif maker.op_type in CURVES:
                found.add("curve")
            elif maker.op_type in MOVES | {"Mul", "Div"} or (maker.op_type == "Add" and self.adds_a_constant(maker)):
                pending += maker.input
        return "attention" if "attention" in found else "curve" if "curve" in found else ""

    def attends(self, node):
        """An attention, or one of its two products: a softmax comes right after it or right before."""
        if node.op_type != "MatMul" or self.weight(node):
            return node.op_type == "Attention"
        between = MOVES | ADDS | {"IsNaN"}
        after = any(end.op_type == "Softmax" for end in self.reached(node.output, self.readers_of, between))
        return after or any(end.op_type == "Softmax" for end in self.reached(node.input[:1], self.makers_of, between))

    def readers_of(self, name):
        return [(reader, reader.output) for reader in self.readers.get(name, [])]

    def makers_of(self, name):
        return [(self.makers[name], self.makers[name].input)] if name in self.makers else []

    def reached(self, names, step, through):
        """The first nodes that are not of `through`, from these values on."""
        pending, seen, ends = list(names), set(), []
        while pending:
            for node, further in step(pending.pop()):
                if id(node) in seen:
                    continue
                seen.add(id(node))
                if node.op_type in through:
                    pending += further
                else:
                    ends.append(node)
        return ends

    def starts(self, node):
        """The products from which a curve leads to this one."""
        pending, seen, found = [self.activation(node)], set(), []
        while pending:
            maker = self.makers.get(pending.pop())
            if maker is None or id(maker) in seen:
                continue
            seen.add(id(maker))
            if self.weight(maker):
                found.append(maker)
            elif maker.op_type in MOVES | ADDS | CURVES:
                pending += maker.input
        return found

    def activation(self, node):
        weight = self.weight(node)
        return next(name for name in node.input[:2] if name != weight and
                    not (name in self.makers and weight in self.makers[name].input))

    def forward(self, node, through):
        """The products that are reached through movements, sums and `through`."""
        pending, seen, found = list(node.output), set(), []
        while pending:
            for reader in self.readers.get(pending.pop(), []):
                if id(reader) in seen:
                    continue
                seen.add(id(reader))
                if self.weight(reader):
                    found.append(reader)
                elif reader.op_type in MOVES | ADDS | through:
                    pending += reader.output
        return found

    def feeds_attention(self, node):
        """Through movements and sums to the product of queries and keys, or of weights and values."""
        pending, seen = list(node.output), set()
        while pending:
            for reader in self.readers.get(pending.pop(), []):
                if id(reader) in seen:
                    continue
                seen.add(id(reader))
                if self.attends(reader):
                    return True
                residual = reader.op_type == "Add" and not self.adds_a_constant(reader) and not self.rotates(reader)
                if reader.op_type in MOVES | ADDS and not residual and not self.weight(reader):
                    pending += reader.output
        return False

    def adds_a_constant(self, node):
        return any(name in self.constants for name in node.input)

    def rotates(self, node):
        """x * cos + rotated x * sin."""
        makers = [self.makers.get(name) for name in node.input]
        return all(maker is not None and maker.op_type == "Mul" for maker in makers)

    # -- cuts --

    def rows(self, node, weight):
        axis = self.contracted(node, weight)
        return {"axis": axis, "segments": []} if self.constants[weight].dims[axis] % self.parts == 0 else None

    def columns(self, node, weight):
        dims = self.constants[weight].dims
        axis = 2 * len(dims) - 3 - self.contracted(node, weight)
        segments, heads = self.taken_apart(node)
        if heads % self.parts or any(size % self.parts for size in segments or [dims[axis]]):
            return None
        return {"axis": axis, "segments": segments}

    def taken_apart(self, node):
        """What a fused projection is split into, and how many heads the smallest part has."""
        pending, segments, heads = list(node.output), [], []
        seen = set()
        while pending:
            for reader in self.readers.get(pending.pop(), []):
                if id(reader) in seen or self.weight(reader):
                    continue
                seen.add(id(reader))
                if reader.op_type == "Split" and not segments:
                    segments = self.split_sizes(reader)
                elif reader.op_type == "Reshape":
                    heads += self.heads_of(reader)
                    if heads:
                        continue
                if reader.op_type in ("Add", "Split", "Squeeze", "Reshape"):
                    pending += reader.output
        return segments, min(heads, default=self.parts)

    def split_sizes(self, node):
        if len(node.input) > 1 and node.input[1] in self.constants:
            return numpy_helper.to_array(self.constants[node.input[1]]).tolist()
        shapes = {v.name: v.type.tensor_type.shape for v in self.graph.value_info}
        axis = next((helper.get_attribute_value(a) for a in node.attribute if a.name == "axis"), 0)
        return [shapes[name].dim[axis].dim_value for name in node.output]

    def heads_of(self, node):
        """The heads of a reshape to [batch, length, heads, size]."""
        shape = next((v.type.tensor_type.shape for v in self.graph.value_info if v.name == node.output[0]), None)
        values = [d.dim_value for d in shape.dim] if shape else []
        return [values[2]] if len(values) == 4 and values[2] > 0 else []
