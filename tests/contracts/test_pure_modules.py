"""The modules that carry the product's judgement know nothing of Django but its lazy texts."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PURE = (
    "apps/probes",
    "apps/checks/state.py",
    "apps/checks/uptime.py",
    "apps/checks/holding.py",
    "apps/checks/ai/comparison.py",
    "apps/checks/ai/histograms.py",
    "apps/checks/ai/uptime.py",
    "apps/checks/ai/windows.py",
    "apps/checks/vendors/comparing.py",
    "apps/checks/heartbeats/schedule.py",
    "apps/checks/heartbeats/judging.py",
    "apps/checks/heartbeats/answers.py",
    "apps/checks/heartbeats/dialects.py",
    "apps/checks/heartbeats/go_duration.py",
    "apps/alerts/channels",
    "apps/alerts/matching.py",
    "apps/alerts/rules.py",
    "apps/alerts/ruling/index.py",
    "apps/alerts/ruling/patterns.py",
    "apps/alerts/times.py",
    "apps/alerts/stages",
    "apps/alerts/routes/tree.py",
    "apps/alerts/routes/reach.py",
)
ALLOWED = {"django.utils.translation", "django.utils.functional"}


def pure_files() -> list[Path]:
    return [
        file
        for place in PURE
        for file in (sorted((PROJECT / place).rglob("*.py")) if (PROJECT / place).is_dir() else [PROJECT / place])
    ]


def django_imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        modules: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules = [node.module]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        yield from (module for module in modules if module.split(".")[0] == "django")


@pytest.mark.parametrize("file", pure_files(), ids=lambda file: str(file.relative_to(PROJECT)))
def test_a_pure_module_takes_only_texts_from_django(file: Path) -> None:
    assert set(django_imports(file.read_text())) <= ALLOWED


def test_the_rule_would_see_the_orm() -> None:
    assert set(django_imports("from django.db import models\nimport django.conf")) == {"django.db", "django.conf"}


@pytest.mark.parametrize(
    "module", ["apps.probes.engine", "apps.probes.runner", "apps.checks.state", "apps.alerts.channels"]
)
def test_a_pure_module_is_imported_without_settings(module: str) -> None:
    load = f"import {module}; from apps.probes.base import PROBE_KINDS; PROBE_KINDS.names()"
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run([sys.executable, "-c", load], cwd=PROJECT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
