"""Fails when an include breaks the module table (include_rules.py)."""
import pathlib

import pytest
from include_rules import ALLOWED, check_tree

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_every_include_keeps_to_the_module_table():
    violations, files = check_tree(ROOT)
    assert files > 20, "the tree was not found"
    assert not violations, "\n" + "\n".join(map(str, violations))


def test_the_table_has_no_cycle():
    open_modules = dict(ALLOWED)
    while leaves := [module for module, needs in open_modules.items() if not set(needs) & set(open_modules)]:
        for module in leaves:
            del open_modules[module]
    assert not open_modules, f"cycle among {sorted(open_modules)}"


@pytest.mark.parametrize("user", [module for module in ALLOWED])
def test_nothing_includes_triton_or_cli(user):
    assert not {"triton", "cli"} & set(ALLOWED[user])


@pytest.mark.parametrize("port_user", ["exec", "shard", "engine", "plan", "graph"])
def test_core_modules_include_no_adapter(port_user):
    assert not [module for module in ALLOWED[port_user] if "/" in module]


def violations_of(folder, file, line):
    path = folder / "tessera" / file
    path.parent.mkdir(parents=True)
    path.write_text(f"#pragma once\n\n{line}\n")
    return [violation.reason for violation in check_tree(folder)[0]]


@pytest.mark.parametrize("file, line, reason", [
    ("exec/executor.cc", '#include "tessera/engine/openvino/engine.h"', "exec may not include engine/openvino"),
    ("exec/executor.cc", '#include "tessera/shard/shard.h"', "exec may not include shard"),
    ("shard/search.cc", '#include "tessera/engine/rank_group.h"', "shard may not include engine"),
    ("shard/search.cc", '  #  include <tessera/graph/openvino/oracle.h>', "shard may not include graph/openvino"),
    ("base/log.h", '#include "tessera/plan/plan.h"', "base may not include plan"),
    ("comm/inproc/group.cc", '#include "tessera/cuda/stream.h"', "comm/inproc may not include cuda"),
    ("engine/registry/registry.cc", '#include "tessera/triton/backend.h"', "engine/registry may not include triton"),
    ("exec/executor_test.cc", '#include "tessera/cli/commands.h"', "exec may not include cli"),
    ("plan/plan_test.cc", '#include "tessera/comm/inproc/group.h"', "plan may not include comm/inproc"),
    ("exec/executor.cc", '#include "tessera/base/testing/folder.h"', "a file for tests"),
    ("exec/executor.cc", '#include "tessera/surprise/x.h"', "stands in no module of the table"),
    ("surprise/x.cc", "", "stands in no module of the table"),
])
def test_the_check_sees_a_forbidden_include(tmp_path, file, line, reason):
    assert violations_of(tmp_path, file, line) == [reason]


def test_the_check_sees_an_include_without_its_module(tmp_path):
    (tmp_path / "tessera" / "plan").mkdir(parents=True)
    (tmp_path / "tessera" / "plan" / "plan.h").touch()
    (tmp_path / "tessera" / "plan" / "plan.cc").write_text('#include "plan.h"\n')
    assert len(check_tree(tmp_path)[0]) == 1


@pytest.mark.parametrize("file, line", [
    ("exec/executor.cc", '#include "tessera/engine/rank_group.h"'),
    ("exec/executor_test.cc", '#include "tessera/comm/inproc/group.h"'),
    ("shard/testing/program.cc", '#include "tessera/graph/openvino/oracle.h"'),
    ("engine/conformance_test.cc", '#include "tessera/engine/openvino/engine.h"'),
    ("cli/serve.cc", "#include <vector>"),
])
def test_the_check_allows_what_the_table_allows(tmp_path, file, line):
    assert violations_of(tmp_path, file, line) == []
