"""The user's store: what is listed and found, and that promotion is all or nothing."""

import multiprocessing
import shutil

import pytest

from nb2prod.bento import store
from nb2prod.errors import EnvironmentProblem, InputError

YAML = """\
service: service:Service
name: {name}
version: '{version}'
creation_time: '2026-01-0{day}T10:00:00.000000+00:00'
labels: {labels}
"""


def bento(root, name="flights", version="aaaa1111", day=1, labels="{nb2prod: '1'}"):
    folder = root / name / version
    (folder / "src").mkdir(parents=True)
    (folder / "bento.yaml").write_text(YAML.format(name=name, version=version, day=day, labels=labels))
    (folder / "README.md").write_text("packaged")
    (folder / "src" / "service.py").write_text("pass")
    return folder


@pytest.fixture
def root(tmp_path):
    return tmp_path / "bentoml" / "bentos"


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def test_lists_only_bentos_of_nb2prod_newest_first(root):
    bento(root, version="aaaa1111", day=1)
    bento(root, version="bbbb2222", day=2)
    bento(root, name="churn", version="cccc3333")
    bento(root, name="somebody_elses", labels="{}")
    bento(root, name="without_labels", labels="null")
    (root / "flights" / "broken").mkdir()
    (root / "flights" / "latest").write_text("bbbb2222")

    assert [item.tag for item in store.bentos(root)] == ["churn:cccc3333", "flights:bbbb2222", "flights:aaaa1111"]


def test_a_store_that_is_not_there_yet_is_empty(root):
    assert store.bentos(root) == ()
    with pytest.raises(InputError) as caught:
        store.find("flights", root)
    assert "nb2prod build" in caught.value.hint


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("flights", "aaaa1111"),
        ("flights:latest", "aaaa1111"),
        ("flights:bbbb2222", "bbbb2222"),
        ("flights:bb", "bbbb2222"),
    ],
)
def test_finds_by_name_tag_and_beginning(root, tag, version):
    first = bento(root, version="aaaa1111", day=1)
    second = bento(root, version="bbbb2222", day=2)
    (root / "flights" / "latest").write_text("aaaa1111")
    assert store.find(tag, root).version == version
    assert store.folder(tag, root) == {"aaaa1111": first, "bbbb2222": second}[version]


def test_without_a_latest_mark_the_newest_is_the_latest(root):
    bento(root, version="ffff1111", day=1)
    bento(root, version="aaaa2222", day=2)
    assert store.find("flights", root).version == "aaaa2222"


@pytest.mark.parametrize(
    ("tag", "message", "hint"),
    [
        ("fligths", "no Bento named 'fligths'", "flights"),
        ("flights:zz", "has no version 'zz'", "aaaa1111"),
        ("flights:aaaa", "2 versions of 'flights' begin with 'aaaa'", "aaaa1111, aaaa2222"),
        ("../flights", "no Bento named", "flights"),
        ("", "no Bento named ''", "flights"),
    ],
)
def test_what_is_not_there_is_an_error_that_tells_what_is(root, tag, message, hint):
    bento(root, version="aaaa1111")
    bento(root, version="aaaa2222")
    with pytest.raises(InputError, match=message) as caught:
        store.find(tag, root)
    assert hint in caught.value.hint


def test_promotion_copies_the_bento_whole_and_makes_it_the_latest(root, tmp_path):
    staged = bento(tmp_path / "staging")
    assert store.promote(staged, readme="# card\n", store=root) == "flights:aaaa1111"
    assert tree(root) == [
        "flights",
        "flights/aaaa1111",
        "flights/aaaa1111/README.md",
        "flights/aaaa1111/bento.yaml",
        "flights/aaaa1111/src",
        "flights/aaaa1111/src/service.py",
        "flights/latest",
    ]
    assert (root / "flights" / "aaaa1111" / "README.md").read_text() == "# card\n"
    assert (staged / "README.md").read_text() == "packaged"
    assert tree(root.parent) == ["bentos", *(f"bentos/{path}" for path in tree(root))]


def test_a_version_that_is_there_is_kept_and_becomes_the_latest(root, tmp_path):
    staged = bento(tmp_path / "staging", version="aaaa1111", day=1)
    newer = bento(tmp_path / "staging", version="bbbb2222", day=2)
    for each in (staged, newer):
        store.promote(each, store=root)
    kept = root / "flights" / "aaaa1111" / "README.md"
    kept.write_text("kept")

    store.promote(staged, readme="other", store=root)

    assert kept.read_text() == "kept"
    assert store.find("flights", root).version == "aaaa1111"


@pytest.mark.parametrize("failing", ["copytree", "mkstemp", "rename"])
def test_a_failure_leaves_the_store_as_it_was(root, tmp_path, monkeypatch, failing):
    store.promote(bento(tmp_path / "staging", version="aaaa1111"), store=root)
    before = tree(root.parent)
    staged = bento(tmp_path / "staging", version="bbbb2222", day=2)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    if failing == "copytree":
        monkeypatch.setattr(shutil, "copytree", full)
    elif failing == "mkstemp":
        monkeypatch.setattr(store.tempfile, "mkstemp", full)
    else:
        monkeypatch.setattr(store.Path, "rename", full)
    with pytest.raises(EnvironmentProblem, match="No space left"):
        store.promote(staged, store=root)
    monkeypatch.undo()

    assert tree(root.parent) == before
    assert store.find("flights", root).version == "aaaa1111"


def test_a_first_promotion_that_fails_leaves_no_name_behind(root, tmp_path, monkeypatch):
    staged = bento(tmp_path / "staging")
    monkeypatch.setattr(store.tempfile, "mkstemp", lambda **_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(EnvironmentProblem):
        store.promote(staged, store=root)
    assert store.bentos(root) == ()
    assert not (root / "flights").exists()


def test_what_is_not_a_bento_of_ours_is_not_promoted(root, tmp_path):
    with pytest.raises(InputError, match="not a Bento made by nb2prod"):
        store.promote(bento(tmp_path / "staging", labels="{}"), store=root)
    assert tree(root) == []


def _promote(arguments):
    staged, root = arguments
    return store.promote(staged, store=root)


def test_promotions_at_once_do_no_harm(root, tmp_path):
    same = bento(tmp_path / "staging", version="aaaa1111")
    for at in range(200):
        (same / "src" / f"file{at}.txt").write_text("x" * 100)
    others = [bento(tmp_path / "staging", version=f"bbbb222{at}") for at in range(4)]
    tasks = [(folder, root) for folder in [same] * 6 + others]

    with multiprocessing.get_context("spawn").Pool(4) as pool:
        tags = pool.map(_promote, tasks, chunksize=1)

    assert tags == [f"flights:{folder.name}" for folder, _ in tasks]
    assert len(store.bentos(root)) == 5
    assert tree(root / "flights" / "aaaa1111") == tree(same)
    assert not [path for path in root.parent.iterdir() if path.name != "bentos"]
    assert not list((root / "flights").glob(".*"))


def test_the_store_is_where_bentoml_has_it(monkeypatch, tmp_path):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    assert store.store_folder() == tmp_path / "bentos"
    monkeypatch.delenv("BENTOML_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.store_folder() == tmp_path / "bentoml" / "bentos"
