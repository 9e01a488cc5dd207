"""What `import commonweal as cw` offers beside the rooms: studies, a run, and results that do it all.

This file may import every room, and no room imports it: what a result can do that belongs to a room above
`commonweal.study` (one area's profile, the results folder, the briefing pack, the explorer) is a method here.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.index.methods import strict
from commonweal.spec.study import Study, load_study, shipped_studies
from commonweal.study import results as study_results
from commonweal.study import run as study_run
from commonweal.study.rescore import other_study, rescored
from commonweal.study.saved import open_results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonweal.report.place.profile import Profile
    from commonweal.sources import Store

    Progress = Callable[[str, int, int], None]

__all__ = ["Results", "open", "run", "studies"]


def studies() -> pl.DataFrame:
    """List the studies that ship.

    Returns
    -------
    polars.DataFrame
        ``name``, ``title``, ``areas`` (their system), ``indices`` and ``designations`` (names).

    Examples
    --------
    >>> import commonweal as cw
    >>> "left-behind-2025" in cw.studies()["name"]
    True
    """
    rows = []
    for name in shipped_studies():
        study = load_study(name)
        system = study.areas if isinstance(study.areas, str) else study.areas.system
        rows.append((name, study.title, system, list(study.index), list(study.designate)))
    head = ["name", "title", "areas", "indices", "designations"]
    return pl.DataFrame(rows, schema=head, orient="row")


@strict
def run(
    study: Study | str | Path,
    store: Store | None = None,
    *,
    draws: int | None = None,
    sensitivity: bool = True,
    geometry: bool = True,
    progress: Progress | None = None,
    client: Any = None,
) -> Results:
    """Run a study.

    Parameters
    ----------
    study
        A study, the name of one that ships, or the path of a YAML file.
    store
        Where source files come from; as the environment says if not given.
    draws
        How many times the list is recalculated, in place of the study's number; 0 leaves certainty and
        sensitivity out.
    sensitivity
        Whether to find the biggest sources of uncertainty, where the study asks for it.
    geometry
        Whether to load boundaries, which only maps need.
    progress
        Called as ``progress(what, done, total)`` while something takes long.
    client
        A Dask client whose workers do the draws, for those who outgrow one machine: the same results to the bit.

    Returns
    -------
    Results

    Raises
    ------
    CommonwealError
        With what was found and what was expected: see `commonweal.errors`.

    Examples
    --------
    >>> import commonweal as cw
    >>> results = cw.run("demo", draws=0, geometry=False)
    >>> results.designation.selected.sum().item(), len(results.areas)
    (17, 400)
    """
    return Results.of(
        study_run.run(
            study,
            store,
            draws=draws,
            sensitivity=sensitivity,
            geometry=geometry,
            progress=progress,
            client=client,
        )
    )


def open(folder: str | Path) -> Results:  # noqa: A001 - cw.open
    """Open a results folder: the results as they were when it was written; nothing is run.

    Parameters
    ----------
    folder
        What ``commonweal run`` or `Results.save` has written.

    Returns
    -------
    Results
        Each attribute is read, and its checksum compared, when it is first asked for. Files of the user's own that
        the study names are found where they lay from the folder.

    Raises
    ------
    CommonwealError
        If it is no results folder, or one of another format, or a file is missing or damaged: at once, or when an
        attribute is first asked for.

    Examples
    --------
    >>> import commonweal as cw
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as here:
    ...     folder = cw.run("demo", draws=0, geometry=False).save(f"{here}/demo")
    ...     cw.open(folder).designation.selected.sum().item()
    17
    """
    return Results.of(open_results(folder))


@dataclass(frozen=True, kw_only=True, repr=False)
class Results(study_results.Results):
    """The results of a study, and what can be done with them.

    `run` and `open` give them. Frames are Polars: ``areas.table``, ``scores["INDEX"].to_frame()``,
    ``designation.to_frame()``, ``certainty["NAME"].to_frame()``, and `to_polars` all of them together;
    `to_pandas` and `to_geopandas` give the same to other tools.

    Examples
    --------
    >>> import commonweal as cw
    >>> results = cw.run("demo", draws=0, geometry=False)
    >>> results
    Results of demo: 'Left behind' neighbourhoods, Quillshire (a fictional county)
    400 neighbourhoods
    index community_needs: 400 with a score; domains places, connectivity, engagement
    index deprivation: 400 with a score; domains income, employment, qualifications, illness, crime
    designation left_behind: 17 on the list; worst 10% on community_needs and worst 10% on deprivation
    """

    @classmethod
    def of(cls, results: study_results.Results) -> Results:
        """Give the results of a room as those of the front door; nothing is copied."""
        made = object.__new__(cls)
        made.__dict__.update(results.__dict__)
        return made

    @strict
    def area(self, asked: str) -> Profile:
        """Look one area up: its ranks, what drives them, its margins and what would change the answer.

        Parameters
        ----------
        asked
            A code, a name, or ``"name, authority"``.

        Raises
        ------
        CommonwealError
            If no area is called so, or several are; the message names them.

        Examples
        --------
        >>> import commonweal as cw
        >>> results = cw.run("demo", draws=0, geometry=False)
        >>> print(str(results.area("F01000004")).splitlines()[0])
        Vesselhoe Candle Croft
        >>> results.area("F01000004").changes.rows()
        [('left_behind', 'community_needs.places', 211, 15), ('left_behind', 'community_needs.connectivity', 350, 26)]
        """
        from commonweal.report.place.profile import profile

        return profile(self, asked)

    @strict
    def rescore(
        self,
        weights: Mapping[str, Any] | None = None,
        cut: Mapping[str, Any] | None = None,
        *,
        draws: int = 0,
        client: Any = None,
    ) -> Results:
        """Score again with other weights and cut-offs; nothing is read again.

        Parameters
        ----------
        weights
            By dotted path, the weight of a domain or indicator beside its siblings, which keep theirs:
            ``{"community_needs.places": 2}`` or ``{"community_needs": {"places": 2}}``.
        cut
            By designation, the cut-off of all its conditions or by index: ``{"left_behind": "15%"}`` or
            ``{"left_behind": {"deprivation": "15%"}}``.
        draws
            How many times the list is recalculated with the study's other choices; 0 gives no certainty.
        client
            A Dask client whose workers do the draws.

        Returns
        -------
        Results
            As `run` gives them for the study so changed, without sensitivity, agreement, summaries and trends,
            which rest on the former weights.

        Raises
        ------
        CommonwealError
            If a name or number is wrong, with the nearest valid name.

        Examples
        --------
        >>> import commonweal as cw
        >>> results = cw.run("demo", draws=0, geometry=False)
        >>> results.rescore(cut={"left_behind": "15%"}).designation.selected.sum().item()
        29
        """
        return Results.of(rescored(self, other_study(self.study, weights, cut), draws, client))

    def save(self, folder: str | Path, progress: Progress | None = None) -> Path:
        """Write the results folder: report, workbook, tables, map, recipe, and where every number came from.

        It holds all that the run gave: `commonweal.open` opens it again, the same to the bit.

        Parameters
        ----------
        folder
            Where to; an earlier folder of results is replaced, in one step; nothing else ever is.
        progress
            Called as ``progress(what, done, total)``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        CommonwealError
            If the folder holds files that Commonweal did not write, or cannot be written.
        """
        from commonweal.report.study.folder import write_results

        return write_results(self, Path(folder), progress)

    @strict
    def brief(self, asked: str, folder: str | Path, progress: Progress | None = None) -> Path:
        """Write a briefing pack about an area, or about all areas of an authority or region.

        Parameters
        ----------
        asked
            A code or name of an area or a larger area.
        folder
            Where to; an earlier pack is replaced, nothing else ever is.
        progress
            Called as ``progress(what, done, total)``.
        """
        from commonweal.report.place.pack import write_pack
        from commonweal.study.names import find_scope

        return write_pack(self, find_scope(self.areas, [asked]), Path(folder), progress=progress)

    @strict
    def explore(self, port: int = 0, *, browser: bool = True) -> None:
        """Show the results in the browser, on this machine alone, until interrupted.

        In a notebook the cell ends at once, and the explorer answers as long as the notebook runs.

        Parameters
        ----------
        port
            Where to serve; any that is free if not given.
        browser
            Whether to open a browser.
        """
        from commonweal.files.extras import needs
        from commonweal.sources import Store

        with needs("web"):
            from commonweal.web import open_explorer
            from commonweal.web.serve import address_of, listen, serve

        store = Store.from_environment()
        explorer = open_explorer(self, store.cache, store=store)
        held = listen("127.0.0.1", port)
        address, in_notebook = address_of(held), _loop_runs()
        until = "the notebook ends" if in_notebook else "you press Ctrl-C"
        print(f"{self.study.title}\n{address}\nIt answers until {until}.", flush=True)

        def ready() -> None:
            if browser:
                import webbrowser

                webbrowser.open(address)

        def answer() -> None:
            with held:
                serve(explorer, held, ready)

        if in_notebook:
            threading.Thread(target=answer, name="explorer", daemon=True).start()
        else:
            answer()


def _loop_runs() -> bool:
    """Say whether this thread has an event loop that runs, as that of a notebook's cells has."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
