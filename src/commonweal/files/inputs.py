"""Files that people give: each noted with its SHA-256, and YAML read so that each key stands once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    import yaml

    from commonweal.errors import StudyError


_PACKAGE = Path(__file__).resolve().parents[1]
_accounts: list[dict[Path, dict[str, str | int]]] = []


@contextmanager
def record_inputs() -> Iterator[None]:
    """Open an account of the files that are read, until the end of the block."""
    account: dict[Path, dict[str, str | int]] = {}
    _accounts.append(account)
    try:
        yield
    finally:
        # By identity: of two that are empty, `remove` would take the wrong one.
        del _accounts[next(k for k, one in enumerate(_accounts) if one is account)]


def record_input(file: object, sha256: str = "") -> None:
    """Note a file that is read; one that ships, or that is not there, is none that a user gave."""
    import hashlib

    if not _accounts or not isinstance(file, Path) or not is_there(file):
        return
    path = file.resolve()
    if path.is_relative_to(_PACKAGE):
        return
    try:
        if not sha256:
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError:  # who reads it says so
        return
    for account in _accounts:
        account[path] = {"name": path.name, "sha256": sha256, "size": size}


def is_there(file: Path) -> bool:
    """Say whether a path is one of a file; of a name that the system does not take, too, which `Path` raises at."""
    return os.path.isfile(file)  # noqa: PTH113


def input_files() -> list[dict[str, str | int]]:
    """Give the files noted in the account that is open: ``name``, ``sha256``, ``size``; not where they lie."""
    return [dict(entry) for entry in list(_accounts[-1].values())] if _accounts else []


def given_lines() -> tuple[str, ...]:
    """Give a line for each of them, for the sources of a report."""
    return tuple(
        f"{entry['name']}: a file of your own, SHA-256 {entry['sha256']}."
        for entry in input_files()
    )


MOST_WHOLE = 10**18 - 1
"""What is larger is no number to count with, and does not fit where tables keep whole numbers."""

_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""Control characters and halves of a letter."""

_READ_TWO_WAYS = re.compile(r"[|>][-+0-9]*#|!(?!\S)")
"""A comment against ``|``, and ``!`` alone: the compiled reader drops the one, and takes the other for text."""

MOST_MERGED = 10_000
"""Keys that merge what was merged double with each line: a page of them would fill any memory."""


def read_strict(text: str) -> Any:
    """Read YAML as plain data."""
    import yaml

    try:
        if not _READ_TWO_WAYS.search(text):
            with suppress(yaml.YAMLError, ValueError):
                return _loader(fast=True)(text).get_single_data()
        # What is wrong is said in the words of the reader in Python, with its place.
        loader = _loader()(text)
        return loader.get_single_data()
    except RecursionError:
        raise yaml.YAMLError("keys or lists lie in each other too deep") from None
    except ValueError as error:
        raise yaml.MarkedYAMLError(
            problem=f"a character that Unicode does not have ({error})",
            problem_mark=loader.get_mark(),
        ) from None


def read_text(
    file: Path | Traversable,
    expected: str = "a YAML file",
    fault: type[DataError] | type[StudyError] = DataError,
) -> str:
    """Read the text of a file."""
    record_input(file)
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise fault(f"{file}: not UTF-8 text at byte {error.start}; expected {expected}") from None
    except FileNotFoundError:
        raise fault(f"{file}: no such file; expected {expected}") from None
    except OSError as error:
        raise fault(f"{file}: cannot be read: {error.strerror}; expected {expected}") from None


def read_keys(
    text: str, where: str, keys: str, fault: type[DataError] | type[StudyError] = DataError
) -> dict[str, Any]:
    """Read the keys of a YAML file."""
    import yaml

    try:
        data = read_strict(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise fault(f"{where}{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise fault(f"{where}: not valid YAML: {reason}") from None
    if not isinstance(data, dict):
        raise fault(f"{where}: found {name_value(data)}; expected keys such as {keys}")
    strange = [key for key in data if not isinstance(key, str)]
    if strange:
        tree = read_tree(text)
        line = next(k.start_mark.line + 1 for k, _ in tree.value if not k.tag.endswith(":str"))
        raise fault(
            f"{where}, line {line}: the key {name_value(strange[0])} is not text (put it in quotes); "
            f"expected keys such as {keys}"
        )
    return data


def read_tree(text: str) -> Any:
    """Give the tree of what `read_strict` has read, for its lines: the compiled reader takes more, such as tabs."""
    import yaml

    with suppress(yaml.YAMLError):
        return _loader(fast=True)(text).get_single_node()
    return _loader()(text).get_single_node()


def quote_hint(found: object) -> str:
    """Say how to write as text what YAML reads as another kind of value; '' for what was never meant as text."""
    if isinstance(found, bool):
        words, one = ("yes, on and true", "yes") if found else ("no, off and false", "no")
        return (
            f"; YAML reads {words} without quotes as {name_value(found)}: write '{one}', in quotes"
        )
    if isinstance(found, int | float):  # 0123 is read as 83: the number is not what was written
        return "; put it in quotes, as you wrote it"
    return ""


def name_value(found: Any) -> str:
    """Name a value as someone who writes YAML would."""
    if found is None:
        return "nothing"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, str | int | float):
        return repr(found)
    if isinstance(found, Mapping):
        return "keys with values" if found else "nothing"
    if isinstance(found, Sequence):
        return "a list" if found else "an empty list"
    return f"a {type(found).__name__}"


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    """Make a mapping, of keys that are plain text and there once."""
    import yaml

    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(
                problem="a key is not plain text", problem_mark=key.start_mark
            )
        if key.value in seen:
            raise yaml.MarkedYAMLError(
                problem=f"key '{key.value}' is there twice", problem_mark=key.start_mark
            )
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


@cache
def _loader(fast: bool = False) -> Any:
    """Give the class that reads; the fast one, where it is there, takes a text apart by compiled code."""
    import yaml

    base: Any = yaml.SafeLoader
    if fast and yaml.__with_libyaml__:
        from yaml.composer import Composer

        class base(Composer, yaml.CSafeLoader):  # type: ignore[no-redef]  # noqa: N801
            """Nodes are put together in Python, which notices those that lie too deep."""

            def __init__(self, text: str) -> None:
                yaml.CSafeLoader.__init__(self, text)
                Composer.__init__(self)

    class Loader(base):  # type: ignore[misc]
        merged = 0

        def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
            try:
                found = super().construct_object(node, deep)
            except (LookupError, AttributeError, TypeError, ValueError):  # the 45th of a month
                kind = node.tag.rpartition(":")[2]
                what = repr(node.value) if isinstance(node, yaml.ScalarNode) else "what is here"
                raise yaml.MarkedYAMLError(
                    problem=f"{what} is not a valid {kind}; expected one, or text in quotes",
                    problem_mark=node.start_mark,
                ) from None
            if isinstance(found, int) and abs(found) > MOST_WHOLE:
                raise yaml.MarkedYAMLError(
                    problem=f"a whole number of {len(node.value):,} digits; expected at most 18, or text in quotes",
                    problem_mark=node.start_mark,
                )
            if isinstance(found, str) and _UNSHOWN.search(found):
                raise yaml.MarkedYAMLError(
                    problem=f"{found!r} has a character that no page can show; expected text",
                    problem_mark=node.start_mark,
                )
            return found

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            for key, value in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
                    for one in nodes:
                        if isinstance(one, yaml.MappingNode):
                            self.flatten_mapping(one)
                            self.merged += len(one.value)
                        if self.merged > MOST_MERGED:
                            raise yaml.MarkedYAMLError(
                                problem=f"more than {MOST_MERGED:,} keys are merged by <<",
                                problem_mark=key.start_mark,
                            )
            super().flatten_mapping(node)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
    return Loader
