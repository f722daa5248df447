"""Models to shard with inputs that they can take and the answers that they must give."""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import numpy as np

from converted import CONVERSIONS
from reference import Reference

TRAINED = ("minilm", "minilm_int8", "yolox", "silero_vad", "open_nsfw", "magika")
ZOO = ("bert_dyn", "bert_op23", "clip", "dit", "gpt2", "gpt2_dyn", "llama_gqa_dyn", "llama_gqa_op18",
       "llama_gqa_op23", "mixtral_moe", "unet_sd", "vae_decoder", "vit")
TRANSFORMERS = tuple(name for name in ZOO if name not in ("unet_sd", "vae_decoder"))
CONVERTED = (*(f"{name}.fp16" for name in TRANSFORMERS),
             *(f"{name}.{how}" for name in ("bert_dyn", "gpt2_dyn") for how in ("dynamic", "qdq")))

SIZES = [(2, 24), (4, 48)]  # batch and length of free dimensions: multiples of 2, 3, 4 and 8 where ranks divide them


@dataclasses.dataclass(frozen=True)
class Case:
    inputs: dict[str, np.ndarray]
    answer: dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    path: pathlib.Path
    cases: list[Case]
    exact: bool  # fp32: the answers are met to 1e-5; else compared with the unsharded engine's own error


def _bytes(random, batch):
    return {"bytes": random.integers(0, 257, (batch, 2048), np.int32)}  # 256: padding


def _image(random, batch):
    return {"input_0": random.uniform(-128, 128, (batch, 224, 224, 3)).astype(np.float32)}


def _page(random, _):
    return {"images": random.uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)}


def _speech(random, batch):
    """32 ms at 16 kHz behind the 4 ms before it."""
    return {"input": (random.standard_normal((batch, 576)) * 0.1).astype(np.float32),
            "state": (random.standard_normal((2, batch, 128)) * 0.1).astype(np.float32),
            "sr": np.array(16000, np.int64)}


INPUTS = {"magika": _bytes, "open_nsfw": _image, "yolox": _page, "silero_vad": _speech}


# Logits of clip are scaled cosines; where they are all near zero (seed 0: 0.7% of the scale), nothing but rounding is
# left of their last digits, in every engine.
FIRST_SEED = {"clip": 1}


class Models:
    """models.get("gpt2.fp16"): a model of the zoo, a trained one, or one converted from the zoo, made once."""

    def __init__(self, zoo: pathlib.Path, trained: pathlib.Path, made: pathlib.Path):
        self._zoo, self._trained, self._made = zoo, trained, made

    @functools.cache
    def get(self, name: str) -> Model:
        source, _, how = name.partition(".")
        path = self._trained / source / "model.onnx" if source in TRAINED else self._zoo / f"{source}.onnx"
        reference = Reference(path)
        if how:
            path = self._made / f"{name}.onnx"
            CONVERSIONS[how](self._zoo / f"{source}.onnx", path)
        if how in ("dynamic", "qdq"):
            reference = Reference(path)  # what quantizing costs is no one's error
        return Model(name, path, list(self._cases(source, reference)), exact=not how and source != "minilm_int8")

    @staticmethod
    def _cases(source: str, reference: Reference):
        for seed, (batch, length) in enumerate(SIZES, FIRST_SEED.get(source, 0)):
            random = np.random.default_rng(seed)
            inputs = (INPUTS[source](random, batch) if source in INPUTS
                      else reference.random_inputs(batch, length, seed))
            yield Case(inputs, reference.answer(inputs))
