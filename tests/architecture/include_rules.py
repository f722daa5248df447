"""Which module may include which: the module table of ARCHITECTURE.md, as data."""
import pathlib
import re
from typing import NamedTuple

# module: the modules that its files may include, besides their own and base. A folder under a module is an adapter
# (or a private part) of it and a module of its own here: nobody includes it who does not name it.
ALLOWED = {
    "base": [],
    "base/openvino": [],
    "graph": [],
    "graph/openvino": ["graph", "base/openvino"],
    "plan": [],
    "shard": ["graph", "plan"],
    "build": ["plan"],
    "build/tensorrt": ["build", "plan"],
    "comm": [],
    "comm/inproc": ["comm"],
    "comm/nccl": ["comm", "cuda"],
    "engine": ["comm", "plan"],
    "engine/openvino": ["engine", "comm", "comm/inproc", "plan", "base/openvino"],
    "engine/tensorrt": ["engine", "comm", "comm/nccl", "plan", "cuda"],
    "engine/registry": ["engine", "engine/openvino", "engine/tensorrt", "comm", "plan"],
    "cuda": [],
    "exec": ["engine", "comm", "plan"],
    "triton": ["exec", "engine", "engine/registry", "comm", "plan"],
    "cli": ["shard", "build", "graph", "graph/openvino", "plan", "exec", "engine", "engine/registry", "comm"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
SUFFIXES = {".h", ".cc", ".cu", ".cuh"}


class Violation(NamedTuple):
    file: str
    include: str
    reason: str

    def __str__(self):
        return f"{self.file}: includes \"{self.include}\": {self.reason}"


def module_of(path):
    """The most specific module of a path below tessera/, or None: 'engine/openvino/ops/x.h' -> 'engine/openvino'."""
    folders = pathlib.PurePosixPath(path).parts[:-1]
    for length in range(len(folders), 0, -1):
        name = "/".join(folders[:length])
        if name in ALLOWED:
            return name
    return None


def is_test(path):
    """Tests, benchmarks and what only they link: x_test.cc, x_bench.cc, anything in a folder `testing`."""
    path = pathlib.PurePosixPath(path)
    return path.stem.endswith(("_test", "_bench")) or "testing" in path.parts


def may_include(module, included, test):
    if included in (module, "base") or included in ALLOWED[module]:
        return True
    # A test may put any adapter behind the ports that its module has or uses.
    ports = {module.split("/")[0], *ALLOWED[module]}
    return test and included.split("/")[0] in ports


def check_file(root, path):
    """The violations of one file; `path` is relative to root/tessera."""
    name = f"tessera/{path}"
    module = module_of(path)
    if module is None:
        return [Violation(name, "", "stands in no module of the table")]
    found = []
    for quote, include in INCLUDE.findall((root / name).read_text()):
        if not include.startswith("tessera/"):
            if quote == '"' and (root / name).parent.joinpath(include).exists():
                found.append(Violation(name, include, 'own headers are written "tessera/module/file.h"'))
            continue
        included = module_of(include.removeprefix("tessera/"))
        if included is None:
            found.append(Violation(name, include, "stands in no module of the table"))
        elif is_test(include) and not is_test(path):
            found.append(Violation(name, include, "a file for tests"))
        elif not may_include(module, included, is_test(path)):
            found.append(Violation(name, include, f"{module} may not include {included}"))
    return found


def check_tree(root):
    """All violations in root/tessera, and how many files were read."""
    files = sorted(path.relative_to(root / "tessera").as_posix() for path in (root / "tessera").rglob("*")
                   if path.suffix in SUFFIXES)
    return [violation for path in files for violation in check_file(root, path)], len(files)
