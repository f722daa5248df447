"""How far `tessera build --fp16` and `--bf16` take every model from onnxruntime's FP32: `./dev bench -k precision`.

Ranks are worked out operator by operator, without a GPU (tests/gpu/half_ranks.py). Prints the table and writes it to
docs/benchmarks/precision.md. TESSERA_MATRIX="gpt2 vit" runs some models only and writes nothing.
"""

import os
import pathlib
import subprocess
import sys

import onnx
import pytest

from model_cases import ZOO, Models
from program import Program

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gpu"))

from half import HALVES  # noqa: E402
from half_ranks import HalfRanks, RoundedModel  # noqa: E402
from reference import worst_relative_error  # noqa: E402

PAGE = ROOT / "docs/benchmarks/precision.md"
ALL = ("minilm", *ZOO)
NAMES = os.environ.get("TESSERA_MATRIX", "").split()
WORLDS = (2, 4)
MOST = 2  # times what rounding alone does: two draws of the same errors

HEAD = """# FP16 and BF16, model by model

    ./dev bench -k precision

Written by that command. Each model over 2 and 4 ranks by tensor, as `tessera build --fp16` and `--bf16` give them to the
builder, worked out operator by operator: in fp32, the result rounded to the type, all-reduces in the type. The largest
difference to onnxruntime's fp32 answer over the largest value of that output, the worst of two requests. "rounding": the same
of the model that was not sharded, all of whose numbers are rounded. An engine that fuses operators rounds less often.

"""
COLUMNS = ("model", *(f"{of} {how}" for of in HALVES for how in ("2 ranks", "4 ranks", "rounding")), "operators in FP32, 4 ranks")


def _rounding(model, narrow: str) -> float:
    whole = RoundedModel(onnx.load(model.path), HALVES[narrow])
    answers = [(whole.answer(case.inputs), case.answer) for case in model.cases]
    return max(worst_relative_error({name: got[name] for name in wanted}, wanted) for got, wanted in answers)


class Ranks:
    def __init__(self, tessera: pathlib.Path, made: pathlib.Path):
        self._program, self._made = Program(tessera), made

    def error(self, model, world: int, narrow: str) -> tuple[float, str]:
        """And how many of all ranks' operators are in FP32."""
        name, out = f"{model.name}-{world}", self._made / f"{model.name}-{world}-{narrow}"
        if not (self._made / name).exists():
            self._program.shard(model.path, world, self._made, name, "--strategy", "tensor", "--engine", "tensorrt")
        out.mkdir()
        done = subprocess.run([self._program.path.with_name("half_ranks"), self._made / name / "1", narrow.upper(), out],
                              check=True, capture_output=True, text=True)
        ranks = HalfRanks(out)
        errors = [worst_relative_error(ranks.answer(case.inputs), case.answer) for case in model.cases]
        return max(errors), done.stdout.strip()


def _row(ranks: Ranks, model) -> tuple[list[str], bool]:
    row, right = [model.name], True
    for narrow in HALVES:
        rounding = _rounding(model, narrow)
        for world in WORLDS:
            error, in_full = ranks.error(model, world, narrow)
            row.append(f"{error:.1e}")
            right = right and error <= MOST * rounding
        row.append(f"{rounding:.1e}")
    return [*row, in_full], right


def _table(rows) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (COLUMNS, ["---"] * len(COLUMNS), *rows)) + "\n"


@pytest.mark.seconds(1800)
def test_ranks_are_as_far_off_as_rounding_takes_the_model(tessera, trained, zoo, tmp_path):
    models, ranks = Models(zoo, trained, tmp_path), Ranks(tessera, tmp_path)
    rows, wrong = [], []
    for name in NAMES or ALL:
        row, right = _row(ranks, models.get(name))
        print("  ".join(row), flush=True)
        rows.append(row)
        if not right:
            wrong.append(row)
    if not NAMES:
        PAGE.write_text(HEAD + _table(rows))
    assert not wrong, _table(wrong)
