"""Writes `features.py` and `predict.py` from what the composer collected."""

from __future__ import annotations

import ast
import textwrap

from nb2prod.path import closures
from nb2prod.path.calls import PredictingFunction
from nb2prod.path.compose import Composer
from nb2prod.path.composition import Composition
from nb2prod.path.definitions import Copy, Use
from nb2prod.path.edits import Patcher
from nb2prod.path.module_text import INDENT, called, import_roots, indented, module, names_in, renamed
from nb2prod.path.scopes import bound_names, global_names, inner_definitions
from nb2prod.recording.trace import Step, Tree


class Emitter:
    """Emits the modules of one composer."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.recording = composer.recording
        self._patchers: dict[int, Patcher] = {}
        self.lines: list[tuple[int, int, str]] = []

    def patcher(self, tree: Tree) -> Patcher:
        """The patcher of a tree, edits included."""
        if tree.number not in self._patchers:
            self._patchers[tree.number] = Patcher(tree, self.composer.edits.setdefault(tree.number, {}))
        return self._patchers[tree.number]

    def run(self) -> Composition:
        """Emit both modules."""
        composer = self.composer
        if composer.prediction.function is not None:
            return self._by_function(composer.prediction.function)
        composer.collect()
        steps = [s for s in composer.walk.kept.values() if s.frame == 0 and s.kind in ("step", "filled")]
        answer = {s.seq for s in composer.prediction.steps}
        first = min(answer)
        before = {self._leaf(s) for s in steps if s.seq < first}
        after = {self._leaf(s) for s in steps if s.seq >= first and s.seq not in answer} | {
            self._leaf(s) for s in composer.prediction.steps
        }
        inputs, argument = self._inputs(first, [s for s in steps if s.seq >= first] + list(composer.prediction.steps))
        predict_body = self._block(after, last=composer.prediction.steps[-1])
        feature_body = self._block(before, None)
        imports, defined = self._definitions()
        if "features" in defined:
            # The notebook has a function of the name that the service calls: the notebook's gives way.
            defined = {name: renamed(text, "features") for name, text in defined.items()}
            feature_body = [renamed(line, "features") for line in feature_body]
        own, theirs = closures.variables(feature_body) | {"rows"}, closures.variables(predict_body) | set(inputs)
        inner = closures.readers_of(defined, own | theirs)
        inside = closures.used(inner, predict_body)
        more = sorted((closures.asked(inside) & own) - theirs)
        inputs = [*inputs, *more]
        parameters = ["features", *inputs] if argument else inputs or ["rows"]
        feature_body.append(f"return {', '.join([*(argument or []), *inputs]) or 'rows'}")
        feature_body = [
            *closures.nested(closures.used(inner, feature_body), feature_body, self._start_of),
            *feature_body,
        ]
        outer = {name: text for name, text in defined.items() if name not in inner}
        features = self._features_module(imports, list(outer.values()), feature_body)
        predict_body = [*closures.nested(inside, predict_body, self._start_of), *predict_body]
        predict = self._predict_module(imports, list(outer), parameters, predict_body)
        return self._composition(features, predict, argument, inputs)

    def _by_function(self, function: PredictingFunction) -> Composition:
        """A function of plain values predicts: it is served whole, once for each of the request's rows."""
        composer = self.composer
        composer.collect_function()
        predicting = composer.definitions.called(
            function.name, [Use(call.step.seq, {}, call.state) for call in function.calls]
        )
        imports, texts = self._definitions()
        defined, names = list(texts.values()), list(texts)
        for taken in {"features", "predict"} & set(names):
            defined = [renamed(text, taken) for text in defined]
        own = [f"notebook_{n}" if n in ("features", "predict") else n for n in names]
        call = own[names.index(predicting)]
        features = self._features_module(imports, defined, ["return rows"])
        body = [f'return [{call}(**row) for row in features.to_dict(orient="records")]']
        predict = self._predict_module(imports, own, ["features"], body)
        return self._composition(features, predict, None, [])

    def _composition(self, features: str, predict: str, argument: list[str] | None, inputs: list[str]) -> Composition:
        composer = self.composer
        return Composition(
            features,
            predict,
            composer.captures.values,
            tuple(composer.choices.filters.values()),
            tuple(composer.operations.frozen),
            frozenset(import_roots(features + predict)),
            tuple(sorted(set(self.lines))),
            argument[0] if argument else None,
            tuple(inputs),
        )

    def _leaf(self, step: Step) -> tuple[int, ast.stmt]:
        tree, node = self.recording.statement(step.k)
        return tree.number, node

    # what goes from features to predict -------------------------------------------------------------------------------

    def _inputs(self, first: int, steps: list[Step]) -> tuple[list[str], list[str] | None]:
        """The names that `predict` takes, the model's argument first; beside them that argument, written out, where it is an expression."""
        composer = self.composer
        unique = {s.seq: s for s in steps}
        names: list[str] = []
        outside: list[tuple[Step, int, str]] = []
        for seq in sorted(unique):
            step = unique[seq]
            within = (
                composer.prediction.node
                if step is composer.prediction.steps[-1] and composer.prediction.name is None
                else None
            )
            for read in composer.walk.needed_reads(step, within):
                tokens = read.carried
                binder = composer.walk.binder(0, read.name, tokens, step.seq)
                if step.frame == 0 and binder is not None and binder[0].seq < first:
                    outside.append((step, read.node, read.name))
                    if read.name not in names:
                        names.append(read.name)
        event = composer.prediction.event
        if event is None or event[0].frame != 0 or event[1].get("argument") is None:
            return names, None
        step, details = event
        tree, _ = self.recording.statement(step.k)
        argument = tree.nodes[details["argument"]]
        if isinstance(argument, ast.Name):
            return sorted(names, key=lambda n: n != argument.id), None
        inside = {tree.index[n] for n in ast.walk(argument) if n in tree.index}
        beside = list(dict.fromkeys(name for s, n, name in outside if s is not step or n not in inside))
        if step.seq != first or "features" in beside:
            return names, None
        text = self.patcher(tree).render(argument)
        self._patchers.pop(tree.number, None)
        composer.edits[tree.number][details["argument"]] = lambda _: "features"
        return beside, [text]

    # bodies -----------------------------------------------------------------------------------------------------------

    def _block(self, leaves: set[tuple[int, ast.stmt]], last: Step | None) -> list[str]:
        """The kept top-level statements in the order they ran, under `# cell N` marks."""
        out: list[str] = []
        cell: int | None = None
        by_tree: dict[int, set[ast.stmt]] = {}
        for number, node in leaves:
            by_tree.setdefault(number, set()).add(node)
        final = self._leaf(last) if last is not None else None
        for number in sorted(by_tree):
            tree = self.recording.trees[number]
            wanted = by_tree[number] | self.composer.of(tree).extra
            for node in tree.tree.body:
                lines = self._statement(tree, node, wanted, final)
                if not lines:
                    continue
                if tree.cell is not None and tree.cell.number != cell:
                    cell = tree.cell.number
                    out.append(f"# cell {cell}")
                out.extend(lines)
        if last is not None and self.composer.prediction.name is not None:
            out.append(f"return {self.composer.prediction.name}")
        return out

    def _statement(
        self, tree: Tree, node: ast.stmt, wanted: set[ast.stmt], final: tuple[int, ast.stmt] | None
    ) -> list[str]:
        composer, patcher = self.composer, self.patcher(tree)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            return []
        if node in wanted:
            if final == (tree.number, node) and composer.prediction.name is None:
                assert composer.prediction.node is not None
                self._list(tree, node)
                return [f"return {patcher.render(tree.nodes[composer.prediction.node])}"]
            if node in composer.dropped:
                return []
            if node in composer.choices.splits:
                return composer.choices.split_lines(node, patcher)
            if node in composer.row_loops:
                self.lines.append(
                    (tree.cell.number if tree.cell else 0, tree.line(node), patcher.lines[node.lineno - 1].strip())
                )
                empty = [f"{name} = []" for name in dict.fromkeys(composer.row_loops[node])]
                return [*empty, *patcher.block_lines(node, patcher.inner(node), "")]
            if not isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try)):
                self._list(tree, node)
                return [*self._preludes(node), *patcher.block_lines(node, patcher.statement(node), "")]
        return self._compound(tree, node, wanted, final)

    def _preludes(self, node: ast.stmt) -> list[str]:
        """The values that a statement reads by names of the notebook, as assignments before it."""
        captures = self.composer.captures
        return [f"{name} = {captures.reference(*site)}" for name, site in self.composer.preludes.get(node, {}).items()]

    def _list(self, tree: Tree, node: ast.stmt) -> None:
        """Have the plan show this line of the path."""
        if tree.cell is not None:
            self.lines.append((tree.cell.number, tree.line(node), self.patcher(tree).lines[node.lineno - 1].strip()))

    def _inner(
        self, tree: Tree, body: list[ast.stmt], wanted: set[ast.stmt], final: tuple[int, ast.stmt] | None
    ) -> list[str]:
        return [line for node in body for line in self._statement(tree, node, wanted, final)]

    def _compound(
        self, tree: Tree, node: ast.stmt, wanted: set[ast.stmt], final: tuple[int, ast.stmt] | None
    ) -> list[str]:
        patcher = self.patcher(tree)
        if isinstance(node, ast.If):
            body = self._inner(tree, node.body, wanted, final)
            orelse = self._inner(tree, node.orelse, wanted, final)
            if not body and not orelse:
                return []
            lines = [*patcher.comments_above(node), f"if {patcher.render(node.test)}:", *indented(body or ["pass"])]
            return lines + (["else:", *indented(orelse)] if orelse else [])
        if isinstance(node, (ast.For, ast.While)):
            body = self._inner(tree, node.body, wanted, final)
            if not body:
                return []
            if not self._is_loop(tree, node):
                return body
            head = f"while {patcher.render(node.test)}:" if isinstance(node, ast.While) else self._for(tree, node)
            return [*patcher.comments_above(node), *self._preludes(node), head, *indented(body)]
        if isinstance(node, ast.With):
            return self._inner(tree, node.body, wanted, final)
        if isinstance(node, ast.Try):
            body = self._inner(tree, node.body, wanted, final)
            if not body:
                return [line for h in node.handlers for line in self._inner(tree, h.body, wanted, final)]
            lines = ["try:", *indented(body)]
            for handler in node.handlers:
                name = f" as {handler.name}" if handler.name else ""
                kind = f" {ast.unparse(handler.type)}" if handler.type is not None else ""
                lines += [
                    f"except{kind}{name}:",
                    *indented(self._inner(tree, handler.body, wanted, final) or ["pass"]),
                ]
            return lines
        return []

    def _for(self, tree: Tree, node: ast.For) -> str:
        """A loop's head; one over a generator goes through the rounds that it had, with its plain variables."""
        patcher, rounds = self.patcher(tree), self.composer.rounds(tree, node)
        if rounds is None:
            over, walk = patcher.render(node.iter), self.composer.walk
            over = f"rules.with_rows({over})" if walk.served.skipping and walk.goes_over_tables(node) else over
            return f"for {patcher.inner(node.target)} in {over}:"
        order = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
        names = [n for n in order if rounds and all(n in keys for keys in rounds)]
        if not names:
            return f"for _ in range({len(rounds)}):"
        values = [keys[names[0]] if len(names) == 1 else tuple(keys[n] for n in names) for keys in rounds]
        counted = values == list(range(len(values)))
        return f"for {', '.join(names)} in {f'range({len(values)})' if counted else repr(values)}:"

    def _is_loop(self, tree: Tree, node: ast.stmt) -> bool:
        return any(self.recording.statement(k) == (tree, node) for k, _ in self.composer.loops)

    # definitions and modules --------------------------------------------------------------------------------------------

    def _definitions(self) -> tuple[list[str], dict[str, str]]:
        """Import statements, and the text of each definition by the name that it has in the module."""
        while True:
            imports, copies = self.composer.definitions.resolve()
            texts = {copy.name: self._definition(copy) for copy in copies}
            # Written out, they may have captured values that refer to further ones.
            again, more = self.composer.definitions.resolve()
            if len(more) == len(copies) and len(again) == len(imports):
                return imports, texts

    def _definition(self, copy: Copy) -> str:
        """A function, class or assignment of the notebook; a followed function holds only the statements on the path."""
        found = copy.found
        tree, node = found.tree, found.node
        patcher = self.patcher(tree)
        if copy.edits:
            patcher = Patcher(tree, {**self.composer.edits.get(tree.number, {}), **copy.edits})
        mark = f"# cell {tree.cell.number}" if tree.cell is not None else ""
        if isinstance(node, ast.FunctionDef) and self.composer.traced(found):
            wanted = self.composer.kept_in(found)
            head = [f"@{patcher.render(d)}" for d in node.decorator_list]
            head.append(self._signature(tree, node))
            docstring = ast.get_docstring(node, clean=False)
            body = patcher.block_lines(node.body[0], patcher.inner(node.body[0]), "") if docstring is not None else []
            body += [line for inner in inner_definitions(node) for line in self._whole_lines(patcher, inner)]
            kept = self._inner(tree, node.body, wanted, None)
            written = bound_names(ast.parse(textwrap.dedent("\n".join(kept)))) & global_names(node)
            body += [f"global {', '.join(sorted(written))}"] if written else []
            body += kept
            text = "\n".join([mark, *patcher.comments_above(node), *head, *indented(body or ["pass"])])
        else:
            text = "\n".join([mark, *self._whole_lines(patcher, node), *(line() for line in copy.added)])
        return text if copy.name == found.name else called(text, found.name, copy.name)

    def _start_of(self, name: str) -> str:
        """What a variable of the notebook holds that a function counts on from: its value of the run, where it is a plain one."""
        known = self.composer.definitions.now(name)
        if known.kind != "value" or known.snapshot is None:
            return "None"
        reason = f"a variable that a function on the path binds anew, {name}"
        return f"captured.{self.composer.captures.fixed(name, known.snapshot, reason, None, None).name}"

    def _whole_lines(self, patcher: Patcher, node: ast.stmt) -> list[str]:
        return patcher.block_lines(node, self._whole(patcher, node), "")

    def _whole(self, patcher: Patcher, node: ast.stmt) -> str:
        text = patcher.inner(node)
        for decorator in reversed(getattr(node, "decorator_list", [])):
            text = f"@{patcher.render(decorator)}\n{' ' * node.col_offset}{text}"
        return text

    def _signature(self, tree: Tree, node: ast.FunctionDef) -> str:
        patcher = self.patcher(tree)
        first = node.body[0]
        text = patcher.between((node.lineno, node.col_offset), (first.lineno, first.col_offset))
        head = text[: text.rindex(":") + 1] if "#" not in text else f"def {node.name}({ast.unparse(node.args)}):"
        try:
            ast.parse(textwrap.dedent(head) + " pass")
        except SyntaxError:
            head = f"def {node.name}({ast.unparse(node.args)}):"
        return head.replace("\n" + " " * node.col_offset, "\n")

    def _features_module(self, imports: list[str], defined: list[str], body: list[str]) -> str:
        name, table = self.recording.notebook.name, self.composer.walk.table.name or "the raw table"
        function = self.composer.prediction.function
        what = f"Rows of `{table}` -> what the model is given."
        if function is not None:
            what = f"Values for the parameters of `{function.name}`, one row an answer -> the same: it prepares them itself."
        lines = [
            "def features(rows):",
            f'{INDENT}"""{what}"""',
            *indented(body),
        ]
        code = "\n\n\n".join([*defined, "\n".join(lines)])
        return module(
            f'"""Feature code of {name}: rows of the raw table -> what the model is given."""', imports, code, []
        )

    def _predict_module(
        self, imports: list[str], definitions: list[str], parameters: list[str], body: list[str]
    ) -> str:
        name = self.recording.notebook.name
        lines = [
            f"def predict({', '.join(parameters)}):",
            f'{INDENT}"""What `features` returns -> the prediction, one for each row."""',
            *indented(body),
        ]
        code = "\n".join(lines)
        used = names_in(code)
        helpers = [d for d in definitions if d in used]
        if "predict" in helpers:
            code = "\n".join([lines[0], *(renamed(line, "predict") for line in lines[1:])])
        names = [f"{d} as notebook_{d}" if d == "predict" else d for d in helpers]
        own = [f"from features import {', '.join(names)}"] if names else []
        return module(f'"""Prediction of {name}: what `features` returns -> the prediction."""', imports, code, own)
