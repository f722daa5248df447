#!/usr/bin/env python3
"""Writes docs/reference/cli.md from what the program says of itself: cli_reference.py [TESSERA]."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reference/cli.md"
COMMANDS = ["shard", "build", "verify", "inspect", "bench", "serve", "doctor"]
HEAD = """# The program `tessera`

Written by tools/cli_reference.py from `tessera COMMAND --help`; a test fails when the two differ.

Exit code: 0 done, 1 a check failed, 2 bad usage or input (one line on stderr says what). With `--json` a command prints
one JSON object on stdout and nothing else.
"""


def ask(program, *arguments):
    text = subprocess.run([program, *arguments, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).strip()


def page(program):
    sections = [f"## tessera {command}\n\n```\n{ask(program, command)}\n```\n" for command in COMMANDS]
    return "\n".join([HEAD, f"```\n{ask(program)}\n```\n", *sections])


if __name__ == "__main__":
    PAGE.write_text(page(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/bin/tessera"))
