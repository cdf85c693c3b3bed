"""Conditions: Python-like expressions over a scope, evaluated by simpleeval."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import simpleeval

from aispine.errors import ExpressionError
from aispine.flow import references
from aispine.flow.operators import FUNCTIONS, OPERATORS, bounded, kind
from aispine.flow.references import References, malformed, shorten

MAX_LENGTH: Final = 4_000
MAX_NODES: Final = 500
MAX_DEPTH: Final = 40
_CONSTANTS: Final = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A yes-or-no question about a scope, parsed once.

    A missing attribute is null, and a null result means false. Ordering (`<`, `>=`) needs two numbers or two texts:
    with a null it is an `ExpressionError`, so that a misspelt field never chooses a path silently.
    """

    source: str
    references: References = field(compare=False, repr=False)
    _tree: ast.expr = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Reads a condition; raises `ExpressionError` with the column of what is wrong."""
        tree = _parse(text)
        references = _Checker(text).check(tree)
        if never := _never_boolean(tree):
            hint = "Compare it with something, for example `output.score > 0.5`."
            raise malformed(text, f"the condition is always {never}, not true or false", hint=hint)
        return cls(source=text, references=references, _tree=tree)

    def only_counts(self, name: str) -> bool:
        """True when the condition asks of a variable for nothing but `len(name)`."""
        return _only_counts(self._tree, name)

    def evaluate(self, scope: Mapping[str, Any]) -> bool:
        """Answers for one scope; raises `ExpressionError` when it cannot or when the answer is not a boolean."""
        try:
            result = _evaluator().answer(self._tree, scope)
        except _FAILURES as error:
            raise ExpressionError(f"`{shorten(self.source)}` cannot be evaluated: {_reason(error)}") from error
        if result is None or isinstance(result, bool):
            return bool(result)
        raise ExpressionError(
            f"`{shorten(self.source)}` gives {kind(result)}, not true or false",
            hint="Compare it with something, for example `output.score > 0.5`.",
        )


_FAILURES: Final = (
    ExpressionError,
    simpleeval.InvalidExpression,
    TypeError,
    ValueError,
    ArithmeticError,
    RecursionError,
)


def _reason(error: BaseException) -> str:
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    return str(error)


def _parse(text: str) -> ast.expr:
    if not text.strip():
        raise malformed(text, "the condition is empty")
    if len(text) > MAX_LENGTH:
        raise malformed(text, f"the condition is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    if "\0" in text:
        raise malformed(text, "the condition holds a null character", text.index("\0") + 1)
    # Parentheses let a condition go over several lines of YAML, as Python does.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 2) - 1 if error.lineno == 1 else 1
        why = "the condition is malformed"
        raise malformed(text, why, min(column, len(text)), hint=_syntax_hint(text)) from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise malformed(text, "the condition is nested too deeply or holds a number too large") from error


def _only_counts(tree: ast.AST, name: str) -> bool:
    if isinstance(tree, ast.Name):
        return tree.id != name
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "len":
        return isinstance(tree.args[0], ast.Name) or _only_counts(tree.args[0], name)
    return all(_only_counts(child, name) for child in ast.iter_child_nodes(tree))


def _never_boolean(tree: ast.expr) -> str | None:
    """What the condition gives whatever the scope, where that is surely neither true, false nor null."""
    if isinstance(tree, ast.Constant):
        return None if tree.value is None or isinstance(tree.value, bool) else kind(tree.value)
    if isinstance(tree, ast.List | ast.Tuple):
        return "a list"
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "len":
        return "a number"
    if isinstance(tree, ast.BinOp):
        return "a number" if not isinstance(tree.op, ast.Add) else "a number or a text"
    is_sign = isinstance(tree, ast.UnaryOp) and not isinstance(tree.op, ast.Not)
    return "a number" if is_sign else None


def _syntax_hint(text: str) -> str:
    if "${" in text:
        return "A condition is written without ${...}, for example `output.score > 0.5`."
    if "&&" in text or "||" in text:
        return "Use `and`, `or`, `not`."
    if "=" in text and not any(sign in text for sign in ("==", "!=", "<=", ">=")):
        return "Use `==` to compare."
    return "Conditions look like `output.score >= 0.5 and not input.urgent`."


class _Evaluator(simpleeval.SimpleEval):  # type: ignore[misc, unused-ignore] # simpleeval has no types.
    """simpleeval over JSON: an attribute is a key of an object and nothing else, so no Python object is reachable."""

    def __init__(self) -> None:
        calls = {name: function for name, (_, function) in FUNCTIONS.items()}
        super().__init__(operators=dict(OPERATORS), functions=calls, names={})
        self.nodes[ast.List] = self.nodes[ast.Tuple] = self._eval_sequence

    def answer(self, tree: ast.expr, scope: Mapping[str, Any]) -> Any:
        self.names = scope
        try:
            return self._eval(tree)
        finally:
            self.names = {}

    def _eval(self, node: ast.AST) -> Any:
        # The original walks through every intermediate value in search of functions; JSON holds none.
        return self.nodes[type(node)](node)

    def _eval_name(self, node: ast.Name) -> Any:
        if node.id in _CONSTANTS:
            return _CONSTANTS[node.id]
        return self.names.get(node.id)

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        value = self._eval(node.value)
        return value.get(node.attr) if isinstance(value, dict | Mapping) else None

    def _eval_subscript(self, node: ast.Subscript) -> Any:
        return _item(self._eval(node.value), self._eval(node.slice))

    def _eval_sequence(self, node: ast.List | ast.Tuple) -> list[Any]:
        return [self._eval(element) for element in node.elts]


def _item(container: Any, key: Any) -> Any:
    if isinstance(container, Mapping):
        return container.get(key) if isinstance(key, str) else None
    if isinstance(container, Sequence) and isinstance(key, int) and -len(container) <= key < len(container):
        return container[key]
    return None


_local = threading.local()


def _evaluator() -> _Evaluator:
    """The evaluator of this thread: it holds the scope while it works."""
    found: _Evaluator | None = getattr(_local, "evaluator", None)
    if found is None:
        found = _local.evaluator = _Evaluator()
    return found


class _Checker:
    """Walks a parsed condition once: refuses what the language does not have and collects the references."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0

    def check(self, tree: ast.AST, depth: int = 0) -> References:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            raise self.refuse(tree, "the condition is too large")
        if isinstance(tree, ast.Name):
            return self._name(tree)
        if isinstance(tree, ast.Attribute | ast.Subscript):
            return self._member(tree, depth)
        if isinstance(tree, ast.Call):
            return self._call(tree, depth)
        if isinstance(tree, ast.Constant):
            return self._constant(tree)
        if not isinstance(tree, _ALLOWED):
            raise self.refuse(tree, _UNAVAILABLE.get(type(tree), f"{type(tree).__name__} is not available"))
        return references.union(self.check(child, depth + 1) for child in ast.iter_child_nodes(tree))

    def refuse(self, tree: ast.AST, why: str, hint: str | None = None) -> ExpressionError:
        column = getattr(tree, "col_offset", 1) if getattr(tree, "lineno", 1) == 1 else 1
        return malformed(self.text, why, column, hint=hint)

    def _name(self, tree: ast.Name) -> References:
        if tree.id in _CONSTANTS:
            return references.NOTHING
        return references.root(tree.id, self.text)

    def _member(self, tree: ast.Attribute | ast.Subscript, depth: int) -> References:
        if isinstance(tree, ast.Attribute) and tree.attr.startswith("_"):
            raise self.refuse(tree, f"`.{tree.attr}` starts with `_`", 'Write `["_name"]` for such a field.')
        inner = references.NOTHING if isinstance(tree, ast.Attribute) else self.check(tree.slice, depth + 1)
        if isinstance(tree.value, ast.Name) and tree.value.id == "nodes" and (node_id := _member_name(tree)):
            return inner | references.node(node_id)
        return inner | self.check(tree.value, depth + 1)

    def _call(self, tree: ast.Call, depth: int) -> References:
        name = tree.func.id if isinstance(tree.func, ast.Name) else None
        if name is None or name not in FUNCTIONS:
            raise self.refuse(
                tree,
                f"`{name}()` is not a function of conditions" if name else "only named functions can be called",
                f"There are {', '.join(FUNCTIONS)}.",
            )
        if tree.keywords or len(tree.args) != FUNCTIONS[name][0]:
            raise self.refuse(tree, f"`{name}()` takes {FUNCTIONS[name][0]} argument(s)")
        return references.union(self.check(argument, depth + 1) for argument in tree.args)

    def _constant(self, tree: ast.Constant) -> References:
        value = tree.value
        if not (value is None or isinstance(value, str | int | float)):
            raise self.refuse(tree, f"{shorten(repr(value), 40)} is not JSON")
        if isinstance(value, int | float):
            self._number(tree, value)
        return references.NOTHING

    def _number(self, tree: ast.Constant, value: float) -> None:
        try:
            bounded(value)
        except ExpressionError as error:
            raise self.refuse(tree, error.message) from error


_ALLOWED: Final = (
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.Compare,
    ast.IfExp,
    ast.List,
    ast.Tuple,
    ast.Load,
    ast.And,
    ast.Or,
    *OPERATORS,
)

_UNAVAILABLE: Final[Mapping[type[ast.AST], str]] = {
    ast.Pow: "`**` is not available",
    ast.LShift: "`<<` is not available",
    ast.RShift: "`>>` is not available",
    ast.BitOr: "`|` is not available, use `or`",
    ast.BitAnd: "`&` is not available, use `and`",
    ast.Lambda: "functions cannot be made here",
    ast.ListComp: "comprehensions are not available",
    ast.SetComp: "comprehensions are not available",
    ast.DictComp: "comprehensions are not available",
    ast.GeneratorExp: "comprehensions are not available",
    ast.JoinedStr: "f-strings are not available",
    ast.Slice: "slices are not available",
}


def _member_name(tree: ast.Attribute | ast.Subscript) -> str | None:
    if isinstance(tree, ast.Attribute):
        return tree.attr
    constant = tree.slice
    return constant.value if isinstance(constant, ast.Constant) and isinstance(constant.value, str) else None
