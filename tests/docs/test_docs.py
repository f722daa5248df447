"""The documentation says what the program does, and its links lead somewhere."""
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
import cli_reference  # noqa: E402: from tools/, after its path

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])


def test_the_reference_is_what_the_program_prints(tessera):
    assert cli_reference.PAGE.read_text() == cli_reference.page(tessera), "run tools/cli_reference.py"


def test_the_reference_has_every_command(tessera):
    text = subprocess.run([tessera, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    listed = re.findall(r"^  ([a-z]+) {2,}", text.split("ommands:")[1], re.MULTILINE)
    assert listed == cli_reference.COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert not [link for link in links if not (page.parent / link).exists()]
