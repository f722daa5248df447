"""Model repositories of the stand-in engine: small MLPs, and the models that make_cases.py sharded."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import subprocess

import numpy as np

_TYPES = {"FP32": np.float32, "FP16": np.float16, "INT64": np.int64, "INT32": np.int32, "BOOL": np.bool_}
MLP = {"k": 256, "f": 512, "n": 256, "best_m": 16, "most_m": 64}


def parameters(**values) -> str:
    return "\n".join(f'parameters {{ key: "{k}" value {{ string_value: "{v}" }} }}' for k, v in values.items())


class GpuRepository:
    """A model repository in `path`, filled model by model."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def add_mlp(self, name: str, gpus: str = "", form: str = "ranks", config: str = "", sizes=MLP, seed: int = 1,
                **more) -> str:
        """`form`: ranks (an engine each), plan (the same with plan.json), row_split (one engine for all), one (a
        lone model.plan). `gpus` "1,0" makes a model of two ranks; `more` are further parameters."""
        ranks = gpus.count(",") + 1
        version = self._configure(name, gpus, form, config, more)
        kind = "row_split" if form == "row_split" else "mlp"
        options = {**sizes, "ranks": ranks, "seed": seed, "plan": int(form == "plan")}
        if form != "ranks" or ranks > 1:
            self._write(kind, version, options)
        else:
            self._write(kind, version, {**options, "plan": 1})  # model.plan.rank0
            (version / "plan.json").unlink()
        return name

    def add_attention(self, name: str, gpus: str, config: str = "", **more) -> str:
        """Six attention layers; $TESSERA_ATTENTION is a folder that attention_model.py made."""
        self._write("attention", self._configure(name, gpus, "plan", config, more), {"ranks": gpus.count(",") + 1})
        return name

    def add_case(self, name: str, case: pathlib.Path, gpus: str, **more) -> list[dict]:
        """A sharded model with its plan.json; returns its requests, see read_requests."""
        version = self._configure(name, gpus, "plan", "", more)
        requests = read_requests(case)
        plan = json.loads((case / "plan.json").read_text())
        for number, rank in enumerate(plan["ranks"]):
            text = _engine_text(case / rank["model"]["file"], number, requests)
            file = version / f"model.plan.rank{number}"
            file.write_text(text)
            rank["model"] = {"file": file.name, "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
            rank["weights"] = []  # named by the ONNX file, which the stand-in opens
        (version / "plan.json").write_text(json.dumps(plan))
        return requests

    def _configure(self, name: str, gpus: str, form: str, config: str, more: dict) -> pathlib.Path:
        version = self.path / name / "1"
        version.mkdir(parents=True)
        values = dict(more)
        if gpus:
            values = {"multi_device_gpus": gpus, **values}
        if gpus and form != "plan":
            values = {"enable_multi_device": "true", **values}
        if gpus and form == "ranks":
            values = {"multi_device_per_rank_engines": "true", **values}
        if "instance_group" not in config:
            config += "\ninstance_group [ { kind: KIND_MODEL count: 1 } ]"
        (version.parent / "config.pbtxt").write_text(f'backend: "tensorrt"\n{config}\n{parameters(**values)}\n')
        return version

    @staticmethod
    def _write(kind: str, version: pathlib.Path, options: dict) -> None:
        words = [f"{key}={value}" for key, value in options.items()]
        subprocess.run([os.environ["TESSERA_WRITE_MODEL"], kind, str(version), *words], check=True)


def cases(ranks: int) -> list[pathlib.Path]:
    folder = pathlib.Path(os.environ.get("TESSERA_GPU_MODELS", "no such folder"))
    return sorted(folder.glob(f"*-{ranks}"))


def read_requests(case: pathlib.Path) -> list[dict]:
    """[{"input": {name: array}, "answer": {name: array}, "cpu": {name: array}, "limit": {name: number}}, ..]; make_cases.py
    says what they are."""
    requests: list[dict] = []
    for line in (case / "requests.txt").read_text().splitlines():
        what, *words = line.split()
        if what == "request":
            requests.append({"input": {}, "answer": {}, "cpu": {}, "limit": {}})
            continue
        name, dtype, shape, file, *limit = words
        if limit:
            requests[-1]["limit"][name] = float(limit[0])
        values = np.frombuffer((case / file).read_bytes(), _TYPES[dtype]).reshape([int(d) for d in shape.split("x")])
        requests[-1][what][name] = values
    return requests


def _engine_text(onnx: pathlib.Path, rank: int, requests: list[dict]) -> str:
    """See tests/nvinfer_standin/plan_file.h."""
    ranges = []
    for name, first in requests[0]["input"].items():
        shapes = np.array([request["input"][name].shape for request in requests])
        least, best, most = (("x".join(map(str, s))) for s in (shapes.min(0), first.shape, shapes.max(0)))
        ranges.append(f"{name}={least}:{best}:{most}")
    return f"TESSERA-STANDIN 1\nonnx {onnx}\nrank {rank}\nprofile {' '.join(ranges)}\n"


def random_rows(rows: int, seed: int = 0, sizes=MLP) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (rows, sizes["k"])).astype(np.float16)


def relative_error(got: np.ndarray, wanted: np.ndarray) -> float:
    """Largest difference over the largest value. Integers must be equal."""
    assert got.shape == wanted.shape
    if not np.issubdtype(wanted.dtype, np.floating):
        np.testing.assert_array_equal(got, wanted)
        return 0.0
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    assert np.array_equal(np.isnan(got), np.isnan(wanted))
    return float(np.nanmax(np.abs(got - wanted)) / np.nanmax(np.abs(wanted)))
