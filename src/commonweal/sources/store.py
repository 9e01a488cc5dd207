"""The store: gives the verified file or the table of a source, and remembers what was used."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from commonweal.errors import DataError, SourceError, UnknownNameError, WrongBytesError
from commonweal.files.atomic import files_with_sums, good_sha256, is_good, not_kept, sweep_all
from commonweal.files.inputs import record_input
from commonweal.sources.cache import Finder, Found, cached_table
from commonweal.sources.catalogue import Source, load_catalogue, load_own, local_source
from commonweal.sources.columns import check_columns, check_types
from commonweal.sources.fetch import TimeLimits
from commonweal.sources.tabular import where_header_is

if TYPE_CHECKING:
    import polars as pl


Progress = Callable[[str, int, int], None]

REMEMBERED, REMEMBERED_BYTES = 64, 8_000_000
"""How many tables that were read stay in memory, and of what size at most: lookups have about 2 MB."""

COUNTY = "county-"
"""Ids of the fictional county's tables begin with this."""


@dataclass(frozen=True)
class Verification:
    """What was found when the bytes of a source were checked anew."""

    id: str
    # ``good``, ``wrong bytes`` or ``unreachable``
    status: Literal["good", "wrong bytes", "unreachable"]
    # ``mirror``, ``cache``, ``network`` or ``local file``; None if unreachable
    where: str | None = None
    path: Path | None = None  # the file; None if unreachable
    # sha256, size: of the bytes found; None if there are none
    sha256: str | None = None
    size: int | None = None
    # what is wrong, in words; if good, where there were wrong bytes that are passed over
    message: str = ""


class Store:
    """Gives files and tables of sources.

    A file is looked for in the mirror folder, the cache, the mirror's URL and the network, in
    this order (`commonweal.sources.cache`). Its bytes are checked when it is first used in a run.

    Parameters
    ----------
    cache
        The cache folder; the platform's user cache folder if not given.
    mirror
        A folder or an http(s) URL laid out as host/path. A folder is used in place.
    offline
        True to open no connection, not even to a mirror's URL.
    progress
        Told what is being done, how much is done and how much there is (0 if not known).
    limits
        How long to wait for a server, and how often to ask again.
    catalogue
        The sources by id; the packaged catalogue if not given.

    Examples
    --------
    >>> Store.from_environment().table("county-areas", ["code", "population"]).height
    400
    """

    def __init__(
        self,
        cache: Path | str | None = None,
        mirror: str | Path | None = None,
        offline: bool = False,
        progress: Progress | None = None,
        limits: TimeLimits | None = None,
        catalogue: Mapping[str, Source] | None = None,
    ) -> None:
        if cache is None:
            from platformdirs import user_cache_path

            cache = user_cache_path("commonweal")
        self.cache = Path(os.path.expanduser(cache))  # noqa: PTH111 - it does not fail
        if str(self.cache).startswith("~"):
            raise SourceError(
                f"there is no such home folder as that of {self.cache}, where fetched files are to "
                "be kept; set COMMONWEAL_CACHE to a folder"
            )
        self.mirror = str(mirror) if mirror else None
        self.offline = offline
        self._progress = progress
        self._finder = Finder(self.cache, self.mirror, offline, limits or TimeLimits(), progress)
        self._catalogue = catalogue
        self._verified: dict[tuple[str, str], Found] = {}
        self._names: dict[tuple[str, str, str], frozenset[str]] = {}
        self._tables: dict[tuple[Any, ...], tuple[pl.DataFrame, list[str]]] = {}
        self._accounts: list[dict[tuple[str, ...], dict[str, Any]]] = [{}]
        self._replaced: dict[str, Source] = {}
        self._shipped: dict[str, Source] = {}

    @classmethod
    def from_environment(cls, progress: Progress | None = None) -> Store:
        """Make a store as COMMONWEAL_CACHE, _MIRROR, _OFFLINE and _CATALOGUE say.

        Sources of the user's own catalogue (`commonweal.sources.catalogue`) stand over those that ship.
        """
        offline = os.environ.get("COMMONWEAL_OFFLINE", "").strip().lower()
        own = load_own()
        shipped = load_catalogue() if own else {}
        store = cls(
            cache=os.environ.get("COMMONWEAL_CACHE") or None,
            mirror=os.environ.get("COMMONWEAL_MIRROR") or None,
            offline=offline not in {"", "0", "false", "no"},
            progress=progress,
            catalogue={**shipped, **own} if own else None,
        )
        store._shipped = {id_: shipped[id_] for id_ in own if id_ in shipped}
        return store

    @classmethod
    def given_or_found(cls, store: Store | None, progress: Progress | None = None) -> Store:
        """Give the store that a function was given, or else that of the environment."""
        if isinstance(store, Store):
            return store
        if store is not None:
            raise DataError(
                f"store: {store!r} found; expected a store, such as cw.Store(cache='FOLDER')"
            )
        return cls.from_environment(progress)

    @property
    def used(self) -> list[dict[str, Any]]:
        """What was used, for provenance: one entry a source, in order of first use."""
        return [dict(entry) for entry in self._accounts[-1].values()]

    def afresh(self) -> Store:
        """Give the same store with an account of its own of what is used; it stands here, too."""
        other = copy(self)
        other._accounts = [*self._accounts, {}]
        return other

    def aside(self) -> Store:
        """Give the same store for a look at what is there, which is no use of it."""
        other = copy(self)
        other._accounts = [{}]
        return other

    def replacing(self, sources: Mapping[str, Source]) -> Store:
        """Give the same store with other files in place of some sources, by id, and of these only."""
        other = copy(self)
        other._replaced = dict(sources)
        return other

    def offline_only(self) -> Store:
        """Give the same store, that opens no connection."""
        other = copy(self)
        other.offline, other._finder = True, replace(self._finder, offline=True)
        return other

    def source(self, source: str | Source) -> Source:
        """Give a source by its id.

        Raises
        ------
        UnknownNameError
            If there is none of this id; the message names the nearest.
        """
        if isinstance(source, Source):
            return source
        if source in self._replaced:
            return self._replaced[source]
        if source.startswith(COUNTY):
            return self._county(source.removeprefix(COUNTY))
        if source not in self.catalogue:
            raise UnknownNameError("source", source, self.catalogue, " in the catalogue")
        return self.catalogue[source]

    @property
    def catalogue(self) -> Mapping[str, Source]:
        """The sources by id: those that ship, and the user's own over them."""
        if self._catalogue is None:
            self._catalogue = load_catalogue()
        return self._catalogue

    def in_place_of(self, source: str) -> Source | None:
        """Give the source that a file of the user's own stands in place of, by its id; None if none."""
        if source in self._replaced:
            return self.replacing({}).source(source)
        return self._shipped.get(source)

    def _county(self, table: str) -> Source:
        """Give a table of the fictional county, which is generated into the cache once."""
        from commonweal.demo import generate_county
        from commonweal.demo.county import COUNTY_VERSION, county_columns, write_county

        if table not in county_columns():
            raise UnknownNameError("table of the fictional county", table, county_columns())
        folder = self.cache / f"county-v{COUNTY_VERSION}"
        path = folder / ("areas.parquet" if table == "areas" else f"{table}.csv")
        if not is_good(path):
            write_county(generate_county(), folder)
            if not is_good(path):
                raise not_kept(path)
        return local_source(
            path,
            name=COUNTY + table,
            title=f"Quillshire, a fictional county: {table}",
            publisher="Commonweal (generated)",
            licence="MIT",
            vintage="fictional",
        )

    def path(self, source: str | Source) -> Path:
        """Give the verified local file of a source.

        Raises
        ------
        UnreachableError
            If neither mirror, cache nor network has it.
        WrongBytesError
            If what was found is not the pinned file.
        SourceError
            If a local file is not there, or the cache cannot be written to.
        """
        source = self.source(source)
        file = self._file(source)
        self._record(source, file)
        return file.path

    def table(self, source: str | Source, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Give a source as a table.

        Parameters
        ----------
        source
            A source or its id.
        columns
            The columns wanted, in this order; all if not given.

        Returns
        -------
        polars.DataFrame
            Published column names; codes String, numbers Float64 or Int64, truths Boolean,
            ``geometry`` WKB in WGS 84; missing is null.

        Raises
        ------
        UnknownNameError
            If a column is not there; the message names the nearest.
        DataError
            If the content is not what the source says.
        SourceError
            As for `path`.
        """
        from commonweal.sources import readers

        source = self.source(source)
        file = self._file(source)
        if isinstance(columns, str):
            columns = [columns]
        try:
            if source.reader.format in readers.SLOW_FORMATS:
                table, notes = self._converted(source, file, columns)
            else:
                table, notes = self._remembered(source, file, columns)
        except UnknownNameError as error:
            if source.path is None or columns is None:
                raise
            raise error.and_say(where_header_is(file.path, source.reader, columns)) from None
        if columns is not None:
            check_types(table, source)
        self._record_rows(source, file, table.height, table.columns, notes)
        return table

    def use_again(self, used: Iterable[tuple[Source, Mapping[str, Any]]]) -> bool:
        """Put what was used before into the account, unless a source or its file is another now.

        Parameters
        ----------
        used
            Sources, each with its entry in `used`.

        Returns
        -------
        bool
            Whether all are the same: what was made of them may be used again.
        """
        same = []
        for source, entry in used:
            try:
                file = self._file(now := self.source(source.id))
            except (SourceError, UnknownNameError):
                return False
            if now != source or file.sha256 != entry["sha256"]:
                return False
            same.append((source, file, entry))
        for source, file, entry in same:
            self._record_rows(source, file, entry["rows"], entry["columns"], entry["notes"])
        return True

    def has_column(self, source: str | Source, name: str) -> bool:
        """Whether a table has a column: its names are read once, and not listed as used."""
        source = self.source(source)
        file = self._file(source)
        key = (file.sha256, str(source.path or source.url), _options(source, file))
        if key not in self._names:
            self._names[key] = frozenset(self.aside().table(source).columns)
        return name in self._names[key]

    def refresh(self, source: str | Source) -> Path:
        """Give the file of a rolling source as it is published now; a pinned one never changes.

        Raises
        ------
        UnreachableError, SourceError
            As for `path`; what was in the cache stays there.
        """
        source = self.source(source)
        if not source.pinned:
            self._verified[_key(source)] = self._finder.find(source, anew=True)
        return self.path(source)

    def verify(
        self, source: str | Source, made: Iterable[Verification] | None = None
    ) -> Verification:
        """Check the bytes of a source and of what it was converted to; report instead of raising.

        Where what was made has been checked already, `made` is what `verify_kept` gave.
        """
        source = self.source(source)
        self._verified.pop(_key(source), None)
        try:
            file = self._file(source)
        except WrongBytesError as error:
            return Verification(source.id, "wrong bytes", message=str(error))
        except SourceError as error:
            return Verification(source.id, "unreachable", message=str(error))
        if made is None:
            paths = files_with_sums(self.cache / "converted")
            made = (
                self._verification(source.id, path)
                for path in paths
                if path.name.startswith(f"{file.sha256}-")
            )
        for found in made:
            of_this = found.path is not None and found.path.name.startswith(f"{file.sha256}-")
            if of_this and found.status != "good":
                return replace(found, id=source.id)
        return Verification(
            source.id,
            "good",
            file.where,
            file.path,
            file.sha256,
            file.size,
            file.instead_of,
        )

    def verify_kept(self) -> list[Verification]:
        """Check anew what was made from sources and is kept in the cache, each by its file name."""
        folders = [f for f in (self.cache.iterdir() if self.cache.is_dir() else ()) if f.is_dir()]
        made = [p for f in sorted(folders) if f.name != "files" for p in files_with_sums(f)]
        return [self._verification(str(path.relative_to(self.cache)), path) for path in made]

    def _verification(self, name: str, path: Path) -> Verification:
        """Say whether a file that was made is as it was written."""
        if digest := good_sha256(path, anew=True):
            return Verification(name, "good", "cache", path, digest, path.stat().st_size)
        said = f"{path} is damaged, and is not used; the next run that needs it makes it again"
        return Verification(name, "wrong bytes", "cache", path, message=said)

    def clear(self) -> None:
        """Delete the cache: what was fetched and what was converted."""
        import shutil

        for folder in ("files", "converted"):
            shutil.rmtree(self.cache / folder, ignore_errors=True)
        self._verified.clear()

    def _tell(self, what: str, done: int = 0, total: int = 0) -> None:
        if self._progress is not None:
            self._progress(what, done, total)

    def _file(self, source: Source) -> Found:
        key = _key(source)
        if not self._verified:  # nothing was used so far, here or in a copy
            sweep_all(self.cache)
        found = self._verified.get(key)
        if found is None or not found.unchanged:
            found = self._verified[key] = self._finder.find(source)
        return found

    def _read(
        self, source: Source, file: Found, columns: Sequence[str] | None
    ) -> tuple[pl.DataFrame, list[str]]:
        """Read the file that was verified, not one that took its place meanwhile."""
        from commonweal.sources import readers

        table, notes = readers.read_table(file.path, source, columns, self._progress)
        if not file.unchanged:
            raise _changed(file)
        return table, notes

    def _remembered(
        self, source: Source, file: Found, columns: Sequence[str] | None
    ) -> tuple[pl.DataFrame, list[str]]:
        """Read a file once: a run asks for the same columns of a lookup some forty times."""
        from commonweal.sources import readers

        options = json.dumps(readers.options_of(source), sort_keys=True)
        key = (source.id, file.path, file.sha256, options, None if columns is None else (*columns,))
        if (known := self._tables.pop(key, None)) is None:
            known = self._read(source, file, columns)
        if known[0].estimated_size() <= REMEMBERED_BYTES:
            self._tables[key] = known
            if len(self._tables) > REMEMBERED:
                self._tables.pop(next(iter(self._tables)), None)
        return known[0].clone(), list(known[1])

    def _converted(
        self, source: Source, file: Found, columns: Sequence[str] | None
    ) -> tuple[pl.DataFrame, list[str]]:
        """Read a slow format through its Parquet conversion, made on first use."""
        from commonweal.sources import readers

        options = _options(source, file)
        tag = hashlib.sha256(options.encode()).hexdigest()[:8]
        kept = self.cache / "converted" / f"{file.sha256}-v{readers.VERSION}-{tag}.parquet"

        def convert() -> tuple[pl.DataFrame, list[str]]:
            megabytes = f"{file.size / 1e6:.1f} MB"
            self._tell(f"converting {source.id} ({megabytes}), this first time only")
            made = self._read(source, file, None)
            if _options(source, file) != options:
                raise _changed(file)
            self._tell(f"converted {source.id}", 1, 1)
            return made

        return cached_table(kept, convert, lambda found: check_columns(columns, found, source))

    def _record_rows(
        self,
        source: Source,
        file: Found,
        rows: int | None,
        columns: Sequence[str],
        notes: Sequence[str],
    ) -> None:
        """Put what was read of a source into each account."""
        for entry in self._record(source, file):
            entry["rows"] = entry["rows"] if rows is None else rows
            entry["columns"] = list(dict.fromkeys([*entry["columns"], *columns]))
            entry["notes"] = list(dict.fromkeys([*entry["notes"], *notes]))

    def _record(self, source: Source, file: Found) -> list[dict[str, Any]]:
        """Give the entry of a source in each account, made where it is not there yet."""
        if source.path and not source.id.startswith(COUNTY):
            record_input(file.path, file.sha256)
            for name, sha256 in _parts(source, file).items():
                record_input(file.path.with_name(name), sha256)
        key = source.id, *_key(source), file.sha256
        other = (
            self.in_place_of(source.id) if source.id in (*self._replaced, *self._shipped) else None
        )
        replaces = ("title", "vintage", "url", "sha256")
        instead = {"replaces": {k: getattr(other, k) for k in replaces}} if other else {}
        return [
            account.setdefault(
                key,
                {
                    **instead,
                    "id": source.id,
                    "title": source.title,
                    "publisher": source.publisher,
                    "url": source.url,
                    "path": str(source.path) if source.path else None,
                    "sha256": file.sha256,
                    "size": file.size,
                    "pinned": source.pinned,
                    "licence": source.licence,
                    "licence_url": source.licence_url,
                    "attribution": source.attribution,
                    "vintage": source.vintage,
                    "use": source.use,
                    "from": file.where,
                    "rows": None,
                    "columns": [],
                    "notes": [],
                },
            )
            for account in self._accounts
        ]


def _key(source: Source) -> tuple[str, str]:
    return (source.sha256 or "", str(source.path or source.url))


def _parts(source: Source, file: Found) -> dict[str, str]:
    """Give the SHA-256 of each file beside a map that is read with it, by name."""
    if source.reader.format != "vector":
        return {}
    from commonweal.sources.geometry import parts_of

    return parts_of(file.path)


def _options(source: Source, file: Found) -> str:
    """Say what a table depends on besides the bytes of its file."""
    from commonweal.sources import readers

    return json.dumps({**readers.options_of(source), **_parts(source, file)}, sort_keys=True)


def _changed(file: Found) -> SourceError:
    return SourceError(f"{file.path} was changed while it was read; run again")
