"""The runtime under the name that it has in a Bento is the same runtime."""

import importlib

import pytest


@pytest.mark.parametrize("name", ["", ".rows", ".frozen", ".signature"])
def test_there_is_no_second_copy_of_a_module(name):
    assert importlib.import_module(f"nb2prod_runtime{name}") is importlib.import_module(f"nb2prod.runtime{name}")
    assert importlib.import_module(f"nb2prod.runtime{name}").__spec__.name == f"nb2prod.runtime{name}"
