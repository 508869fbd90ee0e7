"""`TryIt("flight_delay")`: a form made from a deployment's signature, filled in with an example."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from nb2prod.errors import EnvironmentProblem
from nb2prod.release import asking, deployments
from nb2prod.widgets import markup
from nb2prod.widgets.live import LiveBox

_SECONDS = 30.0


class TryIt(LiveBox):
    """A text field for each field of a request, and the service's answer with the time that it took.

    `api_key` is for a deployment that wants one. The answer comes when the kernel is free.
    """

    def __init__(self, name: str, *, api_key: str | None = None, interval: float = 2.0) -> None:
        self.name = name
        self.what = name
        self._key = api_key
        form = asking.form(name)
        self._columns = form.fields
        example = form.examples[0] if form.examples else {}
        self.fields: dict[str, Any] = {
            item["name"]: widgets.Text(
                value=_text(example.get(item["name"])), description=item["name"], style={"description_width": "10em"}
            )
            for item in self._columns
        }
        ask = widgets.Button(description="Ask", button_style="primary")
        ask.on_click(lambda _: self.ask())
        self.answer = widgets.HTML()
        super().__init__(interval=interval, children=(*self.fields.values(), ask, self.answer))

    def look(self) -> str:
        """What is asked, and whether it serves."""
        found = deployments.status(self.name)
        return markup.heading(found.name, found.state, found.bento or "")

    def ask(self) -> Any:
        """Send what stands in the fields; show the answer and return it."""
        row = {item["name"]: _value(self.fields[item["name"]].value, item) for item in self._columns}
        started = time.perf_counter()
        try:
            answer = _post(deployments.status(self.name).url, {"rows": [row]}, self._key)
        except EnvironmentProblem as error:
            self.answer.value = markup.problem(self.name, error.message, error.hint)
            return None
        took = f"{(time.perf_counter() - started) * 1000:.1f} ms"
        self.answer.value = markup.facts([*_shown(answer), ("time", took)])
        return answer


def _post(url: str, document: Mapping[str, Any], key: str | None) -> Any:
    headers = {"Content-Type": "application/json", **({"X-API-Key": key} if key else {})}
    request = urllib.request.Request(f"{url}/predict", json.dumps(document).encode(), headers)  # noqa: S310 (the deployment's own address)
    try:
        return json.loads(_body(request))
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"no answer from {url}: {error}", "Does the deployment run? nb2prod status") from error


def _body(request: urllib.request.Request) -> bytes:
    """What came back, whatever its status: a refusal is an answer too."""
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
            body: bytes = response.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    return body


def _shown(answer: Any) -> list[tuple[str, Any]]:
    error = answer.get("error")
    if error:
        details = [(item.get("field") or "", item.get("reason")) for item in error.get("details") or ()]
        return [("refused", error["message"]), *details]
    refused = [("refused", item.get("reason")) for item in answer.get("errors") or ()]
    return refused or [("prediction", json.dumps(answer["predictions"][0]))]


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _value(text: str, column: Mapping[str, Any]) -> Any:
    """The text as the column's type; what does not fit goes as it is, and the service says what is wrong with it."""
    kind = column["type"]
    if text == "" and (column["nullable"] or kind != "string"):
        return None
    if kind in ("integer", "number", "boolean"):
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return value if isinstance(value, (int, float)) else text
    return text
