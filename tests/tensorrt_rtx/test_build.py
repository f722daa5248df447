"""`tessera build`: the real builder makes every rank's engine for a GPU that is not here, and plan.json tells of it."""

import fcntl
import hashlib
import json
import os
import shutil

import numpy as np
import onnx
import pytest
from sample_models import attention_layers, megatron_mlp


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def shard(program, tmp_path):
    """shard(model file, "tensor"): the directory of two ranks for TensorRT."""
    def make(model, strategy):
        program.shard(model, 2, tmp_path / "repo", "model", "--strategy", strategy, "--engine", "tensorrt")
        return tmp_path / "repo" / "model"

    return make


@pytest.fixture(params=["minilm", "mlp", "attention"])
def model(request, minilm, tmp_path):
    """(file, strategy, profile, number of all-reduces): a trained BERT, a Megatron MLP, six layers of attention."""
    if request.param == "minilm":
        return minilm, "tensor", "batch_size=1:8:32,sequence_length=1:128:256", 6
    file = tmp_path / f"{request.param}.onnx"
    if request.param == "mlp":
        megatron_mlp(file, hidden=64, inner=256)
        return file, "tensor", "rows=1:128:256", 1
    attention_layers(file, layers=6, hidden=64, heads=4, sequence=128)
    return file, "context", "", 0


def test_engines_of_every_rank_hold_the_plans_collectives(model, shard, build, really_build):
    file, strategy, profile, all_reduces = model
    folder = shard(file, strategy)
    version = folder / "1"
    before = {path: digest(path) for path in version.iterdir() if path.name != "plan.json"}
    planned = json.loads((version / "plan.json").read_text())
    ops = [c["op"] for c in planned["collectives"]]
    assert ops and ops.count("all_reduce") == all_reduces
    report = build(folder, *(["--profile", profile] if profile else []))
    assert report["counted_in"] == "engine" and report["collectives"] == len(ops)
    assert report["library"] == "tensorrt_rtx" and report["compute_capabilities"] == ["8.0"]
    plan = json.loads((version / "plan.json").read_text())
    for number, (rank, source, once) in enumerate(zip(plan["ranks"], plan["build"]["sources"], planned["ranks"],
                                                      strict=True)):
        engine = version / f"model.plan.rank{number}"
        assert rank["model"] == {"file": engine.name, "bytes": engine.stat().st_size, "sha256": digest(engine)}
        assert rank["weights"] == []
        assert source == {"model": once["model"], "weights": once["weights"]}
    assert plan["collectives"] == planned["collectives"] and plan["inputs"] == planned["inputs"]
    assert report["probe"] == "ranks" and plan["probe"]["file"]["sha256"] == digest(version / "probe.bin")
    assert {path: digest(path) for path in before} == before, "inputs are never modified"
    assert {path.name for path in version.iterdir()} == {path.name for path in before} | {
        "plan.json", "probe.bin", "model.plan.rank0", "model.plan.rank1"}


def test_what_was_built_is_verified_on_the_cpu_and_its_batch_is_told_beside_the_servers(shard, build, program, zoo):
    folder = shard(zoo / "bert_dyn.onnx", "tensor")
    batch, sequence = json.loads((folder / "1/plan.json").read_text())["inputs"][0]["dims"]
    report = build(folder, "--fp16", "--profile", f"{batch}=1:4:16,{sequence}=1:16:32")
    assert "max_batch_size 64, the engines take up to 16 rows: a server refuses the model" in report["note"]
    assert program.json("verify", folder, "--against", zoo / "bert_dyn.onnx", "--cpu")["ok"], "the ONNX files stay FP32"
    assert "note" not in build(folder, "--profile", f"{batch}=1:4:64,{sequence}=1:16:32")


def test_a_timing_cache_that_nobody_uses_is_told(shard, program, library, zoo, tmp_path):
    done = program.run("build", shard(zoo / "vit.onnx", "tensor"), "--sm", 80, "--library", library, "--no-probe",
                       "--timing-cache", tmp_path / "timings")
    assert done.returncode == 0 and not (tmp_path / "timings").exists()
    assert done.stderr == "tessera: --timing-cache has no effect: TensorRT-RTX measures nothing when it builds\n"


def test_several_profiles_and_gpus_go_into_one_engine(shard, build, minilm):
    folder = shard(minilm, "tensor")
    build(folder, "--sm", 120, "--no-tf32", "--profile", "batch_size=1:1:1,sequence_length=1:16:32", "--profile",
          "batch_size=8,sequence_length=128")
    made = json.loads((folder / "1/plan.json").read_text())["build"]
    assert made["compute_capabilities"] == ["8.0", "12.0"] and made["tf32"] is False
    first, second = made["profiles"]
    assert first[0] == {"input": "input_ids", "min": [1, 1], "opt": [1, 16], "max": [1, 32]}
    assert second[0] == {"input": "input_ids", "min": [8, 128], "opt": [8, 128], "max": [8, 128]}


def test_a_cut_dimension_has_another_size_on_the_ranks(shard, build, zoo):
    folder = shard(zoo / "bert_dyn.onnx", "context")
    plan = json.loads((folder / "1/plan.json").read_text())
    [sequence] = {t["dims"][1] for t in plan["inputs"]}
    assert plan["inputs"][0]["layout"] == {"kind": "split", "axis": 1}
    build(folder, "--profile", f"{sequence}=2:32:64")


def test_a_model_can_be_built_again(shard, build, zoo):
    folder = shard(zoo / "vit.onnx", "tensor")
    first = build(folder)
    sources = json.loads((folder / "1/plan.json").read_text())["build"]["sources"]
    assert build(folder, "--no-tf32")["ranks"][0]["file"] == first["ranks"][0]["file"]
    made = json.loads((folder / "1/plan.json").read_text())["build"]
    assert made["sources"] == sources and made["tf32"] is False


def probe_in(folder):
    return json.loads((folder / "1/plan.json").read_text()).get("probe")


def test_the_probe_has_the_usual_sizes_and_its_tolerance_follows_the_precision(shard, build, minilm):
    folder = shard(minilm, "tensor")
    sizes = ["--profile", "batch_size=2:4:8,sequence_length=8:32:64"]
    build(folder, *sizes)
    ranks = probe_in(folder)
    assert ranks["inputs"] == [[4, 32], [4, 32]] and ranks["reference"] == "ranks"
    assert {output["tolerance"] for output in ranks["outputs"]} == {0.0, 5e-3}  # its masks come out, too
    assert build(folder, *sizes, "--no-tf32")["probe"] == "ranks"
    assert {output["tolerance"] for output in probe_in(folder)["outputs"]} == {0.0, 1e-4}
    assert probe_in(folder)["file"] == ranks["file"], "the same answer serves again"


def test_the_whole_model_answers_the_probe_and_the_ranks_agree_with_it(shard, build, zoo):
    folder = shard(zoo / "gpt2.onnx", "tensor")
    build(folder, "--no-tf32")
    by_ranks = np.frombuffer((folder / "1/probe.bin").read_bytes(), np.float32)
    assert build(folder, "--against", zoo / "gpt2.onnx", "--probe-tolerance", 0.25)["probe"] == "model"
    by_model = np.frombuffer((folder / "1/probe.bin").read_bytes(), np.float32)
    assert 0 < np.abs(by_ranks - by_model).max() <= 1e-5 * np.abs(by_model).max()
    assert probe_in(folder)["outputs"][0]["tolerance"] == 0.25
    assert build(folder, "--no-probe")["probe"] is None
    assert probe_in(folder) is None and not (folder / "1/probe.bin").exists()


def test_another_model_does_not_answer_the_probe(shard, program, library, zoo):
    folder = shard(zoo / "vit.onnx", "tensor")
    assert "is not the model that 'model' was made from" in refused(program, library, folder, "--against",
                                                                    zoo / "gpt2.onnx")


def refused(program, library, folder, *arguments):
    """The error of a build that must leave the model as it was."""
    before = {path.name: digest(path) for path in (folder / "1").iterdir()}
    line = program.refuse("build", folder, "--sm", 80, "--library", library, *arguments)
    assert {path.name: digest(path) for path in (folder / "1").iterdir()} == before
    return line


def test_sizes_that_the_model_cannot_have_are_refused_with_the_builders_reason(shard, program, library, zoo):
    line = refused(program, library, shard(zoo / "bert_dyn.onnx", "tensor"))  # it has 64 positions, not the usual 512
    assert "TensorRT-RTX's builder: " in line
    assert line.endswith("; --profile gives the sizes of free dimensions")


def test_an_op_that_the_parser_does_not_know_is_refused_with_the_node(shard, program, library, zoo, tmp_path):
    folder = shard(zoo / "vit.onnx", "tensor")
    plan = json.loads((folder / "1/plan.json").read_text())
    model = folder / "1" / plan["ranks"][1]["model"]["file"]
    model.write_bytes(model.read_bytes().replace(b"Softmax", b"Softmix"))
    plan["ranks"][1]["model"]["sha256"] = digest(model)
    (folder / "1/plan.json").write_text(json.dumps(plan))
    line = refused(program, library, folder)
    assert line.startswith("tessera: rank 1: TensorRT-RTX's ONNX parser: node '") and "(Softmix): " in line


def test_an_input_that_sizes_are_computed_from_is_refused_by_name(shard, program, library, tmp_path):
    model = onnx.parser.parse_model("""
        <ir_version: 9, opset_import: ["" : 18]>
        reshaped (float[b, 64] x, int64[2] sizes) => (float[c, d] y) { m = MatMul (x, w)  y = Reshape (m, sizes) }""")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((64, 64), np.float32), "w"))
    onnx.save(model, tmp_path / "reshaped.onnx")
    line = refused(program, library, shard(tmp_path / "reshaped.onnx", "tensor"), "--no-probe")
    assert line.endswith("rank 0: sizes are computed from the values of input 'sizes', which no profile tells; make it a "
                         "constant of the model")


@pytest.mark.parametrize("arguments, reason", [
    (["--profile", "lines=1:2:3"], "no input has a free dimension 'lines', there are: batch_size, sequence_length"),
    (["--sm", 81], "compute capability 8.1: TensorRT-RTX 1.7.1 does not build for it"),
    (["--builder", "cuda"], "--builder 'cuda': wanted tensorrt or tensorrt-rtx"),
])
def test_bad_options_are_refused(arguments, reason, shard, program, library, minilm):
    assert refused(program, library, shard(minilm, "tensor"), *arguments).endswith(reason)


def test_a_changed_source_is_refused(shard, program, library, zoo):
    folder = shard(zoo / "vit.onnx", "tensor")
    with (folder / "1/model.onnx.rank1").open("ab") as file:
        file.write(b"x")
    assert "rank 1: " in refused(program, library, folder)


def test_a_second_build_of_a_model_is_refused_while_one_runs(shard, program, zoo):
    folder = shard(zoo / "vit.onnx", "tensor")
    directory = os.open(folder / "1", os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)  # as a build does that is under way
    assert program.refuse("build", folder, "--sm", 80).endswith(
        f"'{folder / '1'}' is being built by another process, wait for it to end")
    os.close(directory)


def test_what_a_killed_build_left_goes_with_the_next(shard, build, zoo):
    folder = shard(zoo / "vit.onnx", "tensor")
    left = folder / "1/.engines.4711-0123abcd-0.tmp"
    left.mkdir()
    (left / "model.plan.rank0").write_bytes(b"half of it")
    build(folder, "--no-probe")
    assert not left.exists()


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_a_damaged_probe_is_recorded_anew(shard, build, zoo, damage):
    folder = shard(zoo / "vit.onnx", "tensor")
    build(folder)
    probe = (folder / "1/probe.bin").read_bytes()
    (folder / "1/probe.bin").unlink()
    if damage == "short":
        (folder / "1/probe.bin").write_bytes(probe[:64])
    assert build(folder)["probe"] == "ranks"
    assert (folder / "1/probe.bin").read_bytes() == probe


def test_shard_names_build_as_the_next_step(program, zoo, tmp_path):
    done = program.run("shard", zoo / "vit.onnx", "--ranks", 2, "-o", tmp_path, "--engine", "tensorrt")
    assert done.stdout.splitlines()[-1] == f"Next: tessera build {tmp_path / 'vit'}"


def test_a_model_for_another_engine_is_refused(program, zoo, tmp_path):
    program.shard(zoo / "vit.onnx", 2, tmp_path, "vit")
    assert program.refuse("build", tmp_path / "vit", "--sm", 80).endswith(
        "was sharded for the engine 'openvino', wanted tensorrt: shard it with --engine tensorrt")


def test_without_a_builder_one_line_says_what_is_missing(tessera, program, shard, zoo, tmp_path):
    folder = shard(zoo / "vit.onnx", "tensor")
    alone = tmp_path / "bin" / "tessera"
    alone.parent.mkdir()
    shutil.copy2(tessera, alone)
    line = type(program)(alone).refuse("build", folder, "--sm", 80)
    assert "set TENSORRT_ROOT and build again" in line
