"""Shards models and writes requests with onnxruntime's answers beside them, for the tests on GPUs.

    make_cases.py TESSERA ZOO FOLDER [MODEL.onnx ..]

FOLDER/NAME-RANKS/ holds what `tessera shard` wrote, and requests.txt: a line "request", then for each tensor
"input|answer NAME TYPE 2x16 FILE", FILE with its values, little endian. Further models than the zoo's may be named.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
from reference import Reference  # noqa: E402

ZOO = ("bert_dyn", "gpt2_dyn", "llama_gqa_dyn", "llama_gqa_op18", "vit")
TYPES = {"float32": "FP32", "float16": "FP16", "int64": "INT64", "int32": "INT32", "bool": "BOOL"}
SIZES = [(2, 16), (1, 1), (5, 9), (8, 24)]  # batch, length


def write_requests(reference: Reference, folder: pathlib.Path) -> None:
    lines = []
    for number, (batch, length) in enumerate(SIZES):
        inputs = reference.random_inputs(batch, length, seed=number)
        if number and all(value.shape == first[name].shape for name, value in inputs.items()):
            break  # a model of fixed shapes
        first = first if number else inputs
        lines.append("request")
        for kind, tensors in (("input", inputs), ("answer", reference.answer(inputs))):
            for name, value in tensors.items():
                file = f"{number}.{kind}.{name}.bin"
                (folder / file).write_bytes(np.ascontiguousarray(value).tobytes())
                shape = "x".join(map(str, value.shape))
                lines.append(f"{kind} {name} {TYPES[value.dtype.name]} {shape} {file}")
    (folder / "requests.txt").write_text("\n".join(lines) + "\n")


def main(tessera: str, zoo: str, folder: str, *others: str) -> None:
    models = [pathlib.Path(zoo) / f"{name}.onnx" for name in ZOO] + [pathlib.Path(other) for other in others]
    with tempfile.TemporaryDirectory() as repository:
        for model in models:
            reference = Reference(model)
            for ranks in (2, 4):
                name = f"{model.stem}-{ranks}"
                subprocess.run([tessera, "shard", model, "--ranks", str(ranks), "-o", repository, "--name", name,
                                "--strategy", "tensor", "--engine", "tensorrt", "--json"], check=True,
                               stdout=subprocess.DEVNULL)
                made = pathlib.Path(folder) / name
                shutil.copytree(pathlib.Path(repository) / name / "1", made)
                write_requests(reference, made)


if __name__ == "__main__":
    main(*sys.argv[1:])
