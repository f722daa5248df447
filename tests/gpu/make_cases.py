"""Shards models and writes requests with onnxruntime's answers beside them, for the tests on GPUs.

    make_cases.py TESSERA ZOO FOLDER               the models of the zoo, at 2 and 4 ranks
    make_cases.py TESSERA MODEL.onnx FOLDER RANKS  one model, at RANKS ranks; it takes its folder's name

Each model as it is, and in fp16 (NAME_fp16) with the answers of the fp32 one. FOLDER/NAME-RANKS/ holds what
`tessera shard` wrote, and requests.txt: a line "request", then for each tensor "input|answer NAME TYPE 2x16 FILE [LIMIT]",
FILE with its values, little endian. LIMIT is the allowed error of an answer that is wide of fp32 in fp16 whoever computes
it: twice what onnxruntime's own fp16 answer, of the model that is not sharded, is off. Without it the tests' limit holds.
"""

import itertools
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
from half import to_half  # noqa: E402
from reference import Reference, worst_relative_error  # noqa: E402

ZOO = ("bert_dyn", "bert_op23", "clip", "dit", "gpt2", "gpt2_dyn", "llama_gqa_dyn", "llama_gqa_op18", "llama_gqa_op23",
       "mixtral_moe", "vae_decoder", "vit")
TYPES = {"float32": "FP32", "float16": "FP16", "int64": "INT64", "int32": "INT32", "bool": "BOOL"}
HALF_LIMIT = 5e-3  # zoo_gpu_test's
SIZES = [(2, 16), (1, 1), (5, 9), (8, 24)]  # batch, length


def as_half(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value.astype(np.float16) if value.dtype == np.float32 else value for name, value in tensors.items()}


def wide_limits(answer: dict[str, np.ndarray], half_answer: dict[str, np.ndarray]) -> dict[str, float]:
    limits = {name: 2 * worst_relative_error({name: half_answer[name].astype(value.dtype)}, {name: value})
              for name, value in answer.items() if value.dtype == np.float32}
    return {name: limit for name, limit in limits.items() if limit > HALF_LIMIT}


def write_requests(reference: Reference, folder: pathlib.Path, half: Reference | None) -> None:
    """`half`: the same model in fp16, which is the one that was sharded."""
    lines = []
    for number, (batch, length) in enumerate(SIZES):
        inputs = reference.random_inputs(batch, length, seed=number)
        if number and all(value.shape == first[name].shape for name, value in inputs.items()):
            break  # a model of fixed shapes
        first = first if number else inputs
        lines.append("request")
        given = as_half(inputs) if half else inputs
        answer = reference.answer(inputs)
        limits = wide_limits(answer, half.answer(given)) if half else {}
        for kind, tensors in (("input", given), ("answer", answer)):
            for name, value in tensors.items():
                file = f"{number}.{kind}.{name}.bin"
                (folder / file).write_bytes(np.ascontiguousarray(value).tobytes())
                shape = "x".join(map(str, value.shape))
                limit = f" {limits[name]:.4g}" if kind == "answer" and name in limits else ""
                if limit:
                    print(f"{folder.name}, request {number}: the limit of {name} is {limits[name]:.2g}")
                lines.append(f"{kind} {name} {TYPES[value.dtype.name]} {shape} {file}{limit}")
    (folder / "requests.txt").write_text("\n".join(lines) + "\n")


def main(tessera: str, source: str, folder: str, only_ranks: str = "") -> None:
    given = pathlib.Path(source)
    with tempfile.TemporaryDirectory() as repository:
        models = [given / f"{name}.onnx" for name in ZOO] if given.is_dir() else []
        if not models:
            models = [pathlib.Path(repository) / f"{given.parent.name}.onnx"]
            shutil.copy(given, models[0])
        for model in models:
            reference = Reference(model)
            half = pathlib.Path(repository) / f"{model.stem}_fp16.onnx"
            onnx.save(to_half(onnx.load(model)), half)
            half_reference = Reference(half)
            for made_from, ranks in itertools.product((model, half), [int(only_ranks)] if only_ranks else (2, 4)):
                name = f"{made_from.stem}-{ranks}"
                subprocess.run([tessera, "shard", made_from, "--ranks", str(ranks), "-o", repository, "--name", name,
                                "--strategy", "tensor", "--engine", "tensorrt", "--json"], check=True,
                               stdout=subprocess.DEVNULL)
                made = pathlib.Path(folder) / name
                shutil.copytree(pathlib.Path(repository) / name / "1", made)
                write_requests(reference, made, half_reference if made_from == half else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
