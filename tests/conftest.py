"""What every test in Python finds here: where the program, the backend and the models lie.

./dev test tells it in TESSERA, TESSERA_BACKENDS, TESSERA_MODELS and TESSERA_ZOO; the defaults are those of ./dev build.
"""

import os
import pathlib
import signal
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests/triton"), str(ROOT / "tests/e2e")]  # server.py, clients.py; program.py, reference.py


def _place(variable: str, default: pathlib.Path, made_by: str) -> pathlib.Path:
    path = pathlib.Path(os.environ.get(variable, default)).resolve()
    if not path.exists():
        pytest.fail(f"no {path}: {made_by}, or name it in {variable}")
    return path


@pytest.fixture(scope="session")
def tessera() -> pathlib.Path:
    """The program."""
    return _place("TESSERA", ROOT / "build/release/bin/tessera", "./dev build makes it")


@pytest.fixture(scope="session")
def backends() -> pathlib.Path:
    return _place("TESSERA_BACKENDS", ROOT / "build/release/backends", "./dev build makes it")


@pytest.fixture(scope="session")
def trained() -> pathlib.Path:
    """Trained models, NAME/model.onnx each."""
    return _place("TESSERA_MODELS", ROOT / ".cache/models", "./dev test fetches them")


@pytest.fixture(scope="session")
def minilm(trained) -> pathlib.Path:
    """A trained BERT: 3 layers, 12 heads, hidden 384, batch and sequence free."""
    return trained / "minilm/model.onnx"


@pytest.fixture(scope="session")
def zoo() -> pathlib.Path:
    """Small models with random weights."""
    path = pathlib.Path(os.environ.get("TESSERA_ZOO", ROOT / "../shared/zoo")).resolve()
    if not path.exists():
        pytest.skip("no zoo beside the checkout (../shared/zoo), and TESSERA_ZOO names none")
    return path


@pytest.fixture(autouse=True)
def time_limit(request):
    """Ends a test that hangs: after 120 s, or what its mark `seconds` says."""
    mark = request.node.get_closest_marker("seconds")
    seconds = mark.args[0] if mark else 120

    def end(*_):
        raise TimeoutError(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): the test may take n seconds instead of 120")
