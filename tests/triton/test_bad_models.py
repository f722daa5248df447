"""A model that cannot be served is not READY, with the reason in the repository index; server and others live on."""

import json

import models
import numpy as np
import pytest
from clients import Client


def edit_plan(repository, change):
    file = repository.path / "bad/1/plan.json"
    plan = json.loads(file.read_text())
    change(plan)
    file.write_text(json.dumps(plan))


def add_sharded(repository, change=None):
    repository.add_sharded_mlp("bad")
    if change:
        edit_plan(repository, change)


def newer_plan(repository):
    add_sharded(repository, lambda plan: plan.update(version=99))


def unreadable_plan(repository):
    add_sharded(repository)
    (repository.path / "bad/1/plan.json").write_text("{ not json")


def missing_rank(repository):
    add_sharded(repository)
    (repository.path / "bad/1/model.onnx.rank1").unlink()


def changed_rank(repository):
    add_sharded(repository)
    file = repository.path / "bad/1/model.onnx.rank1"
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)


def no_model(repository):
    repository.add("bad", models.affine(), file="other.txt")


def not_onnx(repository):
    repository.add("bad", models.affine())
    (repository.path / "bad/1/model.onnx").write_bytes(b"this is not a model" * 100)


def tensorrt_plan(repository):
    add_sharded(repository, lambda plan: plan.update(engine="tensorrt"))


def tensorrt_model(repository):
    repository.add("bad", models.affine(), file="model.plan")


def tensorrt_ranks(repository):
    repository.add("bad", models.affine(), 'parameters { key: "enable_multi_device" value { string_value: "true" } }',
                   file="model.plan.rank0")


def wrong_dims(repository):
    repository.add("bad", models.affine(), 'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 5 }'
                                           'output { name: "y" data_type: TYPE_FP32 dims: 4 }')


def wrong_type(repository):
    repository.add("bad", models.affine(), 'max_batch_size: 8 input { name: "x" data_type: TYPE_FP16 dims: 4 }')


def wrong_name(repository):
    repository.add("bad", models.affine(), 'max_batch_size: 8 input { name: "z" data_type: TYPE_FP32 dims: 4 }'
                                           'output { name: "y" data_type: TYPE_FP32 dims: 4 }')


def fixed_batch(repository):
    repository.add("bad", models.affine(shape=(2, 4)), "max_batch_size: 8")


def strings(repository):
    repository.add("bad", models.strings())


def bad_parameter(repository):
    repository.add("bad", models.affine(),
                   'parameters { key: "request_timeout_ms" value { string_value: "soon" } }')


def tensorrt_on_several_gpus(repository):
    repository.add("bad", models.affine(), """parameters { key: "enable_multi_device" value { string_value: "true" } }
        parameters { key: "multi_device_gpus" value { string_value: "0,1" } }""", file="model.plan")


SWITCH = "TRITON_ENABLE_TENSORRT_MULTI_DEVICE"
ONE_GPU = f"{SWITCH}|GPU 0 is not on this machine|no plan that TensorRT"  # by what was found when it was built
BAD = {
    newer_plan: ["version 99", "version 2"],
    unreadable_plan: ["plan.json", "not JSON"],
    missing_rank: ["model.onnx.rank1"],
    changed_rank: ["model.onnx.rank1", "sha256"],
    no_model: ["unable to find", "plan.json", "model.onnx"],
    not_onnx: ["model.onnx"],
    tensorrt_plan: [SWITCH],
    tensorrt_on_several_gpus: [SWITCH],
    tensorrt_model: [ONE_GPU],
    tensorrt_ranks: [f"{SWITCH}|enable_multi_device"],
    wrong_dims: ["input 'x' is configured as [5], the model has [4]"],
    wrong_type: ["input 'x' is configured as TYPE_FP16, the model has TYPE_FP32"],
    wrong_name: ["input 'z' is configured, the model has 'x'"],
    fixed_batch: ["max_batch_size is 8", "'x' is [2,4]"],
    strings: ["'text'", "string"],
    bad_parameter: ["request_timeout_ms", "'soon'"],
}


@pytest.mark.parametrize("break_model", BAD, ids=lambda f: f.__name__)
def test_reason_is_in_the_index_and_the_good_model_lives_on(serve, repository, break_model, multi_device_build):
    if multi_device_build and SWITCH in BAD[break_model]:
        pytest.skip("this build has the switch on")
    break_model(repository)
    repository.add_sharded_mlp("good")
    client = Client(serve(repository, tolerant=True), "http")
    index = {model["name"]: model for model in client.raw.get_model_repository_index()}
    assert index["good"]["state"] == "READY"
    assert index["bad"]["state"] == "UNAVAILABLE"
    assert not client.raw.is_model_ready("bad")
    for words in BAD[break_model]:
        assert any(word in index["bad"]["reason"] for word in words.split("|")), index["bad"]["reason"]
    assert "\n" not in index["bad"]["reason"]
    x = np.ones((3, 4), np.float32)
    np.testing.assert_allclose(client.infer("good", {"x": x})["y"], models.mlp_answer(x), rtol=2e-5)
