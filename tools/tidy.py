#!/usr/bin/env python3
"""clang-tidy over the project's own sources, in parallel.

A source that was clean stays unchecked until it, a header of the project that it includes, its compile command or
.clang-tidy changes. Tests are left out unless named or asked for. Exit code 1 when a source is not clean.

Most of clang-tidy's time goes into headers, so sources of one target are first checked together, as if they were one
source. Where that gives a complaint (true, or because two of them use a name for different things), each is checked alone.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLANG_TIDY = "clang-tidy-16"  # in Debian 12 and in Ubuntu 24.04
ARGUMENTS = ["--quiet", "--extra-arg=-Wthread-safety", "--extra-arg=-Wno-unknown-warning-option"]
TOLD = f"--header-filter=^{ROOT}/(tessera|tests)/"  # sources that are checked together are headers to clang-tidy
ANALYZE = "clang-analyzer-*,performance-unnecessary-value-param"
TOGETHER = 16  # sources; as in CMakePresets.json
INCLUDE = re.compile(r'^\s*#\s*include\s+"(tessera/[^"]+)"', re.MULTILINE)
UNITY = re.compile(r"/Unity/unity_\d+_cxx\.cxx$")  # CMake's names


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


def flags(entry):
    """How the entry's source is compiled, without its own name and that of its output."""
    words = shlex.split(entry["command"])
    start = next(i for i, word in enumerate(words) if word.startswith("-"))
    own = {words.index("-o"), words.index("-o") + 1, words.index("-c")}
    return tuple(word for i, word in enumerate(words) if i >= start and i not in own and word != entry["file"])


def run_tidy(file, entry, arguments):
    """clang-tidy's complaints about a file that is compiled as the entry's, "" when clean."""
    result = subprocess.run([CLANG_TIDY, f"--config-file={ROOT}/.clang-tidy", *arguments, file, "--", *flags(entry)],
                            cwd=entry["directory"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return "" if result.returncode == 0 else result.stdout or result.stderr


def check(entries, folder, arguments):
    """The complaints about each of these sources, which have the same flags."""
    if len(entries) > 1:
        together = folder / f"{hashlib.sha256(entries[0]['file'].encode()).hexdigest()[:16]}.cc"
        together.write_text("".join(f'#include "{entry["file"]}"  // NOLINT\n' for entry in entries))
        if not run_tidy(str(together), entries[0], [*arguments, TOLD]):
            return [""] * len(entries)
    return [run_tidy(entry["file"], entry, arguments) for entry in entries]


def batches(entries):
    """Lists of entries with the same flags."""
    by_flags = {}
    for entry in entries:
        by_flags.setdefault(flags(entry), []).append(entry)
    return [group[i:i + TOGETHER] for group in by_flags.values() for i in range(0, len(group), TOGETHER)]


def one_by_one(entry):
    """The entry, or of a unity build's file an entry for each source in it."""
    if not UNITY.search(entry["file"]):
        return [entry]
    sources = re.findall(r'^#include "(.+)"$', pathlib.Path(entry["file"]).read_text(), re.MULTILINE)
    return [{**entry, "file": source, "command": entry["command"].replace(entry["file"], source)} for source in sources]


def choose(build, named, tests):
    """The entries of compile_commands.json to check."""
    commands = json.loads((build / "compile_commands.json").read_text())
    entries = [entry for command in commands for entry in one_by_one(command)]
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
    unchecked = [entry for entry in sources if not (clean / fingerprint(entry, arguments)).exists()]
    groups = batches(unchecked)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for group, answers in zip(groups, pool.map(lambda group: check(group, clean, arguments), groups)):
            for entry, complaints in zip(group, answers):
                if complaints:
                    failed += 1
                    print(complaints)
                else:
                    (clean / fingerprint(entry, arguments)).touch()
    print(f"clang-tidy: {len(sources)} sources, {len(unchecked)} checked, {failed} not clean")
    return 1 if failed or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
