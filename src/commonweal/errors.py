"""What can go wrong, as one family.

Every error names the offending thing, what was found, what was expected and,
where there is one, the nearest valid name::

    CommonwealError
    ├── StudyError          a study file that cannot be run          (also ValueError)
    ├── DataError           a table whose content cannot be used     (also ValueError)
    ├── UnknownNameError    a source, column, area or study unknown  (also KeyError)
    ├── MissingExtraError   a package that an extra brings is not installed
    └── SourceError         a file that cannot be had
        ├── WrongBytesError     its checksum is not the pinned one
        └── UnreachableError    neither cache, mirror nor network has it
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "CommonwealError",
    "DataError",
    "MissingExtraError",
    "SourceError",
    "StudyError",
    "UnknownNameError",
    "UnreachableError",
    "WrongBytesError",
]


_FEW = 3
MOST_NAMES = 8
"""How many names that are not there are told at once."""


def areas_are(codes: Iterable[str]) -> str:
    """Name the first of some areas, with the verb that follows them.

    Examples
    --------
    >>> areas_are(["A1"]), areas_are(["A1", "A2"]), areas_are(f"A{n}" for n in range(9))
    ('area A1 is', 'areas A1 and A2 are', 'areas A0, A1, A2 and 6 more are')
    """
    every = list(codes)
    if len(every) == 1:
        return f"area {every[0]} is"
    some = every[:_FEW] + ([f"{len(every) - _FEW:,} more"] if every[_FEW:] else [])
    return f"areas {', '.join(some[:-1])} and {some[-1]} are"


class CommonwealError(Exception):
    """A mistake in what was asked or given; the command line prints it plainly and exits 2.

    Examples
    --------
    >>> import commonweal as cw
    >>> cw.Study("demmo")
    Traceback (most recent call last):
    commonweal.errors.UnknownNameError: study 'demmo' not found (nor is it a .yaml file); did you mean 'demo'?
    """

    def __str__(self) -> str:
        lines = str(self.args[0]).split("\n") if self.args else []
        told = lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], lines[-1]]
        return "\n".join(_shortened(line.translate(_UNSEEN)) for line in told)


_MOST_LINES = 40
_MOST_LETTERS = 900
_UNSEEN = dict.fromkeys([*range(9), *range(10, 32), *range(127, 160)], "\N{REPLACEMENT CHARACTER}")
"""Control characters, which a terminal would obey; names read from a damaged file can have them."""


def _shortened(line: str) -> str:
    """Leave out the middle of a line that has a whole cell or key of someone's file in it."""
    if len(line) <= _MOST_LETTERS:
        return line
    start, end = _MOST_LETTERS * 2 // 3, _MOST_LETTERS // 3
    return f"{line[:start]} ({len(line) - start - end:,} letters left out) {line[-end:]}"


class StudyError(CommonwealError, ValueError):
    """A study file that cannot be run."""


class DataError(CommonwealError, ValueError):
    """A table whose content cannot be used."""


class UnknownNameError(CommonwealError, KeyError):
    """A name that is not there; the message lists the nearest ones that are.

    Examples
    --------
    >>> raise UnknownNameError("study", "left-behind-2032", ["left-behind-2023", "demo"])
    Traceback (most recent call last):
    commonweal.errors.UnknownNameError: study 'left-behind-2032' not found; did you mean 'left-behind-2023'?
    """

    def __init__(self, kind: str, name: str, valid: Iterable[str], where: str = "") -> None:
        super().__init__(f"{kind} '{name}' not found{where}; {nearest(name, valid)}")

    @classmethod
    def of_several(
        cls, kind: str, names: Sequence[str], valid: Iterable[str], where: str = ""
    ) -> UnknownNameError:
        """Tell several names that are not there at once, each with the nearest that is.

        Examples
        --------
        >>> str(UnknownNameError.of_several("column", ["Nme", "b"], ["Name", "v"], " in a.csv"))
        "columns 'Nme' (did you mean 'Name'?) and 'b' not found in a.csv; expected one of: Name, v"
        """
        known = sorted(set(valid))
        if len(names) == 1:
            return cls(kind, names[0], known, where)
        said = []
        for name in names[:MOST_NAMES]:
            close = nearest(name, known)
            said.append(f"'{name}'" + (f" ({close})" if close.startswith("did you") else ""))
        if len(names) > MOST_NAMES:
            said.append(f"{len(names) - MOST_NAMES} more")
        listed = f"{', '.join(said[:-1])} and {said[-1]}"
        return cls._of(f"{kind}s {listed} not found{where}; {_listed(known)}")

    def and_say(self, hint: str) -> UnknownNameError:
        """Give the same error with a hint at its end."""
        return UnknownNameError._of(f"{self}{hint}")

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are unpickled from their message alone; a worker process has to send this one.
        return UnknownNameError._of, (str(self),)

    @classmethod
    def _of(cls, message: str) -> UnknownNameError:
        error = cls.__new__(cls, message)
        error.args = (message,)
        return error


class MissingExtraError(CommonwealError):
    """A package that an extra brings is not installed; the message has the command to type."""


class SourceError(CommonwealError):
    """A source file that cannot be had or read."""


class WrongBytesError(SourceError):
    """A file whose checksum is not the pinned one; it is never used."""


class UnreachableError(SourceError):
    """A file that neither the cache, the mirror nor the network has."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which valid names are nearest to a wrong one.

    Parameters
    ----------
    name
        The name that was asked for.
    valid
        The names that exist.

    Returns
    -------
    str
        A clause that ends a message: a suggestion, the whole list if it is short, or a count.

    Examples
    --------
    >>> nearest("Crme_rank", ["Crime_rank", "Income_rank"])
    "did you mean 'Crime_rank'?"
    >>> nearest("xyz", ["a", "b"])
    'expected one of: a, b'
    """
    names = sorted(set(valid))
    close = get_close_matches(name, names, n=2, cutoff=0.75)
    if not close:  # a difference of case or spacing only is the commonest slip
        folded = {n.casefold().replace(" ", "_").replace("-", "_"): n for n in names}
        hit = folded.get(name.casefold().replace(" ", "_").replace("-", "_"))
        close = [hit] if hit else []
    if close:
        return "did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    return _listed(names)


def _listed(names: Sequence[str]) -> str:
    """Say which names there are, or how many."""
    if not names:
        return "there are none"
    if len(names) <= 12:
        return "expected one of: " + ", ".join(names)
    return f"there are {len(names)}, such as {', '.join(names[:5])}"
