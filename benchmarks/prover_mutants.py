"""Does the proof prove anything? Built services are altered in small ways, and the real proof over HTTP must catch each.

    python benchmarks/prover_mutants.py [--clean-runs 100] [--only TEXT] [--home FOLDER] [--minutes N] [--family NAME] [--json]

There are two families. `services`: mistakes that a service could have. `decisions` (decision_mutants.py): services that a plan with one wrong decision
would have made, proved without what such a plan gets wrong on both sides. Notebooks are built (into --home, a temporary folder by default). A mutant is a copy of a Bento with its code, a captured value (the manifest's
digest mended) or its signature altered; it is proved against its release's own cases until the first step that shows a difference. A mutant that no step
tells from the right service survives. With --clean-runs the unaltered services are proved that many times in all, each time with another seed, on
servers that stay up. With --home and --minutes a long run can be done in parts: run again with the same folder, it goes on.

Prints a line a mutant, then the survivors and the clean runs; the last line is the percentage caught. Exit code 1 below 95 % or after a clean run that failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks import decision_mutants, decision_notebooks  # noqa: E402 - found beside this file

GOAL = 95.0
EXAMPLES = ("flight_delay", "breast_cancer")
SHAPES = ("outliers_and_duplicates", "dates_as_text")
# The proof of the flights asks 5,000 rows and takes longest: fewer rounds of it.
SHARES = {
    "services": {"flight_delay": 4, "breast_cancer": 32, "outliers_and_duplicates": 32, "dates_as_text": 32},
    "decisions": {"homes": 50, "visits": 50},
}
DONOR = "outliers_and_duplicates_donor"

Change = Callable[[Path], None]


@dataclass(frozen=True)
class Mutant:
    """One altered service: `change` is given the copy's `src` folder."""

    notebook: str
    kind: str
    name: str
    change: Change
    family: str = "services"
    lacks: str | None = None
    """The field that requests of a plan that dropped it do not have."""


@dataclass(frozen=True)
class Outcome:
    """What the proof made of a mutant: the kinds of case that caught it (none: it survived), and its first words."""

    mutant: str
    kind: str
    caught_by: tuple[str, ...]
    words: str
    seconds: float


# how to alter a service -------------------------------------------------------------------------------------------------------


def text(old: str, new: str, file: str = "features.py") -> Change:
    """Other code: `old`, which must be there, becomes `new`."""

    def change(source: Path) -> None:
        code = (source / file).read_text(encoding="utf-8")
        if old not in code:
            raise SystemExit(f"{file} no longer has {old!r}: mend the mutant")
        (source / file).write_text(code.replace(old, new, 1), encoding="utf-8")

    return change


def value(name: str, alter: Callable[[Any], Any]) -> Change:
    """Another captured value; the manifest says that it has always been so. `name` may be one of several under a key: `name__3`."""

    def change(source: Path) -> None:
        from nb2prod.runtime import artifacts

        folder = source / "artifacts"
        entry = _entry(folder, name)
        # A model may hold classes of the notebook, which live in the Bento's own modules.
        sys.path.insert(0, str(source))
        sys.modules.pop("features", None)
        made = artifacts.save(alter(artifacts.load_entry(folder, entry)), name, folder)
        sys.path.remove(str(source))
        _mend(folder, name, {"file": made.file, "format": made.format, "sha256": made.sha256})

    return change


def donated(name: str, home: Path) -> Change:
    """A captured value of the same notebook, trained with another seed."""

    def change(source: Path) -> None:
        folder, other = source / "artifacts", built(home, DONOR)[0] / "src" / "artifacts"
        entry = _entry(other, name)
        shutil.copy(other / entry["file"], folder / entry["file"])
        _mend(folder, name, {key: entry[key] for key in ("file", "format", "sha256")})

    return change


def column(name: str, **changes: Any) -> Change:
    """A column of the signature with other properties."""

    def change(source: Path) -> None:
        path = source / "signature.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        (found,) = (item for item in document["columns"] if item["name"] == name)
        found.update(changes)
        path.write_text(json.dumps(document), encoding="utf-8")

    return change


def _items(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in document["artifacts"]:
        yield from entry.get("entries") or [entry]


def _entry(folder: Path, name: str) -> dict[str, Any]:
    document = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    found = next((item for item in _items(document) if Path(item["file"]).stem == name), None)
    if found is None:
        raise SystemExit(f"{folder.parent.parent} keeps no {name!r}: mend the mutant")
    return found


def _mend(folder: Path, name: str, changes: Mapping[str, Any]) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    next(item for item in _items(document) if Path(item["file"]).stem == name).update(changes)
    path.write_text(json.dumps(document), encoding="utf-8")


def _other_codes(packed: Any) -> Any:
    """A kept table of dummies with its last two columns in each other's place."""
    form = json.loads(json.dumps(packed[1]))
    names = form["columns"]["values"]
    names[-1], names[-2] = names[-2], names[-1]
    return (packed[0], form)


def _later(weather: Any) -> Any:
    made = weather.copy()
    made["time_hour"] = made["time_hour"] + (made["time_hour"].iloc[1] - made["time_hour"].iloc[0])
    return made


def _older(planes: Any) -> Any:
    made = planes.copy()
    made["built"] = made["built"] + 1
    return made


def _nudged(pipeline: Any) -> Any:
    pipeline[-1].coef_ = pipeline[-1].coef_ * 1.001
    return pipeline


def _one_tree_less(forest: Any) -> Any:
    forest.estimators_ = forest.estimators_[:-1]
    forest.n_estimators -= 1
    return forest


# the mutants ------------------------------------------------------------------------------------------------------------------


def mutants(home: Path) -> list[Mutant]:
    """All of them, each a mistake that a service could have."""
    return [
        *(Mutant("flight_delay", *item) for item in _flights()),
        *(Mutant("outliers_and_duplicates", *item) for item in _cars(home)),
        *(Mutant("dates_as_text", *item) for item in _orders()),
        *(Mutant("breast_cancer", *item) for item in _cancer()),
        *(
            Mutant(notebook, kind, name, change, "decisions", lacks)
            for notebook, kind, name, change, lacks in decision_mutants.decisions(value)
        ),
    ]


def _flights() -> list[tuple[str, str, Change]]:
    model, answers = "predict.py", "nb2prod_runtime/answering.py"
    return [
        ("constant", "a day of 1,441 minutes", text("% 1440", "% 1441")),
        ("constant", "a weekend of one day", text(">= 5", ">= 6")),
        ("constant", "another threshold", value("threshold", lambda kept: kept + 0.001)),
        ("analyzer", "the age's median of each request", text("captured.plane_age_median", 'df["plane_age"].median()')),
        ("analyzer", "the common airports of each request", text("captured.common", 'df["dest"].value_counts().index[:30]')),
        ("captured value", "another median of one column", value("col_median__3", lambda kept: kept + 1)),
        ("captured value", "the weather an hour late", value("weather_weather_cols", _later)),
        ("captured value", "planes a year younger", value("planes", _older)),
        ("missing value", "no rain known is 1 mm", text('["precip"].fillna(0)', '["precip"].fillna(1)')),
        ("missing value", "0 instead of the median", text("captured.col_median[col]", "0")),
        ("missing value", "the age's gaps stay", text("fillna(captured.plane_age_median)", "infer_objects()")),
        ("category map", "rare airports under another name", text('"other")', '"others")')),
        ("category map", "two airports change places", value("dummies", _other_codes)),
        ("columns", "arrival in departure's place", text('minutes_of_day(df["sched_dep_time"])', 'minutes_of_day(df["sched_arr_time"])')),
        ("columns", "two features change places", text("return X_test", "return X_test.rename(columns={'seats': 'temp', 'temp': 'seats'})[list(X_test)]")),
        ("time zone", "Chicago instead of New York", text("America/New_York", "America/Chicago")),
        ("rows", "labels sorted", text("return late", "return late[late.argsort()]", model)),
        ("rows", "flights of unknown planes lost", text('on="tailnum", how="left"', 'on="tailnum", how="inner"')),
        ("phantom", "the target fills a gap", text('["precip"].fillna(0)', '["precip"].fillna(0) + df["late"]')),
        ("type", "the delay in single precision", column("dep_delay", dtype="float32")),
        ("type", "the delay must be known", column("dep_delay", nullable=False)),
        ("wire", "labels as floats", text("kind: answer.predictions,", "kind: [None if v is None else float(v) for v in answer.predictions],", answers)),
    ]  # fmt: skip


def _cars(home: Path) -> list[tuple[str, str, Change]]:
    model = "predict.py"
    rule = "\n    df = rules.validity"
    last = f"df = df[rules.every]{rule}"
    cng = re.compile(r"    df = rules\.validity\(\"cell 2, line 4.*\n")

    def without_rule(source: Path) -> None:
        code = (source / "features.py").read_text(encoding="utf-8")
        if not cng.search(code):
            raise SystemExit("features.py no longer has the rule of line 4: mend the mutant")
        (source / "features.py").write_text(cng.sub("", code), encoding="utf-8")

    return [
        ("constant", "counted from 2021", text("2020 -", "2021 -")),
        ("filter", "a rule left out", without_rule),
        ("filter", "a rule on another value", text('df["Fuel_Type"] != "CNG"]', 'df["Fuel_Type"] != "LPG"]')),
        ("filter", "a filter of training served as a rule", text(last, 'df = df[df["Kms_Driven"] < 150_000]' + rule)),
        ("filter", "a quantile of each request", text(last, 'df = df[df["Kms_Driven"] <= df["Kms_Driven"].quantile(0.99)]' + rule)),
        ("filter", "repeated rows lost", text("df = df[rules.every]", "df = df.drop_duplicates()")),
        ("category map", "diesel in lower case", text('x == "Diesel"', 'x == "diesel"')),
        ("category map", "all that is not petrol is diesel", text('1 if x == "Diesel" else 0', '0 if x == "Petrol" else 1')),
        ("analyzer", "age among the request's cars", text("2020 -", 'df["Year"].max() -')),
        ("columns", "two columns change places", text('["Age", "Present_Price"', '["Present_Price", "Age"')),
        ("model", "a model of another seed", donated("gbr", home)),
        ("rounding", "three digits", text("return y_hat", "return y_hat.round(3)", model)),
        ("rounding", "a hundred-millionth more", text("return y_hat", "return y_hat * (1 + 1e-8)", model)),
        ("rounding", "single precision", text("return y_hat", "return y_hat.astype('float32').astype(float)", model)),
        ("rows", "cars sorted by age", text("return X_test", 'return X_test.sort_values("Age", kind="stable")')),
        ("rows", "answers in reverse", text("return y_hat", "return y_hat[::-1]", model)),
        ("type", "the price in single precision", column("Present_Price", dtype="float32")),
        ("type", "kilometres in 32 bits", column("Kms_Driven", dtype="int32")),
    ]  # fmt: skip


def _orders() -> list[tuple[str, str, Change]]:
    model = "predict.py"
    parsed = 'frozen.to_datetime(captured.order_date_date_format, orders["order_date"])'
    return [
        ("time zone", "an hour early", text(parsed, f"{parsed} - pd.Timedelta(hours=1)")),
        ("type", "any format of dates", text(parsed, 'pd.to_datetime(orders["order_date"], format="mixed")')),
        ("type", "dates that can't be read are missing", text(parsed, 'pd.to_datetime(orders["order_date"], format="%Y-%m-%d %H:%M:%S", errors="coerce")')),
        ("constant", "the evening begins later", text(">= 18", "> 18")),
        ("constant", "counted from another day", text("2024-01-01", "2024-01-02")),
        ("columns", "a sum instead of a product", text('orders["quantity"] *', 'orders["quantity"] +')),
        ("columns", "the other class", text("[:, 1]", "[:, 0]", model)),
        ("category map", "two weekdays change places", value("dummies", _other_codes)),
        ("analyzer", "dummies of each request", text("frozen.get_dummies(captured.dummies, ", "pd.get_dummies(")),
        ("analyzer", "days since the request's first", text('pd.Timestamp("2024-01-01")', 'orders["order_date"].min()')),
        ("rounding", "four digits", text("return returned", "return returned.round(4)", model)),
        ("model", "a forest with a tree less", value("rf", _one_tree_less)),
        ("type", "the price in single precision", column("unit_price", dtype="float32")),
    ]  # fmt: skip


def _cancer() -> list[tuple[str, str, Change]]:
    model = "predict.py"
    return [
        ("constant", "a larger epsilon", text("+ 1e-6", "+ 1e-3")),
        ("analyzer", "bounds of each request", text("np.clip(np.asarray(X), self.lower_, self.upper_)", "np.clip(np.asarray(X), self.lower_, np.asarray(X).max(axis=0) * 0.99)")),
        ("missing value", "outliers stay", text("np.clip(np.asarray(X), self.lower_, self.upper_)", "np.asarray(X)")),
        ("model", "coefficients a thousandth larger", value("clf", _nudged)),
        ("rows", "answers in reverse", text("return predictions", "return predictions[::-1]", model)),
        ("constant", "another threshold", text("captured.clf.predict(X_test)", "captured.clf.classes_[(captured.clf.predict_proba(X_test)[:, 1] > 0.51).astype(int)]", model)),
        ("phantom", "the target as a feature", text('df = df.drop(columns="target")', 'df["mean radius"] = df["mean radius"] + df["target"] * 1e-3\n    df = df.drop(columns="target")')),
    ]  # fmt: skip


# building and proving ---------------------------------------------------------------------------------------------------------


def build_all(home: Path, family: str) -> None:
    """Build what the family needs and is not yet there."""
    from nb2prod import config, pipeline
    from tests.notebooks import load

    for name in (*EXAMPLES, *SHAPES, DONOR) if family == "services" else SHARES["decisions"]:
        if (home / f"{name}.txt").is_file():
            continue
        say(f"building {name}")
        if family == "decisions":
            path = decision_notebooks.write(name, home / f"notebook of {name}")
        elif name in EXAMPLES:
            path = ROOT / "example_notebooks" / f"{name}.ipynb"
        else:
            path = load.write(name.removesuffix("_donor"), home / f"notebook of {name}")
        if name == DONOR:
            source = path.read_text(encoding="utf-8")
            path.write_text(
                source.replace("n_estimators=60, random_state=2", "n_estimators=60, random_state=3"), encoding="utf-8"
            )
        result = pipeline.build(path, config.load(path, {"name": name}))
        if result.bento is None:
            raise SystemExit(f"{name} was not proved: {result.parity}")
        (home / f"{name}.txt").write_text(result.bento, encoding="utf-8")


def built(home: Path, name: str) -> tuple[Path, Any]:
    """The folder of a built Bento, and its cases."""
    from nb2prod.bento import store
    from nb2prod.parity import cases
    from nb2prod.release import records

    tag = (home / f"{name}.txt").read_text(encoding="utf-8")
    return store.find(tag).folder, cases.read(records.find(tag).path("cases.json"))


def altered(mutant: Mutant, home: Path, scratch: Path) -> Path:
    """Make the mutant in a folder of its own; ends the program where its place in the code is no longer there."""
    copy = scratch / "bento"
    shutil.copytree(built(home, mutant.notebook)[0], copy, ignore=shutil.ignore_patterns("__pycache__"))
    mutant.change(copy / "src")
    return copy


def check_all(home: Path, family: str) -> None:
    """Make every mutant once, before half an hour is spent on the first of them."""
    for mutant in (mutant for mutant in mutants(home) if mutant.family == family):
        with tempfile.TemporaryDirectory(prefix="nb2prod-mutant-") as scratch:
            altered(mutant, home, Path(scratch))


def proved(mutant: Mutant, home: Path) -> Outcome:
    """Make the mutant and prove it."""
    from nb2prod.errors import Nb2ProdError
    from nb2prod.parity import prover, target
    from nb2prod.parity.bench import Limits

    _, cases = built(home, mutant.notebook)
    if mutant.family == "decisions":
        cases = decision_mutants.without(cases, mutant.lacks)
    name = f"{mutant.notebook}: {mutant.name}"
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="nb2prod-mutant-") as scratch:
        copy = altered(mutant, home, Path(scratch))
        try:
            report = prover.prove(target.of_folder(copy, "mutant:1"), cases, limits=Limits(until_failure=True))
        except Nb2ProdError as error:
            return Outcome(name, mutant.kind, ("start",), str(error).splitlines()[0], time.perf_counter() - started)
    kinds = tuple(item.kind for item in report.kinds if item.status == "failed")
    words = next((_words(item) for item in report.mismatches), "")
    return Outcome(name, mutant.kind, kinds, words, time.perf_counter() - started)


def _words(mismatch: Any) -> str:
    return mismatch.cause.text if mismatch.cause is not None else f"{mismatch.case}: {mismatch.reason}"


def clean_runs(home: Path, name: str, seeds: range, until: float) -> Iterator[bool]:
    """Prove the unaltered service once for each seed, on the same servers."""
    from nb2prod.parity import processes, prover, target

    folder, cases = built(home, name)
    with processes.Processes(folder, prover.hash_seeds(1)) as running:
        for seed in seeds:
            if time.monotonic() > until:
                return
            yield prover.prove(target.of_folder(folder), cases, seed=seed, processes=running).passed


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _kept(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"mutants": {}, "clean": {}}


def _run(home: Path, family: str, only: str, clean: int, minutes: float) -> dict[str, Any]:
    """All mutants and clean runs that were not done before in this home, as far as the time goes."""
    until = time.monotonic() + minutes * 60
    results = home / f"{family}.json"
    done = _kept(results)
    build_all(home, family)
    check_all(home, family)
    for mutant in (mutant for mutant in mutants(home) if mutant.family == family):
        key = f"{mutant.notebook}: {mutant.name}"
        if key in done["mutants"] or only not in f"{key} {mutant.kind}" or time.monotonic() > until:
            continue
        outcome = proved(mutant, home)
        done["mutants"][key] = outcome.__dict__
        results.write_text(json.dumps(done), encoding="utf-8")
        say(_line(outcome.__dict__))
    for name, share in SHARES[family].items():
        wanted, had = round(clean * share / sum(SHARES[family].values())), done["clean"].get(name, [])
        for passed in clean_runs(home, name, range(1 + len(had), wanted + 1), until) if len(had) < wanted else ():
            had = [*had, passed]
            done["clean"][name] = had
            results.write_text(json.dumps(done), encoding="utf-8")
            say(f"clean {name}, seed {len(had)}: {'passed' if passed else 'FAILED'}")
    return done


def _line(outcome: Mapping[str, Any]) -> str:
    caught = " ".join(outcome["caught_by"]) or "SURVIVED"
    return f"{outcome['kind']:15} {outcome['mutant']:62} {caught:22} {outcome['words'][:110]}"


def main() -> int:
    """Run, print, and say whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=tuple(SHARES), default="services")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose notebook, name or kind holds this")
    parser.add_argument("--clean-runs", type=int, default=0, metavar="N")
    parser.add_argument("--home", type=Path, help="keep what is built and found here, and go on with it")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin nothing new after so many minutes")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nb2prod-mutants-") as scratch:
        home = (options.home or Path(scratch)).absolute()
        home.mkdir(parents=True, exist_ok=True)
        os.environ["NB2PROD_HOME"], os.environ["BENTOML_HOME"] = str(home / "home"), str(home / "bentoml")
        done = _run(home, options.family, options.only, options.clean_runs, options.minutes)
    found = list(done["mutants"].values())
    caught = sum(bool(item["caught_by"]) for item in found)
    share = 100 * caught / len(found) if found else 0.0
    clean = [passed for runs in done["clean"].values() for passed in runs]
    if options.json:
        print(json.dumps({"mutants": found, "clean": done["clean"], "caught": share}, indent=1))
    else:
        print("\n".join(_line(item) for item in found))
        survivors = [item["mutant"] for item in found if not item["caught_by"]]
        print(f"\n{len(found)} mutants, {caught} caught; survivors: {', '.join(survivors) or 'none'}")
        print(f"clean runs: {sum(clean)} of {len(clean)} passed")
        print(f"{share:.1f} %")
    return 0 if share >= GOAL and all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
