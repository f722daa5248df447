"""What the backend library takes from the server and what it shows to the process."""

import pathlib
import subprocess
import sys

import pytest
from server import find_tritonserver

ENTRY_POINTS = {"Initialize", "Finalize", "GetBackendAttribute", "ModelInitialize", "ModelFinalize",
                "ModelInstanceInitialize", "ModelInstanceFinalize", "ModelInstanceReady", "ModelInstanceExecute"}


@pytest.fixture(scope="module")
def library(backends) -> pathlib.Path:
    return backends / "tensorrt/libtriton_tensorrt.so"


def symbols(library, *options) -> set[str]:
    text = subprocess.run(["nm", "-D", *options, library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in text.splitlines()}


def server_library() -> pathlib.Path:
    text = subprocess.run(["ldd", find_tritonserver()], check=True, capture_output=True, text=True).stdout
    (path,) = [line.split("=>")[1].split()[0] for line in text.splitlines() if "libtritonserver" in line]
    return pathlib.Path(path)


def test_the_server_exports_all_that_the_library_leaves_open(library):
    wanted = {name for name in symbols(library, "--undefined-only") if name.startswith("TRITON")}
    assert len(wanted) > 30
    assert wanted <= symbols(server_library(), "--defined-only")


def test_the_library_exports_its_entry_points_alone(library):
    assert symbols(library, "--defined-only") == {f"TRITONBACKEND_{name}" for name in ENTRY_POINTS}


def needed(library) -> list[str]:
    text = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    return [line.split("[")[1].rstrip("]") for line in text.splitlines() if "NEEDED" in line]


def test_the_library_needs_no_library_of_triton_or_of_a_gpu(library):
    assert not [name for name in needed(library) if "triton" in name or "cuda" in name or "nvinfer" in name]


@pytest.mark.parametrize("scope, error", [("GLOBAL", ""), ("LOCAL", "undefined symbol: TRITON")])
def test_a_program_that_has_the_server_inside_opens_it_for_all(library, scope, error):
    """As docs/reference/triton.md says: the symbols are taken from the process, whatever the server's file is called."""
    server = server_library()
    script = f"import ctypes; ctypes.CDLL('{server}', mode=ctypes.RTLD_{scope}); ctypes.CDLL('{library}')"
    done = subprocess.run([sys.executable, "-c", script], env={"LD_LIBRARY_PATH": str(server.parent)}, check=False,
                          capture_output=True, text=True)
    assert error in done.stderr and (done.returncode == 0) == (not error), done.stderr


def test_a_build_for_one_gpu_has_nothing_of_nccl(library, tessera, multi_device_build):
    if multi_device_build:
        assert "libnccl.so.2" in needed(library)
        pytest.skip("this build has TRITON_ENABLE_TENSORRT_MULTI_DEVICE on")
    for file in (library, tessera):
        assert not [name for name in symbols(file, "--undefined-only") if name.startswith(("nccl", "pnccl"))]
        assert not [name for name in needed(file) if "nccl" in name]
