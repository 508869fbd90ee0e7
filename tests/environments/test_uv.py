"""What uv says of its faults, in a few words."""

import pytest

from nb2prod.environments import uv
from nb2prod.environments.uv import Sources, Unsolvable

NOT_FOUND = """error: No solution found when resolving dependencies
  cause: Because ours was not found in the package registry and you require ours==1.2, we can conclude that your requirements are unsatisfiable.
"""
CONFLICT = """  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because bentoml==1.4.39 depends on attrs>=22.2.0 and you require bentoml==1.4.39, we can conclude that you require attrs>=22.2.0.
      And because you require attrs==20.1, we can conclude that your requirements are unsatisfiable.
"""
OFFLINE = """error: No solution found when resolving dependencies
  cause: Because bentoml was not found in the cache and you require bentoml==1.4.39, we can conclude that your requirements are unsatisfiable.

hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.
"""


@pytest.mark.parametrize(
    ("said", "short"),
    [
        (NOT_FOUND, "ours was not found in the package registry and you require ours==1.2"),
        (CONFLICT, "bentoml==1.4.39 depends on attrs>=22.2.0 and you require bentoml==1.4.39; you require attrs==20.1"),
        (OFFLINE, "bentoml was not found in the cache and you require bentoml==1.4.39"),
        ("error: Failed to fetch: something odd\n", "Failed to fetch: something odd"),
        ("", "uv gave no reason"),
    ],
)
def test_the_reason_is_uv_s_without_its_conclusions(said, short):
    assert uv.in_short(said) == short


def test_two_packages_that_do_not_fit_are_both_named(tmp_path):
    asked = tmp_path / "asked.in"
    asked.write_text("bentoml==1.4.39\nattrs==20.1.0\n")
    with pytest.raises(Unsolvable, match=r"it fails: .*bentoml==1\.4\.39.*attrs==20\.1") as caught:
        uv.run(["pip", "compile", "--quiet", str(asked)], purpose="it fails")
    assert not caught.value.unreachable
    assert "--find-links" in caught.value.hint


def test_without_a_network_the_missing_package_is_named_and_what_to_do(tmp_path):
    asked = tmp_path / "asked.in"
    asked.write_text("msgspec==0.19.0\n")
    empty = ["--cache-dir", str(tmp_path / "cache")]
    with pytest.raises(Unsolvable, match="msgspec") as caught:
        uv.run(["pip", "compile", "--quiet", *empty, *Sources(offline=True).options(), str(asked)], purpose="it fails")
    assert caught.value.missing == ("msgspec",)
    assert caught.value.unreachable
    assert "nb2prod env fetch" in caught.value.hint


def test_a_full_disk_is_said_as_one(monkeypatch):
    assert "no space left" in str(uv.problem_of("it fails", "error: No space left on device (os error 28)"))
