"""Parameters of GPU models: what is wrong is said in one line, and others live on."""

import concurrent.futures
import subprocess

import numpy as np
import pytest
from clients import Client, reasons
from gpu_models import MLP, parameters, random_rows, relative_error
from tritonclient.utils import InferenceServerException

NOT_BATCHED = """
input [ { name: "x" data_type: TYPE_FP16 dims: [ -1, 256 ] } ]
output [ { name: "y" data_type: TYPE_FP16 dims: [ -1, 256 ] } ]
"""
GPU_99 = "GPU 99 is not on this machine"
BAD = {
    "no_list": ({"enable_multi_device": "true"}, ["multi_device_gpus"]),
    "not_numbers": ({"enable_multi_device": "true", "multi_device_gpus": "0,x"}, ["multi_device_gpus is '0,x'", "0,1"]),
    "empty": ({"enable_multi_device": "true", "multi_device_gpus": " , "}, ["multi_device_gpus is ' , '"]),
    "switched_off": ({"enable_multi_device": "false", "multi_device_gpus": "0,1"}, ["enable_multi_device", "true"]),
    "negative": ({"enable_multi_device": "true", "multi_device_gpus": "-1"}, ["multi_device_gpus is '-1'"]),
    "not_a_truth": ({"enable_multi_device": "yes", "multi_device_gpus": "0"}, ["enable_multi_device is 'yes'"]),
    "no_such_gpu": ({"enable_multi_device": "true", "multi_device_gpus": "0,99"}, [GPU_99]),
    "more_gpus": ({"enable_multi_device": "true", "multi_device_gpus": "0,1,2"}, ["model.plan.rank2", "rank 2 of 3"]),
    "fewer_gpus": ({"enable_multi_device": "true", "multi_device_gpus": "0"}, ["lists 1 GPUs", "model.plan.rank1"]),
    "not_enabled": ({"multi_device_gpus": "0,1"}, ["enable_multi_device", "true"]),
    "same_engine": ({"enable_multi_device": "true", "multi_device_gpus": "0,1",
                     "multi_device_per_rank_engines": "false"}, ["model.plan'", "rank 0 of 2"]),
    "no_way": ({"enable_multi_device": "true", "multi_device_gpus": "0,1", "replication": "peer"},
               ["replication is 'peer'", "auto, probe, copies or gather"]),
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
    found = reasons(client)
    wrong = {name: found[name] for name, (_, wanted) in BAD.items()
             if any(text not in found[name] for text in wanted) or "\n" in found[name]}
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
    assert "not a multi-device engine" in reasons(client)["one"]


def test_plan_json_and_the_list_of_gpus_have_as_many_ranks(serve, repository, pair):
    repository.add_mlp("m", pair, "plan")
    config = repository.path / "m" / "config.pbtxt"
    config.write_text(config.read_text().replace(f'"{pair}"', '"0"'))
    client = Client(serve(repository, "m", tolerant=True), "http")
    reason = reasons(client)["m"]
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
    reason = reasons(client)["m"]
    assert "configuration specified max-batch 65 but TensorRT engine only supports max-batch 64" in reason


def capability() -> str:
    """Of the first GPU: "9.0"."""
    return subprocess.run(["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader", "--id=0"], check=True,
                          capture_output=True, text=True).stdout.strip()


def test_files_by_compute_capability_are_found(serve, repository, pair):
    names = f'cc_model_filenames [ {{ key: "{capability()}" value: "ours.plan" }}, {{ key: "1.0" value: "old.plan" }} ]'
    kind_gpu = "\ninstance_group [ { kind: KIND_GPU count: 1 gpus: [ 0 ] } ]"
    models = {"model": ("", names), "gpu": ("", names + kind_gpu), "ranks": (pair, names)}
    for name, (gpus, config) in models.items():
        repository.add_mlp(name, gpus, "ranks" if gpus else "one", config)
        for file in (repository.path / name / "1").glob("model.plan*"):
            file.rename(file.with_name(file.name.replace("model.plan", "ours.plan")))
    repository.add_mlp("missing", form="one", config=names)
    client = Client(serve(repository, *models, "missing", tolerant=True), "http")
    for name in models:
        assert client.infer(name, {"x": random_rows(3)})["y"].shape == (3, 256)
    assert "1/ours.plan' for model instance 'missing" in reasons(client)["missing"]


def test_a_gpu_whose_memory_is_in_use_beyond_the_servers_limit_takes_no_rank(serve, repository, pair):
    """The server looks at models of KIND_GPU alone."""
    repository.add_mlp("m", pair, "ranks")
    last = pair.split(",")[-1]
    bad = Client(serve(repository, "m", arguments=[f"--model-load-gpu-limit={last}:0.0001"], tolerant=True), "http")
    assert f"of GPU {last}'s memory is in use, --model-load-gpu-limit loads nothing beyond 0 %" in reasons(bad)["m"]
    good = Client(serve(repository, "m", arguments=[f"--model-load-gpu-limit={last}:1"]), "http")
    assert good.infer("m", {"x": random_rows(2)})["y"].shape == (2, 256)


def test_ranks_times_are_labelled_with_their_gpus(serve, repository, pair):
    """As Triton's own metrics of a GPU are."""
    repository.add_mlp("m", pair, "ranks")
    server = serve(repository, "m")
    Client(server, "grpc").infer("m", {"x": random_rows(2)})
    uuids = subprocess.run(["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"], check=True, capture_output=True,
                           text=True).stdout.split()
    lines = [line for line in server.metrics_text().splitlines() if line.startswith("tessera_rank_compute_us{")]
    for rank, gpu in enumerate(pair.split(",")):
        assert any(f'gpu_uuid="{uuids[int(gpu)]}"' in line and f'rank="{rank}"' in line for line in lines), lines


def test_shapes_of_graph_specs_are_captured_at_load(serve, repository, few):
    spec = "optimization { cuda { graphs: true graph_spec { batch_size: 5 } graph_spec { batch_size: 9 } } }"
    repository.add_mlp("m", few, "ranks", spec)
    server = serve(repository, "m", arguments=["--log-verbose=1"])
    assert "2 shapes of optimization.cuda.graph_spec were run" in server.log()
    captured = "captured CUDA graph for"
    before = server.log().count(captured)
    assert Client(server, "grpc").infer("m", {"x": random_rows(5)})["y"].shape == (5, 256)
    assert before >= 2 and server.log().count(captured) == before
    assert "is launching CUDA graph for inputs [5,256]" in server.log()


def test_without_graphs_and_with_the_least_priority_the_answer_is_the_same(serve, repository, few):
    repository.add_mlp("plain", few, "ranks")
    repository.add_mlp("m", few, "ranks", "optimization { priority: PRIORITY_MIN cuda { graphs: false } }")
    client = Client(serve(repository, "plain", "m"), "http")
    x = random_rows(7)
    np.testing.assert_array_equal(client.infer("m", {"x": x})["y"], client.infer("plain", {"x": x})["y"])


def test_plugin_libraries_are_opened_and_a_missing_one_refuses_the_model(serve, repository, tmp_path):
    repository.add_mlp("m", form="one")
    server = serve(repository, "m", arguments=["--backend-config=tensorrt,plugins=libm.so.6",
                                               "--backend-config=tensorrt,version-compatible=true"])
    assert "plugins of 'libm.so.6' are loaded" in server.log()
    assert Client(server, "http").infer("m", {"x": random_rows(1)})["y"].shape == (1, 256)
    missing = tmp_path / "no_such_plugin.so"
    bad = Client(serve(repository, "m", arguments=[f"--backend-config=tensorrt,plugins={missing}"], tolerant=True), "http")
    assert str(missing) in reasons(bad)["m"]


RESHAPED = {**MLP, "reshaped": 1}


def test_a_shape_tensor_is_given_whole_where_the_model_is_not_batched(serve, repository, few):
    repository.add_mlp("plain", few, "ranks")
    repository.add_mlp("m", few, "ranks", sizes=RESHAPED)
    client = Client(serve(repository, "plain", "m"), "http")
    config = client.raw.get_model_config("m")
    assert config["max_batch_size"] == 0
    assert [i.get("is_shape_tensor", False) for i in config["input"]] == [False, True]
    x = random_rows(6)
    wanted = client.infer("plain", {"x": x})["y"]
    for sizes in ([6, 64, 4], [6, 128, 2], [3, 256, 2], [6, 64, 4]):
        got = client.infer("m", {"x": x, "s": np.array(sizes, np.int64)})["y"]
        np.testing.assert_array_equal(got, wanted.reshape(sizes))
    message = "The shape value at index 0 is expected to be in range from 1 to 64, Got: 65"
    with pytest.raises(InferenceServerException, match=message):
        client.infer("m", {"x": x, "s": np.array([65, 4, 4], np.int64)})
    with pytest.raises(InferenceServerException, match=r"rank 0: TensorRT's inferShapes: .*\[6,256\] as \[6,63,4\]"):
        client.infer("m", {"x": x, "s": np.array([6, 63, 4], np.int64)})
    assert client.infer("m", {"x": x, "s": np.array([6, 64, 4], np.int64)})["y"].shape == (6, 64, 4)


def test_a_shape_tensor_of_a_batched_model_gets_the_rows_of_the_step(serve, repository, few):
    """As with NVIDIA's backend: the client's values go without the batch, which is the engine's first one."""
    repository.add_mlp("plain", few, "ranks")
    delay = "dynamic_batching { max_queue_delay_microseconds: 200000 }"
    repository.add_mlp("m", few, "ranks", "max_batch_size: 16\n" + delay, sizes=RESHAPED)
    server = serve(repository, "plain", "m")
    client = Client(server, "grpc")
    assert client.raw.get_model_config("m", as_json=True)["config"]["input"][1]["dims"] == ["2"]
    asked = [(random_rows(2, seed), [64, 4] if seed % 2 else [128, 2]) for seed in range(6)]
    with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda a: client.infer("m", {"x": a[0], "s": np.array(a[1], np.int64)})["y"], asked))
    for (x, sizes), got in zip(asked, answers):
        wanted = client.infer("plain", {"x": x})["y"].reshape([2, *sizes])
        assert relative_error(got, wanted) < 2e-3


@pytest.mark.parametrize("graphs", ["true", "false"])
def test_an_output_whose_shape_the_data_decides(serve, repository, few, graphs):
    """TensorRT asks for its memory while it runs, on every rank, and tells the shape then."""
    dims = """
max_batch_size: 0
input [ { name: "x" data_type: TYPE_FP16 dims: [ -1, 256 ] }, { name: "keep" data_type: TYPE_BOOL dims: [ -1 ] } ]
output [ { name: "y" data_type: TYPE_FP16 dims: [ -1, 256 ] } ]
"""
    repository.add_mlp("plain", few, "ranks", NOT_BATCHED)
    repository.add_mlp("m", few, "ranks", dims, sizes={**MLP, "picked": 1}, cuda_graphs=graphs)
    client = Client(serve(repository, "plain", "m"), "grpc")
    for rows in (3, 64, 16, 64):
        x = random_rows(rows, rows)
        wanted = client.infer("plain", {"x": x})["y"]
        for keep in (np.arange(rows) % 3 == 0, np.ones(rows, bool), np.zeros(rows, bool)):
            got = client.infer("m", {"x": x, "keep": keep})["y"]
            assert got.shape == (keep.sum(), 256)
            np.testing.assert_array_equal(got, wanted[keep])


TWO_PROFILES = {**MLP, "second_most_m": 256}
PROFILES = {"all": ("", 256), "first": ('profile: "0"', 64), "second": ('profile: "1"', 256)}


def test_an_instance_uses_the_profiles_that_its_group_lists(serve, repository, few):
    for name, (profile, _) in PROFILES.items():
        repository.add_mlp(name, few, "ranks", f"{NOT_BATCHED}\ninstance_group [ {{ kind: KIND_MODEL {profile} }} ]",
                           sizes=TWO_PROFILES)
    repository.add_mlp("none", few, "ranks", 'instance_group [ { kind: KIND_MODEL profile: "2" } ]', sizes=TWO_PROFILES)
    repository.add_mlp("batched", few, "ranks", 'instance_group [ { kind: KIND_MODEL profile: "0" } ]\nmax_batch_size: 65',
                       sizes=TWO_PROFILES)
    client = Client(serve(repository, *PROFILES, "none", "batched", tolerant=True), "http")
    x = random_rows(65)
    for name, (_, most) in PROFILES.items():
        if most >= 65:
            assert client.infer(name, {"x": x})["y"].shape == (65, 256)
        else:
            with pytest.raises(InferenceServerException, match="the engine takes"):
                client.infer(name, {"x": x})
    found = reasons(client)
    assert "invalid profile 2. Number of profiles supported by TensorRT engine: 2" in found["none"]
    assert "specified max-batch 65 but TensorRT engine only supports max-batch 64" in found["batched"]


def test_a_batch_may_be_as_large_as_any_groups_profiles_take(serve, repository, few):
    groups = 'instance_group [ { kind: KIND_MODEL profile: "0" }, { kind: KIND_MODEL profile: "1" } ]'
    for name, most in (("fits", 256), ("beyond", 257)):
        repository.add_mlp(name, few, "ranks", f"max_batch_size: {most}\n{groups}", sizes=TWO_PROFILES)
    client = Client(serve(repository, "fits", "beyond", tolerant=True), "http")
    assert "specified max-batch 257 but TensorRT engine only supports max-batch 256" in reasons(client)["beyond"]
    assert client.infer("fits", {"x": random_rows(64)})["y"].shape == (64, 256)


def test_contexts_of_their_own_answer_as_shared_memory_does(serve, repository, few):
    strategy = "execution_context_allocation_strategy"
    for name in ("STATIC", "ON_PROFILE_CHANGE"):
        repository.add_mlp(name, few, "ranks", sizes=TWO_PROFILES, **{strategy: name})
    client = Client(serve(repository, "STATIC", "ON_PROFILE_CHANGE"), "http")
    for rows in (7, 60):
        answers = [client.infer(name, {"x": random_rows(rows)})["y"] for name in ("STATIC", "ON_PROFILE_CHANGE")]
        np.testing.assert_array_equal(*answers)
