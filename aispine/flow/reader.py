"""Reading YAML into a tree with positions, bounded in size, depth and alias expansion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from aispine.flow.model import Position
from aispine.flow.problem import Problem, Report
from aispine.flow.scalar import TAG, NotAScalar, resolve
from aispine.flow.tree import Limits, Tree

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEFAULT_LIMITS: Final = Limits()
MERGE: Final = "<<"


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What a file holds: a tree, or None when it cannot be read, and the problems met on the way."""

    root: Tree | None
    problems: tuple[Problem, ...]


def read(text: bytes | str, file: str = "flow.yaml", limits: Limits = DEFAULT_LIMITS) -> Document:
    """Reads one YAML document whose root is a mapping. Whatever is wrong comes back as problems."""
    report = Report(file)
    root = _read(text, report, limits)
    return Document(root=root, problems=report.in_order())


class _Unreadable(Exception):
    """The file cannot be read any further."""

    def __init__(self, code: str, message: str, position: Position | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.position = position
        self.hint = hint


def _read(text: bytes | str, report: Report, limits: Limits) -> Tree | None:
    try:
        decoded = _decode(text, limits)
        return _Builder(report, limits, decoded).build()
    except _Unreadable as error:
        report.add(error.code, str(error), error.position, hint=error.hint)
    return None


def _decode(text: bytes | str, limits: Limits) -> str:
    size = len(text)
    if size > limits.max_bytes:
        raise _Unreadable(
            "too_large",
            f"the file has {size:,} bytes; the limit is {limits.max_bytes:,}",
            hint="Keep data out of the flow file: pass it as input, or split the flow into subflows.",
        )
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        decoded.encode("utf-8")
    except UnicodeError as error:
        raise _Unreadable("not_text", "the file is not UTF-8 text", Position(line=1, column=1)) from error
    if "\0" in decoded:
        raise _Unreadable("not_text", "the file is binary, not YAML", Position(line=1, column=1))
    return decoded


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = error.problem or error.context or "malformed"
        # Some versions of libyaml have a limit of their own, and look further ahead than we have come.
        if "nesting depth" in why:
            raise _Unreadable("too_deep", "the file is nested too deeply", _place(mark)) from error
        raise _Unreadable("malformed_yaml", f"not valid YAML: {why}", _place(mark), _yaml_hint(text, mark)) from error
    except yaml.reader.ReaderError as error:
        raise _Unreadable("not_text", f"the file holds a character that is not text: {error.reason}") from error
    except yaml.YAMLError as error:
        raise _Unreadable("malformed_yaml", "not valid YAML") from error


def _place(mark: Any) -> Position | None:
    return Position(line=mark.line + 1, column=mark.column + 1) if mark else None


def _yaml_hint(text: str, mark: Any) -> str | None:
    lines = text.splitlines()
    if mark and mark.line < len(lines) and "\t" in lines[mark.line]:
        return "YAML is indented with spaces, never with tabs."
    return None


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    position: Position
    anchor: str | None
    mapping: bool
    members: dict[str, Tree] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    merged: list[Tree] = field(default_factory=list)
    items: list[Tree] = field(default_factory=list)
    key: Tree | None = None
    weight: int = 1
    height: int = 0

    def close(self) -> Tree:
        for source in self.merged:
            for name, member in source.members.items():
                self.members.setdefault(name, member)
                self.keys.setdefault(name, member.position)
        value: Any = (
            {name: member.value for name, member in self.members.items()}
            if self.mapping
            else [item.value for item in self.items]
        )
        return Tree(
            value=value,
            position=self.position,
            members=self.members,
            keys=self.keys,
            items=tuple(self.items),
            weight=self.weight,
            height=self.height + 1,
        )


class _Builder:
    """Builds the tree from the parser's events: no recursion, and it stops as soon as a limit is passed."""

    def __init__(self, report: Report, limits: Limits, text: str) -> None:
        self.report = report
        self.limits = limits
        self.text = text
        self.stack: list[_Open] = []
        self.anchors: dict[str, Tree | None] = {}
        self.root: Tree | None = None
        self.documents = 0

    def build(self) -> Tree:
        for event in _events(self.text):
            self._take(event)
        root = self.root
        if root is None or root.value is None:
            raise _Unreadable("empty", "the file is empty", hint="A flow has at least flow_id, version and nodes.")
        if not isinstance(root.value, dict):
            raise _Unreadable("not_a_mapping", "the file is not a mapping of keys to values", root.position)
        return root

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._place(self._scalar(event), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            closed = self.stack.pop()
            self._place(closed.close(), closed.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._refuse_more(_position(event))

    def _refuse_more(self, position: Position) -> None:
        hint = "Put each flow in its own file."
        raise _Unreadable("several_documents", "the file holds several documents", position, hint)

    def _open(self, event: Any) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        position = _position(event)
        self._check_tag(event.tag, {"map"} if mapping else {"seq"}, position)
        if len(self.stack) >= self.limits.max_nesting:
            self._too_deep(position)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(position=position, anchor=event.anchor, mapping=mapping))

    def _too_deep(self, position: Position) -> None:
        raise _Unreadable("too_deep", f"the file is nested deeper than {self.limits.max_nesting} levels", position)

    def _check_tag(self, tag: str | None, known: set[str], position: Position) -> str | None:
        if tag is None or tag == "!":
            return tag
        name = tag.removeprefix(TAG)
        if not tag.startswith(TAG) or name not in known:
            raise _Unreadable("unknown_tag", f"the tag `{tag}` is not allowed", position, "Remove the tag.")
        return name

    def _scalar(self, event: Any) -> Tree:
        position = _position(event)
        tag = self._check_tag(event.tag, {"str", "int", "float", "bool", "null"}, position)
        try:
            value = resolve(event.value, tag, plain=event.style is None or event.style == "")
        except NotAScalar as error:
            self.report.add("invalid_value", str(error), position)
            value = None
        return Tree(
            value=value,
            position=position,
            text_offset=_text_offset(event),
            weight=1 + len(event.value) // 100,
        )

    def _alias(self, event: Any) -> None:
        position = _position(event)
        tree = self.anchors.get(event.anchor)
        if tree is None:
            why = "stands inside what it repeats" if event.anchor in self.anchors else "is not defined"
            raise _Unreadable("invalid_alias", f"the alias `*{event.anchor}` {why}", position)
        if len(self.stack) + tree.height > self.limits.max_nesting:
            self._too_deep(position)
        self._place(tree, None)

    def _place(self, tree: Tree, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = tree
        if not self.stack:
            self.root = tree
            return
        parent = self.stack[-1]
        parent.weight += tree.weight
        parent.height = max(parent.height, tree.height)
        self._check_weight(parent)
        if not parent.mapping:
            parent.items.append(tree)
        elif parent.key is None:
            parent.key = tree
        else:
            self._member(parent, parent.key, tree)
            parent.key = None

    def _check_weight(self, parent: _Open) -> None:
        # The weight of what is still open is not in its parents yet, so it is added up.
        if parent.weight > self.limits.max_values or sum(each.weight for each in self.stack) > self.limits.max_values:
            message = f"the file holds more than {self.limits.max_values:,} values once its aliases are written out"
            raise _Unreadable("too_large", message, parent.position)

    def _member(self, parent: _Open, key: Tree, tree: Tree) -> None:
        if key.value == MERGE and key.text_offset == 0:
            self._merge(parent, key, tree)
        elif not isinstance(key.value, str):
            shown = str(key.value)[:40]
            hint = f'Write it in quotes: "{shown}".' if not isinstance(key.value, dict | list) else None
            self.report.add("invalid_key", f"the key `{shown}` is not a text", key.position, hint=hint)
        elif key.value in parent.members:
            line = parent.keys[key.value].line
            message = f"the key `{key.value}` is there twice; the first is on line {line}"
            self.report.add("duplicate_key", message, key.position)
        else:
            parent.members[key.value] = tree
            parent.keys[key.value] = key.position

    def _merge(self, parent: _Open, key: Tree, tree: Tree) -> None:
        sources = tree.items if isinstance(tree.value, list) else (tree,)
        if not all(isinstance(source.value, dict) for source in sources):
            self.report.add("invalid_value", "`<<` merges mappings only", key.position)
            return
        parent.merged.extend(sources)


def _position(event: Any) -> Position:
    return Position(line=event.start_mark.line + 1, column=event.start_mark.column + 1)


def _text_offset(event: Any) -> int | None:
    """Known when the text stands in the file exactly as it reads: one line, no escapes."""
    offset = 1 if event.style in {"'", '"'} else 0
    start, end = event.start_mark, event.end_mark
    if event.style in {"|", ">"} or start.line != end.line:
        return None
    return offset if end.column - start.column == len(event.value) + 2 * offset else None
