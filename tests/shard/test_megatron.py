"""What the search finds against the plan that a person writes, by the same figures."""

import onnx
import pytest

from megatron import Megatron

ZOO = ["bert_dyn", "bert_op23", "gpt2", "gpt2_dyn", "llama_gqa_op18", "llama_gqa_op23", "llama_gqa_dyn", "mixtral_moe",
       "vit", "clip", "dit"]
ENGINES = {"openvino": "CPU", "tensorrt": "GPU"}
US_PER_BYTE = 1  # what strategy tensor minimises: a byte of weights outweighs any time, but for the last two percent
SLACK = 1.02


@pytest.fixture(scope="module")
def prices(lab, zoo):
    """{(model, ranks, device): {plan: price}}"""
    found = {}
    for name in ZOO:
        file = zoo / f"{name}.onnx"
        model = onnx.load(file)
        for parts in (2, 4):
            weights = Megatron(model, parts).weights()
            for engine, device in ENGINES.items():
                request = {"do": "price", "model": file, "parts": parts, "engine": engine}
                by_hand = lab.ask(**request, strategy="tensor", weights=weights)
                found[name, parts, device] = {
                    "megatron": by_hand,
                    "tensor": lab.ask(**request, strategy="tensor"),
                    "auto": lab.ask(**request, strategy="auto"),
                    "auto, no more memory": lab.ask(**request, strategy="auto", memory=by_hand["weight_bytes"]),
                }
    return found


def test_every_model_is_priced(prices, capsys):
    with capsys.disabled():
        print("\nus a step, KiB of weights a rank")
        for (name, parts, device), plans in prices.items():
            print(f"{name:15} {parts} {device} ", "  ".join(
                f"{plan}: {p['us']:.0f} us, {p['weight_bytes'] / 1024:.0f} KiB" for plan, p in plans.items()))
    assert all("error" not in price for plans in prices.values() for price in plans.values())


def test_megatron_splits_what_it_is_known_to_split(zoo):
    """The yardstick is right: all of attention and MLP, 12 matrices in two blocks of BERT, 14 with a gate's."""
    split = {name: sum(cut is not None for cut in Megatron(onnx.load(zoo / f"{name}.onnx"), 2).weights().values())
             for name in ZOO}
    assert split == {"bert_dyn": 12, "bert_op23": 12, "gpt2": 8, "gpt2_dyn": 8, "llama_gqa_op18": 14,
                     "llama_gqa_op23": 14, "llama_gqa_dyn": 14, "mixtral_moe": 12, "vit": 12, "clip": 24, "dit": 12}


def test_tensor_costs_no_more_than_megatron(prices):
    """By what it minimises; and where it holds as much, the time is no longer either."""
    lower = 0
    for case, plans in prices.items():
        ours, hand = plans["tensor"], plans["megatron"]
        assert ours["us"] + US_PER_BYTE * ours["weight_bytes"] <= hand["us"] + US_PER_BYTE * hand["weight_bytes"], case
        if hand["weight_bytes"] <= SLACK * ours["weight_bytes"]:
            assert ours["us"] <= hand["us"] * (1 + 1e-9), case
        lower += ours["us"] < hand["us"] and ours["weight_bytes"] < hand["weight_bytes"]
    assert lower >= 1, "strictly better in both on no model"


def test_auto_in_the_memory_of_megatron_is_no_slower(prices):
    slower = [case for case, plans in prices.items()
              if plans["auto, no more memory"]["us"] > plans["megatron"]["us"] + 0.1]
    # There Megatron's plan, which leaves the conditioning whole, lies above the hull of time and memory: no price on
    # memory finds it, and the next one on the hull that fits is 6% slower.
    assert set(slower) <= {("dit", 2, "CPU")}


def test_auto_is_no_slower_than_megatron(prices):
    faster = [case for case, plans in prices.items() if plans["auto"]["us"] < plans["megatron"]["us"]]
    assert len(faster) == len(prices)
