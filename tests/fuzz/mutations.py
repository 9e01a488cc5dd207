"""Changes to what is valid: in trees (YAML), in tables, in bytes. Each is drawn from a seeded generator."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import io
import zipfile
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2, 3, 100, -0.0, 0.5, 1.5, 1e-320, 1e-9, 1e15, 1e30, 1e300, 1.7e308, -1e308,
    float("nan"), float("inf"), float("-inf"), 2**31, 2**53 + 1, 2**63, -(2**63), 2**64, 10**30, 10**400,
)  # fmt: skip
"""Small, large, at the ends of what a double or an integer of 64 bits holds, and beyond."""

TEXTS = (
    "", " ", "\t", "\n", "a", "A", "0", "-1", "1e400", "nan", "inf", "-", ".", "..", "../x", "/", "/dev/null", "*", "?",
    "~", "null", "true", "no", "é", "ﷺ", "\u202eabc", "\u200b", "\ufeff", "\x00", "\x07", "👩‍👩‍👧",
    "a\u0301", "ß", "İ", "=1+1",
    "＝1+1", "<b>", "{x}", "{0}", "%s", "%", "10%", "-5%", "101%", "1e3%", "nan%", "'", '"', "\\", "a,b",
    "a;b", "a: b", "[a", "{a",
    "2020-02-30", "2020-01-01", "12:61", "0x10", "1_000", "1 000", "1,5", "x" * 300, "y" * 5000, "a/b",
    "a" + "\u0300" * 50,
    "(", "[", "(a+)+$", "SELECT 1", "a AND", "income / 0", "income + income", "none", "self",
    "__class__", "con", "0" * 40,
)  # fmt: skip
"""Empty, blank, markup, paths, patterns, formulas, other writing, numbers that are none, and long."""

KEYS = (
    "",
    "a",
    "name",
    "0",
    "null",
    "~",
    "é",
    "x" * 300,
    "folder",
    "__class__",
    "a.b",
    "a/b",
    "a b",
)
"""Names of keys that are odd, or of others."""

RAW = (
    '!!int ""', '!!float ""', "!!map [a]", "!!set {a, b}", "!!binary aGk=", "!!binary é",
    "!!omap [a: 1]", "!!timestamp x", "!!null x",
    "!!python/object/apply:os.system [ls]", "!!bool maybe", "&a [*a]", "*nobody", '"\\U00110000"',
    '"\\ud800"', "2020-13-45",
    "2020-01-01T25:00:00", "0b2", "0o9", "190:20:30", ".inf", ".nan", "0x" + "f" * 5000, "1" * 5000,
    "1e999999999", "{a: {<<: {b: 1}}}",
    "{<<: 3}", "{? [a] : b}", "{[a]: b}", "[" * 200 + "]" * 200, "[" * 1500,
    "{a: " * 300 + "1" + "}" * 300, "@", "`", "%", "|", ">-", "- -",
    "? a", "=", "<<", "!<tag> a", "! a", "!a!b c", "'", '"', "\t", "#", "---", "...", "2001-12-14t21:59:43.10-05:00",
)  # fmt: skip
"""What YAML can say and plain data cannot."""

Tree = Any
Places = list[tuple[Any, Any]]
"""Where values lie: (what holds it, its key or position)."""


def change_tree(rng: Random, tree: Tree, changes: int) -> Tree:
    """Change keys, types, values, references and order in plain data."""
    tree = copy.deepcopy(tree)
    for _ in range(changes):
        places = _places(tree)
        if not places:
            return rng.choice((tree, None, [], {}, "a", 3))
        holder, key = rng.choice(places)
        change = rng.choice(_TREE_CHANGES)
        change(rng, holder, key, places)
    return tree


def yaml_text(rng: Random, tree: Tree, changes: int) -> bytes:
    """Write a tree with changes as YAML; one in five is changed as text, one in twenty as bytes."""
    how = rng.random() if changes else 1.0
    changed = change_tree(rng, tree, changes - (how < 0.25))
    text = yaml.dump(
        changed, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000
    )
    if how < 0.05:
        return change_bytes(rng, text.encode(), 1)
    return (_raw_value(rng, text) if how < 0.25 else text).encode("utf-8", "surrogatepass")


def _places(tree: Tree) -> Places:
    found: Places = []
    pending = [tree]
    while pending:
        at = pending.pop()
        keys = list(at) if isinstance(at, dict) else range(len(at)) if isinstance(at, list) else ()
        for key in keys:
            found.append((at, key))
            pending.append(at[key])
    return found


def _raw_value(rng: Random, text: str) -> str:
    """Put something in the place of the value of a line."""
    lines = text.splitlines(keepends=True)
    n = rng.randrange(len(lines))
    head, colon, _ = lines[n].partition(":")
    lines[n] = f"{head}{colon} {rng.choice(RAW)}\n"
    return "".join(lines)


def odd_value(rng: Random) -> Any:
    """A value that is rarely what is expected."""
    return rng.choice(
        (
            rng.choice(NUMBERS), rng.choice(NUMBERS), rng.choice(TEXTS), rng.choice(TEXTS), None, True, False, [], {},
            ["a"], ["a", "a"], [1, "a"], [[]], [None], {"a": 1}, {"a": None}, [{"a": "b"}], dt.date(2020, 2, 29),
            dt.datetime(2020, 1, 1, 1, 1), b"ab", nested(rng.choice((5, 60, 200))),
        )
    )  # fmt: skip


def nested(depth: int) -> Any:
    """Lists or keys in each other."""
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"children": value}
    return value


def _replace(rng: Random, holder: Any, key: Any, places: Places) -> None:
    holder[key] = odd_value(rng)


def _drop(rng: Random, holder: Any, key: Any, places: Places) -> None:
    del holder[key]


def _copy(rng: Random, holder: Any, key: Any, places: Places) -> None:
    """Add the value once more, under a name like its own or at its side."""
    value = copy.deepcopy(holder[key])
    if isinstance(holder, list):
        holder.insert(key, value)
    else:
        holder[f"{key}{rng.choice(('2', ' ', 's', '_'))}"] = value


def _rename(rng: Random, holder: Any, key: Any, places: Places) -> None:
    if isinstance(holder, list):
        holder.reverse()
        return
    name = str(key)
    at = rng.randrange(len(name)) if name else 0
    odd = rng.choice((*KEYS, 1, None, True, 1.5, dt.date(2020, 1, 1)))
    new = rng.choice((odd, name.upper(), name + name, name[:at] + name[at + 1 :]))
    items = [(new if k == key else k, v) for k, v in holder.items()]
    holder.clear()
    holder.update(items)


def _swap(rng: Random, holder: Any, key: Any, places: Places) -> None:
    """Put the value of another place here, or the two in each other's."""
    other, its = rng.choice(places)
    mine, theirs = copy.deepcopy(holder[key]), copy.deepcopy(other[its])
    holder[key] = theirs
    if rng.random() < 0.5:
        other[its] = mine


def _refer(rng: Random, holder: Any, key: Any, places: Places) -> None:
    """Name something else of the file."""
    names = [str(k) for h, k in places if isinstance(h, dict)]
    names += [h[k] for h, k in places if isinstance(h[k], str)]
    holder[key] = rng.choice(names or ["a"])


def _retype(rng: Random, holder: Any, key: Any, places: Places) -> None:
    value = holder[key]
    if isinstance(value, dict):
        changed = rng.choice((list(value), list(value.values()), [value], str(value)[:200], {}))
    elif isinstance(value, list):
        changed = rng.choice(
            (dict.fromkeys(map(str, value)), value[:1], value * 30, [value], value[:0])
        )
    else:
        changed = rng.choice(
            ([value], {"a": value}, str(value), [value, value], {str(value): value})
        )
    holder[key] = changed


def _nudge(rng: Random, holder: Any, key: Any, places: Places) -> None:
    """Put another value of the same kind in its place: what a checker of types lets pass."""
    value = holder[key]
    if isinstance(value, bool) or value is None:
        holder[key] = not value
    elif isinstance(value, int) and abs(value) < 10**300:
        holder[key] = rng.choice(
            (-value, value + 1, value - 1, value * 2, value * 1000, value // 2, 0, 1, 2**31, 10**30)
        )
    elif isinstance(value, int | float):
        by = rng.choice((-1, 0, 1e6, 1e-6, 1e300, 1e-300, 2, 0.5, 100))
        holder[key] = float(value * by) if abs(value) < 1e300 else rng.choice(NUMBERS[:15])
    elif isinstance(value, str) and value:
        at = rng.randrange(len(value))
        odd = rng.choice(TEXTS)
        holder[key] = rng.choice(
            (odd, value[:at] + odd + value[at:], value.upper(), f" {value} ", value * 3)
        )
    elif isinstance(value, list) and value:
        holder[key] = rng.choice((value[::-1], value[:-1], value[1:], value + value[:1], value * 2))
    elif isinstance(value, dict) and value:
        items = list(value.items())
        rng.shuffle(items)
        holder[key] = dict(rng.choice((items, items[1:])))
    else:
        holder[key] = odd_value(rng)


_TREE_CHANGES: tuple[Callable[[Random, Any, Any, Places], None], ...] = (
    _replace, _replace, _drop, _drop, _copy, _rename, _swap, _refer, _refer, _retype, *[_nudge] * 7,
)  # fmt: skip
"""Half of them keep the kind of value, so that more passes the check and is run."""

Rows = list[list[str]]


def change_rows(rng: Random, rows: Rows, changes: int) -> Rows:
    """Change cells, columns and rows of a table whose first row is its header."""
    rows = [list(row) for row in rows]
    for _ in range(changes):
        if not rows or not rows[0]:
            return rows
        r, c = rng.randrange(len(rows)), rng.randrange(len(rows[0]))
        how = rng.randrange(16)
        if how < 7:
            if c < len(rows[r]):
                rows[r][c] = rng.choice((str(rng.choice(NUMBERS[:-1])), rng.choice(TEXTS)))
        elif how == 7:  # a whole column
            odd = str(rng.choice((*NUMBERS[:-1], *TEXTS)))
            rows = [rows[0], *([*row[:c], odd, *row[c + 1 :]] for row in rows[1:])]
        elif how == 8:
            rows = [[*row[:c], *row[c + 1 :]] for row in rows]
        elif how == 9:
            rows = [[*row, *row[c : c + 1]] for row in rows]
        elif how == 10:
            rows.insert(r, list(rows[rng.randrange(len(rows))]))
        elif how == 11:
            del rows[r]
        elif how == 12:
            rows = rows[: rng.choice((0, 1, 2, 3))]
        elif how == 13:  # two columns change places, but for their names
            d = rng.randrange(len(rows[0]))
            for row in rows[1:]:
                if max(c, d) < len(row):
                    row[c], row[d] = row[d], row[c]
        elif how == 14:
            rows[r] = rows[r][:c] if rng.random() < 0.5 else [*rows[r], "1", ""]
        else:
            rows[0][c] = rng.choice((*TEXTS, rows[0][-1], rows[0][c].upper(), f" {rows[0][c]} "))
    return rows


def csv_bytes(rng: Random, rows: Rows, changes: int, separator: str = ",") -> bytes:
    """Write a table with changes; one in five has a change of its text, marks or letters besides."""
    how = rng.random() if changes else 1.0
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(
        change_rows(rng, rows, changes - (how < 0.2))
    )
    text = out.getvalue()
    if how < 0.08:
        return change_bytes(rng, text.encode("utf-8", "surrogatepass"), 1)
    if how < 0.2:
        return rng.choice(_TEXT_CHANGES)(text)
    return text.encode("utf-8", "surrogatepass")


def _with(mark: str) -> Callable[[str], bytes]:
    return lambda text: mark.encode() + text.encode("utf-8", "surrogatepass")


_TEXT_CHANGES: tuple[Callable[[str], bytes], ...] = (
    _with("\ufeff"), _with("\n\n"), _with('"'), _with("sep=;\n"), _with("# a\n"), _with("\x00"),
    lambda text: text.encode("utf-16", "surrogatepass"),
    lambda text: text.encode("latin-1", "replace"),
    lambda text: text.replace("\n", "\r\n").encode("utf-8", "surrogatepass"),
    lambda text: text.replace("\n", "\r").encode("utf-8", "surrogatepass"),
    lambda text: text.replace(",", ";").encode("utf-8", "surrogatepass"),
    lambda text: text.replace(",", "\t").encode("utf-8", "surrogatepass"),
    lambda text: text.strip().encode("utf-8", "surrogatepass"),
    lambda text: (text + "\n" * 50).encode("utf-8", "surrogatepass"),
    lambda text: (text + text).encode("utf-8", "surrogatepass"),
    lambda text: b"",
)  # fmt: skip


def zip_bytes(files: Mapping[str, bytes | str], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack files into a zip of no date, which is the same whenever it is made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, how)
    return out.getvalue()


def change_bytes(rng: Random, data: bytes, changes: int) -> bytes:
    """Flip bits, cut, insert, repeat and blank, as damage does."""
    raw = bytearray(data)
    for _ in range(changes):
        if not raw:
            return b""
        at, n = rng.randrange(len(raw)), rng.choice((1, 1, 2, 4, 16, 200))
        how = rng.randrange(8)
        if how < 3:
            for _ in range(n if how == 2 else 1):
                raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        elif how == 3:
            del raw[at:]
        elif how == 4:
            del raw[at : at + n]
        elif how == 5:
            raw[at:at] = rng.choice((b"\x00", b"\xff", rng.randbytes(1), bytes(raw[:1]))) * n
        elif how == 6:
            raw[at : at + n] = rng.choice((b"\x00" * n, b"\xff" * n, rng.randbytes(n)))
        else:
            raw[at:at] = raw[at : at + n]
    return bytes(raw)
