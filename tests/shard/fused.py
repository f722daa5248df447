"""Attention and MLP blocks whose projections are fused into one matrix and cut again, as exporters write it."""

import numpy

from small_models import SmallModel

BATCH, LENGTH, HEADS, HEAD = 2, 5, 8, 4
WIDTH = HEADS * HEAD


def _start(opset=18, width=WIDTH):
    small = SmallModel(opset, seed=3)
    x = small.random.standard_normal([BATCH, LENGTH, width]).astype(numpy.float32)
    return small, small.input("x", x, ["batch", "length", width])


def _sliced(small, x, start, end, axis=2):
    return small.op("Slice", x, small.ints(start), small.ints(end), small.ints(axis))


def _heads(small, x, heads, head=HEAD):
    return small.op("Transpose", small.op("Reshape", x, small.ints(0, 0, heads, head)), perm=[0, 2, 1, 3])


def _attend(small, q, k, v, width=WIDTH):
    """[b h s d] each; gives [b s h*d] times a matrix."""
    scores = small.op("Softmax", small.op("MatMul", q, small.op("Transpose", k, perm=[0, 1, 3, 2])), axis=-1)
    mixed = small.op("Transpose", small.op("MatMul", scores, v), perm=[0, 2, 1, 3])
    flat = small.op("Reshape", mixed, small.ints(0, 0, width))
    return small.op("MatMul", flat, small.weight(width, width))


def _fused(small, x, width=WIDTH, times=3):
    return small.op("Add", small.op("MatMul", x, small.weight(WIDTH, times * width)), small.weight(times * width))


def qkv_by_constant_bounds():
    small, x = _start()
    fused = _fused(small, x)
    q, k, v = (_sliced(small, fused, i * WIDTH, (i + 1) * WIDTH) for i in range(3))
    return small, small.model(_attend(small, *(_heads(small, part, HEADS) for part in (q, k, v))))


def qkv_by_bounds_from_the_end():
    small, x = _start()
    fused = _fused(small, x)
    most = numpy.iinfo(numpy.int64).max
    bounds = [(0, -2 * WIDTH), (-2 * WIDTH, -WIDTH), (-WIDTH, most)]
    q, k, v = (_sliced(small, fused, *b, axis=-1) for b in bounds)
    return small, small.model(_attend(small, *(_heads(small, part, HEADS) for part in (q, k, v))))


def qkv_by_bounds_from_the_shape():
    """Shape -> + 2 -> / 3 is the width of a piece."""
    small, x = _start()
    fused = _fused(small, x)
    size = small.op("Gather", small.op("Shape", fused), small.ints(-1), axis=0)
    piece = small.op("Div", small.op("Add", size, small.ints(2)), small.ints(3))
    bounds = [small.op("Mul", piece, small.ints(i)) for i in range(4)]
    q, k, v = (small.op("Slice", fused, bounds[i], bounds[i + 1], small.ints(2)) for i in range(3))
    return small, small.model(_attend(small, *(_heads(small, part, HEADS) for part in (q, k, v))))


def qkv_by_attributes():
    """As before opset 10."""
    small, x = _start(opset=9)
    fused = _fused(small, x)
    q, k, v = (small.op("Slice", fused, starts=[i * WIDTH], ends=[(i + 1) * WIDTH], axes=[2]) for i in range(3))
    return small, small.model(_attend(small, *(_heads(small, part, HEADS) for part in (q, k, v))))


def grouped_qkv():
    """Eight query heads, four of keys and values: pieces of different widths."""
    small, x = _start()
    kv = WIDTH // 2
    fused = small.op("MatMul", x, small.weight(WIDTH, WIDTH + 2 * kv))
    q = _heads(small, _sliced(small, fused, 0, WIDTH), HEADS)
    k, v = (_sliced(small, fused, WIDTH + i * kv, WIDTH + (i + 1) * kv) for i in range(2))
    spread = []
    for part in (k, v):
        each = small.op("Unsqueeze", _heads(small, part, HEADS // 2), small.ints(2))
        both = small.op("Concat", each, each, axis=2)
        spread.append(small.op("Reshape", both, small.ints(0, HEADS, -1, HEAD)))
    return small, small.model(_attend(small, q, *spread))


def qkv_in_every_head():
    """GPT-NeoX: [B, S, heads, 3 * d], and the three are cut out of the last axis."""
    small, x = _start()
    each = small.op("Transpose", small.op("Reshape", _fused(small, x), small.ints(0, 0, HEADS, 3 * HEAD)), perm=[0, 2, 1, 3])
    q, k, v = (_sliced(small, each, i * HEAD, (i + 1) * HEAD, axis=3) for i in range(3))
    return small, small.model(_attend(small, q, k, v))


def qkv_picked_from_an_axis():
    """[B, S, 3, heads, d] transposed to the front and picked by Gather."""
    small, x = _start()
    each = small.op("Transpose", small.op("Reshape", _fused(small, x), small.ints(0, 0, 3, HEADS, HEAD)),
                    perm=[2, 0, 3, 1, 4])
    q, k, v = (small.op("Gather", each, small.constant(numpy.array(i)), axis=0) for i in range(3))
    return small, small.model(_attend(small, q, k, v))


def _gated(split):
    small, x = _start()
    both = small.op("MatMul", x, small.weight(WIDTH, 4 * WIDTH))
    gate, up = split(small, both)
    gated = small.op("Mul", small.op("Mul", gate, small.op("Sigmoid", gate)), up)
    return small, small.model(small.op("MatMul", gated, small.weight(2 * WIDTH, WIDTH)))


def gate_and_up_by_slices():
    return _gated(lambda small, both: (_sliced(small, both, 0, 2 * WIDTH), _sliced(small, both, 2 * WIDTH, 4 * WIDTH)))


def gate_and_up_by_split():
    return _gated(lambda small, both: small.op("Split", both, small.ints(2 * WIDTH, 2 * WIDTH), outputs=2, axis=2))


def a_gap_between_pieces():
    """The middle third is read by nobody."""
    small, x = _start()
    fused = _fused(small, x)
    y = small.op("Mul", _sliced(small, fused, 0, WIDTH), _sliced(small, fused, 2 * WIDTH, 3 * WIDTH))
    return small, small.model(small.op("MatMul", y, small.weight(WIDTH, WIDTH)))


CASES = {case.__name__: case for case in (
    qkv_by_constant_bounds, qkv_by_bounds_from_the_end, qkv_by_bounds_from_the_shape, qkv_by_attributes, grouped_qkv,
    qkv_in_every_head, qkv_picked_from_an_axis, gate_and_up_by_slices, gate_and_up_by_split, a_gap_between_pieces)}
