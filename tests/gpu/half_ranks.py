"""How far rounding alone takes the ranks of a sharded fp16 or bf16 model from its fp32 answers, worked out without a GPU.

    half_ranks.py TESSERA MODEL.onnx [RANKS ..]        an fp32 model; it is made fp16 and sharded here

Every operator computes in fp32 and rounds its result to fp16 (bf16), as GPU kernels do; an all-reduce adds such values one
after the other, in any order. No code of Tessera or of the stand-in engine takes part but the shards. CPU ranks would not
tell: their engine computes fp16 models in fp32 inside.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from half import HALVES, in_half, to_half

SAMPLES = 16


class GatherElements(OpRun):
    """That of onnx fails for more than 64 rows."""

    op_domain = ""

    def _run(self, data, indices, axis=None):
        return (np.take_along_axis(data, indices, axis or 0),)


class Rank:
    """A rank's model, run node by node; `values` by name."""

    def __init__(self, model: onnx.ModelProto):
        self.nodes = list(model.graph.node)
        self._weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self._opsets = [opset for opset in model.opset_import if opset.domain != "tessera"]
        self._evaluators: dict[int, ReferenceEvaluator] = {}
        self.values: dict[str, np.ndarray] = {}

    def start(self, inputs: dict[str, np.ndarray]) -> None:
        self.values = {**self._weights, **inputs}

    def run(self, at: int) -> None:
        node = self.nodes[at]
        given = {name: self.values[name] for name in node.input if name}
        half = None if node.op_type == "Cast" else next((v.dtype for v in given.values() if is_half(v)), None)
        if half:
            given = {name: value.astype(np.float32) if is_half(value) else value for name, value in given.items()}
        if at not in self._evaluators:
            self._evaluators[at] = self._evaluator(node)
        for name, value in zip(node.output, self._evaluators[at].run(None, given)):
            self.values[name] = rounded(value, half) if half else value

    def _evaluator(self, given: onnx.NodeProto) -> ReferenceEvaluator:
        node = onnx.NodeProto()
        node.CopyFrom(given)
        hints = [attribute for attribute in node.attribute if attribute.name.startswith("TRT_")]  # TensorRT's own
        for hint in hints:
            node.attribute.remove(hint)
        inputs, outputs = ([helper.make_value_info(name, onnx.TypeProto()) for name in names if name]
                           for names in (node.input, node.output))
        return ReferenceEvaluator(helper.make_model(helper.make_graph([node], "node", inputs, outputs),
                                                    opset_imports=self._opsets), new_ops=[GatherElements])


class RoundedModel(Rank):
    """A model in fp32 of which every number is rounded to `half`, and no farther than to its largest: what comes of rounding
    everything, whoever does it."""

    def __init__(self, model: onnx.ModelProto, half):
        super().__init__(model)
        self._half = half
        self._weights = {name: self._round(value) for name, value in self._weights.items()}

    def answer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.start({name: self._round(value) for name, value in inputs.items()})
        for at, node in enumerate(self.nodes):
            self.run(at)
            self.values.update({name: self._round(self.values[name]) for name in node.output if name})
        return self.values

    def _round(self, value: np.ndarray) -> np.ndarray:
        if value.dtype != np.float32:
            return value
        return np.where(np.isinf(value), value, in_half(value, self._half).astype(np.float32))


def is_half(value: np.ndarray) -> bool:
    return value.dtype in HALVES.values()


def rounded(value: np.ndarray, half) -> np.ndarray:
    """Floats in `half`; integers and booleans as they are."""
    return value.astype(half) if np.issubdtype(value.dtype, np.floating) else value


def collect(node: onnx.NodeProto, parts: list[np.ndarray], order) -> np.ndarray:
    what = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if what["collective_operation"] == b"all_gather":
        return np.concatenate(parts)
    assert (what["collective_operation"], what["reduce_op"]) == (b"all_reduce", b"sum"), what
    total = parts[order[0]]
    for rank in order[1:]:
        total = total + parts[rank]  # in the parts' own type
    return total


class HalfRanks:
    """The ranks that plan.json in the folder `version` names: `files`."""

    def __init__(self, version: pathlib.Path):
        plan = json.loads((version / "plan.json").read_text())
        self.files = [version / rank["model"]["file"] for rank in plan["ranks"]]
        self._ranks = [Rank(onnx.load(file)) for file in self.files]
        self._axes = {output["name"]: output["layout"].get("axis") for output in plan["outputs"]}

    def answer(self, inputs: dict[str, np.ndarray], order=None) -> dict[str, np.ndarray]:
        """The outputs, pieces side by side or rank 0's, to inputs of which every rank has the whole; `order` is the one in
        which ranks' values are added."""
        self._run(inputs, order if order is not None else range(len(self._ranks)))
        values = [rank.values for rank in self._ranks]
        return {name: values[0][name] if axis is None else np.concatenate([of[name] for of in values], axis)
                for name, axis in self._axes.items()}

    def _run(self, inputs: dict[str, np.ndarray], order) -> None:
        for rank in self._ranks:
            rank.start(inputs)
        for at, node in enumerate(self._ranks[0].nodes):
            if node.op_type != "DistCollective":
                for rank in self._ranks:
                    rank.run(at)
                continue
            whole = collect(node, [rank.values[rank.nodes[at].input[0]] for rank in self._ranks], order)
            for rank in self._ranks:
                rank.values[rank.nodes[at].output[0]] = whole

    def errors(self, inputs: dict[str, np.ndarray], fp32_answer, outputs: list[str]) -> dict[str, np.ndarray]:
        """By output, SAMPLES errors relative to the largest value of fp32_answer(inputs): to `inputs` (fp16) and to ones that
        differ in floats' last bits, added in random orders."""
        random = np.random.default_rng(0)
        found = {name: [] for name in outputs}
        for sample in range(SAMPLES):
            near = inputs if sample == 0 else {name: nudged(value, random) for name, value in inputs.items()}
            wanted = fp32_answer({name: value.astype(np.float32) if value.dtype == np.float16 else value
                                  for name, value in near.items()})
            got = self.answer(near, random.permutation(len(self._ranks)))
            for name in outputs:
                difference = np.abs(got[name].astype(np.float64) - wanted[name])
                found[name].append(float(np.nanmax(difference) / np.nanmax(np.abs(wanted[name]))))
        return {name: np.array(values) for name, values in found.items()}


def nudged(value: np.ndarray, random: np.random.Generator) -> np.ndarray:
    if value.dtype != np.float16:
        return value
    return np.nextafter(value, random.choice(np.array([-np.inf, np.inf], np.float16), value.shape))


def root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def main(tessera: str, model: str, *ranks: str) -> None:
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
    from reference import Reference
    reference = Reference(pathlib.Path(model))
    given = {name: value.astype(np.float16) if value.dtype == np.float32 else value
             for name, value in reference.random_inputs().items()}
    with tempfile.TemporaryDirectory() as made:
        half = pathlib.Path(made, "half.onnx")
        onnx.save(to_half(onnx.load(model)), half)
        for world in map(int, ranks or ("1", "2", "4")):
            subprocess.run([tessera, "shard", half, "--ranks", str(world), "-o", made, "--name", f"on{world}", "--strategy",
                            "tensor", "--engine", "tensorrt", "--json"], check=True, stdout=subprocess.DEVNULL)
            errors = HalfRanks(pathlib.Path(made, f"on{world}", "1")).errors(given, reference.answer, reference.outputs)
            for name, values in errors.items():
                print(f"{world} ranks, {name}: root mean square {root_mean_square(values):.1e}, "
                      f"{values.min():.1e} .. {values.max():.1e}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
