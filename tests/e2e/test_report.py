"""report.html in a real browser: it shows the plan, in the colours of its states, and runs nothing of a model's names."""

from __future__ import annotations

import numpy
import onnx
import pytest
from browser import Browser, find_browser
from onnx import TensorProto, helper, numpy_helper

LIGHT = {"r": 0xDFE4E8, "s": 0xBFE0F6, "p": 0xFBE0A6, "c": 0xB5410A}  # what fills the boxes, see page.html
DARK = {"r": 0x363D44, "s": 0x0D4466, "p": 0x5C4300, "c": 0xD5612A}


@pytest.fixture(scope="module")
def browser() -> Browser:
    return find_browser()


@pytest.fixture(scope="module")
def minilm_report(program, minilm, tmp_path_factory):
    repository = tmp_path_factory.mktemp("report")
    told = program.shard(minilm, 2, repository, "minilm")
    return told, repository / "minilm/1/report.html"


def rows_with(image: numpy.ndarray, colour: int) -> numpy.ndarray:
    """The lines of a picture in which a box of that colour lies."""
    wanted = numpy.array([colour >> 16, colour >> 8 & 255, colour & 255], numpy.uint8)
    right = image[:, image.shape[1] // 2:]  # the graph; tables are to the left
    return numpy.flatnonzero((right == wanted).all(axis=2).sum(axis=1) > 40)


def starts(rows: numpy.ndarray) -> list[int]:
    return [int(y) for i, y in enumerate(rows) if i == 0 or rows[i - 1] < y - 4]


def test_the_page_tells_the_plan(browser, minilm_report):
    told, page = minilm_report
    dom = browser.dom(page)
    assert len(dom.of_tag("script")) == 1 and not dom.of_tag("img") and not dom.of_tag("link")
    assert all(button.get("aria-pressed") == "false" for button in dom.of_tag("button") if "data-look" in button)
    # An all-gather behind the table of words, two all-reduces a layer; the three layers are drawn once.
    assert len(dom.of_class("n", "c")) == 3 and len(told["collectives"]) == 7
    assert len(dom.of_class("n", "p")) == 2 and len(dom.of_class("n", "s")) >= 20
    assert len(dom.of_class("frame")) == 1 and len(dom.of_class("e")) > len(dom.of_class("n")) // 2
    assert len(dom.of_class("taken")) >= 2 and len(dom.of_class("tile")) == 4
    assert page.stat().st_size < 300_000


@pytest.mark.parametrize("colours, options", [(LIGHT, ()), (DARK, ("--force-dark-mode",))], ids=["light", "dark"])
def test_the_picture_has_the_states_where_they_belong(browser, minilm_report, colours, options):
    image = browser.picture(minilm_report[1], 1600, 3200, *options)
    boxes = {look: starts(rows_with(image, colour)) for look, colour in colours.items()}
    assert len(boxes["c"]) == 3 and len(boxes["p"]) == 2 and len(boxes["s"]) >= 10 and len(boxes["r"]) >= 10
    assert boxes["r"][0] < boxes["s"][0] < boxes["c"][0] < boxes["p"][0], "inputs, the table, its gather, the layers"
    for partial, collective in zip(boxes["p"], boxes["c"][1:]):
        assert 20 < collective - partial < 80, "what is partial is reduced right below"


def test_names_of_the_model_stay_text(browser, program, tmp_path):
    evil = "</title></text></script><script>document.title='taken over'</script><img src=x onerror=alert(1)>\"'"
    weights = [numpy_helper.from_array(numpy.eye(64, dtype=numpy.float32), f"{evil}{i}") for i in range(2)]
    nodes = [helper.make_node("MatMul", [f"{evil}x", f"{evil}0"], [f"{evil}y"], name=f"{evil}first"),
             helper.make_node("MatMul", [f"{evil}y", f"{evil}1"], [f"{evil}z"], name=f"{evil}second")]
    ports = [helper.make_tensor_value_info(f"{evil}{port}", TensorProto.FLOAT, [4, 64]) for port in "xz"]
    graph = helper.make_graph(nodes, evil, ports[:1], ports[1:], weights)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx")
    program.shard(tmp_path / "m.onnx", 2, tmp_path / "repository", "m", "--strategy", "tensor")
    page = tmp_path / "repository/m/1/report.html"
    dom = browser.dom(page)
    assert len(dom.of_tag("script")) == 1 and not dom.of_tag("img")
    assert len(dom.of_class("n")) >= 4
    assert "taken over&#39;&lt;/script&gt;" in page.read_text()
