"""Sharding states over arrays: what each rank holds of a value, and the value again. States come from shard_lab."""

import numpy

ATOL = {numpy.float16: 4e-3, numpy.float32: 2e-5, numpy.float64: 1e-7}


def indices(state, size, parts):
    """The elements of the cut axis that each rank holds."""
    if "indices" in state:
        return state["indices"]
    assert state["cut"] == "plain" and size % parts == 0, (state, size)
    return numpy.arange(size).reshape(parts, size // parts)


def cut(value, state, parts, random):
    """What each rank holds of `value`. Terms of a partial one are uneven and of both signs."""
    if state["kind"] == "R":
        return [value] * parts
    if state["kind"] == "S":
        axis = state["axis"]
        return [numpy.take(value, held, axis) for held in indices(state, value.shape[axis], parts)]
    return _terms(value, state["reduce"], parts, random)


def _terms(value, reduce, parts, random):
    def noise():
        if value.dtype.kind in "fc":
            return (random.standard_normal(value.shape) * (1 + random.random())).astype(value.dtype)
        return random.integers(0, 3, value.shape).astype(value.dtype)

    if reduce == "sum":
        others = [noise() for _ in range(parts - 1)]
        return [value - sum(others[1:], others[0])] + others if others else [value]
    if reduce == "avg":
        others = [value + noise() for _ in range(parts - 1)]
        return [value * parts - sum(others[1:], others[0])] + others if others else [value]
    sign = -1 if reduce == "max" else 1
    terms = [value + sign * abs(noise()) for _ in range(parts)]
    owner = random.integers(0, parts, value.shape)
    return [numpy.where(owner == rank, value, term).astype(value.dtype) for rank, term in enumerate(terms)]


def together(parts, state):
    """The value of which the ranks hold `parts`; raises AssertionError where replicas differ."""
    if state["kind"] == "R":
        for rank, part in enumerate(parts[1:], 1):
            assert equal(parts[0], part), f"rank {rank} differs from rank 0 in a replicated value"
        return parts[0]
    if state["kind"] == "S":
        axis = state["axis"]
        size = sum(part.shape[axis] for part in parts)
        if "indices" in state:  # some elements may be held by several ranks
            size = len({i for held in state["indices"] for i in held})
        shape = list(parts[0].shape)
        shape[axis] = size
        whole = numpy.empty(shape, parts[0].dtype)
        for part, held in zip(parts, indices(state, size, len(parts))):
            at = [slice(None)] * len(shape)
            at[axis] = numpy.asarray(held, int)
            whole[tuple(at)] = part
        return whole
    return reduce_parts(parts, state["reduce"])


def reduce_parts(parts, how):
    if how == "max":
        return numpy.maximum.reduce(parts)
    if how == "min":
        return numpy.minimum.reduce(parts)
    if how == "prod":
        return numpy.multiply.reduce(parts)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total if how == "sum" else (total / len(parts)).astype(total.dtype)


def equal(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and numpy.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def difference(got, want, scale=0.0):
    """None where `got` is `want` up to rounding relative to the largest element (or `scale`), else a line."""
    got, want = numpy.asarray(got), numpy.asarray(want)
    if got.dtype != want.dtype:
        return f"is {got.dtype}, wanted {want.dtype}"
    if got.shape != want.shape:
        return f"has shape {got.shape}, wanted {want.shape}"
    if want.dtype.kind not in "fc":
        return None if numpy.array_equal(got, want) else "differs"
    if not numpy.array_equal(numpy.isfinite(got), numpy.isfinite(want)):
        return "is not finite in other places"
    finite = numpy.isfinite(want)
    if not finite.any():
        return None
    error = abs(got[finite].astype(float) - want[finite].astype(float)).max()
    largest = max(abs(want[finite].astype(float)).max(), scale, 1e-30)
    tolerance = ATOL.get(want.dtype.type, 1e-5)
    return None if error <= tolerance * largest else f"is off by {error / largest:.2e} of the largest element"
