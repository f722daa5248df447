"""Shards models and writes requests with the answers of onnxruntime and of CPU ranks, for the tests on GPUs.

    make_cases.py TESSERA ZOO FOLDER [CASES]           the models of the zoo
    make_cases.py TESSERA MODEL.onnx FOLDER [CASES]    one model; it takes its folder's name

Each model as it is, and in fp16 (NAME_fp16) with onnxruntime's answers of the fp32 one, at 2 and 4 ranks. Some of the zoo
(BUILT) also in bf16 (NAME_bf16), and as `tessera build --fp16` and `--bf16` give them to the builder (NAME_built_fp16,
NAME_built_bf16): fp32 inputs and outputs; the program half_ranks beside TESSERA makes them. CASES makes only what is named
so: "*_built_*"; of one model it must ask for these.
FOLDER/NAME-RANKS/ holds what `tessera shard` wrote, and requests.txt: a line "request", then for each tensor
"input|answer|cpu NAME TYPE 2x16 FILE [LIMIT]", FILE with its values, little endian. "answer" is onnxruntime's, "cpu" that
of as many CPU ranks through a real Triton with the backend beside TESSERA, for whatever that answers; none without it.
LIMIT is the allowed error of an answer that is wide of fp32 in fp16 whoever computes it, onnxruntime on the model that is not
sharded included: three times the root mean square of what rounding does to these ranks (half_ranks.py); and of one that was
computed in fewer bits than its type has. Without it the tests' limit holds.
"""

import contextlib
import dataclasses
import fnmatch
import itertools
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx

for folder in ("e2e", "triton"):
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / folder))
from clients import Client  # noqa: E402
from half import HALVES, in_half, to_half  # noqa: E402
from half_ranks import HalfRanks, root_mean_square  # noqa: E402
from reference import Reference, worst_relative_error  # noqa: E402
from server import TritonServer  # noqa: E402

ZOO = ("bert_dyn", "bert_op23", "clip", "dit", "gpt2", "gpt2_dyn", "llama_gqa_dyn", "llama_gqa_op18", "llama_gqa_op23",
       "mixtral_moe", "vae_decoder", "vit")
ALL = "*"
BUILT = ("bert_op23", "gpt2", "llama_gqa_op23", "vit")
TYPES = {"float32": "FP32", "float16": "FP16", "bfloat16": "BF16", "int64": "INT64", "int32": "INT32", "bool": "BOOL"}
HALF_LIMIT = 5e-3  # zoo_gpu_test's
LIMITS = {"fp16": HALF_LIMIT, "bf16": 2e-2}  # bf16: tests/tensorrt_rtx/test_half.py says why
WORLDS = (2, 4)
SIZES = [(2, 16), (1, 1), (5, 9), (8, 24)]  # batch, length


def as_half(tensors: dict[str, np.ndarray], half: np.dtype) -> dict[str, np.ndarray]:
    return {name: in_half(value, half) for name, value in tensors.items()}


def wide_of(answer: dict[str, np.ndarray], half_answer: dict[str, np.ndarray]) -> list[str]:
    """Outputs for which onnxruntime's fp16 leaves no room below the tests' limit."""
    errors = {name: worst_relative_error({name: half_answer[name].astype(value.dtype)}, {name: value})
              for name, value in answer.items() if value.dtype == np.float32}
    return [name for name, error in errors.items() if 2 * error > HALF_LIMIT]


def wide_limits(folder: pathlib.Path, given: dict[str, np.ndarray], fp32_answer, wide: list[str]) -> dict[str, float]:
    if not wide:
        return {}
    errors = HalfRanks(folder).errors(given, fp32_answer, wide)
    return {name: 3 * root_mean_square(values) for name, values in errors.items()}


class Requests:
    """A case's requests.txt and its files."""

    def __init__(self, folder: pathlib.Path):
        self._folder, self._lines = folder, []

    def add(self, tensors: dict[str, dict[str, np.ndarray]], limits: dict[str, float]) -> None:
        """`tensors`: input, answer and cpu, by name."""
        number = self._lines.count("request")
        self._lines.append("request")
        for kind, named in tensors.items():
            for at, (name, value) in enumerate(named.items()):
                file = f"{number}.{kind}.{at}.bin"
                (self._folder / file).write_bytes(np.ascontiguousarray(value).tobytes())
                shape = "x".join(map(str, value.shape))
                limit = f" {limits[name]:.4g}" if kind != "input" and name in limits else ""
                self._lines.append(f"{kind} {name} {TYPES[value.dtype.name]} {shape} {file}{limit}")
        (self._folder / "requests.txt").write_text("\n".join(self._lines) + "\n")


@dataclasses.dataclass
class Case:
    name: str
    reference: Reference    # of the fp32 model
    half: Reference | None = None  # the same model in fp16, where that is the one that was sharded
    given: np.dtype | None = None  # in what the model takes its floats, fp32 otherwise
    limit: float | None = None     # of all answers, where onnxruntime does not run it; there are no CPU ranks of it


def shard(tessera: str, model: pathlib.Path, ranks: int, repository: pathlib.Path, engine: str) -> pathlib.Path:
    name = f"{model.stem}-{ranks}"
    if (repository / name).exists():
        return repository / name
    subprocess.run([tessera, "shard", model, "--ranks", str(ranks), "-o", repository, "--name", name, "--strategy", "tensor",
                    "--engine", engine, "--json"], check=True, stdout=subprocess.DEVNULL)
    return repository / name


def write_requests(case: Case, folder: pathlib.Path, cpu: Client | None) -> None:
    requests = Requests(folder)
    for number, (batch, length) in enumerate(SIZES):
        inputs = case.reference.random_inputs(batch, length, seed=number)
        if number and all(value.shape == first[name].shape for name, value in inputs.items()):
            break  # a model of fixed shapes
        first = first if number else inputs
        given = as_half(inputs, case.given) if case.given else inputs
        answer = case.reference.answer(inputs)
        wide = wide_of(answer, case.half.answer(given)) if case.half else []
        limits = dict.fromkeys(answer, case.limit) if case.limit else wide_limits(folder, given, case.reference.answer, wide)
        for name, limit in limits.items() if wide else ():
            print(f"{case.name}, request {number}: the limit of {name} is {limit:.2g}")
        tensors = {"input": given, "answer": answer}
        if cpu and not case.limit:
            tensors["cpu"] = cpu.infer(case.name, given)
            off = worst_relative_error({n: v.astype(answer[n].dtype) for n, v in tensors["cpu"].items()}, answer)
            print(f"{case.name}, request {number}: CPU ranks are {off:.2g} off onnxruntime")
        requests.add(tensors, limits)


@contextlib.contextmanager
def loaded(client: Client, name: str):
    """One model at a time. OpenVINO trims the heap for every rank that ends: 48 models that end at once, with the server,
    take 4 s of two cores, and on busy ones longer than the server waits."""
    client.raw.load_model(name)
    yield
    client.raw.unload_model(name)


@dataclasses.dataclass
class Maker:
    """Makes the cases' folders, without requests, and the same models for CPU ranks in the repository work/cpu."""

    tessera: str
    folder: pathlib.Path
    work: pathlib.Path
    wanted: str
    one_model: bool

    def all_of(self, model: pathlib.Path) -> list[Case]:
        reference, half = Reference(model), self._in_half(model, "fp16")
        cases = [case for ranks in WORLDS for case in (
            self._sharded(model, ranks, Case(f"{model.stem}-{ranks}", reference)),
            self._sharded(half, ranks, Case(f"{half.stem}-{ranks}", reference, Reference(half), HALVES["fp16"])))]
        if model.stem in BUILT or (self.one_model and self.wanted != ALL):
            cases += self._narrow(model, reference)
        return [case for case in cases if case]

    def _narrow(self, model: pathlib.Path, reference: Reference) -> list[Case | None]:
        exported = self._in_half(model, "bf16")
        cases = [self._sharded(exported, ranks, Case(f"{exported.stem}-{ranks}", reference, given=HALVES["bf16"],
                                                     limit=LIMITS["bf16"])) for ranks in WORLDS]
        return cases + [self._built(model, ranks, half, Case(f"{model.stem}_built_{half}-{ranks}", reference, limit=limit))
                        for (half, limit), ranks in itertools.product(LIMITS.items(), WORLDS)]

    def _in_half(self, model: pathlib.Path, half: str) -> pathlib.Path:
        made = self.work / f"{model.stem}_{half}.onnx"
        onnx.save(to_half(onnx.load(model), HALVES[half]), made)
        return made

    def _sharded(self, model: pathlib.Path, ranks: int, case: Case) -> Case | None:
        if not fnmatch.fnmatch(case.name, self.wanted):
            return None
        shutil.copytree(shard(self.tessera, model, ranks, self.work / "gpu", "tensorrt") / "1", self.folder / case.name)
        if not case.limit:
            shard(self.tessera, model, ranks, self.work / "cpu", "openvino")
        return case

    def _built(self, model: pathlib.Path, ranks: int, half: str, case: Case) -> Case | None:
        if not fnmatch.fnmatch(case.name, self.wanted):
            return None
        made = shard(self.tessera, model, ranks, self.work / "gpu", "tensorrt")
        (self.folder / case.name).mkdir(parents=True)
        subprocess.run([pathlib.Path(self.tessera).with_name("half_ranks"), made / "1", half.upper(),
                        self.folder / case.name], check=True, stdout=subprocess.DEVNULL)
        return case


def main(tessera: str, source: str, folder: str, wanted: str = ALL) -> None:
    given, made = pathlib.Path(source), pathlib.Path(folder)
    backends = pathlib.Path(tessera).resolve().parent.parent / "backends"
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        work = pathlib.Path(temporary)
        models = [given / f"{name}.onnx" for name in ZOO] if given.is_dir() else []
        if not models:
            models = [work / f"{given.parent.name}.onnx"]
            shutil.copy(given, models[0])
        maker = Maker(tessera, made, work, wanted, one_model=not given.is_dir())
        cases = [case for model in models for case in maker.all_of(model)]
        if all(case.limit for case in cases):
            client = None
        elif (backends / "tensorrt" / "libtriton_tensorrt.so").exists():
            server = TritonServer(work / "cpu", backends, "--model-control-mode=explicit")
            client = Client(stack.enter_context(server), "grpc")
        else:
            client = None
            print(f"without the answers of CPU ranks: no backend in {backends}")
        for case in cases:
            with loaded(client, case.name) if client and not case.limit else contextlib.nullcontext():
                write_requests(case, made / case.name, client)


if __name__ == "__main__":
    main(*sys.argv[1:])
