"""Keys of config.pbtxt and of the command line that users of TensorRT models have: served, said to have no effect, or
refused with a line that names the key. The table is in docs/reference/triton.md."""

import models
import numpy as np
import pytest
from clients import Client
from tritonclient.utils import InferenceServerException

IDLE = {
    "optimization.cuda.busy_wait_events": "cuda { graphs: true busy_wait_events: true }",
    "optimization.cuda.output_copy_stream": "cuda { graphs: true output_copy_stream: true }",
    "optimization.cuda.graph_spec has no effect": "cuda { graph_spec { batch_size: 2 } }",
    "optimization.cuda.graph_spec.graph_lower_bound":
        "cuda { graphs: true graph_spec { batch_size: 2 graph_lower_bound { batch_size: 1 } } }",
    "optimization.eager_batching": "eager_batching: true",
    "optimization.gather_kernel_buffer_threshold": "gather_kernel_buffer_threshold: 64",
    "optimization.input_pinned_memory.enable": "input_pinned_memory { enable: false }",
    "optimization.output_pinned_memory.enable": "output_pinned_memory { enable: false }",
}
SPEC = 'optimization { cuda { graphs: true graph_spec { batch_size: %d %s } } }'
INPUT_X = 'input { key: "x" value { dim: [ 4 ] } }'
STRATEGY = 'parameters { key: "execution_context_allocation_strategy" value { string_value: "%s" } }'
X = 'input { name: "x" data_type: TYPE_FP32 dims: 4 %s }'
REFUSED = {
    "sequences": ("sequence_batching { }", ["sequence_batching"]),
    "ragged": ("max_batch_size: 4 " + X % "allow_ragged_batch: true", ["'x'", "allow_ragged_batch"]),
    "batch_input": ('max_batch_size: 4 batch_input { kind: BATCH_ELEMENT_COUNT target_name: "n" '
                    'data_type: TYPE_FP32 source_input: "x" }', ["batch_input"]),
    "batch_output": ('max_batch_size: 4 batch_output { kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "y" '
                     'source_input: "x" }', ["batch_output"]),
    "dla": ("instance_group { kind: KIND_MODEL secondary_devices { kind: KIND_NVDLA device_id: 0 } }",
            ["secondary_devices"]),
    "passive": ("instance_group { kind: KIND_MODEL passive: true }", ["is passive"]),
    "profiles": ('instance_group { kind: KIND_MODEL profile: "1" }', ["lists profiles, 'openvino' has none"]),
    "profile_name": ('instance_group { kind: KIND_MODEL profile: "small" }', ["'small'"]),
    "strategy": (STRATEGY % "DYNAMIC", ["execution_context_allocation_strategy is 'DYNAMIC'"]),
    "big_graph": ("max_batch_size: 4 " + SPEC % (8, ""), ["graph_spec has batch_size 8, max_batch_size is 4"]),
    "other_graph": (SPEC % (8, INPUT_X.replace("4", "5")), ["graph_spec", "'x' is [8,5]"]),
    "graph_of_no_input": (SPEC % (8, INPUT_X.replace("x", "z")), ["graph_spec", "no input 'z'"]),
    "file": ('default_model_filename: "other.onnx"', ["unable to find '", "other.onnx' for model instance 'file_0"]),
}
REFUSED_BESIDE_A_PLAN = {
    "capability": ('cc_model_filenames { key: "9.0" value: "hopper.plan" }', ["cc_model_filenames"]),
    "plan_file": ('default_model_filename: "model.onnx.rank0"', ["default_model_filename is 'model.onnx.rank0'", "plan.json"]),
}


def test_keys_without_effect_are_named_and_the_models_serve(serve, repository):
    for number, text in enumerate(IDLE.values()):
        repository.add(f"m{number}", models.affine(), f"optimization {{ {text} }}")
    server = serve(repository, "--backend-config=tensorrt,coalesce-request-input=true",
                   "--backend-config=tensorrt,execution-policy=DEVICE_BLOCKING",
                   "--backend-config=tensorrt,no-such-key=1", "--backend-config=tensorrt,version-compatible=false")
    log = server.log()
    for number, key in enumerate(IDLE):
        assert f"model 'm{number}': {key}" in log
    for key in ("coalesce-request-input", "execution-policy", "no-such-key"):
        assert f"tensorrt,{key} has no effect" in log
    assert "version-compatible has" not in log
    client, x = Client(server, "http"), np.ones((3, 4), np.float32)
    for number in range(len(IDLE)):
        np.testing.assert_array_equal(client.infer(f"m{number}", {"x": x})["y"], 2 * x + 1)


def test_shapes_of_graph_specs_are_run_before_the_model_is_ready(serve, repository):
    repository.add("m", models.affine(("batch", "width")), SPEC % (8, INPUT_X))
    server = serve(repository)
    assert "1 shapes of optimization.cuda.graph_spec were run" in server.log()
    assert Client(server, "grpc").infer("m", {"x": np.zeros((8, 4), np.float32)})["y"].shape == (8, 4)


def test_a_plain_configuration_names_no_key(serve, repository):
    assert "has no effect" not in serve(repository.add("m", models.affine())).log()


def test_keys_that_are_not_served_refuse_the_model_by_name(serve, repository):
    for name, (text, _) in REFUSED.items():
        repository.add(name, models.affine(), text)
    for name, (text, _) in REFUSED_BESIDE_A_PLAN.items():
        repository.add_sharded_mlp(name, text)
    repository.add_sharded_mlp("good_plan", 'default_model_filename: "plan.json"')
    repository.add("good", models.affine())
    client = Client(serve(repository, tolerant=True), "http")
    index = {model["name"]: model for model in client.raw.get_model_repository_index()}
    expected = {name: words for name, (_, words) in (REFUSED | REFUSED_BESIDE_A_PLAN).items()}
    wrong = {name: index[name] for name, words in expected.items()
             if index[name]["state"] == "READY" or any(word not in index[name]["reason"] for word in words)}
    assert not wrong
    assert index["good"]["state"] == index["good_plan"]["state"] == "READY"


def test_a_wrong_execution_policy_refuses_the_backend(serve, repository):
    server = serve(repository.add("m", models.affine()), "--backend-config=tensorrt,execution-policy=FAST", tolerant=True)
    assert "execution-policy is 'FAST', wanted DEVICE_BLOCKING or BLOCKING" in server.log()


@pytest.mark.parametrize("key, text", [("passive", "passive: true"),
                                       ("secondary_devices", "secondary_devices { kind: KIND_NVDLA device_id: 0 }")])
def test_an_instance_group_that_is_not_served_does_not_replace_another(serve, repository, key, text):
    """The server keeps the model and makes other instances of it."""
    repository.add("m", models.affine(), "instance_group { kind: KIND_MODEL count: 1 }")
    client = Client(serve(repository, "--model-control-mode=explicit", "--load-model=m"), "http")
    config = repository.path / "m/config.pbtxt"
    config.write_text(config.read_text().replace("count: 1", f"count: 1 {text}"))
    with pytest.raises(InferenceServerException, match=key):
        client.raw.load_model("m")
    x = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(client.infer("m", {"x": x})["y"], 2 * x + 1)
