"""`tessera build` of the how-to's models at their real sizes, for SM 8.0, without a GPU: seconds, and what comes out."""

import importlib.util
import pathlib
import sys

import pytest
from program import Program

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/tensorrt"))
from sample_models import attention_layers, megatron_mlp  # noqa: E402


@pytest.mark.seconds(600)
@pytest.mark.parametrize("name, make, strategy, profile, weights", [
    ("mlp", megatron_mlp, "tensor", ["--profile", "rows=1:2048:4096"], 64 << 20),
    ("attention", attention_layers, "context", [], 768 << 20),
])
def test_build_engines_at_real_size(name, make, strategy, profile, weights, tessera, tmp_path):
    if not (tessera.parent / "tessera-build-tensorrt-rtx").exists():
        pytest.skip("no headers of TensorRT-RTX were there when the program was built")
    library = pathlib.Path(importlib.util.find_spec("tensorrt_rtx_libs").origin).with_name("libtensorrt_rtx.so.1")
    program = Program(tessera)
    make(tmp_path / f"{name}.onnx")
    program.shard(tmp_path / f"{name}.onnx", 2, tmp_path / "repo", name, "--strategy", strategy, "--engine", "tensorrt")
    made = program.json("build", tmp_path / "repo" / name, "--sm", 80, "--library", library, *profile, timeout=500)
    sizes = [rank["bytes"] for rank in made["ranks"]]
    print(f"\n{name}: 2 ranks in {made['seconds']:.1f} s, {max(sizes) / 2**20:.0f} MiB each, "
          f"{made['collectives']} collectives as planned, counted in the {made['counted_in']}")
    assert made["counted_in"] == "engine"
    assert all(weights <= size <= 1.1 * weights for size in sizes)
