#!/usr/bin/env python3
"""clang-tidy over the project's own sources, in parallel: tidy.py BUILD_FOLDER [FILE..].

A source that was clean stays unchecked until it, a header of the project that it includes, its compile command or
.clang-tidy changes. With files named, only those are checked. Exit code 1 when one is not clean.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLANG_TIDY = "clang-tidy-16"  # in Debian 12 and in Ubuntu 24.04
ARGUMENTS = ["--quiet", "--extra-arg=-Wthread-safety", "--extra-arg=-Wno-unknown-warning-option"]
INCLUDE = re.compile(r'^\s*#\s*include\s+"(tessera/[^"]+)"', re.MULTILINE)


def own_includes(path, seen):
    """Adds `path` and all project headers below it to `seen`."""
    if path in seen or not path.exists():
        return
    seen.add(path)
    for name in INCLUDE.findall(path.read_text()):
        own_includes(ROOT / name, seen)


def fingerprint(entry):
    """Of all that decides about an entry of compile_commands.json."""
    files = set()
    own_includes(pathlib.Path(entry["file"]), files)
    content = hashlib.sha256(" ".join([CLANG_TIDY, *ARGUMENTS, entry["command"]]).encode())
    for file in [ROOT / ".clang-tidy", *sorted(files)]:
        content.update(file.read_bytes())
    return content.hexdigest()


def check(entry, build):
    """The complaints about one source, "" when clean."""
    result = subprocess.run([CLANG_TIDY, f"-p={build}", *ARGUMENTS, entry["file"]], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return "" if result.returncode == 0 else result.stdout or result.stderr


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not shutil.which(CLANG_TIDY):
        sys.exit(f"tidy: {CLANG_TIDY} is not installed")
    build = pathlib.Path(sys.argv[1]).resolve()
    named = {str(pathlib.Path(name).resolve()) for name in sys.argv[2:]}
    sources = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if entry["file"].startswith((f"{ROOT}/tessera/", f"{ROOT}/tests/")) and "/build/" not in entry["file"]]
    if named:
        sources = [entry for entry in sources if entry["file"] in named]
    clean = build / "tidy"
    clean.mkdir(exist_ok=True)
    todo = [(entry, mark) for entry in sources if not (mark := clean / fingerprint(entry)).exists()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (entry, mark), complaints in zip(todo, pool.map(lambda item: check(item[0], build), todo)):
            if complaints:
                failed += 1
                print(complaints)
            else:
                mark.touch()
    print(f"clang-tidy: {len(sources)} sources, {len(todo)} checked, {failed} not clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
