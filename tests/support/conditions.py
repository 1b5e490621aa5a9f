"""Tables of planted evidence for conditions, and mutants of the modules that state them.

A table has, for every condition of a claim, evidence in which this condition alone does not hold.
A mutant is a copy of a module in which one condition, threshold, network or flag is taken away or
changed. The table must notice every one of them.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import importlib
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from srscope.reproduction.criteria import Decision, combined
from srscope.reproduction.records import Estimate, Verdict

Decide = Callable[[Mapping[str, Estimate]], Sequence[Decision]]
DECIDERS = {"at_least", "below", "greater", "positive", "not_lower", "equivalent"}


def estimate(value: float, spread: float | None = None) -> Estimate:
    """Return an estimate with a narrow interval: 0.5 % of its value unless told otherwise."""
    spread = 0.005 * abs(value) if spread is None else spread
    samples_B = value + spread * np.linspace(-1, 1, 21)
    return Estimate(
        value=value, std=0.0, low=value - spread, high=value + spread, samples=samples_B
    )


@dataclass(frozen=True)
class Case:
    """Evidence that differs from a base in which all conditions hold.

    Args:
        what: What is other.
        edits: The numbers that are other: values, or estimates with an interval of their own.
        verdict: What the claim must come out as.
    """

    what: str
    edits: Mapping[str, float | Estimate]
    verdict: Verdict = "does not hold"


@dataclass(frozen=True)
class Table:
    """The cases of one claim.

    Args:
        base: Evidence in which all conditions hold.
        cases: Every other one has one condition that does not hold; some still hold.
    """

    base: Mapping[str, float]
    cases: Sequence[Case] = field(default_factory=tuple)

    def evidence(self) -> Iterator[tuple[str, Verdict, dict[str, Estimate]]]:
        """Return the base and every case with its verdict and evidence."""
        plain = {key: estimate(value) for key, value in self.base.items()}
        yield "the base", "holds", plain
        for case in self.cases:
            unknown = set(case.edits) - set(self.base)
            assert not unknown, f"{case.what} edits what the base has not: {sorted(unknown)}"
            edits = {
                k: v if isinstance(v, Estimate) else estimate(v) for k, v in case.edits.items()
            }
            yield case.what, case.verdict, {**plain, **edits}


Prepared = list[tuple[str, Verdict, dict[str, Estimate]]]


def disagreement(decide: Decide, prepared: Prepared) -> str:
    """Return the first case whose verdict is not the expected one, or an empty string."""
    for what, verdict, evidence in prepared:
        found = combined(decide(evidence))
        if found != verdict:
            return f"{what}: {found}, not {verdict}"
    return ""


def check_each_condition_fails_alone(decide: Decide, prepared: Prepared, optional: int = 0) -> None:
    """Every condition is the only one that does not hold in some case; no case has two of them.

    Args:
        decide: The conditions.
        prepared: The table's evidence.
        optional: Conditions beyond the base's that only appear where they do not hold.
    """
    count = len(decide(prepared[0][2]))
    alone: set[int] = set()
    for what, verdict, evidence in prepared[1:]:
        decisions = decide(evidence)
        failing = [i for i, each in enumerate(decisions) if each.verdict != "holds"]
        assert len(failing) == (verdict != "holds"), (what, [decisions[i].text for i in failing])
        alone |= set(failing)
    assert set(range(count)) <= alone, [
        decide(prepared[0][2])[i].text for i in range(count) if i not in alone
    ]
    assert len(alone) <= count + optional


@dataclass(frozen=True)
class Mutant:
    """A changed copy of a module.

    Args:
        module: Its name.
        owner: The function or constant that was changed.
        what: How, and in which line.
        tree: The copy.
    """

    module: str
    owner: str
    what: str
    tree: ast.Module


def neutral(decision: Decision) -> Decision:
    """Return a condition that always holds."""
    return dataclasses.replace(decision, verdict="holds")


def without(values: tuple[Any, ...], index: int) -> tuple[Any, ...]:
    """Return a tuple without one of its elements."""
    return values[:index] + values[index + 1 :]


def mutants(module: str) -> Iterator[Mutant]:
    """Return all mutants of a module: functions and constants, not classes and docstrings."""
    tree, names = parsed(module), vars(importlib.import_module(module))
    own = {target.id for node in tree.body for target in _targets(node)}
    for position, top in enumerate(tree.body):
        targets = [target.id for target in _targets(top)]
        owner = top.name if isinstance(top, ast.FunctionDef) else "".join(targets[:1])
        if not owner or owner in ("Decide", "Measure", "Quantity", "By", "__all__"):
            continue
        skipped = _not_mutated(top)
        for index, node in enumerate(ast.walk(top)):
            if id(node) in skipped:
                continue
            for what, change in _changes(node, names, own):
                part = copy.deepcopy(top)
                target = next(n for i, n in enumerate(ast.walk(part)) if i == index)
                part = ast.fix_missing_locations(_Replace(target, change).visit(part))
                body = [*tree.body[:position], part, *tree.body[position + 1 :]]
                line = f"line {getattr(node, 'lineno', '?')} of {owner}"
                changed = ast.Module(body=body, type_ignores=[])
                yield Mutant(module, owner, f"{line}: {what}", changed)


def parsed(module: str) -> ast.Module:
    """Return a module's syntax tree."""
    path = importlib.import_module(module).__file__
    assert path is not None
    return ast.parse(Path(path).read_text("utf-8"))


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, change: Callable[[Any], ast.AST]) -> None:
        self.target, self.change = target, change

    def visit(self, node: ast.AST) -> Any:
        return self.change(node) if node is self.target else self.generic_visit(node)


def _targets(node: ast.stmt) -> list[ast.Name]:
    found = node.targets if isinstance(node, ast.Assign) else (
        [node.target] if isinstance(node, ast.AnnAssign) else []
    )  # fmt: skip
    return [target for target in found if isinstance(target, ast.Name)]


def _not_mutated(top: ast.AST) -> set[int]:
    """Return the nodes that change no condition: annotations, texts, indices, inner tuples."""
    roots: list[ast.AST | None] = []
    for node in ast.walk(top):
        if isinstance(node, ast.JoinedStr):
            roots.append(node)
        elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Call):
            roots.append(node.slice)
            if isinstance(node.value, ast.Name):
                roots.append(node.value)  # the whole is changed instead
        elif isinstance(node, ast.FunctionDef):
            roots += [each.annotation for each in (*node.args.args, *node.args.kwonlyargs)]
            roots += [node.returns, *node.args.defaults]
        elif isinstance(node, ast.AnnAssign):
            roots.append(node.annotation)
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            roots.append(node.value)
    skipped = {id(inner) for root in roots if root is not None for inner in ast.walk(root)}
    for node in ast.walk(top):  # rows of a table lose no cell, only whole rows go
        if isinstance(node, ast.Tuple | ast.List):
            skipped |= {id(each) for each in node.elts if isinstance(each, ast.Tuple)}
    return skipped


def _changes(
    node: ast.AST, names: Mapping[str, Any], own: set[str]
) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    if isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load):
        for k in range(len(node.elts)):
            yield f"element {k} dropped", lambda n, k=k: _dropped(n, "elts", k)
    elif isinstance(node, ast.Dict):
        for k in range(len(node.keys)):
            yield f"entry {k} dropped", lambda n, k=k: _dropped(_dropped(n, "keys", k), "values", k)
    elif isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    ):
        yield "statement dropped", lambda n: ast.Pass()
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "flag turned", lambda n: ast.Constant(not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        for value in (-1.0, 1.0) if node.value == 0 else (0.8 * node.value, 1.25 * node.value):
            yield f"{node.value} turned to {value:g}", lambda n, value=value: ast.Constant(value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in DECIDERS:
            yield "always holds", lambda n: _call("neutral", n)
        if node.func.id == "_all":
            for k in range(len(node.args)):
                yield f"part {k} dropped", lambda n, k=k: _dropped(n, "args", k)
    elif isinstance(node, ast.Subscript) and _is_element(node, names):
        yield "another element", lambda n: ast.Subscript(n.value, _other(n.slice), n.ctx)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own:
        value = names.get(node.id)
        if isinstance(value, float):
            for factor in (0.8, 1.25):
                yield (
                    f"{node.id} times {factor}",
                    lambda n, f=factor: ast.BinOp(n, ast.Mult(), ast.Constant(f)),
                )
        elif isinstance(value, tuple):
            for k in range(len(value)):
                yield (
                    f"{node.id} without element {k}",
                    lambda n, k=k: _call("without", n, ast.Constant(k)),
                )


def _is_element(node: ast.Subscript, names: Mapping[str, Any]) -> bool:
    return (
        isinstance(node.value, ast.Name)
        and isinstance(names.get(node.value.id), tuple)
        and isinstance(node.slice, ast.Constant | ast.UnaryOp)
    )


def _other(index: ast.expr) -> ast.Constant:
    """Return the index next to the first or last."""
    return ast.Constant({0: 1, -1: -2}[ast.literal_eval(index)])


def _dropped(node: Any, field_name: str, index: int) -> Any:
    del getattr(node, field_name)[index]
    return node


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(func=ast.Name(name, ctx=ast.Load()), args=list(args), keywords=[])


class Chain:
    """Modules that are run anew together, so that a mutant of one reaches those that import it."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.trees: dict[str, ast.Module] = {}
        self.codes: dict[str, types.CodeType] = {}
        for name in names:
            self.trees[name] = parsed(name)
            self.codes[name] = compile(self.trees[name], name, "exec")

    def run(self, mutant: Mutant | None = None) -> dict[str, types.ModuleType]:
        """Return fresh copies of the modules, one of them changed."""
        made: dict[str, types.ModuleType] = {}
        before = {name: sys.modules[name] for name in self.names}
        packages = {name: sys.modules[name.rpartition(".")[0]] for name in self.names}
        try:
            for name in self.names:
                module = types.ModuleType(name)
                vars(module).update(neutral=neutral, without=without)
                code = self.codes[name]
                if mutant is not None and mutant.module == name:
                    code = compile(mutant.tree, name, "exec")
                sys.modules[name] = module
                setattr(packages[name], name.rpartition(".")[2], module)
                exec(code, vars(module))
                made[name] = module
        finally:
            sys.modules.update(before)
            for name, module in before.items():
                setattr(packages[name], name.rpartition(".")[2], module)
        return made

    def users(self) -> dict[str, set[str]]:
        """Return, for every function and constant, which others its code reaches, with itself."""
        direct: dict[str, set[str]] = {}
        for tree in self.trees.values():
            for node in tree.body:
                names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else [
                    target.id for target in _targets(node)
                ]  # fmt: skip
                used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                used |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
                for name in names:
                    direct.setdefault(name, set()).update(used)
        reached = {name: {name} for name in direct}
        for name in direct:
            left = [name]
            while left:
                for used in direct.get(left.pop(), set()) & set(direct):
                    if used not in reached[name]:
                        reached[name].add(used)
                        left.append(used)
        return reached
