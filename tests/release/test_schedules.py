"""What is printed to have a deployment watched is valid for its own tool, and runs the command that it says."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import kubernetes_validate
import pytest
import yaml

from nb2prod.cli import main
from nb2prod.release.running import schedules
from tests.matrix.environments import uv


def test_the_units_are_valid_by_systemd_s_own_word(releases, capsys, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    releases.make("aa11")
    folder = tmp_path / "units"
    folder.mkdir()
    for every in schedules.EVERY:
        assert (
            main(
                [
                    "schedule",
                    "flights",
                    "--systemd",
                    "--retrain",
                    "--every",
                    every,
                    "--webhook",
                    "https://a/b?c=%20$d",
                    "--json",
                ]
            )
            == 0
        )
        files = json.loads(capsys.readouterr().out)["files"]
        units = ("nb2prod-retrain-flights", "nb2prod-watch-flights")
        assert sorted(files) == [f"{unit}.{kind}" for unit in units for kind in ("service", "timer")]
        for name, text in files.items():
            (folder / name).write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *map(str, folder.iterdir())], capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert "nb2prod" not in done.stderr, done.stderr
        for unit in units:
            text = files[f"{unit}.timer"]
            calendar = next(line for line in text.splitlines() if line.startswith("OnCalendar="))
            asked = ["systemd-analyze", "calendar", calendar.partition("=")[2]]
            assert subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0
    assert '"https://a/b?c=%%20$$d"' in files[f"{units[1]}.service"]  # neither a specifier nor a variable
    assert "retrain" in files[f"{units[0]}.service"]


def test_the_line_of_a_crontab_watches_the_deployment(releases, capsys):
    """Run as cron runs it: by sh, in an empty environment, each % without its backslash."""
    releases.make("aa11")
    assert main(["schedule", "flights", "--cron", "--every", "weekly", "--webhook", "http://127.0.0.1:9/a%20b"]) == 0
    line = capsys.readouterr().out.strip()
    assert line.startswith("7 6 * * 1 env ")
    assert "a\\%20b" in line
    command = line.split(" ", 5)[5].replace("\\%", "%")
    done = subprocess.run(["/bin/sh", "-c", command], env={"HOME": "/"}, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert "flights" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["schedule", "flights"], "--systemd, --cron"),
        (["schedule", "flights", "--kubernetes"], "--image"),
        (["schedule", "flights", "--cron", "--claim", "x"], "--claim are for --kubernetes"),
        (["schedule", "nobody", "--cron"], "no release of 'nobody'"),
        (["schedule", "flights", "--cron", "--every", "minute"], "minute"),
    ],
)
def test_what_can_not_be_scheduled_is_said(releases, capsys, arguments, said):
    releases.make("aa11")
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def printed(capsys, *options):
    assert main(["schedule", "flights", "--retrain", *options, "--json"]) == 0
    ((name, text),) = json.loads(capsys.readouterr().out)["files"].items()
    return name, text


def test_a_line_of_a_crontab_each(releases, capsys):
    releases.make("aa11")
    assert main(["schedule", "flights", "--cron", "--retrain"]) == 0
    watch, retrain = capsys.readouterr().out.strip().splitlines()
    assert watch.endswith("watch flights --check")
    # Half an hour after the look that it goes by.
    assert retrain.startswith("37 6 * * * env ")
    assert retrain.endswith("retrain flights --if-due")


def test_the_workflow_is_valid_by_github_s_schema(releases, capsys, tmp_path):
    releases.make("aa11")
    name, text = printed(capsys, "--github", "--webhook", "https://a/b")
    (tmp_path / name).write_text(text)
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(tmp_path / name),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    steps = yaml.safe_load(text)["jobs"]["run"]["steps"]
    assert shlex.split(steps[0]["run"])[-4:] == ["flights", "--check", "--webhook", "https://a/b"]
    # An alarm fails the first step, and is just when to train again.
    assert steps[1]["if"] == "${{ !cancelled() }}"
    assert shlex.split(steps[1]["run"])[-3:] == ["retrain", "flights", "--if-due"]


def test_the_cron_jobs_are_valid_by_kubernetes_schema(releases, capsys):
    releases.make("aa11")
    _, text = printed(capsys, "--kubernetes", "--image", "registry.example.org/notebooks:1", "--every", "hourly")
    documents = list(yaml.safe_load_all(text))
    assert [item["metadata"]["name"] for item in documents] == ["nb2prod-watch-flights", "nb2prod-retrain-flights"]
    for document in documents:
        kubernetes_validate.validate(document, "1.31", strict=True)
        assert document["spec"]["concurrencyPolicy"] == "Forbid"
    (container,) = documents[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["nb2prod", "retrain", "flights", "--if-due"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**documents[0], "spec": {"shedule": "x"}}, "1.31", strict=True)


ASKED_OF_AIRFLOW = """
import json, sys
from airflow.models.dagbag import DagBag
found = DagBag(dag_folder=sys.argv[1], include_examples=False)
(dag,) = found.dags.values()
print(json.dumps({"errors": found.import_errors, "id": dag.dag_id, "tasks": {
    task.task_id: [task.bash_command, task.trigger_rule.value, sorted(task.upstream_task_ids)] for task in dag.tasks}}))
"""


@pytest.mark.matrix
@pytest.mark.slow
def test_airflow_reads_the_dag(releases, capsys, tmp_path):
    releases.make("aa11")
    name, text = printed(capsys, "--airflow", "--webhook", "https://a/{{b}}")
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / name).write_text(text)
    python = tmp_path / "airflow" / "bin" / "python"
    subprocess.run([uv(), "venv", "--quiet", "--python", sys.executable, python.parents[1]], check=True)
    subprocess.run([uv(), "pip", "install", "--quiet", "--python", python, "apache-airflow==3.1.8"], check=True)
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    command = [python, "-c", ASKED_OF_AIRFLOW, str(tmp_path / "dags")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == {}
    assert found["id"] == "nb2prod_flights"
    assert found["tasks"]["retrain"][1:] == ["all_done", ["watch"]]
    assert "retrain flights --if-due" in found["tasks"]["retrain"][0]
