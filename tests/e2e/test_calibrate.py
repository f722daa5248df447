"""doctor --calibrate measures this machine's table, and plans are priced with it."""

import json

import pytest

COLLECTIVES = {"all_reduce", "all_gather", "reduce_scatter", "all_to_all"}


@pytest.fixture(scope="module")
def table(program, tmp_path_factory):
    file = tmp_path_factory.mktemp("machine") / "machine.json"
    printed = program.json("doctor", "--calibrate", "--ranks", 2, "--seconds", 0.5, "--output", file)
    assert json.loads(file.read_text()) == printed
    return file


def test_the_table_has_every_figure_for_each_number_of_ranks(table):
    machine = json.loads(table.read_text())
    assert (machine["format"], machine["version"], machine["device"]) == ("tessera-machine", 1, "cpu")
    assert [speeds["ranks"] for speeds in machine["speeds"]] == [1, 2]
    assert all(speeds["launch_us"] > 0 and speeds["threads_per_rank"] >= 1 for speeds in machine["speeds"])
    assert machine["speeds"][0]["collectives"] == {}
    assert set(machine["speeds"][1]["collectives"]) == COLLECTIVES
    # Rising times are checked wherever a table is read. Here: figures of a real machine, on any that runs this.
    for speeds in machine["speeds"]:
        product, copy = speeds["gemm"][-1], speeds["memory"][-1]
        assert 0.1 < product["flops"] / product["us"] / 1e3 < 1e5, "GFLOP/s of a large product"
        assert 0.01 < copy["bytes"] / copy["us"] / 1e3 < 1e4, "GB/s of a large element-wise op"


def test_plans_are_priced_with_it(program, table, zoo, tmp_path):
    priced = {}
    for machine in (None, table):
        option = ("--machine", machine) if machine else ()
        report = program.shard(zoo / "bert_dyn.onnx", 2, tmp_path, f"bert{bool(machine)}", "--strategy", "tensor", *option)
        priced[report["machine"]] = report["predicted_us"]
        assert program.json("inspect", tmp_path / f"bert{bool(machine)}")["predicted_us"] == report["predicted_us"]
    assert list(priced) == ["a core for each rank", json.loads(table.read_text())["name"]]
    assert len(set(priced.values())) == 2


def test_bad_options_are_refused_before_anything_is_measured(program, tmp_path):
    assert "--ranks is 1" in program.refuse("doctor", "--calibrate", "--ranks", 1)
    assert "--seconds is 0" in program.refuse("doctor", "--calibrate", "--seconds", 0)
    assert "nosuch" in program.refuse("doctor", "--calibrate", "--output", tmp_path / "nosuch" / "machine.json")
    assert "--calibrate" in program.refuse("doctor", "--output", tmp_path / "machine.json")
