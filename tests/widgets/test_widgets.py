"""The widgets in a process of their own kind: what they say, that they follow, and what is left without a kernel."""

import gc
import time
from dataclasses import replace

import nbformat
import pytest
from nbconvert import HTMLExporter

import nb2prod
from nb2prod.errors import InputError
from nb2prod.release import deployments
from nb2prod.release.deployment import Deployment
from nb2prod.widgets import DeployStatus

FOUND = Deployment(
    "flights", "flight_delay", "ba99600dec81aef4", "serving", "http://127.0.0.1:3000", "127.0.0.1", 3000,
    previous="1111111111111111", health="ready", uptime=130.0, requests=42, errors=0, p50=0.0123, notes=("No owner.",),
)  # fmt: skip


@pytest.fixture
def found(monkeypatch):
    """What the deployments say, to be changed by the test."""
    state = {"now": FOUND}

    def status(name):
        if isinstance(state["now"], Exception):
            raise state["now"]
        return state["now"]

    monkeypatch.setattr(deployments, "status", status)
    return state


def text(box):
    return box.children[0].value


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_it_shows_a_deployment(found):
    box = nb2prod.DeployStatus("flights", interval=60)
    for expected in ("flights", "serving", "flight_delay:ba99600dec81aef4", "2 min", "12.3 ms", "No owner."):
        assert expected in text(box), expected
    box.close()


def test_its_address_can_be_clicked_and_its_numbers_have_their_course(found):
    box = DeployStatus("flights", interval=60)
    assert '<a href="http://127.0.0.1:3000" target="_blank"' in text(box)
    for requests in (52, 55):
        found["now"] = replace(FOUND, requests=requests)
        box.refresh()
    # Requests, requests a second, errors and the two percentiles; the first is a sum and has no course.
    lines = [part.partition('"')[0].split() for part in text(box).split('points="')[1:]]
    assert [len(points) for points in lines] == [0, 2, 2, 3, 3]
    found["now"] = replace(FOUND, version="2222222222222222")
    box.refresh()
    assert [len(part.partition('"')[0].split()) for part in text(box).split('points="')[1:]] == [0, 0, 0, 1, 1]
    found["now"] = replace(FOUND, state="stopped")
    box.refresh()
    assert "<a " not in text(box)
    assert "<svg" not in text(box)
    box.close()


def test_percentiles_of_a_few_requests_are_not_told(found):
    found["now"] = replace(FOUND, requests=29)
    box = DeployStatus("flights", interval=60)
    assert "29" in text(box)
    assert "12.3 ms" not in text(box)
    box.close()


def test_there_are_no_buttons_for_a_deployment_that_does_not_exist(found):
    found["now"] = InputError("there is no deployment flights", "nb2prod status names them")
    box = DeployStatus("flights", interval=0.05)
    assert box.children[1].layout.display == "none"
    found["now"] = FOUND
    assert until(lambda: box.children[1].layout.display is None)
    box.close()


def test_it_follows_without_being_asked(found):
    box = DeployStatus("flights", interval=0.05)
    found["now"] = replace(FOUND, state="degraded", requests=40)
    assert until(lambda: "degraded" in text(box))
    box.close()


def test_what_is_not_known_is_said_and_comes_back(found):
    box = DeployStatus("flights", interval=0.05)
    found["now"] = InputError("there is no deployment flights", "nb2prod status names them")
    assert until(lambda: "there is no deployment" in text(box))
    assert "nb2prod status names them" in text(box)
    found["now"] = RuntimeError("<b>boom</b>")
    assert until(lambda: "&lt;b&gt;boom" in text(box))
    found["now"] = FOUND
    assert until(lambda: "serving" in text(box))
    box.close()


def test_a_button_acts_and_says_what_failed(found, monkeypatch):
    done = []

    def stop(name):
        done.append(name)
        raise InputError("it is busy", "Wait.")

    monkeypatch.setattr(deployments, "stop", stop)
    box = DeployStatus("flights", interval=60)
    box.children[1].children[2].click()
    assert done == ["flights"]
    assert "it is busy" in box.children[2].value
    box.close()


def test_its_thread_ends_with_it(found):
    box = DeployStatus("flights", interval=0.02)
    box.close()
    del box
    gc.collect()
    looked = []
    found["now"] = FOUND
    original = deployments.status
    deployments.status = lambda name: looked.append(name) or original(name)
    try:
        time.sleep(0.2)
    finally:
        deployments.status = original
    assert looked == []


def test_an_interval_must_be_above_zero():
    with pytest.raises(ValueError, match="interval"):
        DeployStatus("flights", interval=0)


def test_names_from_outside_are_no_markup(found):
    found["now"] = replace(FOUND, owner="<script>alert(1)</script>")
    box = DeployStatus("flights", interval=60)
    assert "<script>" not in text(box)
    box.close()


def test_without_a_kernel_a_table_stands_in_its_place(found):
    box = DeployStatus("flights", interval=60)
    bundle = box._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    cell = nbformat.v4.new_code_cell(
        "DeployStatus('flights')", outputs=[nbformat.v4.new_output("display_data", data=data)]
    )
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert "flight_delay:ba99600dec81aef4" in page
    assert "serving" in page
    box.close()
