"""Images: which engine answers, what goes in, and manifests that Docker and Kubernetes would take."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import kubernetes_validate
import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.release import record
from nb2prod.release.images import containerize, context, engine, manifests, sbom
from nb2prod.release.source import GitState

RELEASE = record.ReleaseRecord(
    name="flight_delay",
    version="0123456789abcdef",
    created="2026-01-01T00:00:00+00:00",
    notebook="flight delay.ipynb",
    notebook_hash="sha256:1",
    python="3.11.7",
    owner='Ada "the $first"',
    git=GitState("c0ffee", "main", changed=False),
)
PINS = ("numpy==2.0.0", "scikit-learn==1.9.0")
PLAN = manifests.Plan(
    "flight_delay", "flight_delay:0123456789abcdef", context.labels(RELEASE), 1, jobs=True, drain_seconds=70
)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """`make(name, script)` puts a program of this name on an otherwise empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}")

    def make(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return make


def test_without_an_engine_each_is_named_with_its_reason(programs):
    programs("docker", 'echo "Cannot connect to the Docker daemon" >&2; exit 1')
    programs("buildah", "exit 0")
    with pytest.raises(EnvironmentProblem) as raised:
        engine.find(to_run=True)
    for line in ("docker: Cannot connect to the Docker daemon", "podman: not installed", "buildah: builds images and"):
        assert line in raised.value.message


def test_the_first_engine_that_answers_is_taken(programs):
    programs("docker", "exit 1")
    programs("buildah", "exit 0")
    assert engine.find().name == "buildah"
    assert not engine.find().runs
    programs("podman", "exit 0")
    assert engine.find(to_run=True).name == "podman"
    with pytest.raises(InputError, match="'rkt' is no container engine"):
        engine.find("rkt")
    with pytest.raises(EnvironmentProblem, match="docker: it says nothing"):
        engine.find("docker")


def test_an_engine_that_fails_half_way_is_told_with_its_last_words(programs, tmp_path):
    programs("podman", '[ "$1" = info ] && exit 0; echo STEP 7; echo no space left on device >&2; exit 125')
    said = []
    with pytest.raises(EnvironmentProblem, match=r"status 125\)\n    STEP 7\n    no space left on device") as raised:
        engine.find("podman").build(str(tmp_path), "x:1", (), said.append)
    assert said == ["STEP 7", "no space left on device"]
    assert "Nothing was tagged" in raised.value.hint


def test_an_interrupt_ends_the_engine_with_all_that_it_started(programs, tmp_path):
    programs("podman", f"echo $$ > {tmp_path}/pid; echo begun; exec /bin/sleep 60")

    def interrupted(_line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.Engine("podman", str(tmp_path / "bin" / "podman")).build(str(tmp_path), "x:1", (), interrupted)
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_dockerfile_is_slim_unprivileged_and_labelled():
    text = context.dockerfile(RELEASE, PINS, context.default_base("3.11"))
    assert "FROM docker.io/library/python:3.11-slim-bookworm\n" in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert r'nb2prod.owner="Ada \"the \$first\""' in text
    assert 'org.opencontainers.image.revision="c0ffee"' in text
    assert "libgomp1" not in text
    assert "libgomp1" in context.dockerfile(RELEASE, ("lightgbm==4.6.0",), "x")


def test_the_bill_of_materials_is_valid_and_has_each_package(tmp_path):
    wheel = tmp_path / "numpy-2.0.0.whl"
    wheel.write_bytes(b"wheel")
    text = sbom.render(RELEASE, PINS, {"numpy": wheel})
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    purls = {part["purl"]: part for part in document["components"]}
    assert set(purls) == {"pkg:pypi/numpy@2.0.0", "pkg:pypi/scikit-learn@1.9.0"}
    assert purls["pkg:pypi/numpy@2.0.0"]["hashes"][0]["alg"] == "SHA-256"
    assert document["metadata"]["component"]["version"] == RELEASE.version


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, jobs=False, replicas=3)], ids=["jobs", "replicas"])
def test_the_manifests_are_what_kubernetes_takes(tmp_path, plan):
    written = manifests.write(tmp_path, plan)
    kinds = {}
    for name in written.files:
        document = yaml.safe_load((tmp_path / name).read_text())
        if name == manifests.COMPOSE:
            continue
        kinds[document["kind"]] = document
        assert document["metadata"]["name"].startswith("flight-delay")
        if document["kind"] == "ServiceMonitor":  # no schema of Kubernetes' own
            (endpoint,) = document["spec"]["endpoints"]
            assert endpoint["path"] == "/metrics"
        else:
            kubernetes_validate.validate(document, "1.31", strict=True)
    common = {"Deployment", "Service", "ServiceMonitor", "NetworkPolicy"}
    more = {"PersistentVolumeClaim"} if plan.jobs else {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert set(kinds) == common | more
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    selector = kinds["Deployment"]["spec"]["selector"]["matchLabels"]
    assert (
        kinds["Service"]["spec"]["selector"] == kinds["ServiceMonitor"]["spec"]["selector"]["matchLabels"] == selector
    )
    assert kinds["Service"]["spec"]["ports"][0]["name"] == kinds["ServiceMonitor"]["spec"]["endpoints"][0]["port"]
    if not plan.jobs:
        assert kinds["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 3


def test_the_compose_file_is_what_docker_takes(tmp_path):
    manifests.write(tmp_path, PLAN)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_several_replicas_are_refused_where_jobs_are_kept_on_disk(tmp_path):
    (tmp_path / "src").mkdir()
    with pytest.raises(InputError, match="keeps jobs in a queue on disk, so it can't run as 2 replicas"):
        manifests.plan(RELEASE, tmp_path, "x:1", 2)
    assert manifests.plan(RELEASE, tmp_path, "x:1", 1).jobs
    (tmp_path / "src" / "options.json").write_text('{"jobs": false}')
    assert manifests.plan(RELEASE, tmp_path, "x:1", 2).replicas == 2


def test_a_port_is_published_on_this_machine_only():
    chosen = engine.Engine("podman", "podman")
    command = containerize.run_command(chosen, "x:1", "name", 3001, ())
    assert "127.0.0.1:3001:3000" in command
    command = containerize.run_command(chosen, "x:1", "name", 3001, ("--network=host",))
    assert "--publish" not in command
    assert "BENTOML_PORT=3001" in command
