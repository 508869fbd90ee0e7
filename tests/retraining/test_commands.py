"""What `nb2prod retrain` says where there is nothing to do, and where it can't."""

import json

import pytest

from nb2prod.cli import main
from nb2prod.release import attempts
from nb2prod.release.admission import release_to_deploy
from nb2prod.release.deployments import NotDeployed
from tests.watching import served


def test_what_is_not_live_is_not_trained_again(rng, capsys):
    served.release(served.table(400, rng))
    assert main(["retrain", served.NAME]) == 2
    said = capsys.readouterr().err
    assert "nothing is live under visits" in said
    assert "nb2prod deploy visits" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--show", "--if-due"], "stand alone"),
        (["--dismiss", " "], "a dismissal says why"),
        (["--dismiss", "no"], "nothing is proposed for visits"),
    ],
)
def test_options_that_can_not_be(rng, capsys, options, said):
    served.release(served.table(400, rng))
    assert main(["retrain", served.NAME, *options]) == 2
    assert said in capsys.readouterr().err


def test_the_attempts_are_shown(rng, capsys):
    served.release(served.table(400, rng))
    assert main(["retrain", served.NAME, "--show"]) == 0
    assert "never trained again" in capsys.readouterr().out
    attempt = attempts.begin(served.NAME, served.MODEL, "age > 30d (built 40 days ago)", by_hand=False)
    attempts.add_step(attempt, "data", "nothing is broken", {"rows": 3})
    attempts.add_step(attempt, "build", "built and proved", {}, "bb22")
    assert main(["retrain", served.NAME, "--show"]) == 0
    assert "or cut off: nb2prod retrain visits takes it up" in capsys.readouterr().out
    attempts.end(attempt, "proposed", "mae 1 instead of 2")
    assert main(["retrain", served.NAME, "--show"]) == 0
    shown = capsys.readouterr().out
    assert "age > 30d (built 40 days ago)" in shown
    assert "nb2prod deploy visits:bb22" in shown
    assert attempts.remarks(served.NAME)[0].startswith("visits:bb22 is proposed in its place (mae 1 instead of 2)")
    assert main(["retrain", served.NAME, "--dismiss", "not now", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["attempt"]["state"] == "dismissed"
    assert attempts.remarks(served.NAME) == []


def test_a_release_that_retraining_stopped_is_deployed_only_by_its_whole_name(rng):
    served.release(served.table(400, rng))
    assert release_to_deploy(served.NAME, None, None, without_owner=False).bento == served.MODEL
    attempt = attempts.begin(served.NAME, f"{served.NAME}:0000", "drifted", by_hand=False)
    attempts.add_step(attempt, "build", "built and proved", {}, served.VERSION)
    attempts.end(attempt, "stopped", f"{served.MODEL} is worse")
    with pytest.raises(NotDeployed, match="was trained again and stopped: visits:aa11 is worse") as caught:
        release_to_deploy(served.NAME, None, None, without_owner=False)
    assert f"nb2prod deploy {served.MODEL}" in caught.value.hint
    assert release_to_deploy(served.MODEL, None, None, without_owner=False).bento == served.MODEL
