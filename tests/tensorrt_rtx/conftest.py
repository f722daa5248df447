"""Fixtures of the tests with NVIDIA's real parser and builder, which need no GPU to make an engine for one."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest
from program import Program

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples/tensorrt"), str(ROOT / "tests/gpu")]  # sample_models.py; half.py, half_ranks.py

from half import HALVES  # noqa: E402

REAL_BUILDER = pathlib.Path(__file__).with_name("real_builder.py")


@pytest.fixture(scope="session")
def program(tessera) -> Program:
    return Program(tessera)


@pytest.fixture(scope="session")
def really_build():
    """really_build(files): what real_builder.py says of each, for SM 8.0."""
    if importlib.util.find_spec("tensorrt_rtx_bindings") is None:
        pytest.fail("no tensorrt_rtx_bindings: './dev test' installs requirements/test.txt")

    def build(files):
        done = subprocess.run([sys.executable, REAL_BUILDER, "80", *map(str, files)], capture_output=True, text=True,
                              timeout=110, check=False)
        assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-2000:]}"
        return json.loads(done.stdout.splitlines()[-1])

    return build


@pytest.fixture(scope="session")
def library(tessera):
    """TensorRT-RTX's library, where the program was built with its headers."""
    if not (tessera.parent / "tessera-build-tensorrt-rtx").exists():
        pytest.skip("no headers of TensorRT-RTX were there when the program was built")
    package = importlib.util.find_spec("tensorrt_rtx_libs")
    if package is None:
        pytest.fail("no tensorrt_rtx_libs: './dev test' installs requirements/test.txt")
    return pathlib.Path(package.origin).with_name("libtensorrt_rtx.so.1")


@pytest.fixture
def build(program, library):
    return lambda model, *arguments: program.json("build", model, "--sm", 80, "--library", library, *arguments)


@pytest.fixture(params=HALVES)
def narrow(request):
    return request.param


@pytest.fixture
def in_fp32(program, tmp_path):
    """in_fp32(model, ranks): the directory of its ranks in FP32."""
    def in_fp32(model, ranks=2):
        strategy = "tensor" if ranks > 1 else "auto"
        program.shard(model, ranks, tmp_path / "repo", "model", "--strategy", strategy, "--engine", "tensorrt")
        return tmp_path / "repo/model/1"

    return in_fp32


@pytest.fixture
def in_16_bits(tessera, tmp_path):
    """in_16_bits(version, narrow): a directory of the same ranks in 16 bits, made by the code that `tessera build` calls."""
    def in_16_bits(version, narrow):
        made = tmp_path / narrow
        made.mkdir()
        subprocess.run([tessera.parent / "half_ranks", version, narrow.upper(), made], check=True)
        return made

    return in_16_bits
