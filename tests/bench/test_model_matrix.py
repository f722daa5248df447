"""Every model over every number of ranks by every strategy, against onnxruntime: `./dev bench -k model_matrix`.

Prints the table and writes it to docs/benchmarks/models.md. TESSERA_MATRIX="gpt2 gpt2.fp16" runs some models only and
replaces their rows. All of it takes about 40 minutes on two busy cores.
"""

import os
import pathlib

import pytest

from matrix import Cell, Matrix
from model_cases import CONVERTED, TRAINED, ZOO, Model, Models
from program import Program

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/benchmarks/models.md"
CELLS = [(ranks, strategy) for strategy in ("tensor", "context") for ranks in (2, 3, 4, 8)]
CELLS += [(2, "auto"), (4, "auto")]
ALL = (*TRAINED, *ZOO, *CONVERTED)
NAMES = os.environ.get("TESSERA_MATRIX", "").split() or ALL

HEAD = """# Every model, split and compared

    ./dev bench -k model_matrix

Written by that command: two virtual CPUs, Debian 12. Each model over 2, 3, 4 and 8 CPU ranks by tensor and context, over
2 and 4 by auto, on two sets of inputs. "error" is the largest difference to onnxruntime over the largest value of that
output; "engine" is that of the unsharded model on the same engine. fp32 must be within 1e-5, fp16 and int8 within twice
the engine's own error. `.fp16`, `.dynamic` (DynamicQuantizeLinear, MatMulInteger) and `.qdq` models are made from the
zoo's; the answers of `.fp16` models are those of the fp32 model. "share" is the part of the weights' bytes that the
fullest rank holds.

"""
COLUMNS = ("model", "ranks", "strategy", "error", "engine", "share", "collectives", "")


def _collectives(cell: Cell) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(cell.collectives.items())) or "none"


def _row(cell: Cell, own: float) -> tuple:
    if cell.refused:
        return cell.model, cell.wanted_ranks, cell.wanted_strategy, "", "", "", "", f"refused: {cell.reason}"
    taken = "" if cell.strategy == cell.wanted_strategy else f" ({cell.strategy})"
    why = cell.reason.split(";")[0] + " ..)" if cell.ranks != cell.wanted_ranks else ""
    return (cell.model, cell.wanted_ranks, cell.wanted_strategy + taken, f"{cell.error:.1e}", f"{own:.1e}",
            f"{cell.share:.3f}", _collectives(cell), why)


def _table(rows: list[tuple]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def _written() -> list[tuple]:
    """The rows of the page as it is."""
    lines = PAGE.read_text().splitlines() if PAGE.exists() else []
    rows = [tuple(cell.strip() for cell in line[1:-1].split("|")) for line in lines if line.startswith("|")]
    return [row for row in rows if row[0] in ALL]


def _write(rows: list[tuple]) -> None:
    kept = [row for row in _written() if row[0] not in {row[0] for row in rows}]
    PAGE.write_text(HEAD + _table(sorted([*kept, *rows], key=lambda row: ALL.index(row[0]))))


def _run(matrix: Matrix, model: Model) -> list[Cell]:
    return [matrix.run(model, ranks, strategy) for ranks, strategy in CELLS]


@pytest.mark.seconds(3600)
def test_every_cell_is_right_or_refused_with_a_reason(tessera, trained, zoo, tmp_path):
    matrix = Matrix(Program(tessera), tmp_path)
    models = Models(zoo, trained, tmp_path)
    rows, wrong = [], []
    for name in NAMES:
        model = models.get(name)
        for cell in _run(matrix, model):
            rows.append(_row(cell, 0 if cell.refused else matrix.own_error(model)))
            print("  ".join(map(str, rows[-1])), flush=True)
            if not cell.ok:
                wrong.append(rows[-1])
    _write(rows)
    assert not wrong, _table(wrong)
