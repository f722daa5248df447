"""A real browser without a window: what a page becomes in it."""

from __future__ import annotations

import html.parser
import pathlib
import platform
import shutil
import subprocess
import tempfile

import numpy
import PIL.Image
import pytest


class Elements(html.parser.HTMLParser):
    """All elements of a page, as (tag, attributes)."""

    def __init__(self, text: str):
        super().__init__()
        self.all: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.all.append((tag, {name: value or "" for name, value in attributes}))

    def of_class(self, *names: str) -> list[dict[str, str]]:
        return [a for _, a in self.all if set(names) <= set(a.get("class", "").split())]

    def of_tag(self, name: str) -> list[dict[str, str]]:
        return [a for tag, a in self.all if tag == name]


class Browser:
    def __init__(self, program: str):
        self.program = program

    def dom(self, page: pathlib.Path) -> Elements:
        """The elements once the page's script has run; fails on a word of the console."""
        return Elements(self._run(page, "--dump-dom"))

    def picture(self, page: pathlib.Path, width: int, height: int, *options: str) -> numpy.ndarray:
        """[height, width, 3], red first."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "page.png"
            self._run(page, f"--screenshot={file}", f"--window-size={width},{height}", "--hide-scrollbars", *options)
            with PIL.Image.open(file) as image:
                return numpy.asarray(image.convert("RGB"))

    def _run(self, page: pathlib.Path, *options: str) -> str:
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [self.program, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home}",
                 "--enable-logging=stderr", "--virtual-time-budget=5000", *options, page.as_uri()],
                capture_output=True, text=True, timeout=100, check=True)
        said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        assert not said, said
        return done.stdout


def find_browser() -> Browser:
    program = shutil.which("chromium")
    if program:
        return Browser(program)
    if platform.freedesktop_os_release().get("ID") == "debian":
        pytest.fail("no chromium: './dev test' installs it")
    pytest.skip("no chromium; Ubuntu has it as a snap only")
