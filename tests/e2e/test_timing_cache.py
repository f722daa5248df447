"""`tessera build` and the program that builds a rank with TensorRT, in whose place a script tells what it was given."""

import json
import pathlib
import shutil
import sys

import pytest
from program import Program

# Takes a timing cache that begins with "good", writes one that begins with it, names the collectives of plan.json.
BUILDER = f"""#!{sys.executable}
import json, pathlib, sys
request = json.loads(pathlib.Path(sys.argv[1]).read_text())
given = pathlib.Path(request["timing_cache"]).read_text() if request["timing_cache"] else ""
with open(pathlib.Path(__file__).with_name("asked"), "a") as asked:
    print(json.dumps([pathlib.Path(request["model"]).name, given]), file=asked)
taken = given if given.startswith("good") else "good"
if request["next_timing_cache"]:
    pathlib.Path(request["next_timing_cache"]).write_text(taken + "+")
pathlib.Path(request["engine"]).write_text("engine")
plan = json.loads((pathlib.Path(request["model"]).parent / "plan.json").read_text())
pathlib.Path(sys.argv[2]).write_text(json.dumps({{
    "error": "", "version": "11.1.0", "compute_capabilities": ["9.0"], "engine": [], "layers_listed": False,
    "network": [collective["name"] for collective in plan["collectives"]],
    "timing_cache_error": "" if given in ("", taken) else "it is another's"}}))
"""


class Builder:
    def __init__(self, tessera, folder: pathlib.Path, model: pathlib.Path):
        """A copy of the program, for a builder is looked for beside it, and `model` over two ranks."""
        folder.mkdir()
        shutil.copy2(tessera, folder / "tessera")
        (folder / "tessera-build-tensorrt").write_text(BUILDER)
        (folder / "tessera-build-tensorrt").chmod(0o755)
        self.program, self.folder, self.model = Program(folder / "tessera"), folder, folder / "repo/model"
        self.program.shard(model, 2, folder / "repo", "model", "--engine", "tensorrt", "--strategy", "tensor")

    def build(self, *arguments) -> str:
        done = self.program.run("build", self.model, "--builder", "tensorrt", "--jobs", 2, *arguments)
        assert done.returncode == 0, done.stderr
        assert (self.model / "1/model.plan.rank1").read_text() == "engine"
        return done.stderr

    def asked(self) -> list:
        """[ONNX file, timing cache] of each rank, in the order in which they were begun."""
        file = self.folder / "asked"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def builder(tessera, zoo, tmp_path):
    return Builder(tessera, tmp_path / "bin", zoo / "vit.onnx")


def test_the_second_rank_starts_from_the_firsts_timings(builder):
    builder.build("--no-probe")
    assert builder.asked() == [["model.onnx.rank0", ""], ["model.onnx.rank1", "good+"]]


def test_a_timing_cache_is_made_and_then_updated(builder, tmp_path):
    for content in ("good+", "good++"):
        assert "timing cache" not in builder.build("--no-probe", "--timing-cache", tmp_path / "timings")
        assert (tmp_path / "timings").read_text() == content


def test_a_file_that_the_library_does_not_take_stays_as_it_is(builder, tmp_path):
    (tmp_path / "timings").write_text("something else")
    said = builder.build("--no-probe", "--timing-cache", tmp_path / "timings")
    assert said == f"tessera: timing cache '{tmp_path / 'timings'}' stays as it is: it is another's\n"
    assert (tmp_path / "timings").read_text() == "something else"
    assert builder.asked()[1] == ["model.onnx.rank1", "good+"]


def test_a_timing_cache_that_cannot_be_written_costs_no_engine(builder, tmp_path):
    said = builder.build("--no-probe", "--timing-cache", tmp_path / "no/such/folder/timings")
    assert said.startswith(f"tessera: timing cache '{tmp_path / 'no/such/folder/timings'}' stays as it is: ")


def test_a_model_that_cannot_answer_the_probe_is_known_before_anything_is_built(builder, zoo):
    line = builder.program.refuse("build", builder.model, "--builder", "tensorrt", "--against", zoo / "gpt2.onnx")
    assert "is not the model that 'model' was made from" in line
    assert builder.asked() == []
