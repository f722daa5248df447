"""Parameters of GPU models: what is wrong is said in one line, and others live on."""

import pytest
from clients import Client
from gpu_models import MLP, parameters, random_rows
from tritonclient.utils import InferenceServerException

NOT_BATCHED = """
input [ { name: "x" data_type: TYPE_FP16 dims: [ -1, 256 ] } ]
output [ { name: "y" data_type: TYPE_FP16 dims: [ -1, 256 ] } ]
"""
GPU_99 = "GPU 99 is not on this machine"
BAD = {
    "no_list": ({"enable_multi_device": "true"}, ["multi_device_gpus"]),
    "not_numbers": ({"enable_multi_device": "true", "multi_device_gpus": "0,x"}, ["multi_device_gpus is '0,x'", "0,1"]),
    "empty_place": ({"enable_multi_device": "true", "multi_device_gpus": "0,,1"}, ["multi_device_gpus is '0,,1'"]),
    "trailing": ({"enable_multi_device": "true", "multi_device_gpus": "0,"}, ["multi_device_gpus is '0,'"]),
    "negative": ({"enable_multi_device": "true", "multi_device_gpus": "-1"}, ["multi_device_gpus is '-1'"]),
    "not_a_truth": ({"enable_multi_device": "yes", "multi_device_gpus": "0"}, ["enable_multi_device is 'yes'"]),
    "no_such_gpu": ({"enable_multi_device": "true", "multi_device_gpus": "0,99"}, [GPU_99]),
    "more_gpus": ({"enable_multi_device": "true", "multi_device_gpus": "0,1,2"}, ["model.plan.rank2", "rank 2 of 3"]),
    "fewer_gpus": ({"enable_multi_device": "true", "multi_device_gpus": "0"}, ["lists 1 GPUs", "model.plan.rank1"]),
    "not_enabled": ({"multi_device_gpus": "0,1"}, ["enable_multi_device", "true"]),
    "same_engine": ({"enable_multi_device": "true", "multi_device_gpus": "0,1",
                     "multi_device_per_rank_engines": "false"}, ["model.plan'", "rank 0 of 2"]),
    "kind_gpu": ({"enable_multi_device": "true", "multi_device_gpus": "0,1", "kind": "KIND_GPU"}, ["KIND_MODEL"]),
}


def test_bad_parameters_are_named_and_others_live_on(serve, repository):
    for name, (values, _) in BAD.items():
        repository.add_mlp(name, "0,1", "ranks")
        kind = values.get("kind", "KIND_MODEL")
        rest = {key: value for key, value in values.items() if key != "kind"}
        (repository.path / name / "config.pbtxt").write_text(
            f'backend: "tensorrt"\ninstance_group [ {{ kind: {kind} count: 1 }} ]\n{parameters(**rest)}\n')
    client = Client(serve(repository, *BAD, tolerant=True), "http")
    reasons = {model["name"]: model["reason"] for model in client.raw.get_model_repository_index()}
    wrong = {name: reasons[name] for name, (_, wanted) in BAD.items()
             if any(text not in reasons[name] for text in wanted) or "\n" in reasons[name]}
    assert not wrong
    assert not any(client.raw.is_model_ready(name) for name in BAD)
    repository.add_mlp("good", form="one")
    client.raw.load_model("good")
    assert client.infer("good", {"x": random_rows(16)})["y"].shape == (16, 256)


def test_an_engine_without_collectives_is_no_multi_device_engine(serve, repository, pair):
    repository.add_mlp("one", form="one")
    (repository.path / "one" / "config.pbtxt").write_text(
        'backend: "tensorrt"\n' + parameters(enable_multi_device="true", multi_device_gpus=pair))
    client = Client(serve(repository, "one", tolerant=True), "http")
    assert "not a multi-device engine" in client.raw.get_model_repository_index()[0]["reason"]


def test_plan_json_and_the_list_of_gpus_have_as_many_ranks(serve, repository, pair):
    repository.add_mlp("m", pair, "plan")
    config = repository.path / "m" / "config.pbtxt"
    config.write_text(config.read_text().replace(f'"{pair}"', '"0"'))
    client = Client(serve(repository, "m", tolerant=True), "http")
    reason = client.raw.get_model_repository_index()[0]["reason"]
    assert "multi_device_gpus lists 1 GPUs, plan.json has 2 ranks" in reason


def test_a_batch_beyond_the_engine_is_refused_and_the_next_request_works(serve, repository, few):
    """The engine takes 48 rows: the completed configuration says so, and a model that is not batched is asked."""
    sizes = {**MLP, "most_m": 48}
    repository.add_mlp("batched", few, "ranks", sizes=sizes)
    repository.add_mlp("plain", few, "ranks", NOT_BATCHED, sizes=sizes)
    client = Client(serve(repository, "batched", "plain"), "grpc")
    for name, message in (("batched", "batch-size must be <= 48"), ("plain", "input 'x' is \\[49,256\\], the engine takes")):
        with pytest.raises(InferenceServerException, match=message):
            client.infer(name, {"x": random_rows(49)})
        assert client.infer(name, {"x": random_rows(48)})["y"].shape == (48, 256)


def test_a_configured_batch_beyond_the_engine_is_refused_at_load(serve, repository, few):
    repository.add_mlp("m", few, "ranks", "max_batch_size: 65")
    client = Client(serve(repository, "m", tolerant=True), "http")
    reason = client.raw.get_model_repository_index()[0]["reason"]
    assert "configuration specified max-batch 65 but TensorRT engine only supports max-batch 64" in reason
