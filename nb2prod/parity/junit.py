"""The report as JUnit's XML, which build servers show: a suite a kind of case, a failure a mismatch."""

from __future__ import annotations

import json
import re
from xml.sax.saxutils import escape, quoteattr

from nb2prod.parity.report import TITLES, KindResult, Mismatch, ParityReport

# What XML 1.0 can't hold even when escaped.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: ParityReport) -> str:
    """The XML text. A kind that was not run is a skipped test; the mismatches beyond those shown are one failure."""
    suites = "".join(_suite(report, kind) for kind in report.kinds)
    cases = [max(1, len(_shown(report, kind)) + _more(report, kind)) for kind in report.kinds]
    failures = sum(len(_shown(report, kind)) + _more(report, kind) for kind in report.kinds)
    name = _attribute(f"parity of {report.what}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name={name} tests="{sum(cases)}" failures="{failures}" time="{report.seconds:.3f}">\n'
        f"{suites}</testsuites>\n"
    )


def _suite(report: ParityReport, kind: KindResult) -> str:
    shown, more = _shown(report, kind), _more(report, kind)
    count = max(1, len(shown) + more)
    skipped = int(kind.status == "not run")
    head = (
        f'  <testsuite name={_attribute(kind.kind)} tests="{count}" failures="{len(shown) + more}" '
        f'errors="0" skipped="{skipped}" time="{kind.seconds:.3f}" timestamp={_attribute(report.created)}>\n'
    )
    if skipped:
        body = _case(kind, TITLES[kind.kind], f"<skipped message={_attribute(kind.note or 'not run')}/>")
    elif not shown and not more:
        body = _case(kind, f"{TITLES[kind.kind]} ({kind.rows} rows)", "", kind.seconds)
    else:
        body = "".join(_case(kind, _title(item), _failure(item)) for item in shown)
        if more:
            words = f"{kind.differences - len(shown)} more differences"
            body += _case(kind, words, f"<failure message={_attribute(words)}/>")
    return f"{head}{body}  </testsuite>\n"


def _case(kind: KindResult, name: str, inner: str, seconds: float = 0.0) -> str:
    opening = (
        f'    <testcase classname={_attribute("parity." + kind.kind)} name={_attribute(name)} time="{seconds:.3f}"'
    )
    return f"{opening}>{inner}</testcase>\n" if inner else f"{opening}/>\n"


def _title(item: Mismatch) -> str:
    where = "" if item.row is None else f", row {item.row}"
    return f"{item.case}{where}"


def _failure(item: Mismatch) -> str:
    lines = [f"{item.output or 'prediction'}: {item.reason}"]
    lines += [f"expected: {_value(item.expected)}", f"actual:   {_value(item.actual)}"]
    if item.row_id is not None:
        lines.append(f"row of the raw table: {item.row_id}")
    if item.cause is not None:
        lines.append(item.cause.text)
        if item.cause.source:
            line = f", line {item.cause.line}" if item.cause.line else ""
            cell = f"cell {item.cause.cell}{line}: " if item.cause.cell else ""
            lines.append(f"{cell}{item.cause.source}")
    text = _FORBIDDEN.sub("\ufffd", "\n".join(lines))
    return f"<failure message={_attribute(item.reason)}>{escape(text)}</failure>"


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shown(report: ParityReport, kind: KindResult) -> list[Mismatch]:
    return [item for item in report.mismatches if item.kind == kind.kind]


def _more(report: ParityReport, kind: KindResult) -> int:
    return int(kind.differences > len(_shown(report, kind)))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))
