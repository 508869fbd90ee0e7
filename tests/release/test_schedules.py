"""What is printed to have a deployment watched is valid for its own tool, and runs the command that it says."""

import json
import shutil
import subprocess

import pytest

from nb2prod.cli import main
from nb2prod.release.running import schedules


def test_the_units_are_valid_by_systemd_s_own_word(releases, capsys, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    releases.make("aa11")
    folder = tmp_path / "units"
    folder.mkdir()
    for every in schedules.EVERY:
        assert (
            main(["schedule", "flights", "--systemd", "--every", every, "--webhook", "https://a/b?c=%20$d", "--json"])
            == 0
        )
        files = json.loads(capsys.readouterr().out)["files"]
        assert sorted(files) == ["nb2prod-watch-flights.service", "nb2prod-watch-flights.timer"]
        for name, text in files.items():
            (folder / name).write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *map(str, folder.iterdir())], capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert "nb2prod" not in done.stderr, done.stderr
        calendar = next(line for line in text_of(files, "timer").splitlines() if line.startswith("OnCalendar="))
        asked = ["systemd-analyze", "calendar", calendar.partition("=")[2]]
        assert subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0
    assert '"https://a/b?c=%%20$$d"' in text_of(files, "service")  # neither a specifier nor a variable


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
        (["schedule", "flights"], "--systemd or --cron"),
        (["schedule", "nobody", "--cron"], "no release of 'nobody'"),
        (["schedule", "flights", "--cron", "--every", "minute"], "minute"),
    ],
)
def test_what_can_not_be_scheduled_is_said(releases, capsys, arguments, said):
    releases.make("aa11")
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def text_of(files, kind):
    return next(text for name, text in files.items() if name.endswith(kind))
