"""A recommender (DLRM): tables of different sizes, one of them looked up in several times, two MLPs, an interaction."""

import numpy

from small_models import SmallModel

WIDTH = 32
WORDS = [4000, 1500, 1000, 96, 24]  # of the tables; the first one is multi-hot
HOT = 5
DENSE = 13


def mlp(small, x, widths):
    for inner, outer in zip(widths, widths[1:]):
        x = small.linear(x, inner, outer, relu=outer != 1)
    return x


def looked_up(small, batch):
    """A [batch, WIDTH] of each table."""
    found = []
    for i, words in enumerate(WORDS):
        table = small.weight(words, WIDTH)
        dims = [batch, HOT] if i == 0 else [batch]
        x = small.op("Gather", table, small.ids(f"ids{i}", dims, words, dims=["batch", *dims[1:]]), axis=0)
        found.append(small.op("ReduceSum", x, small.ints(1), keepdims=0) if i == 0 else x)
    return found


def dots(small, features):
    """The products of every two of them, those below the diagonal."""
    count = len(features)
    stacked = small.op("Concat", *(small.op("Unsqueeze", f, small.ints(1)) for f in features), axis=1)
    products = small.op("MatMul", stacked, small.op("Transpose", stacked, perm=[0, 2, 1]))
    flat = small.op("Reshape", products, small.ints(-1, count * count))
    below = [i * count + j for i in range(count) for j in range(i)]
    return small.op("Gather", flat, small.ints(*below), axis=1), len(below)


def recommender(interaction, batch=6):
    """A SmallModel and its ONNX model; `interaction`: "concat" or "dot"."""
    small = SmallModel(opset=18, seed=7)
    dense = small.input("dense", small.random.standard_normal([batch, DENSE]).astype(numpy.float32), ["batch", DENSE])
    features = [mlp(small, dense, [DENSE, 64, WIDTH]), *looked_up(small, batch)]
    if interaction == "dot":
        pairs, count = dots(small, features)
        x, width = small.op("Concat", features[0], pairs, axis=1), WIDTH + count
    else:
        x, width = small.op("Concat", *features, axis=1), WIDTH * len(features)
    score = small.op("Sigmoid", mlp(small, x, [width, 128, 64, 1]))
    return small, small.model(score)
