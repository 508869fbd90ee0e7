"""Exported releases: sealed, signed, without the notebook's data unless asked; and what `diff` and `gc` say."""

import gzip
import io
import json
import re
import subprocess
import sys
import tarfile

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nb2prod.bento import digest, store
from nb2prod.errors import InputError
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.release import archive, deployments, differences, garbage, records
from nb2prod.release.deployments import Wish, deploy
from nb2prod.release.record import OUTCOMES


@pytest.fixture
def sealed(releases, tmp_path, monkeypatch):
    """A release whose version is its content's digest, and another home to import it into."""
    folder = tmp_path / "made"
    (folder / "src" / "artifacts").mkdir(parents=True)
    (folder / "env" / "python").mkdir(parents=True)
    (folder / "env" / "python" / "requirements.txt").write_text("numpy==2.0\n")
    (folder / "src" / "features.py").write_text("x = 1\n")
    version = digest.digest(folder / "src", ["numpy==2.0"])
    made = releases.make(version)
    bento = releases.store / "flights" / version
    (bento / "src" / "examples.json").unlink()
    (bento / "src" / "features.py").write_text("x = 1\n")
    (bento / "env" / "python").mkdir(parents=True)
    (bento / "env" / "python" / "requirements.txt").write_text("numpy==2.0\n")
    (made.folder / "origin.json").write_text('{"notebook": "/secret/place.ipynb"}')
    cells = [{"cell_type": "code", "source": "df", "outputs": [{"text": "row of Ada"}], "execution_count": 3}]
    (made.folder / "executed.ipynb").write_text(json.dumps({"cells": cells}))
    yield made
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    def move():
        monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "other"))
        monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "other" / "bentoml"))

    return move


@pytest.fixture
def keys(tmp_path):
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "key.pem", tmp_path / "key.pub.pem"
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    return private, public


def content(path):
    with tarfile.open(path) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar.getmembers()}


def rewritten(path, change):
    parts = content(path)
    change(parts)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, data in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    path.write_bytes(gzip.compress(raw.getvalue()))
    return path


def test_a_release_comes_back_elsewhere_without_the_notebooks_data(sealed, tmp_path, elsewhere):
    path = archive.write(sealed, tmp_path)
    assert path.name == f"flights-{sealed.version}.nb2prod"
    parts = content(path)
    text = b"\n".join(parts.values())
    assert b"/secret/place" not in text
    assert b"row of Ada" not in text
    assert "record/cases.json" not in parts
    elsewhere()
    found = archive.read(path)
    assert found.new
    assert found.release == sealed
    assert store.find("flights").version == sealed.version
    assert records.find("flights").parity == sealed.parity
    assert not archive.read(path).new


def test_rows_and_outputs_go_along_when_asked(sealed, tmp_path, elsewhere):
    path = archive.write(sealed, tmp_path, with_rows=True, with_outputs=True)
    assert b"row of Ada" in content(path)["record/executed.ipynb"]
    elsewhere()
    assert archive.read(path).release.path("cases.json").is_file()


def test_the_same_release_is_the_same_file(sealed, tmp_path):
    one = archive.write(sealed, tmp_path / "one.nb2prod").read_bytes()
    assert archive.write(sealed, tmp_path / "two.nb2prod").read_bytes() == one


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda parts: parts.update({"bento/src/features.py": b"x = 2\n"}), "does not fit bento/src/features.py"),
        (lambda parts: parts.update({"bento/src/more.py": b""}), "does not fit bento/src/more.py"),
        (lambda parts: parts.pop("record/plan.json"), "does not fit record/plan.json"),
        (lambda parts: parts.pop("seal.json"), "no seal"),
        (lambda parts: parts.update({"../evil.py": b""}), "which no release has"),
        (lambda parts: parts.update({"/etc/evil": b""}), "which no release has"),
    ],
)
def test_a_file_that_was_changed_is_not_taken(sealed, tmp_path, elsewhere, change, reason):
    path = rewritten(archive.write(sealed, tmp_path), change)
    elsewhere()
    with pytest.raises(InputError, match=reason):
        archive.read(path)
    assert store.bentos() == ()
    assert records.records() == ()


def test_a_seal_made_anew_over_other_code_fails_by_the_version(sealed, tmp_path, elsewhere):
    def change(parts):
        parts["bento/src/features.py"] = b"x = 2\n"
        document = json.loads(parts["seal.json"])
        document["files"]["bento/src/features.py"] = archive.seal.digest(b"x = 2\n")
        parts["seal.json"] = json.dumps(document).encode()

    path = rewritten(archive.write(sealed, tmp_path), change)
    elsewhere()
    with pytest.raises(InputError, match=f"content is .*, not {sealed.version}"):
        archive.read(path)


def test_a_signature_is_checked(sealed, tmp_path, elsewhere, keys):
    private, public = keys
    signed = archive.write(sealed, tmp_path / "signed.nb2prod", key=private)
    bare = archive.write(sealed, tmp_path / "bare.nb2prod")
    other = tmp_path / "other.pem"
    key = Ed25519PrivateKey.generate().public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    other.write_bytes(key.public_bytes(serialization.Encoding.PEM, form))
    elsewhere()
    with pytest.raises(InputError, match=r"other\.pem is refused"):
        archive.read(signed, key=other)
    with pytest.raises(InputError, match="not signed"):
        archive.read(bare, key=public)
    with pytest.raises(InputError, match="not a public Ed25519 key"):
        archive.read(signed, key=private)
    assert archive.read(signed).signed is None
    assert archive.read(signed, key=public).signed is True


def test_what_is_no_export_is_named(releases, tmp_path):
    file = tmp_path / "x.nb2prod"
    file.write_text("no")
    with pytest.raises(InputError, match="is not a release that was exported"):
        archive.read(file)


def test_an_imported_release_can_be_deployed(sealed, tmp_path, elsewhere):
    path = archive.write(sealed, tmp_path)
    elsewhere()
    archive.read(path)
    assert deploy("flights", Wish(proxied=False)).state == "serving"
    deployments.stop("flights")


def test_diff_names_what_changed(releases):
    first = releases.make("aa11")
    second = releases.make("bb22", owner="Grace")
    for item, code, sha in ((first, "x = 1\n", "1"), (second, "x = 2\n", "2")):
        src = releases.store / "flights" / item.version / "src"
        for name in ("features.py", "predict.py"):
            (src / name).write_text(code if name == "features.py" else "")
        (src / "artifacts").mkdir()
        manifest = {"artifacts": [{"name": "clf", "sha256": sha}, {"name": f"only_{sha}", "sha256": "0"}]}
        (src / "artifacts" / "manifest.json").write_text(json.dumps(manifest))
        columns = [{"name": "a", "type": "number" if sha == "1" else "integer"}]
        (src / "signature.json").write_text(json.dumps({"columns": columns, "prediction": {"name": "y"}}))
        right = 40 if sha == "1" else 56
        answers = tuple("yes" if at < right else "no" for at in range(60))
        keys = tuple(f"row {at}" for at in range(60))
        known = Outcomes(keys=keys, row_ids=tuple(range(60)), predictions=answers, truth=("yes",) * 60)
        (item.folder / OUTCOMES).write_text(json.dumps(known.to_json()))
    found = differences.compare(first, second)
    assert "-x = 1" in found.code["features.py"]
    assert "predict.py" not in found.code
    assert set(found.captured.changed) == {"clf"}
    assert set(found.captured.added) == {"only_2"}
    assert set(found.captured.removed) == {"only_1"}
    assert set(found.signature.changed) == {"a"}
    assert found.facts.changed == {"owner": ("Ada", "Grace")}
    accuracy = next(item for item in found.metrics.metrics if item.name == "accuracy")
    assert (found.metrics.rows, accuracy.first, accuracy.second, accuracy.verdict) == (60, 40 / 60, 56 / 60, "better")
    assert (found.answers.rows, found.answers.differing) == (2, 0)
    same = differences.compare(first, first)
    parts = (same.facts, same.code, same.captured, same.signature, same.environment)
    assert not any(parts)
    (first.folder / OUTCOMES).unlink()
    assert "before metrics were kept" in differences.compare(first, second).metrics.reason
    store.remove("flights:aa11")
    assert differences.compare(first, second).code is None


def test_gc_says_first_and_leaves_what_is_needed(releases):
    for version in ("aa11", "bb22", "cc33", "dd44"):
        releases.make(version)
    deploy("flights:aa11", Wish(proxied=False))
    deploy("flights:bb22")
    items = garbage.found(1)
    assert [item.name for item in items] == ["flights:cc33"]
    assert items[0].bytes > 0
    assert records.find("flights:cc33")
    assert garbage.remove(items) == items[0].bytes
    assert [item.version for item in records.records()] == ["dd44", "bb22", "aa11"]
    assert store.find("flights").version in ("dd44", "bb22", "aa11")
    assert garbage.found(1) == ()


def test_the_commands_print_one_document(releases, tmp_path):
    releases.make("aa11")
    releases.make("bb22")

    def run(*arguments):
        command = [sys.executable, "-m", "nb2prod", *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert run("gc", "--keep", "1")["items"][0]["name"] == "flights:aa11"
    assert len(records.records()) == 2
    assert run("gc", "--keep", "1", "--yes")["removed"] is True
    assert len(records.records()) == 1
    assert run("export", "flights", "--output", str(tmp_path))["bento"] == "flights:bb22"
    assert run("status") == {"deployments": []}


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9], ids=str)
def test_a_file_that_is_cut_is_told_from_one_that_is_no_export(share, sealed, tmp_path):
    whole = archive.write(sealed, tmp_path / "whole.nb2prod").read_bytes()
    cut = tmp_path / "cut.nb2prod"
    cut.write_bytes(whole[: max(3, int(len(whole) * share))])
    with pytest.raises(InputError) as refused:
        archive.read(cut)
    assert re.search(
        "ends before its content|is cut or damaged|its seal does not fit|has no seal", refused.value.message
    )
    assert "Ask for the file again" in refused.value.hint


def test_a_file_that_is_not_there_names_those_that_are(sealed, tmp_path):
    archive.write(sealed, tmp_path / "there.nb2prod")
    with pytest.raises(InputError, match=r"gone\.nb2prod: no such file") as refused:
        archive.read(tmp_path / "gone.nb2prod")
    assert "there.nb2prod" in refused.value.hint
    with pytest.raises(InputError, match="can't be read: Is a directory"):
        archive.read(tmp_path)
