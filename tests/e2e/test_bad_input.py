"""Bad input gets one line that names the thing, exit code 2, and nothing half-written."""

import json
import pathlib
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper


@pytest.fixture
def repository(tmp_path) -> pathlib.Path:
    return tmp_path / "out" / "repository"


@pytest.fixture
def refuse(program, zoo, repository):
    """The line of a `tessera shard` that must be refused; nothing is written."""

    def shard(model=None, ranks=2, *arguments):
        line = program.refuse("shard", model or zoo / "bert_dyn.onnx", "--ranks", ranks, "-o", repository, *arguments)
        assert not repository.parent.exists(), "something was left behind"
        return line

    return shard


def test_no_file(refuse, tmp_path):
    assert "nosuch.onnx" in refuse(tmp_path / "nosuch.onnx")


@pytest.mark.parametrize("content", [b"", b"hello, this is no model" * 50, b"\x00" * 4096])
def test_not_onnx(refuse, tmp_path, content):
    (tmp_path / "bad.onnx").write_bytes(content)
    assert "bad.onnx" in refuse(tmp_path / "bad.onnx")


def test_a_directory(refuse, tmp_path):
    assert str(tmp_path) in refuse(tmp_path)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated_model(refuse, zoo, tmp_path, keep):
    content = (zoo / "bert_dyn.onnx").read_bytes()
    (tmp_path / "half.onnx").write_bytes(content[:int(len(content) * keep)])
    assert "half.onnx" in refuse(tmp_path / "half.onnx")


def mlp_with_external_weights(folder: pathlib.Path, hidden: int = 64) -> pathlib.Path:
    random = np.random.default_rng(0)
    weights = [numpy_helper.from_array(random.standard_normal(shape, np.float32), name)
               for name, shape in (("up", (hidden, 4 * hidden)), ("down", (4 * hidden, hidden)))]
    nodes = [helper.make_node("MatMul", ["x", "up"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
             helper.make_node("MatMul", ["b", "down"], ["y"])]
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", hidden]) for name in "xy"]
    graph = helper.make_graph(nodes, "mlp", info[:1], info[1:], initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    external_data_helper.convert_model_to_external_data(model, location="weights.bin", size_threshold=0)
    file = folder / "mlp.onnx"
    onnx.save(model, file)
    return file


def test_truncated_external_data(refuse, tmp_path):
    model = mlp_with_external_weights(tmp_path)
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-100])
    line = refuse(model)
    assert "weights.bin" in line and "down" in line
    assert "65436" in line and "65536" in line, f"neither got nor wanted: {line}"


def test_missing_external_data(refuse, tmp_path):
    model = mlp_with_external_weights(tmp_path)
    (tmp_path / "weights.bin").unlink()
    assert "weights.bin" in refuse(model)


@pytest.mark.parametrize("ranks", [0, -1, 1000])
def test_impossible_ranks(refuse, ranks):
    assert str(ranks) in refuse(None, ranks)


@pytest.mark.parametrize("ranks", ["two", "1.5", ""])
def test_ranks_that_are_no_number(refuse, ranks):
    assert "--ranks" in refuse(None, ranks)


def test_unknown_strategy(refuse):
    line = refuse(None, 2, "--strategy", "magic")
    assert "magic" in line and "tensor" in line


def test_unknown_engine(refuse):
    line = refuse(None, 2, "--engine", "abacus")
    assert "abacus" in line and "openvino" in line


def test_an_unknown_machine(refuse):
    line = refuse(None, 2, "--machine", "toaster")
    assert "'toaster'" in line and "cpu, h200" in line


def test_a_machine_of_another_device(refuse):
    line = refuse(None, 2, "--machine", "h200")
    assert "is a gpu" in line and "wants the figures of a cpu" in line


def test_a_bad_table_of_a_machine(refuse, tmp_path_factory):
    table = tmp_path_factory.mktemp("machine") / "table.json"
    table.write_text('{"format": "tessera-machine", "version": 1, "name": 3}')
    assert refuse(None, 2, "--machine", table).endswith(f"{table}: 'name' is 3, wanted a string")


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden"])
def test_a_name_that_leaves_the_repository(refuse, name):
    assert f"'{name}'" in refuse(None, 2, "--name=" + name)


def test_annotations_do_not_go_into_the_model_itself(program, zoo, tmp_path):
    model = tmp_path / "vit.onnx"
    shutil.copyfile(zoo / "vit.onnx", model)
    (tmp_path / "link.onnx").symlink_to(model)
    line = program.refuse("shard", model, "--ranks", 2, "-o", tmp_path / "repository", "--annotated", tmp_path / "link.onnx")
    assert line.endswith(f"--annotated '{tmp_path / 'link.onnx'}' is the model itself, which stays as it is")
    assert model.read_bytes() == (zoo / "vit.onnx").read_bytes()


@pytest.mark.parametrize("tolerance", ["nan", "-1", "inf"])
def test_a_tolerance_that_is_none(program, tmp_path, tolerance):
    assert "--tolerance" in program.refuse("verify", tmp_path, f"--tolerance={tolerance}")


@pytest.mark.parametrize("size", ["-1", "GB", ""])
def test_a_size_that_is_none(refuse, size):
    assert "--memory-per-rank" in refuse(None, 2, f"--memory-per-rank={size}")


def test_an_output_folder_that_exists(program, zoo, repository):
    (repository / "bert_dyn").mkdir(parents=True)
    (repository / "bert_dyn/precious").write_text("keep me")
    line = program.refuse("shard", zoo / "bert_dyn.onnx", "--ranks", 2, "-o", repository)
    assert str(repository / "bert_dyn") in line and "exists" in line
    assert [file.name for file in repository.rglob("*")] == ["bert_dyn", "precious"]


def test_unknown_command_and_option(program, zoo, repository):
    program.refuse("shrad", zoo / "bert_dyn.onnx")
    program.refuse("shard", zoo / "bert_dyn.onnx", "--rnaks", 2, "-o", repository)
    program.refuse("shard", "--ranks", 2)
    program.refuse()


# --- a sharded model that was damaged ---------------------------------------------------------------------------------


@pytest.fixture
def damaged(program, zoo, tmp_path):
    program.shard(zoo / "vit.onnx", 2, tmp_path / "repository", "vit")
    return tmp_path / "repository/vit"


def newer_plan(version):
    plan = json.loads((version / "plan.json").read_text())
    plan["version"] = 99
    (version / "plan.json").write_text(json.dumps(plan))
    return ["plan.json", "99"]


def broken_plan(version):
    (version / "plan.json").write_text("{ no json")
    return ["plan.json"]


def missing_rank(version):
    (version / "model.onnx.rank1").unlink()
    return ["model.onnx.rank1"]


def changed_rank(version):
    content = bytearray((version / "model.onnx.rank1").read_bytes())
    content[len(content) // 2] ^= 1
    (version / "model.onnx.rank1").write_bytes(content)
    return ["model.onnx.rank1", "sha256"]


def truncated_weights(version):
    weights = max((file for file in version.iterdir() if file.name != "plan.json"), key=lambda f: f.stat().st_size)
    size = weights.stat().st_size
    weights.write_bytes(weights.read_bytes()[:size // 2])
    return [weights.name, str(size), str(size // 2)]


DAMAGES = [newer_plan, broken_plan, missing_rank, changed_rank, truncated_weights]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["verify", "bench"])
def test_a_damaged_model_is_refused(program, zoo, damaged, damage, command):
    words = damage(damaged / "1")
    original = {"verify": "--against", "bench": "--baseline"}[command]
    line = program.refuse(command, damaged, original, zoo / "vit.onnx")
    for word in words:
        assert word in line


def test_no_model_there(program, tmp_path):
    assert "nosuch" in program.refuse("inspect", tmp_path / "nosuch")
    assert "plan.json" in program.refuse("inspect", tmp_path)
