#!/usr/bin/env python3
"""clang-tidy over the project's own sources, in parallel.

A source that was clean stays unchecked until it, a header of the project that it includes, its compile command or
.clang-tidy changes. Tests are left out unless named or asked for. Exit code 1 when a source is not clean.
"""
import argparse
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
ANALYZE = "clang-analyzer-*,performance-unnecessary-value-param"
INCLUDE = re.compile(r'^\s*#\s*include\s+"(tessera/[^"]+)"', re.MULTILINE)


def own_includes(path, seen):
    """Adds `path` and all project headers below it to `seen`."""
    if path in seen or not path.exists():
        return
    seen.add(path)
    for name in INCLUDE.findall(path.read_text()):
        own_includes(ROOT / name, seen)


def fingerprint(entry, arguments):
    """Of all that decides about an entry of compile_commands.json."""
    files = set()
    own_includes(pathlib.Path(entry["file"]), files)
    content = hashlib.sha256(" ".join([CLANG_TIDY, *arguments, entry["command"]]).encode())
    for file in [ROOT / ".clang-tidy", *sorted(files)]:
        content.update(file.read_bytes())
    return content.hexdigest()


def check(entry, build, arguments):
    """The complaints about one source, "" when clean."""
    result = subprocess.run([CLANG_TIDY, f"-p={build}", *arguments, entry["file"]], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return "" if result.returncode == 0 else result.stdout or result.stderr


def choose(build, named, tests):
    """The entries of compile_commands.json to check."""
    entries = json.loads((build / "compile_commands.json").read_text())
    if named:
        files = {str(pathlib.Path(name).resolve()) for name in named}
        return [entry for entry in entries if entry["file"] in files]
    own = [entry for entry in entries if entry["file"].startswith((f"{ROOT}/tessera/", f"{ROOT}/tests/"))]
    return own if tests else [entry for entry in own if entry["file"].startswith(f"{ROOT}/tessera/")
                              and not re.search(r"_(test|bench)\.cc$|/testing/", entry["file"])]


def read_command_line():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("build", type=pathlib.Path, help="a build folder, for its compile commands")
    parser.add_argument("file", nargs="*", help="only these")
    parser.add_argument("--tests", action="store_true", help="the tests too")
    parser.add_argument("--analyze", action="store_true", help="clang's static analyzer and slow checks, too: several times as long")
    return parser.parse_args()


def main():
    options = read_command_line()
    if not shutil.which(CLANG_TIDY):
        sys.exit(f"tidy: {CLANG_TIDY} is not installed")
    build = options.build.resolve()
    arguments = ARGUMENTS + ([f"--checks={ANALYZE}"] if options.analyze else [])
    sources = choose(build, options.file, options.tests)
    clean = build / "tidy"
    clean.mkdir(exist_ok=True)
    todo = [(entry, mark) for entry in sources if not (mark := clean / fingerprint(entry, arguments)).exists()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (_, mark), complaints in zip(todo, pool.map(lambda item: check(item[0], build, arguments), todo)):
            if complaints:
                failed += 1
                print(complaints)
            else:
                mark.touch()
    print(f"clang-tidy: {len(sources)} sources, {len(todo)} checked, {failed} not clean")
    return 1 if failed or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
