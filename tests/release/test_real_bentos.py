"""A notebook's two versions, really built and really served: a new version and a rollback under load lose nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nb2prod.bento import store

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.proxy
def test_no_request_is_lost_while_versions_change(tmp_path, monkeypatch, load):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    shutil.copy(ROOT / "example_notebooks" / "breast_cancer.ipynb", tmp_path)
    (tmp_path / "nb2prod.toml").write_text(
        'owner = "Ada"\ngates = { roc_auc = ">= 0.5", "vs_live.roc_auc" = ">= -0.2", changed_answers = "<= 0.5", p99_ms = "<= 5000", parity = true }\n'
    )

    def nb2prod(*arguments):
        command = [sys.executable, "-m", "nb2prod", *arguments, "--json"]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=400, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    first = nb2prod("build", "breast_cancer.ipynb")["bento"]
    second = nb2prod("build", "breast_cancer.ipynb", "-p", "C", "3")["bento"]
    assert first != second
    nb2prod("parity", second)
    assert nb2prod("show", second)["metrics"]["reason"] is None  # kept when it is proved again
    try:
        port = nb2prod("deploy", first)["port"]
        report = nb2prod("gate", second)
        found = {item["gate"]: item for item in report["results"]}
        assert (report["against"], len(found)) == (first, 5)
        assert found["p99_ms"]["low"] <= found["p99_ms"]["value"] <= found["p99_ms"]["high"]
        assert found["vs_live.roc_auc"]["note"].endswith("rows")
        rows = json.loads((store.find(first).folder / "src" / "examples.json").read_text())["rows"][:1]
        with load(port, threads=4, rows=rows) as callers:
            assert nb2prod("deploy", second)["bento"] == second
            assert nb2prod("rollback", "breast_cancer")["bento"] == first
            item = nb2prod("restart", "breast_cancer")
        assert callers.lost == []
        assert {f"breast_cancer:{version}" for version in callers.answers} == {first, second}
        assert callers.done > 500
        assert (item["state"], item["gap"], item["errors"]) == ("serving", 0.0, 0)
    finally:
        nb2prod("stop", "breast_cancer")
