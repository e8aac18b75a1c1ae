"""A short run of the fuzzer; `tests.campaigns.fuzz` runs it for as long as you like."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import need

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", [1])
def test_a_few_thousand_files_made_by_a_fuzzer(seed: int, tmp_path: Path) -> None:
    need("" if importlib.util.find_spec("atheris") else "atheris")
    command = [sys.executable, "-m", "tests.campaigns.fuzz", "--seconds", "4", "--keep", str(tmp_path)]
    ran = subprocess.run(
        [*command, "--", f"-seed={seed}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3_000:]
    assert list(tmp_path.glob("crash-*")) == []
