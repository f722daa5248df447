#!/usr/bin/env python3
"""The example of `./dev run`: a trained MiniLM on two CPU ranks, served by Triton next to the unsharded model.

    .venv/bin/python examples/minilm/run.py [--ranks N] [--keep]

Splits the model, verifies the split, serves both, asks them over HTTP and gRPC how alike some sentences are, prints the
answers side by side and stops the server. Exit code 1 when the two models disagree.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import numpy
import tokenizers
import tritonclient.grpc
import tritonclient.http

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESSERA = ROOT / "build/release/bin/tessera"
MODEL = ROOT / ".cache/models/minilm/model.onnx"
TOKENIZER = ROOT / ".cache/models/minilm/tokenizer.json"
REPOSITORY = ROOT / "build/example/repository"
SERVER_LOG = ROOT / "build/example/server.log"
POOLED = "461"  # the model's output [batch, 384]: one vector a sentence
MIB = 1 << 20
TOLERANCE = 1e-4  # between similarities of the sharded and the unsharded model

QUESTION = "How do I reset my password?"
SENTENCES = [  # and how alike to QUESTION they are, where the figure is known (from onnxruntime)
    ("I forgot my login credentials, how can I change them?", 0.658),
    ("Where can I download the invoice of last month?", None),
    ("Le mot de passe est incorrect.", None),
    ("The weather in Paris is lovely today.", -0.13),
]


def tessera(*arguments):
    """Runs a command of the program and shows it as a user would type it."""
    print(f"\n$ tessera {' '.join(str(argument) for argument in arguments)}", flush=True)
    result = subprocess.run([TESSERA, *arguments], cwd=ROOT, check=False)
    if result.returncode != 0:
        sys.exit(f"example: tessera {arguments[0]} ended with {result.returncode}")


def prepare(ranks):
    """A model repository with the model twice: split over `ranks`, and as it is."""
    shutil.rmtree(REPOSITORY, ignore_errors=True)
    REPOSITORY.mkdir(parents=True)
    model, repository = MODEL.relative_to(ROOT), REPOSITORY.relative_to(ROOT)
    tessera("shard", model, "--ranks", str(ranks), "-o", repository, "--name", "minilm")
    tessera("verify", repository / "minilm", "--against", model)
    whole = REPOSITORY / "minilm_whole/1/model.onnx"
    whole.parent.mkdir(parents=True)
    whole.symlink_to(MODEL)
    # Triton would look for a backend named onnxruntime; Tessera's serves a lone model.onnx as well.
    (REPOSITORY / "minilm_whole/config.pbtxt").write_text('backend: "tensorrt"\n')


class Server:
    """`tessera serve` on free ports of this machine, for the time of a with block."""

    def __enter__(self):
        command = [TESSERA, "serve", REPOSITORY.relative_to(ROOT), "--json", "--http-port", "0", "--grpc-port", "0",
                   "--metrics-port", "0"]
        print(f"\n$ tessera {' '.join(str(part) for part in command[1:])}", flush=True)
        with SERVER_LOG.open("w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()  # printed once every model is loaded, or was refused
        if not line:
            sys.exit(f"example: tessera serve ended with {self.process.wait()}:\n{SERVER_LOG.read_text()}")
        self.endpoints = json.loads(line)
        for model in self.endpoints["models"]:
            print(f"  {model['name']:14} {model['state']}  {model['reason']}")
        print(f"  HTTP {self.endpoints['http']}, gRPC {self.endpoints['grpc']}, log {SERVER_LOG.relative_to(ROOT)}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        print("\nserver stopped")


def encode(sentences):
    """input_ids and attention_mask, int64 [batch, longest]."""
    tokenizer = tokenizers.Tokenizer.from_file(str(TOKENIZER))
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch(sentences)
    return {"input_ids": numpy.array([encoding.ids for encoding in encodings], numpy.int64),
            "attention_mask": numpy.array([encoding.attention_mask for encoding in encodings], numpy.int64)}


def embed(protocol, client, model, inputs):
    """One request: the sentences' vectors, each of length 1."""
    tensors = []
    for name, values in inputs.items():
        tensor = protocol.InferInput(name, list(values.shape), "INT64")
        tensor.set_data_from_numpy(values)
        tensors.append(tensor)
    answer = client.infer(model, tensors, outputs=[protocol.InferRequestedOutput(POOLED)]).as_numpy(POOLED)
    return answer / numpy.linalg.norm(answer, axis=1, keepdims=True)


def similarities(protocol, client, model, inputs):
    """How alike the first sentence is to each of the others: the cosine of their vectors."""
    vectors = embed(protocol, client, model, inputs)
    return vectors[1:] @ vectors[0]


def median_ms(protocol, client, model, inputs, times=50):
    samples = []
    for _ in range(times):
        start = time.perf_counter()
        embed(protocol, client, model, inputs)
        samples.append((time.perf_counter() - start) * 1e3)
    return statistics.median(samples)


def ask(endpoints):
    """{(model, protocol name): (similarities, median time of a request)}."""
    inputs = encode([QUESTION] + [sentence for sentence, _ in SENTENCES])
    results = {}
    for name, protocol in [("http", tritonclient.http), ("grpc", tritonclient.grpc)]:
        with protocol.InferenceServerClient(endpoints[name]) as client:
            for model in ["minilm", "minilm_whole"]:
                results[model, name] = (similarities(protocol, client, model, inputs),
                                        median_ms(protocol, client, model, inputs))
    return results


COLUMNS = [("minilm", "http"), ("minilm", "grpc"), ("minilm_whole", "http"), ("minilm_whole", "grpc")]


def print_answers(results, ranks):
    print(f'\nHow alike to "{QUESTION}" (cosine)\n')
    print(f"{'':56} {f'{ranks} ranks':>16} {'unsharded':>16} {'expected':>10}")
    print(f"{'':56} {'http':>8}{'grpc':>8} {'http':>8}{'grpc':>8}")
    for row, (sentence, expected) in enumerate(SENTENCES):
        figures = [results[column][0][row] for column in COLUMNS]
        print(f"{sentence:56} {figures[0]:8.4f}{figures[1]:8.4f} {figures[2]:8.4f}{figures[3]:8.4f} "
              f"{'' if expected is None else expected:>10}")
    times = [results[column][1] for column in COLUMNS]
    print(f"{'time of a request of five sentences, median of 50 (ms)':56} {times[0]:8.1f}{times[1]:8.1f} "
          f"{times[2]:8.1f}{times[3]:8.1f}")


def print_ranks():
    command = [TESSERA, "inspect", REPOSITORY / "minilm", "--json"]
    plan = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    whole = MODEL.stat().st_size
    print(f"\nWhat each rank holds (unsharded: {whole / MIB:.1f} MiB)\n")
    for rank in plan["ranks"]:
        share = rank["weight_bytes"] / whole
        bar = "#" * round(share * 40)
        print(f"  rank {rank['rank']}  {rank['weight_bytes'] / MIB:6.1f} MiB of weights  {share:4.0%}  {bar}")
    print(f"  collectives in a step: {len(plan['collectives'])}")


def check(results):
    """True when all four answers agree, with each other and with the known figures."""
    wanted = results["minilm_whole", "http"][0]
    worst = max(float(abs(values - wanted).max()) for values, _ in results.values())
    print(f"\nlargest difference between any two answers: {worst:.1e} (allowed: {TOLERANCE:.0e})")
    as_known = all(value is None or abs(wanted[row] - value) < 0.005 for row, (_, value) in enumerate(SENTENCES))
    if not as_known:
        print("the unsharded model's answers differ from the known ones")
    return worst <= TOLERANCE and as_known


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=2, help="CPU ranks to split over (default 2)")
    parser.add_argument("--keep", action="store_true", help="keep the server running until Enter is pressed")
    arguments = parser.parse_args()
    prepare(arguments.ranks)
    with Server() as server:
        if any(model["state"] != "READY" for model in server.endpoints["models"]):
            return 1
        results = ask(server.endpoints)
        print_answers(results, arguments.ranks)
        print_ranks()
        if arguments.keep:
            input("\nserving; press Enter to stop ")
    return 0 if check(results) else 1


if __name__ == "__main__":
    sys.exit(main())
