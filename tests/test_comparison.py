"""The list of tables that docs/evaluation.md has, and what is recorded of one."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from benchmarks.comparison import RESULTS, TABLES, provenance

PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_the_page_has_every_table_and_no_other():
    rows = PAGE.partition("## The tables")[2].partition("- **Signatures")[0]
    assert set(re.findall(r"`([a-z-]+)`", rows)) == set(TABLES)
    for each in TABLES.values():
        assert f"results/{each.result})" in rows


@pytest.mark.parametrize("name", TABLES)
def test_command_models_and_result_exist(name):
    table = TABLES[name]
    assert (RESULTS / table.result).is_file()
    assert all((ROOT / "models" / model / "model.bin").is_file() for model in table.models)
    if table.command[0] == "-m":
        assert importlib.util.find_spec(table.command[1])
    else:
        assert (ROOT / table.command[0]).is_file()


@pytest.mark.parametrize("name", TABLES)
def test_the_test_sets_exist(name, shared):
    assert all(list(shared.glob(pattern)) for pattern in TABLES[name].data)


def test_they_are_listed():
    command = [sys.executable, "-m", "benchmarks.comparison"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [*TABLES]


def test_what_is_recorded():
    found = provenance(TABLES["scorers"])
    bleu, chrf, _ = found["signatures"]
    assert bleu.partition("|version")[0] in PAGE
    assert chrf.partition("|version")[0] in PAGE
    assert len(found["models"]["en-de"]) == 64
    assert found["machine"]["cpu"]
    assert {"lsg", "sacrebleu", "ctranslate2"} <= set(found["versions"])
