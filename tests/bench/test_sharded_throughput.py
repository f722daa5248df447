"""2 ranks of one thread each against unsharded OpenVINO on 2 threads, in turns in one run: `./dev bench -k sharded`.

On a machine with more than 2 cores the run is bound to two of them, so that both sides have 2 threads.
"""

import os
import statistics

import pytest

from program import Program

RUNS = 5
SECONDS = 6
WANTED = 0.90


@pytest.fixture
def two_cores():
    before = os.sched_getaffinity(0)
    if len(before) < 2:
        pytest.skip("needs 2 cores")
    os.sched_setaffinity(0, set(sorted(before)[:2]))  # inherited by what the test starts
    yield
    os.sched_setaffinity(0, before)


def test_minilm_on_two_ranks_reaches_the_unsharded_throughput(tessera, minilm, tmp_path, two_cores):
    program = Program(tessera)
    program.shard(minilm, 2, tmp_path, "minilm")
    reports = [program.json("bench", tmp_path / "minilm", "--baseline", minilm, "--batch", 8, "--length", 128,
                            "--seconds", SECONDS) for _ in range(RUNS)]
    ratios = sorted(report["throughput_ratio"] for report in reports)
    rows = {side: statistics.median(report[side]["rows_per_second"] for report in reports)
            for side in ("sharded", "baseline")}
    print(f"\nMiniLM, batch 8, length 128, 2 cores: 2 ranks {rows['sharded']:.1f} rows/s, unsharded "
          f"{rows['baseline']:.1f} rows/s, ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} .. {ratios[-1]:.3f}, "
          f"{RUNS} runs of {SECONDS} s)")
    assert statistics.median(ratios) >= WANTED
