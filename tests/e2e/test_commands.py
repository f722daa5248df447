"""verify, inspect, bench, doctor and --help as a user meets them."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bert(sharded):
    sharded.report("bert_dyn_tensor")
    return sharded.path / "bert_dyn_tensor"


def test_verify_finds_the_sharded_model_equal(program, bert, zoo):
    report = program.json("verify", bert, "--against", zoo / "bert_dyn.onnx")
    assert report["ok"]
    assert list(report) == ["outputs", "ok"]
    assert [list(output) for output in report["outputs"]] == [["name", "max_abs", "max_rel", "ok"]] * 2
    assert all(0 <= output["max_rel"] <= 1e-5 for output in report["outputs"])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_verify_takes_inputs_from_an_npz(program, bert, zoo, reference, tmp_path, save):
    save(tmp_path / "inputs.npz", **reference("bert_dyn").random_inputs(3, 9))
    report = program.json("verify", bert, "--against", zoo / "bert_dyn.onnx", "--inputs", tmp_path / "inputs.npz")
    assert report["ok"]


def test_verify_takes_what_another_engine_gave(program, bert, reference, tmp_path):
    inputs = reference("bert_dyn").random_inputs()
    answer = reference("bert_dyn").answer(inputs)
    np.savez(tmp_path / "inputs.npz", **inputs)
    np.savez(tmp_path / "right.npz", **answer)
    np.savez(tmp_path / "wrong.npz", **{name: value * 1.01 for name, value in answer.items()})
    given = ("verify", bert, "--inputs", tmp_path / "inputs.npz", "--expected")
    assert program.json(*given, tmp_path / "right.npz")["ok"]
    worst = max(o["max_rel"] for o in program.json(*given, tmp_path / "wrong.npz", code=1)["outputs"])
    assert 0.009 < worst < 0.011
    np.savez(tmp_path / "less.npz", **dict(list(answer.items())[1:]))
    assert list(answer)[0] in program.refuse(*given, tmp_path / "less.npz")


def test_verify_of_a_wrong_model_ends_with_1(program, bert, zoo, tmp_path):
    """A weight changed after the split: the plan's sha256 is made to fit, only the answers can tell."""
    wrong = corrupted_copy(bert, tmp_path / "wrong")
    report = program.json("verify", wrong, "--against", zoo / "bert_dyn.onnx", code=1)
    assert not report["ok"]
    assert not all(output["ok"] for output in report["outputs"])


def corrupted_copy(model, target):
    import hashlib
    import shutil

    shutil.copytree(model, target)
    plan_file = target / "1/plan.json"
    plan = json.loads(plan_file.read_text())
    largest = max((target / "1").iterdir(), key=lambda file: file.stat().st_size)
    content = np.frombuffer(largest.read_bytes(), np.uint8).copy()
    content[1024:len(content) - len(content) % 4].view(np.float32)[::7] += np.float32(0.5)
    largest.write_bytes(content.tobytes())
    text = json.dumps(plan)
    for artifact in artifacts(plan):
        if artifact["file"] == largest.name:
            text = text.replace(artifact["sha256"], hashlib.sha256(content.tobytes()).hexdigest())
    plan_file.write_text(text)
    return target


def artifacts(value):
    """Every object of the plan that names a file."""
    if isinstance(value, dict):
        if "file" in value and "sha256" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from artifacts(item)


def test_verify_refuses_another_original(program, bert, zoo):
    line = program.refuse("verify", bert, "--against", zoo / "gpt2.onnx")
    assert "gpt2.onnx" in line and "sha256" in line


def test_verify_wants_the_original(program, bert):
    assert "--against" in program.refuse("verify", bert)


def test_verify_names_an_input_that_is_missing(program, bert, zoo, tmp_path):
    np.savez(tmp_path / "inputs.npz", input_ids=np.ones((1, 4), np.int64))
    line = program.refuse("verify", bert, "--against", zoo / "bert_dyn.onnx", "--inputs", tmp_path / "inputs.npz")
    assert "attention_mask" in line and "inputs.npz" in line


def test_verify_refuses_sizes_that_the_model_does_not_have(program, bert, zoo):
    line = program.refuse("verify", bert, "--against", zoo / "bert_dyn.onnx", "--dim", "nosuch=3")
    assert "nosuch" in line


def test_inspect_tells_ranks_and_collectives(program, bert):
    report = program.json("inspect", bert)
    assert [rank["rank"] for rank in report["ranks"]] == [0, 1]
    assert report["mesh"] == [{"name": "tp", "size": 2}]
    text = program.run("inspect", bert)
    assert text.returncode == 0
    for collective in report["collectives"]:
        assert collective["name"] in text.stdout


def test_bench_measures_both_in_one_run(program, bert, zoo):
    report = program.json("bench", bert, "--baseline", zoo / "bert_dyn.onnx", "--batch", 2, "--length", 16,
                          "--seconds", 0.3)
    assert list(report) == ["sharded", "baseline", "throughput_ratio", "p50_ratio"]
    for side in ("sharded", "baseline"):
        assert 0 < report[side]["p50_us"] <= report[side]["p90_us"] <= report[side]["p99_us"]
    ratio = report["sharded"]["rows_per_second"] / report["baseline"]["rows_per_second"]
    assert report["throughput_ratio"] == pytest.approx(ratio)


def test_doctor_tells_what_this_machine_has(program):
    report = program.json("doctor")
    assert report["cores"] >= 1 and report["memory_bytes"] > 0
    parts = {part["name"]: part for part in report["parts"]}
    assert parts["Triton"]["found"] and parts["Triton"]["detail"].startswith("2.")
    assert parts["OpenVINO"]["found"] and parts["backend"]["found"]
    able = {ability["what"]: ability for ability in report["abilities"]}
    for what in ("build TensorRT engines", "serve on several GPUs"):
        assert able[what]["ready"] or able[what]["missing"]
    here = parts["GPU ranks"]  # whether this build has the switch on
    assert here["found"] or "TRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON" in here["detail"]


def test_a_model_for_tensorrt_is_verified_on_the_cpu_before_its_engines_are_built(program, zoo, tmp_path):
    program.shard(zoo / "vit.onnx", 2, tmp_path, "vit", "--engine", "tensorrt", "--strategy", "tensor", "--trace")
    assert program.json("verify", tmp_path / "vit", "--against", zoo / "vit.onnx")["ok"]
    assert program.json("verify", tmp_path / "vit", "--against", zoo / "vit.onnx", "--trace")["ok"]
    text = program.run("verify", tmp_path / "vit", "--against", zoo / "vit.onnx").stdout
    assert text.startswith("vit over 2 ranks (their ONNX files, on the CPU) against ")
    assert "`tessera build`" in (line := program.refuse("bench", tmp_path / "vit")) or "MULTI_DEVICE=ON" in line
    assert "wanted the directory" in program.refuse("bench", tmp_path / "vit", "--baseline", zoo / "vit.onnx")


def test_bench_takes_another_models_directory_for_a_baseline(program, bert):
    report = program.json("bench", bert, "--baseline", bert, "--seconds", 0.2, "--batch", 1, "--length", 8)
    assert report["sharded"]["steps"] > 0 and report["baseline"]["steps"] > 0 and report["throughput_ratio"] > 0
    assert "--seconds is inf" in program.refuse("bench", bert, "--seconds", "inf")


@pytest.mark.parametrize("command", ["", "shard", "verify", "inspect", "bench", "serve", "doctor"])
def test_help_teaches_with_an_example(program, command):
    done = program.run(*([command] if command else []), "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"tessera {command}".strip() in done.stdout
    assert len(done.stdout.splitlines()) < 60


def test_nothing_is_drawn_where_nobody_looks(program, zoo, tmp_path):
    done = program.run("shard", zoo / "vit.onnx", "--ranks", 2, "-o", tmp_path / "repository")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\r" not in done.stdout and "\033" not in done.stdout
