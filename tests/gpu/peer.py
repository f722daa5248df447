"""What PyTorch with NCCL and CUDA graphs makes of the benchmarks' work: one process a GPU, the step captured whole.

    peer.py mlp|attention     prints tables like those of gpu_bench

On 1, 2, 4 .. of the GPUs in TESSERA_GPUS, else of all; one that stands there twice is left out, as PyTorch's NCCL may be
too old to share it.
"""

import os
import socket
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

HALF = {"dtype": torch.float16, "device": "cuda"}


def random(*shape, scale=1.0):
    return (torch.rand(shape, **HALF) * 2 - 1) * scale


def capture(step):
    """A CUDA graph of `step`, after the runs that warm it up."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        step()
    return graph


def measure(step, count):
    """Median and 99th percentile of a step's wall time in microseconds, host to host."""
    graph = capture(step)
    samples = []
    for _ in range(20 + count):
        start = time.perf_counter()
        graph.replay()
        torch.cuda.synchronize()
        samples.append((time.perf_counter() - start) * 1e6)
    samples = sorted(samples[20:])
    return samples[len(samples) // 2], samples[len(samples) * 99 // 100]


def mlp(world, k, f, n):
    """Steps of relu(x w1) w2 by M; the hidden dimension split."""
    w1 = random(k, f // world, scale=k**-0.5)
    w2 = random(f // world, n, scale=f**-0.5)

    def step_of(m):
        x = random(m, k)

        def step():
            y = torch.relu(x @ w1) @ w2
            if world > 1:
                dist.all_reduce(y)
            return y
        return step
    return step_of


def attention(world, backend, hidden=4096, heads=32, layers=6):
    """Steps of the layers by sequence; each rank has its part of it, and gathers K and V."""
    weights = [[random(hidden, hidden, scale=(3 / hidden) ** 0.5) for _ in "qkvo"] for _ in range(layers)]

    def gather(part):
        if world == 1:
            return part
        whole = torch.empty((part.shape[0] * world, hidden), **HALF)
        dist.all_gather_into_tensor(whole, part)
        return whole

    def split(x):
        return x.view(1, x.shape[0], heads, hidden // heads).transpose(1, 2)

    def step_of(sequence):
        first = random(sequence // world, hidden)

        def step():
            x = first
            with sdpa_kernel(backend):
                for q, k, v, o in weights:
                    mixed = F.scaled_dot_product_attention(split(x @ q), split(gather(x @ k)), split(gather(x @ v)))
                    x = x + mixed.transpose(1, 2).reshape(x.shape) @ o
            return x
        return step
    return step_of


def works(world):
    """(title, sizes, steps by size, how many) of each table."""
    if sys.argv[1] == "mlp":
        yield "mlp: MLP 4096 -> 8192 -> 4096", (1, 128, 2048, 16384), mlp(world, 4096, 8192, 4096), 500
        yield "chain: MLP 4096 -> 16384 -> 4096", (1, 128, 2048), mlp(world, 4096, 16384, 4096), 500
        return
    for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION):
        yield f"attention: six layers, {backend.name}", (8192, 32768), attention(world, backend), 30


def run_rank(rank, world, gpus, port, results):
    torch.cuda.set_device(gpus[rank])
    if world > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        dist.init_process_group("nccl", rank=rank, world_size=world, device_id=torch.device("cuda", gpus[rank]))
    with torch.inference_mode():
        for title, sizes, step_of, count in works(world):
            for size in sizes:
                spread = measure(step_of(size), min(count, 60) if size > 4096 else count)
                if rank == 0:
                    results.put((title, size, spread))
    if rank == 0:
        results.put(None)
    if world > 1:
        dist.destroy_process_group()


def own_gpus():
    listed = os.environ.get("TESSERA_GPUS") or ",".join(map(str, range(torch.cuda.device_count())))
    return list(dict.fromkeys(int(gpu) for gpu in listed.split(",")))


def run_world(world, gpus):
    """{(title, size): spread}"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    results = torch.multiprocessing.get_context("spawn").SimpleQueue()
    ranks = torch.multiprocessing.spawn(run_rank, (world, gpus, port, results), nprocs=world, join=False)
    found = {}
    while not ranks.join(timeout=1):  # raises where a rank failed
        pass
    while (row := results.get()) is not None:
        found[row[:2]] = row[2]
    return found


def main():
    gpus = own_gpus()
    print(f"\nPyTorch {torch.__version__}, NCCL {'.'.join(map(str, torch.cuda.nccl.version()))}, CUDA graphs; us, "
          "median / p99\n| work | size | GPUs | step | speed-up |\n|---|---|---|---|---|")
    alone = {}
    for world in (n for n in (1, 2, 4, 8) if n <= len(gpus)):
        for (title, size), (median, p99) in run_world(world, gpus).items():
            speed_up = alone.setdefault((title, size), median) / median
            print(f"| {title} | {size} | {world} | {median:.1f} / {p99:.1f} | {speed_up:.2f}x |", flush=True)


if __name__ == "__main__":
    main()
