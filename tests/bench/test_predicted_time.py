"""Does the cost model order plans as the machine does? `./dev bench -k predicted`

Calibrates this machine, makes plans of several models at fixed inputs - one rank, and every strategy over 2, 3 and 4
ranks - and compares the predicted with the measured time by Spearman's rank correlation: among the plans of one model at
one input, which is what the search relies on, and over all plans together, which is easier.
"""

import os
import statistics

import pytest
from plan_times import Case, make_plans, measure, spearman

from program import Program

CASES = [Case("minilm", 12, 24), Case("minilm", 12, 96), Case("bert_dyn", 12, 48), Case("gpt2_dyn", 12, 96),
         Case("llama_gqa_dyn", 12, 96), Case("vit"), Case("dit"), Case("clip"), Case("unet_sd")]
ROUNDS = int(os.environ.get("TESSERA_ROUNDS", "5"))
SECONDS = 0.3
WANTED = 0.8
LEAST_PLANS = 12


def names_of_free_dimensions(file) -> dict[str, str]:
    """{"batch_size": "batch", "sequence": "length"}: the first dimension of an input is its batch."""
    import onnx

    names: dict[str, str] = {}
    for value in onnx.load(file, load_external_data=False).graph.input:
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.dim_param:
                names.setdefault(dim.dim_param, "batch" if axis == 0 else "length")
    return names


@pytest.mark.seconds(3000)
def test_predicted_time_orders_plans_as_the_machine_does(tessera, minilm, zoo, tmp_path):
    program = Program(tessera)
    machine = tmp_path / "machine.json"
    program.json("doctor", "--calibrate", "--ranks", 4, "--output", machine, timeout=300)
    plans = []
    for case in CASES:
        file = minilm if case.model == "minilm" else zoo / f"{case.model}.onnx"
        plans += make_plans(program, case, file, names_of_free_dimensions(file), machine, tmp_path / "repository")
    measure(program, plans, ROUNDS, SECONDS)
    within = report(plans)
    overall = spearman([p.predicted_us for p in plans], [p.measured_us for p in plans])
    print(f"plans of one model at one input: mean {statistics.mean(within.values()):.3f}, least "
          f"{min(within.values()):.3f}; over all {len(plans)} plans: {overall:.3f}")
    assert len(plans) >= LEAST_PLANS
    assert overall >= WANTED
    assert statistics.mean(within.values()) >= WANTED


def report(plans) -> dict[str, float]:
    """Prints every plan, the fastest first; the correlation of each case."""
    within = {}
    print()
    for case in dict.fromkeys(plan.case for plan in plans):
        mine = sorted((plan for plan in plans if plan.case == case), key=lambda plan: plan.measured_us)
        within[str(case)] = spearman([p.predicted_us for p in mine], [p.measured_us for p in mine])
        print(f"{case}: {within[str(case)]:.3f} over {len(mine)} plans")
        for plan in mine:
            spread = f"{min(plan.rounds):.0f} .. {max(plan.rounds):.0f}"
            print(f"  {plan.name:<10} measured {plan.measured_us:8.0f} us ({spread}), predicted "
                  f"{plan.predicted_us:8.0f} us, {plan.collectives} collectives")
    return within
