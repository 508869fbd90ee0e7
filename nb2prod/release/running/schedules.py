"""What has a deployment watched, and its model trained again, by itself: printed for the program that runs it, never installed."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nb2prod import home
from nb2prod.release.running.systemd import quoted

EVERY = ("hourly", "daily", "weekly")
_CRON = {"hourly": "7 * * * *", "daily": "7 6 * * *", "weekly": "7 6 * * 1"}
"""Not at the full hour, when everything else runs."""
_LATER = {"hourly": "37 * * * *", "daily": "37 6 * * *", "weekly": "37 6 * * 1"}
_CALENDAR = {"hourly": "*-*-* *:07:00", "daily": "*-*-* 06:07:00", "weekly": "Mon *-*-* 06:07:00"}
_LATER_CALENDAR = {"hourly": "*-*-* *:37:00", "daily": "*-*-* 06:37:00", "weekly": "Mon *-*-* 06:37:00"}
_HOURS = 6
"""After which whatever runs is taken for stuck."""

_SERVICE = """\
# Printed by `nb2prod schedule {name} --systemd`: ~/.config/systemd/user/{unit}.service
[Unit]
Description=nb2prod {about} {name}

[Service]
Type=oneshot
Environment={home}
ExecStart={command}
# {failing}; the unit is then failed, and `systemctl --user --failed` lists it.
TimeoutStartSec={hours}h
"""
_TIMER = """\
# Printed by `nb2prod schedule {name} --systemd`: ~/.config/systemd/user/{unit}.timer
[Unit]
Description=nb2prod {about} {name} {every}

[Timer]
OnCalendar={calendar}
# Also once the machine is up again, where it was off at that time.
Persistent=true

[Install]
WantedBy=timers.target
"""
_DAG = '''\
"""Printed by `nb2prod schedule {name} --airflow`: a file for Airflow's DAGs folder, on a worker that has nb2prod and its home."""

from datetime import datetime, timedelta

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id={dag},
    schedule={cron},
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours={hours}),
    tags=["nb2prod"],
):
{tasks}
'''
_TASK = """\
    # {failing}.
    {what} = BashOperator(task_id={id}, bash_command={command}, env={env}, append_env=True{rule})
"""


@dataclass(frozen=True)
class File:
    """A file to be put in its place: its name and its text."""

    name: str
    text: str


@dataclass(frozen=True)
class Job:
    """Something of a deployment that is run again and again: `what` it is, the words after `nb2prod`, and what its failing means."""

    what: str
    about: str
    name: str
    words: tuple[str, ...]
    every: str
    failing: str

    @property
    def command(self) -> list[str]:
        """As a process of this installation."""
        return [sys.executable, "-m", "nb2prod", *self.words]

    @property
    def cron(self) -> str:
        """When, as cron writes it: a retraining comes half an hour after the look that it goes by."""
        return (_CRON if self.what == "watch" else _LATER)[self.every]

    @property
    def calendar(self) -> str:
        """When, as systemd writes it."""
        return (_CALENDAR if self.what == "watch" else _LATER_CALENDAR)[self.every]


def jobs(name: str, every: str, webhook: str | None = None, *, retraining: bool = False) -> tuple[Job, ...]:
    """That a deployment is watched, and where it is asked for that its model is trained again when that is due."""
    told = [] if webhook is None else ["--webhook", webhook]
    watch = ("watch", name, "--check", *told)
    found = [Job("watch", "watches", name, watch, every, "1: an alarm that nobody has acknowledged")]
    if retraining:
        failing = "1: an attempt to train it again was stopped or failed"
        found.append(Job("retrain", "trains again", name, ("retrain", name, "--if-due"), every, failing))
    return tuple(found)


def systemd(wanted: Sequence[Job]) -> tuple[File, ...]:
    """A service and its timer for each job, for the user's systemd."""
    files = []
    for job in wanted:
        unit = f"nb2prod-{job.what}-{job.name}"
        told = {"name": job.name, "unit": unit, "about": job.about, "every": job.every, "failing": job.failing}
        command = " ".join(map(_literal, job.command))
        own = quoted(f"NB2PROD_HOME={home.home()}")
        files.append(File(f"{unit}.service", _SERVICE.format(**told, home=own, command=command, hours=_HOURS)))
        files.append(File(f"{unit}.timer", _TIMER.format(**told, calendar=job.calendar)))
    return tuple(files)


def cron(wanted: Sequence[Job]) -> str:
    """A line of a crontab for each job. What the commands write is mailed by cron, also while there is no alarm."""
    # A bare % ends a command in a crontab.
    return "\n".join(f"{job.cron} {_shell(job)}".replace("%", "\\%") for job in wanted)


def github(wanted: Sequence[Job]) -> File:
    """A workflow of GitHub for a runner on the machine that has nb2prod's home."""
    steps = [{"name": f"nb2prod {job.about} {job.name}", "run": _shell(job)} for job in wanted]
    for step in steps[1:]:
        step["if"] = "${{ !cancelled() }}"  # an alarm fails the first step, and is just when to train again
    name = wanted[0].name
    document = {
        "name": f"nb2prod {name}",
        "on": {"schedule": [{"cron": wanted[0].cron}], "workflow_dispatch": {}},
        "concurrency": {"group": f"nb2prod-{name}", "cancel-in-progress": False},
        "permissions": {"contents": "read"},
        "jobs": {"run": {"runs-on": "self-hosted", "timeout-minutes": 60 * _HOURS, "steps": steps}},
    }
    return File(f"nb2prod-{name}.yml", _yaml([document]))


def airflow(wanted: Sequence[Job]) -> File:
    """A DAG of Airflow 2 or 3."""
    own = {"NB2PROD_HOME": str(home.home())}
    tasks = [
        _TASK.format(
            what=job.what,
            id=repr(job.what),
            failing=job.failing,
            # A command that ends in .sh would be looked up as a template's file, and {{ begins an expression.
            command=repr(f"{_jinja(shlex.join(job.command))} "),
            env=repr(own),
            rule="" if number == 0 else ', trigger_rule="all_done"',
        )
        for number, job in enumerate(wanted)
    ]
    order = "\n\n    " + " >> ".join(job.what for job in wanted) if len(wanted) > 1 else ""
    dag = f"nb2prod_{wanted[0].name}"
    text = _DAG.format(
        name=wanted[0].name,
        dag=repr(dag),
        cron=repr(wanted[0].cron),
        hours=_HOURS,
        tasks="".join(tasks).rstrip("\n") + order,
    )
    return File(f"{re.sub(r'[^a-z0-9_]', '_', dag)}.py", text)


def kubernetes(wanted: Sequence[Job], image: str, claim: str) -> File:
    """A CronJob for each job: `image` has nb2prod and the kernels, the volume of `claim` nb2prod's home and the notebooks."""
    return File(f"nb2prod-{wanted[0].name}.yaml", _yaml([_cron_job(job, image, claim) for job in wanted]))


def _cron_job(job: Job, image: str, claim: str) -> dict[str, Any]:
    container = {
        "name": job.what,
        "image": image,
        "command": ["nb2prod", *job.words],
        "env": [{"name": "NB2PROD_HOME", "value": "/nb2prod"}],
        "volumeMounts": [{"name": "home", "mountPath": "/nb2prod"}],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": claim}}],
    }
    name = re.sub(r"[^a-z0-9-]+", "-", f"nb2prod-{job.what}-{job.name}").strip("-")[:52].rstrip("-")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "nb2prod"}},
        "spec": {
            "schedule": job.cron,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {
                "spec": {
                    # Failing is what it says: trying the same again would say it twice.
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": _HOURS * 3600,
                    "template": {"spec": pod},
                }
            },
        },
    }


def _yaml(documents: Sequence[dict[str, Any]]) -> str:
    import yaml  # type: ignore[import-untyped]

    return str(yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True))


def _shell(job: Job) -> str:
    return shlex.join(["env", f"NB2PROD_HOME={home.home()}", *job.command])


def _jinja(text: str) -> str:
    return text.replace("{", "{{ '{' }}")


def _literal(word: str) -> str:
    """A word of ExecStart, in which a dollar sign names a variable."""
    return quoted(word).replace("$", "$$")
