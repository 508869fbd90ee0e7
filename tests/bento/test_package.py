"""Packaging with the real BentoML: offline, pinned, reproducible, and clear when it fails."""

import sys

import pytest
import yaml

from nb2prod.bento import digest, package, project, store
from nb2prod.errors import EnvironmentProblem

SERVICE = """\
import bentoml


@bentoml.service
class Service:
    @bentoml.api
    def double(self, x: int) -> int:
        return 2 * x
"""
PINS = ("bentoml==1.4.39", "numpy==2.4.6", "pandas==3.1.1")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def made(folder, service=SERVICE):
    project.write(
        folder,
        project.ProjectFiles(
            features="def features(rows):\n    return rows\n",
            predict="def predict(X):\n    return X\n",
            signature={"schema": 1},
            reference={"schema": 1},
            examples={"schema": 1, "rows": []},
        ),
    )
    (folder / "artifacts").mkdir(exist_ok=True)
    (folder / "artifacts" / "manifest.json").write_text('{"schema": 1, "artifacts": []}')
    (folder / "service.py").write_text(service)
    return folder


def spec(folder, **changes):
    version = digest.digest(folder, PINS)
    return package.BentoSpec(
        **{"name": "flights", "version": version, "python_version": PYTHON, "requirements": PINS, **changes}
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A Bento, made where no package index answers."""
    folder = tmp_path_factory.mktemp("package")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        patch.setenv("UV_OFFLINE", "1")
        patch.setenv("PIP_NO_INDEX", "1")
        source = made(folder / "project")
        return package.build(source, spec(source, labels={"owner": "a@b.c"}), folder / "stage")


def test_the_bento_lies_in_the_staging_store_and_nothing_else_does(built):
    stage = built.parent.parent
    assert built == stage / "flights" / built.name
    assert [path.name for path in stage.iterdir()] == ["flights"]


def test_its_source_is_the_project_and_its_version_the_digest_of_it(built):
    names = {path.name for path in package.source(built).iterdir()}
    assert {"service.py", "features.py", "predict.py", "nb2prod_runtime", "artifacts", "signature.json"} <= names
    assert "__pycache__" not in names
    assert "requirements.txt" not in names
    assert digest.of_bento(built) == built.name
    assert package.is_project(package.source(built))


def test_its_environment_is_the_pins_as_they_were_given(built):
    lines = (built / "env" / "python" / "requirements.txt").read_text().split()
    assert sorted(lines) == list(PINS)


def test_it_names_its_python_its_labels_and_no_path_of_this_machine(built, tmp_path):
    document = yaml.safe_load((built / "bento.yaml").read_text())
    assert document["image"]["python_version"] == PYTHON
    assert document["labels"] == {"nb2prod": "1", "owner": "a@b.c"}
    for path in built.rglob("*"):
        if path.is_file():
            assert str(built.parent.parent.parent).encode() not in path.read_bytes(), path


def test_a_changed_byte_shows_in_the_digest(built):
    file = package.source(built) / "predict.py"
    text = file.read_text()
    file.write_text(text + "# altered\n")
    try:
        assert digest.of_bento(built) != built.name
    finally:
        file.write_text(text)


def test_building_the_same_again_returns_what_is_there(built):
    source = built.parent.parent.parent / "project"
    before = (built / "bento.yaml").stat().st_mtime_ns
    assert package.build(source, spec(source), built.parent.parent) == built
    assert (built / "bento.yaml").stat().st_mtime_ns == before


def test_bentoml_finds_what_was_promoted_and_the_same_as_the_store(built, tmp_path, monkeypatch):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    from bentoml._internal.bento import BentoStore

    tag = store.promote(built, readme="# card\n")
    theirs = BentoStore(store.store_folder())
    assert [str(item.tag) for item in theirs.list()] == [tag] == [item.tag for item in store.bentos()]
    assert str(theirs.get("flights").tag) == tag
    assert theirs.get("flights").path == str(store.folder("flights"))
    assert theirs.get("flights").info.labels["nb2prod"] == "1"


def test_a_service_that_cannot_be_imported_is_an_error_with_bentomls_reason(tmp_path):
    source = made(tmp_path / "project", service="import no_such_library\n")
    with pytest.raises(EnvironmentProblem, match=r"can't package flights:.*no_such_library") as caught:
        package.build(source, spec(source), tmp_path / "stage")
    assert "\n" not in caught.value.message
    assert list((tmp_path / "stage").iterdir()) == []


def test_a_file_that_bentoml_leaves_out_is_told_and_not_missed_later(tmp_path):
    source = made(tmp_path / "project")
    (source / "cleaning").mkdir()
    (source / "cleaning" / "__init__.py").write_text("")
    (source / ".bentoignore").write_text("cleaning/\n")
    with pytest.raises(EnvironmentProblem, match=r"leaves out cleaning.__init__\.py"):
        package.build(source, spec(source), tmp_path / "stage")
    assert list((tmp_path / "stage").iterdir()) == []


def test_a_packaging_process_that_dies_is_an_error(tmp_path):
    source = made(tmp_path / "project", service="import os\nos._exit(7)\n")
    with pytest.raises(EnvironmentProblem, match="status 7"):
        package.build(source, spec(source), tmp_path / "stage")


def test_a_stage_that_cannot_be_written_is_an_error(tmp_path):
    source = made(tmp_path / "project")
    (tmp_path / "stage").write_text("")
    with pytest.raises(EnvironmentProblem, match="can't be written"):
        package.build(source, spec(source), tmp_path / "stage")
