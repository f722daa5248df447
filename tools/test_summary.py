#!/usr/bin/env python3
"""Adds up what `./dev test` ran: test_summary.py FOLDER.

The folder holds JUnit files: one of every gtest program (gtest-*/), of ctest (ctest-*.xml) and of pytest; and the file
`checks`: "ok NAME" or "failed NAME" of every other check, "step NAME" of a test runner that ended with an error. Prints
why tests were skipped and, last, a line "N passed, N failed". Exit code 1 when something failed or nothing passed.
"""
import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """passed, failed or skipped, and the reason."""
    for kind, result in [("failure", "failed"), ("error", "failed"), ("skipped", "skipped")]:
        if (child := case.find(kind)) is not None:
            return result, (child.get("message") or child.text or "").strip()
    return "passed", ""


def read_cases(file):
    for case in ElementTree.parse(file).iter("testcase"):
        if case.get("status") not in ("notrun", "disabled"):  # gtest: left out by a filter, or DISABLED_
            yield f"{case.get('classname', '')}.{case.get('name')}", *outcome(case)


def read_programs(folder, file):
    """What ctest says of programs that wrote no case of their own as failed: crashes, leaks, races, time-outs."""
    for name, result, reason in read_cases(file):
        program = name.split(".")[-1]
        cases = folder / file.stem.replace("ctest", "gtest") / f"{program}.xml"
        explained = cases.exists() and any(case[1] == "failed" for case in read_cases(cases))
        if result == "failed" and not explained or not cases.exists():
            yield name, result, reason


def read_all(folder):
    for file in sorted(folder.glob("gtest-*/*.xml")):
        yield from read_cases(file)
    for file in sorted(folder.glob("ctest-*.xml")):
        yield from read_programs(folder, file)
    for file in sorted(folder.glob("pytest*.xml")):
        yield from read_cases(file)
    yield from read_checks(folder / "checks", {"ok": "passed", "failed": "failed"})


def read_checks(file, results):
    for line in file.read_text().splitlines():
        kind, name = line.split(" ", 1)
        if kind in results:
            yield name, results[kind], ""


def main():
    folder = pathlib.Path(sys.argv[1])
    results = list(read_all(folder))
    if not any(result == "failed" for _, result, _ in results):  # a runner that failed and left no failed test
        results += read_checks(folder / "checks", {"step": "failed"})
    count = collections.Counter(result for _, result, _ in results)
    for (reason, _), names in sorted(group_skipped(results).items()):
        print(f"skipped: {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {reason}")
    for name, result, _ in results:
        if result == "failed":
            print(f"failed: {name}")
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    print(f"{count['passed']} passed, {count['failed']} failed{skipped}")
    return 0 if count["passed"] and not count["failed"] else 1


def group_skipped(results):
    groups = collections.defaultdict(list)
    for name, result, reason in results:
        if result == "skipped":
            groups[reason.splitlines()[-1] if reason else "no reason given", result].append(name)
    return groups


if __name__ == "__main__":
    sys.exit(main())
