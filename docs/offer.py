"""What the reference of Python offers: names that pages use, and what the signatures of those name."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REFERENCE = {"reference/python.md", "reference/engine.md"}
IMPORT = re.compile(r"^(?:>>> | *)from (commonweal[\w.]*) import (\([^)]*\)|.*)", re.MULTILINE)
EXAMPLE = re.compile(r"^```python\n.*?^```|^>>> .*|^\.\.\. .*", re.MULTILINE | re.DOTALL)
IN_BACKTICKS = re.compile(r"`(?:[\w.]+\.)?(\w+)(?:\([^`\n]*\))?`")


def pages(docs: Path) -> Iterator[str]:
    """Yield the text of each page that people read, besides the reference of Python, and of the notebooks."""
    for file in sorted([*docs.rglob("*.md"), docs.parent / "README.md"]):
        if file.is_file() and "/".join(file.parts[-2:]) not in REFERENCE:
            yield file.read_text("utf-8")
    for file in sorted((docs / "notebooks").glob("*.py")):
        yield f"```python\n{file.read_text('utf-8')}\n```"


def imported(docs: Path) -> set[tuple[str, str]]:
    """Give the names that pages import, each with the module that it comes from."""
    return {
        (module, name)
        for text in pages(docs)
        for module, names in IMPORT.findall(text)
        for name in re.findall(r"\w+", names.split("#")[0].replace("...", ""))
    }


def used(docs: Path) -> set[str]:
    """Give the names that pages import, take from a module or a value in an example, or put in backticks alone."""
    names = {name for _, name in imported(docs)}
    for text in pages(docs):
        names |= set(IN_BACKTICKS.findall(text))
        for example in EXAMPLE.findall(text):
            names |= set(re.findall(r"\.(\w+)", example))
    return names


def named_by(thing: Any) -> set[str]:
    """Give the words in the annotations of a function, or of the fields and methods of a class."""
    parts = [thing]
    if isinstance(thing, type):
        public = [value for name, value in vars(thing).items() if not name.startswith("_")]
        unwrapped = (
            getattr(v, "fget", getattr(v, "func", getattr(v, "__func__", v))) for v in public
        )
        parts += [part for part in unwrapped if inspect.isfunction(part)]
    told = (
        inspect.get_annotations(inspect.unwrap(part))
        for part in parts
        if isinstance(part, type) or inspect.isfunction(inspect.unwrap(part))
    )
    return {
        word for notes in told for note in notes.values() for word in re.findall(r"\w+", str(note))
    }


def offer_faults(docs: Path, offered: Iterable[str]) -> list[str]:
    """Name what the reference has and no page uses, and what pages import and the reference has not."""
    import commonweal

    things = {
        full: getattr(importlib.import_module(full.rpartition(".")[0]), full.rpartition(".")[2])
        for full in offered
    }
    short = {full: full.rpartition(".")[2] for full in things}
    words = used(docs) | set(commonweal.__all__)
    base = (commonweal.CommonwealError,)
    right = {
        f for f, thing in things.items() if isinstance(thing, type) and issubclass(thing, base)
    }
    while more := {full for full in things if full not in right and short[full] in words}:
        right |= more
        words |= {word for full in more for word in named_by(things[full])}
    faults = [
        f"docs/reference: {full}: no page uses it, and no signature of what pages use names it"
        for full in sorted(set(things) - right)
    ]
    for module, name in sorted(imported(docs)):
        thing = getattr(importlib.import_module(module), name, None)
        if not inspect.ismodule(thing) and not any(thing is other for other in things.values()):
            faults.append(
                f"docs: a page imports {name} from {module}, which the reference does not have"
            )
    return faults
