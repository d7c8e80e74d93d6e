"""Templates of prompts and of columns that can do nothing but put text together.

A template is written by anyone who writes recipes, and is rendered beside keys and a database. So the language is cut
down to output, `if`, `for`, `set`, comparisons, bounded arithmetic and a handful of own filters; attributes, calls
(but `range`), macros, includes, imports and string formatting do not exist. What is left is metered: characters made
and steps taken in one rendering have ceilings, so that no template exhausts memory or time by an innocent operator.

A foreign template is first checked in a process of its own with hard limits (`check_template`): parsing itself is
outside of what a meter can see. After that, and for the bundled ones always, it is compiled once and rendered
in-process.

Background: the sandbox chapter of the Jinja manual, which says that memory and time are the caller's business;
CVE-2016-10745, CVE-2019-10906, CVE-2024-56326, CVE-2025-27516.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from corpus_pipeline.errors import UsageError

MAX_TEMPLATE_CHARACTERS: Final = 64_000
MAX_OUTPUT_CHARACTERS: Final = 2_000_000  # output and what operators and filters make on the way, together
MAX_STEPS: Final = 10_000  # loop turns in one rendering, nested loops together
MAX_NUMBER: Final = 10**12
MAX_DEPTH: Final = 60

CHECK_MEMORY_BYTES: Final = 512 * 1024 * 1024
CHECK_CPU_SECONDS: Final = 2
CHECK_WALL_SECONDS: Final = 30.0

_ALLOWED_NODES: Final = frozenset(
    getattr(nodes, name)
    for name in (
        "Template Output TemplateData Name Const If For Assign Filter Test Compare Operand And Or Not CondExpr Getitem "
        "Slice Add Sub Mul Div FloorDiv Mod Neg Pos List Tuple Call"
    ).split()
)


class TemplateFault(UsageError):
    """A template that is not valid, asks for what it must not have, or goes beyond a limit."""


class _Meter:
    """What one rendering may still spend."""

    __slots__ = ("characters", "steps")

    def __init__(self) -> None:
        self.characters = MAX_OUTPUT_CHARACTERS
        self.steps = MAX_STEPS

    def text(self, made: str) -> str:
        self.characters -= len(made)
        if self.characters < 0:
            raise TemplateFault(f"a rendering may make {MAX_OUTPUT_CHARACTERS} characters, this one makes more")
        return made

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TemplateFault(f"a rendering may take {MAX_STEPS} loop steps, this one takes more")


_meter: ContextVar[_Meter] = ContextVar("template_meter")


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    meter = _meter.get()
    for item in items:
        meter.step()
        yield item


def _range(*bounds: int) -> list[int]:
    """`range` as a list of at most `MAX_STEPS` numbers."""
    numbers = range(*bounds)
    if len(numbers) > MAX_STEPS:
        raise TemplateFault(f"range() may count {MAX_STEPS} numbers at most")
    return list(numbers)


def _as_text(value: object) -> str:
    if not isinstance(value, str):
        raise TemplateFault(f"expected a text, got {type(value).__name__}")
    return _meter.get().text(value)


def _join(items: Iterable[object], separator: str = "") -> str:
    meter, sep = _meter.get(), _as_text(separator)
    parts: list[str] = []
    for item in _counted(items):
        parts += (meter.text(_shown(item)), meter.text(sep))
    return "".join(parts[:-1])


def _default(value: object, otherwise: object = "") -> object:
    return otherwise if isinstance(value, StrictUndefined) else value


def _shown(value: object) -> str:
    """The text of a printable value; lists and dictionaries are not printable."""
    if isinstance(value, str):
        return value
    if isinstance(value, StrictUndefined):
        return str(value)  # raises with the name that is missing
    if isinstance(value, (int, float)):
        return str(value)
    raise TemplateFault(f"only texts and numbers can be printed, not {type(value).__name__}")


def _length(value: object) -> int:
    if not isinstance(value, (str, list, dict)):
        raise TemplateFault(f"{type(value).__name__} has no length")
    return len(value)


class _PromptEnvironment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        return obj is _range

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            meter = _meter.get()
            meter.text(left)
            meter.text(right)
            return left + right
        for operand in (left, right):
            if not isinstance(operand, (int, float)) or abs(operand) > MAX_NUMBER:
                raise TemplateFault(f"'{operator}' takes numbers up to {MAX_NUMBER} only ('+' also joins two texts)")
        return super().call_binop(context, operator, left, right)


def _environment() -> _PromptEnvironment:
    environment = _PromptEnvironment(
        loader=None,
        undefined=StrictUndefined,
        autoescape=False,
        optimized=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
        extensions=(),
    )
    environment.globals = {"range": _range}
    environment.filters = {
        "counted": _counted,
        "default": _default,
        "join": _join,
        "length": _length,
        "lower": lambda value: _as_text(value).lower(),
        "trim": lambda value: _as_text(value).strip(),
        "upper": lambda value: _as_text(value).upper(),
    }
    tests = environment.tests
    environment.tests = {name: tests[name] for name in ("defined", "undefined", "none", "string", "number")}
    return environment


_ENVIRONMENT: Final = _environment()


def _refuse_foreign_nodes(tree: nodes.Template) -> None:
    """Raise TemplateFault at the first construct that is not on the list; walks without recursion."""
    stack: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        where = f"line {node.lineno}"
        if type(node) not in _ALLOWED_NODES:
            raise TemplateFault(f"{where}: '{type(node).__name__}' is not available in a prompt template")
        if depth > MAX_DEPTH:
            raise TemplateFault(f"{where}: nested deeper than {MAX_DEPTH}")
        if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
            raise TemplateFault(f"{where}: nothing but range() can be called")
        if isinstance(node, nodes.For) and (node.recursive or not isinstance(node.target, nodes.Name)):
            raise TemplateFault(f"{where}: a loop has one plain variable and is not recursive")
        if isinstance(node, nodes.Assign) and not isinstance(node.target, nodes.Name):
            raise TemplateFault(f"{where}: set takes one plain name")
        if isinstance(node, (nodes.List, nodes.Tuple)) and not all(isinstance(i, nodes.Const) for i in node.items):
            raise TemplateFault(f"{where}: a list holds constants only")
        if isinstance(node, nodes.Const) and isinstance(node.value, (int, float)) and abs(node.value) > MAX_NUMBER:
            raise TemplateFault(f"{where}: numbers go up to {MAX_NUMBER}")
        stack.extend((child, depth + 1) for child in node.iter_child_nodes())


def _without_dots(tree: nodes.Template) -> nodes.Template:
    """The same with keys instead of attributes; the text is short, and so is the tree."""

    class _Keys(NodeTransformer):
        def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802  # the name that jinja2 calls
            inner = self.visit(node.node)
            key = nodes.Const(node.attr, lineno=node.lineno)
            return nodes.Getitem(inner, key, "load", lineno=node.lineno, environment=_ENVIRONMENT)

    found: nodes.Template = _Keys().visit(tree)
    return found


def _meter_loops(tree: nodes.Template) -> None:
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno, environment=_ENVIRONMENT)


def _plain(value: Any) -> Any:
    """A copy made of plain text, numbers, lists and dictionaries; anything else is refused."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, str):
        return "".join(value)  # a subclass may carry methods of its own
    if isinstance(value, float):
        return float(value)  # one that remembers how it was written
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    raise TemplateFault(f"a template gets plain values only, not {type(value).__name__}")


class PromptTemplate:
    """A compiled template.

    dotted: `a.b` is the key `b` of `a`, as `a["b"]` is. Raises TemplateFault for a text that is too long, is not valid, or
    uses what is not available.
    """

    def __init__(self, text: str, *, dotted: bool = False) -> None:
        if len(text) > MAX_TEMPLATE_CHARACTERS:
            raise TemplateFault(f"a template has {MAX_TEMPLATE_CHARACTERS} characters at most, this one {len(text)}")
        self.text = text
        try:
            tree = _ENVIRONMENT.parse(text)
            if dotted:
                tree = _without_dots(tree)
            _refuse_foreign_nodes(tree)
            _meter_loops(tree)
            self._template: Template = _ENVIRONMENT.from_string(tree)
        except TemplateFault:
            raise
        except (TemplateError, RecursionError, MemoryError, ValueError, OverflowError, SyntaxError) as error:
            raise TemplateFault(f"not a valid template: {error}") from error

    def render(self, context: Mapping[str, Any]) -> str:
        """The text for plain values. Raises TemplateFault for a missing name, a limit, or any fault of the template."""
        values = {name: _plain(value) for name, value in context.items()}
        meter = _Meter()
        token = _meter.set(meter)
        try:
            return "".join(meter.text(piece) for piece in self._template.generate(values))
        except TemplateFault:
            raise
        except Exception as error:  # a template's expression may raise anything; all of it is the template's fault
            raise TemplateFault(f"the template cannot be rendered: {error}") from error
        finally:
            _meter.reset(token)


class Names(NamedTuple):
    """The names that a template reads. always: those that it shows in every rendering, outside of `if` and `for`."""

    read: frozenset[str]
    always: frozenset[str]


def names_in(text: str) -> Names:
    """The names of a template. Raises TemplateFault for one that is not valid."""
    compiled(text)
    tree = _ENVIRONMENT.parse(text)
    read = frozenset(meta.find_undeclared_variables(tree)) - {"range"}
    shown: set[str] = set()
    stack: list[nodes.Node] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Name):
            shown.add(node.name)
        elif isinstance(node, nodes.Filter) and node.name in ("default", "length"):
            continue
        elif not isinstance(node, (nodes.If, nodes.CondExpr, nodes.Test, nodes.For, nodes.Assign)):
            stack.extend(node.iter_child_nodes())
    return Names(read, read & shown)


def keys_in(text: str, whole: str) -> frozenset[str]:
    """The names that a template reads, and the constant keys of the mapping `whole` that it reads. Raises TemplateFault."""
    try:
        tree = _ENVIRONMENT.parse(text)
        keys = {
            item.arg.value
            for item in tree.find_all(nodes.Getitem)
            if isinstance(item.node, nodes.Name) and item.node.name == whole and isinstance(item.arg, nodes.Const)
        }
        return frozenset(meta.find_undeclared_variables(tree) | keys)
    except (TemplateError, RecursionError) as error:
        raise TemplateFault(f"not a valid template: {error}") from error


@cache
def compiled(text: str) -> PromptTemplate:
    """`PromptTemplate(text)`, once per text and process."""
    return PromptTemplate(text)


def check_template(text: str, contexts: Iterable[Mapping[str, Any]]) -> None:
    """Compile and render a foreign template in a process of its own, once for each of the example contexts.

    The child has `CHECK_MEMORY_BYTES` of address space, `CHECK_CPU_SECONDS` of processor time, `CHECK_WALL_SECONDS` of
    time, an empty environment, and gets the template on its standard input. Raises TemplateFault with what it says.
    """
    _checked(text, json.dumps([_plain(context) for context in contexts], sort_keys=True))


@cache
def _checked(text: str, contexts_json: str) -> None:
    root = Path(__file__).resolve().parents[1]
    try:
        child = subprocess.run(
            [sys.executable, "-s", "-B", "-m", "corpus_pipeline.templates_child"],
            input=json.dumps({"text": text, "contexts": json.loads(contexts_json)}).encode(),
            capture_output=True,
            timeout=CHECK_WALL_SECONDS,
            env={"PYTHONPATH": str(root), "PYTHONUTF8": "1"},
            cwd=os.sep,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TemplateFault(f"the template takes more than {CHECK_WALL_SECONDS:.0f} s to render") from error
    if child.returncode == 0:
        return
    said = child.stdout.decode("utf-8", "replace").strip()[:500]
    raise TemplateFault(said or f"the template used up its memory or time (the check ended with {child.returncode})")
