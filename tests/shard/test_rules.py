"""The rule validator: every row that a rule gives for a node is run on shards and compared with the whole node."""

import collections
import itertools

import numpy
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import states
from node_cases import all_cases
from simulate import Ranks, is_collective, session

MOST_TRIES = 48  # ways to cut the inputs of one case, when looking for rows that no rule gives


def runner(model):
    """inputs -> outputs on onnxruntime, or on ONNX's reference where that lacks the op or the type."""
    try:
        run = session(model)
    except Exception:  # noqa: BLE001: onnxruntime's own types
        run = ReferenceEvaluator(model)
        names = list(model.graph.output)
        return lambda inputs: {o.name: numpy.asarray(v) for o, v in zip(names, run.run(None, inputs))}
    names = [o.name for o in run.get_outputs()]
    return lambda inputs: dict(zip(names, run.run(names, inputs)))


def check_row(row, models, inputs, want, random):
    """None where the row is sound on these inputs, else a line."""
    parts = len(models)
    ranks = [{} for _ in range(parts)]
    scale = 0.0
    for tensor in row.get("inputs", []):
        held = states.cut(inputs[tensor["name"]], tensor["state"], parts, random)
        scale = max([scale, *(_largest(h) for h in held)] if tensor["state"]["kind"] == "P" else [scale])
        for rank, part in zip(ranks, held):
            rank[tensor["name"]] = numpy.asarray(part)
    try:
        if any(is_collective(node) for node in models[0].graph.node):
            got = Ranks(models).run(ranks)
        else:
            got = [runner(model)(rank) for model, rank in zip(models, ranks)]
        for tensor in row["outputs"]:
            name = tensor["name"]
            value = states.together([numpy.asarray(g[name]) for g in got], tensor["state"])
            terms = max(_largest(g[name]) for g in got) if tensor["state"]["kind"] == "P" else 0
            line = states.difference(value, want[name], max(terms, scale) * 4)
            if line:
                return f"'{name}' {line}"
    except Exception as error:  # noqa: BLE001: whatever a wrong shard makes the engine say
        return str(error).splitlines()[0][:300]
    return None


def averages_integers(row, inputs):
    """Such a state never comes about: a mean of integers is rounded, so that it has no rule."""
    tensors = row.get("inputs", [])
    return any(t["state"].get("reduce") == "avg" and inputs[t["name"]].dtype.kind not in "fc" for t in tensors)


def _largest(array):
    array = numpy.asarray(array)
    if array.dtype.kind not in "fc" or not array.size:
        return 0.0
    return float(numpy.nanmax(abs(array[numpy.isfinite(array)].astype(float)), initial=0))


@pytest.fixture(scope="module")
def with_rules(lab):
    ops = set(lab.ask(do="ops")["ops"])
    cases, total = all_cases()
    return ops, [c for c in cases if c.model.graph.node[0].op_type in ops], cases, total


@pytest.mark.seconds(300)
@pytest.mark.parametrize("parts", [2, 3])
def test_no_row_of_any_node_case_is_unsound(lab, with_rules, tmp_path, parts, capsys):
    ops, cases, singles, total = with_rules
    random = numpy.random.default_rng(parts)
    counts, wrong, seen, refused = collections.Counter(), [], set(), []
    for case in cases:
        file = tmp_path / "case.onnx"
        onnx.save(case.model, file)
        answer = lab.ask(do="rows", model=file, parts=parts, out=tmp_path)
        if "error" in answer:
            wrong.append(f"{case.name}: {answer['error']}")
            continue
        (node,) = answer["nodes"]
        counts["nodes"] += 1
        counts["ruled"] += node["rule"]
        if not node["rows"]:
            continue
        try:
            want = runner(case.model)(case.inputs)
        except Exception as error:  # noqa: BLE001
            refused.append(f"{case.name}: {str(error).splitlines()[0][:80]}")
            continue
        counts["split"] += 1
        for row in node["rows"]:
            if averages_integers(row, case.inputs):
                continue
            models = [onnx.load(tmp_path / f"{row['prefix']}.rank{rank}") for rank in range(parts)]
            counts["rows"] += 1
            seen.add(node["op"])
            line = check_row(row, models, case.inputs, want, random)
            if line:
                wrong.append(f"{case.name} ({node['op']}): {row['text']}: {line}")
    with capsys.disabled():
        print(f"\n{parts} ranks: {counts['rows']} rows of {len(seen)} ops on {counts['split']} node cases checked, "
              f"{len(wrong)} unsound; {len(ops)} ops have rules, which cover {counts['ruled']} of {len(singles)} "
              f"single-node cases ({total} cases in all); not run here: {len(refused)}")
    assert not wrong, "\n".join(wrong)
    assert counts["rows"] > 500


def plain_cuts(array, parts):
    """Whole, or plainly cut along a dimension."""
    yield {"kind": "R"}
    for axis, size in enumerate(array.shape):
        if size and size % parts == 0:
            yield {"kind": "S", "axis": axis, "cut": "plain"}


def state_of(outputs, want):
    """The state of the outputs in which the ranks' are the whole's, if they are in one; replicated does not count."""
    first = next(iter(want))
    candidates = [{"kind": "S", "axis": axis, "cut": "plain"} for axis in range(want[first].ndim)]
    candidates += [{"kind": "P", "reduce": reduce} for reduce in ("sum", "max", "min", "avg")]
    for state in candidates:
        try:
            if all(states.difference(states.together([o[name] for o in outputs], state), want[name]) is None
                   for name in want):
                return state
        except Exception:  # noqa: BLE001: does not fit together
            continue
    return None


def text_of(state):
    return "R" if state["kind"] == "R" else f"S({state['axis']})" if state["kind"] == "S" else f"P({state['reduce']})"


@pytest.mark.seconds(3600)
def test_rows_that_rules_miss_are_counted(lab, with_rules, long, tmp_path, capsys):
    """Not an error, but a chance missed: the node as it is computes the same on shards, and no row says so."""
    if not long:
        pytest.skip("counts, proves nothing: TESSERA_LONG=1 runs it")
    _, _, cases, _ = with_rules
    parts, random = 2, numpy.random.default_rng(1)
    missed, tried = collections.defaultdict(set), 0
    for case in cases:
        file = tmp_path / "case.onnx"
        onnx.save(case.model, file)
        answer = lab.ask(do="rows", model=file, parts=parts, out=tmp_path)
        if "error" in answer or not answer["nodes"]:
            continue
        known = {tuple(text_of(t["state"]) for t in row.get("inputs", [])) for row in answer["nodes"][0]["rows"]}
        try:
            run = runner(case.model)
            want = run(case.inputs)
        except Exception:  # noqa: BLE001: not run here
            continue
        if any(not isinstance(w, numpy.ndarray) or w.size < 4 or w.dtype.kind not in "fciub" for w in want.values()):
            continue
        ways = itertools.product(*(list(plain_cuts(a, parts)) for a in case.inputs.values()))
        for way in itertools.islice(ways, 1, MOST_TRIES):
            tried += 1
            ranks = [dict(zip(case.inputs, held)) for held in
                     zip(*(states.cut(a, s, parts, random) for a, s in zip(case.inputs.values(), way)))]
            try:
                outputs = [run(rank) for rank in ranks]
            except Exception:  # noqa: BLE001: does not run on shards
                continue
            state = state_of(outputs, want)
            if state and tuple(map(text_of, way)) not in known:
                op = case.model.graph.node[0].op_type
                missed[op].add(f"{' '.join(map(text_of, way))} -> {text_of(state)} ({case.name})")
    with capsys.disabled():
        print(f"\n{tried} ways to cut inputs tried; ops with ways that no row has: {len(missed)}")
        for op, ways in sorted(missed.items(), key=lambda item: -len(item[1])):
            print(f"  {op}: {len(ways)}, as {sorted(ways)[0]}")
