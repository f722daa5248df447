"""Attention blocks with fewer heads of keys and values than of queries."""

import numpy

from small_models import SmallModel

BATCH, LENGTH, HEAD = 2, 6, 4


class Block:
    """y = x + projection(attention(q, k, v)); `kv` heads for `heads` of queries."""

    def __init__(self, heads, kv, opset=18):
        self.heads, self.kv, self.width = heads, kv, heads * HEAD
        self.small = SmallModel(opset, seed=11)
        x = self.small.random.standard_normal([BATCH, LENGTH, self.width]).astype(numpy.float32)
        self.x = self.small.input("x", x, ["batch", LENGTH, self.width])

    def projections(self):
        return [self.small.op("MatMul", self.x, self.small.weight(self.width, n * HEAD))
                for n in (self.heads, self.kv, self.kv)]

    def apart(self, x, heads):
        shaped = self.small.op("Reshape", x, self.small.ints(0, 0, heads, HEAD))
        return self.small.op("Transpose", shaped, perm=[0, 2, 1, 3])

    def spread(self, x):
        """[b kv s d] -> [b heads s d] as torch's repeat_kv."""
        op, ints = self.small.op, self.small.ints
        wide = op("Expand", op("Unsqueeze", x, ints(2)), ints(1, 1, self.heads // self.kv, 1, 1))
        return op("Reshape", wide, ints(0, self.heads, LENGTH, HEAD))

    def attend(self, q, k, v):
        op = self.small.op
        weights = op("Softmax", op("MatMul", q, op("Transpose", k, perm=[0, 1, 3, 2])), axis=-1)
        return op("MatMul", weights, v)

    def end(self, heads_apart):
        mixed = self.small.op("Transpose", heads_apart, perm=[0, 2, 1, 3])
        return self.end_flat(self.small.op("Reshape", mixed, self.small.ints(0, 0, self.width)))

    def end_flat(self, mixed):
        y = self.small.op("MatMul", mixed, self.small.weight(self.width, self.width))
        return self.small, self.small.model(self.small.op("Add", self.x, y))


def spread_keys(heads, kv):
    block = Block(heads, kv)
    q, k, v = block.projections()
    k, v = block.spread(block.apart(k, kv)), block.spread(block.apart(v, kv))
    return block.end(block.attend(block.apart(q, heads), k, v))


def broadcast_key(heads, kv):
    """One head of keys: the product broadcasts it."""
    block = Block(heads, kv)
    q, k, v = block.projections()
    return block.end(block.attend(block.apart(q, heads), block.apart(k, kv), block.apart(v, kv)))


def attention_of_four_dimensions(heads, kv):
    block = Block(heads, kv, opset=23)
    q, k, v = block.projections()
    return block.end(block.small.op("Attention", block.apart(q, heads), block.apart(k, kv), block.apart(v, kv)))


def attention_of_three_dimensions(heads, kv):
    block = Block(heads, kv, opset=23)
    return block.end_flat(block.small.op("Attention", *block.projections(), q_num_heads=heads, kv_num_heads=kv,
                                         is_causal=1))


CASES = {make.__name__: make for make in (spread_keys, broadcast_key, attention_of_four_dimensions,
                                          attention_of_three_dimensions)}
