"""A typed client is generated for each model, and the generated code is type-checked and run against a service."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nb2prod import clients
from nb2prod.cli import main
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.runtime import openapi
from nb2prod.runtime.options import Options
from nb2prod.runtime.signature import Signature
from tests.parity.conftest import SIGNATURE, Behaviour, make_rows, predict, serving

ROOT = Path(__file__).parents[1]
NODE_MODULES = ROOT / "labextension" / "node_modules"
ROWS = make_rows(3)

ASK_IN_PYTHON = """
import sys
from small_client import Client
from small_client.api.default import predictions
from small_client.models import Error, Predictions, Row, Rows

rows = Rows(rows=[
    Row(age=None, fare=7.25, sex="male", port="S", count=0, member=False),
    Row(age=38.0, fare=71.28, sex="female", port="C", count=1, member=True),
])
answer = predictions.sync(client=Client(base_url=sys.argv[1]), body=rows)
assert isinstance(answer, Predictions), answer
print(answer.predictions, answer.model)
"""
ASK_IN_TYPESCRIPT = """
import { connect, predict } from './client/index';

declare const process: { argv: string[] };

const rows = [
  { age: null, fare: 7.25, sex: 'male', port: 'S', count: 0, member: false },
  { age: 38.0, fare: 71.28, sex: 'female', port: 'C', count: 1, member: true }
];
const answer = await predict(connect(process.argv[2]), rows);
console.log(JSON.stringify(answer.predictions), answer.model);
"""
ASKED = [
    {"age": None, "fare": 7.25, "sex": "male", "port": "S", "count": 0, "member": False},
    {"age": 38.0, "fare": 71.28, "sex": "female", "port": "C", "count": 1, "member": True},
]


@pytest.fixture(scope="module")
def document():
    signature = Signature.from_json(SIGNATURE)
    return openapi.document(signature, Options(), ROWS, openapi.Facts("0123456789abcdef"))


@pytest.fixture(scope="module")
def service():
    with serving(Behaviour()) as url:
        yield url


def run(*command, cwd=None, code=0, **environment):
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert (done.returncode == 0) == (code == 0), done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def in_python(document, tmp_path_factory):
    return clients.generate(document, "python", tmp_path_factory.mktemp("python") / "client")


def test_the_python_client_asks_the_service(in_python, service, tmp_path):
    (tmp_path / "ask.py").write_text(ASK_IN_PYTHON)
    said = run(sys.executable, tmp_path / "ask.py", service, PYTHONPATH=str(in_python.folder))
    assert said.strip() == f"{[predict(row) for row in ASKED]} small:0123456789abcdef"


def test_the_python_client_is_typed(in_python, tmp_path):
    (tmp_path / "right.py").write_text(ASK_IN_PYTHON)
    (tmp_path / "wrong.py").write_text(ASK_IN_PYTHON.replace("fare=7.25", 'fare="7.25"'))
    environment = {"MYPYPATH": str(in_python.folder), "MYPY_CACHE_DIR": str(tmp_path / "cache")}
    options = ("--follow-imports=silent", "--no-error-summary", "--config-file=")
    said = run(
        sys.executable, "-m", "mypy", *options, "right.py", "wrong.py", cwd=tmp_path, code=1, **environment
    ).splitlines()  # fmt: skip
    assert [line.partition(":")[0] for line in said] == ["wrong.py"]
    assert 'Argument "fare" to "Row" has incompatible type "str"' in said[0]


needs_node = pytest.mark.skipif(
    not (NODE_MODULES / ".bin" / "openapi-typescript").exists() or not (NODE_MODULES / "openapi-fetch").exists(),
    reason="no openapi-typescript in labextension/node_modules (npm ci there)",
)


@pytest.fixture(scope="module")
def in_typescript(document, tmp_path_factory):
    """A project with the generated client, and TypeScript to compile it with."""
    project = tmp_path_factory.mktemp("typescript")
    (project / "node_modules").symlink_to(NODE_MODULES)
    (project / "package.json").write_text('{"type": "module"}')
    before = Path.cwd()
    os.chdir(project)
    try:
        made = clients.generate(document, "typescript", Path("client"))
    finally:
        os.chdir(before)
    assert set(made.files) == {"index.ts", "package.json", "schema.d.ts"}
    return project


@needs_node
def test_the_typescript_client_is_typed_and_asks_the_service(in_typescript, service):
    (in_typescript / "ask.ts").write_text(ASK_IN_TYPESCRIPT)
    (in_typescript / "wrong.ts").write_text(ASK_IN_TYPESCRIPT.replace("fare: 7.25", "fare: '7.25'"))
    options = {
        "strict": True, "target": "es2022", "module": "esnext", "moduleResolution": "bundler", "outDir": "out",
        "lib": ["es2022", "dom"], "types": [], "rootDir": ".",
    }  # fmt: skip
    files = ["ask.ts", "wrong.ts"]
    (in_typescript / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": files}))
    found = run(NODE_MODULES / ".bin" / "tsc", "--project", ".", "--pretty", "false", cwd=in_typescript, code=1)
    errors = [line for line in found.splitlines() if ": error " in line]
    assert {line.partition("(")[0] for line in errors} == {"wrong.ts"}
    assert "Type 'string' is not assignable to type 'number'" in found
    compiled = in_typescript / "out" / "ask.js"
    compiled.write_text(compiled.read_text().replace("./client/index", "./client/index.js"))
    values, model = run("node", "out/ask.js", service, cwd=in_typescript).split()
    assert json.loads(values) == [predict(row) for row in ASKED]
    assert model == "small:0123456789abcdef"


def test_a_generator_that_is_missing_is_said(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(EnvironmentProblem) as missing:
        clients.generate(document, "typescript")
    assert "npm install --save-dev openapi-typescript" in missing.value.hint
    monkeypatch.setattr(clients.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EnvironmentProblem) as missing:
        clients.generate(document, "python")
    assert 'pip install "nb2prod[client]"' in missing.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_kept(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small-client").mkdir()
    with pytest.raises(InputError, match="is there already"):
        clients.generate(document, "python")


def test_the_command_takes_a_url(service, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["client", service]) == 2  # the stand-in has no document
    assert "has no OpenAPI document" in capsys.readouterr().err
    assert main(["client", "nothing"]) == 2
    assert "no Bento named 'nothing'" in capsys.readouterr().err
