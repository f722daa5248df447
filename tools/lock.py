#!/usr/bin/env python3
"""Writes requirements/*.txt, every version and wheel hash pinned, from requirements/*.in.

    .venv/bin/python tools/lock.py

Wheels are chosen for x86-64 Linux with glibc 2.36 or newer and each Python of PYTHONS. In a .in file, "# no-deps"
behind a requirement leaves its dependencies out. Later locks keep the versions of the earlier ones.
"""
import json
import pathlib
import re
import subprocess
import sys

PYTHONS = ["3.11", "3.12"]  # Debian 12, Ubuntu 24.04
PLATFORMS = [*(f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)), "manylinux2014_x86_64", "manylinux1_x86_64"]
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "requirements"


def resolve(requirements, python, *options):
    """What pip would install: {canonical name: (version, sha256 of the wheel)}."""
    if not requirements:
        return {}
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
               "--disable-pip-version-check", "--only-binary=:all:", "--target=unused", "--report=-",
               f"--python-version={python}", *[f"--platform={p}" for p in PLATFORMS], *options, *requirements]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower():
            (item["metadata"]["version"], item["download_info"]["archive_info"]["hashes"]["sha256"])
            for item in report["install"]}


def read_input(path):
    """The requirements of a .in file: (with dependencies, without)."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    names = [line.split("#")[0].strip() for line in lines]
    alone = [name for name, line in zip(names, lines) if "# no-deps" in line]
    return [name for name in names if name not in alone], alone


def lock(path, earlier):
    """Writes path's .txt and returns its pins, {name: version}."""
    full, alone = read_input(path)
    keep = FOLDER / "constraints.tmp"
    keep.write_text("".join(f"{name}=={version}\n" for name, version in earlier.items()))
    try:
        found = resolve(full, PYTHONS[0], f"--constraint={keep}") | resolve(alone, PYTHONS[0], "--no-deps")
    finally:
        keep.unlink()
    pins = {name: version for name, (version, _) in sorted(found.items()) if name not in earlier}
    exact = [f"{name}=={version}" for name, version in pins.items()]
    wheels = [resolve(exact, python, "--no-deps") for python in PYTHONS]
    lines = [f"# Written by tools/lock.py from {path.name}, for Python {' and '.join(PYTHONS)}."]
    for name, version in pins.items():
        hashes = sorted({wheel[name][1] for wheel in wheels})
        lines.append(" \\\n    ".join([f"{name}=={version}"] + [f"--hash=sha256:{value}" for value in hashes]))
    path.with_suffix(".txt").write_text("\n".join(lines) + "\n")
    return pins


def main():
    pins = {}
    for name in ["run", "test", "gpu", "models"]:
        pins |= lock(FOLDER / f"{name}.in", pins)
    print(f"locked {len(pins)} packages for Python {', '.join(PYTHONS)}")


if __name__ == "__main__":
    main()
