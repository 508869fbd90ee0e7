"""The OpenAPI document describes the endpoints that there are, and no others."""

import re
from pathlib import Path

import yaml

from nb2prod.server import build_state
from nb2prod.server.routes import HANDLERS

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "jupyter-api.yaml").read_text())
METHODS = ("get", "post", "put", "patch", "delete")


def test_every_endpoint_and_method_is_described():
    described = {path.removeprefix("/"): {m for m in item if m in METHODS} for path, item in DOCUMENT["paths"].items()}
    there = {path: {m for m in METHODS if m in vars(handler)} for path, handler in HANDLERS.items()}
    assert described == there


def test_the_parts_of_an_address_are_described():
    for path, item in DOCUMENT["paths"].items():
        given = [
            p if "name" in p else DOCUMENT["components"]["parameters"][p["$ref"].split("/")[-1]]
            for p in item.get("parameters", [])
        ]
        assert {p["name"] for p in given if p["in"] == "path"} == set(re.findall(r"\{(\w+)\}", path)), path


def test_a_build_is_described_as_it_is_answered():
    build = build_state.Build("i", "/x.ipynb", build_state.now(), 1)
    assert set(DOCUMENT["components"]["schemas"]["Build"]["properties"]) == set(build.to_json("x.ipynb"))


def test_every_endpoint_asks_who_it_is():
    """`authenticated` and `authorized` wrap each method: a new one without them is an open door."""
    for path, handler in HANDLERS.items():
        for method in set(METHODS) & set(vars(handler)):
            inner = vars(handler)[method]
            assert hasattr(inner, "__wrapped__"), (path, method)
