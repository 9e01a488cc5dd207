"""Results kept in their folder: what is written beside the report so that they open again, and opening them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.errors import CommonwealError
from commonweal.files.folder import MARK, read_marker
from commonweal.files.packing import Packing, Unpacking
from commonweal.index.methods import shown
from commonweal.spec.study import parse_study, shipped_studies
from commonweal.study.results import Results, named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_OWN = ("version", "study", "format", "fingerprint", "draws", "sensitivity")
"""What a folder must say of itself."""

FORMAT = 2
"""Of the folder; another number is another format, which this version does not read."""

QUICK = 1
"""Level of zlib: 6 takes four times as long and saves a twentieth."""

PACKAGE = "datapackage.json"
"""Describes every file of the folder, with its checksum."""

RECIPE = "study.yaml"
PARTS = "data/results.json"

_CLASSES = {
    name: f"commonweal.{module}"
    for module, names in {
        "areas.areas": "Areas",
        "areas.crosswalk": "Crosswalk",
        "indicators.indicators": "Counts Indicator Indicators",
        "index.scores": "Scores",
        "index.score": "Base",
        "index.framework": "Node",
        "index.panel": "PanelScores",
        "index.trends": "Trend",
        "index.decomposition": "Change",
        "index.prepare": "Prepared StepReport",
        "index.prepare_spec": "PrepareStep",
        "index.runs": "Settings",
        "index.targets": "AssumptionTarget",
        "index.distributions": "WeightDistribution",
        "index.sensitivity": "Sobol",
        "index.assumptions": "Weights Normalisation Aggregation CutOff SamplingError SmallCounts Inclusion "
        "Treatment Parameter",
        "designation.rule": "Condition ConditionResult Rule",
        "designation.designation": "Designation",
        "designation.comparison": "Comparison",
        "designation.uncertainty": "Certainty Sensitivity",
        "social_capital.framework": "NationalFigure",
        "spec.data": "ValidationSpec",
        "spec.indices": "IndexSpec",
        "study.results": "Validation",
    }.items()
    for name in names.split()
}
"""The classes that results are made of, and the module of each; opening makes nothing else."""


def pack_results(results: Results) -> dict[str, Callable[[], bytes]]:
    """Give the files that results are opened from, beside `RECIPE` and provenance: by name, what gives its bytes.

    Each attribute of `Results` has its arrays in a file of its own, ``data/<attribute>.npz``, and each table is an
    Arrow file. `PARTS` says how they go together.
    """
    packing = Packing(_CLASSES)
    parts = {
        name: packing.pack(getattr(results, name), name)
        for name in (f.name for f in fields(results))
        if name not in ("study", "provenance")
    }
    shape = {"results": parts, "shared": packing.shared}
    text = json.dumps(shape, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    files: dict[str, Callable[[], bytes]] = {PARTS: (text + "\n").encode}
    of: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in packing.arrays.items():
        of.setdefault(name.split("/")[0], {})[name] = array
    for attribute, arrays in of.items():
        files[f"data/{attribute}.npz"] = lambda arrays=arrays: _npz(arrays)  # type: ignore[misc]
    for name, table in packing.tables.items():
        files[_table_file(name)] = lambda table=table: _arrow(table)  # type: ignore[misc]
    return files


def _table_file(name: str) -> str:
    return f"data/{name.replace('/', '.')}.arrow"


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Give arrays as `numpy.savez_compressed` does, but for names with slashes; the same arrays give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")  # of no date
            file.writestr(info, member.getbuffer(), zipfile.ZIP_DEFLATED, QUICK)
    return made.getvalue()


def _arrow(table: pl.DataFrame) -> bytes:
    made = io.BytesIO()
    table.write_ipc(made, compression="zstd", compat_level=pl.CompatLevel.newest())
    return made.getvalue()


def open_results(folder: str | Path) -> Results:
    """Open a results folder, as `commonweal.open` does."""
    if not isinstance(folder, str | os.PathLike):
        raise CommonwealError(
            f"open: found {shown(folder)}; expected the path of a results folder, such as open('out/demo')"
        )
    folder = Path(folder).absolute()
    about = read_package(folder)
    files = {str(r.get("path")): str(r.get("hash")) for r in about.get("resources", ())}
    called = str(about["commonweal"]["study"])
    member = _Members(folder, files, called, (folder / PACKAGE).read_bytes()).read
    parts = json.loads(member(PARTS))
    marker = read_marker(folder)
    if "study" not in marker:
        raise CommonwealError(f"{folder / MARK} is damaged.\n{_again(folder, called)}")
    told = {key: value for key, value in marker.items() if key not in ("files", "given_files")}
    lock = RLock()
    made: dict[str, Any] = {"provenance": told}
    arrays: dict[str, Any] = {}

    def array(name: str) -> NDArray[Any]:
        file = f"data/{name.split('/')[0]}.npz"
        if file not in arrays:
            arrays[file] = zipfile.ZipFile(io.BytesIO(member(file)))
        with arrays[file].open(f"{name}.npy") as stream:
            found: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return found

    unpacking = Unpacking(
        _CLASSES,
        parts["shared"],
        array,
        lambda name: pl.read_ipc(member(_table_file(name))),
    )

    def read(name: str) -> Any:
        with lock:
            if name not in made and name == "study":
                text = member(RECIPE).decode()
                made[name] = parse_study(text, str(folder / RECIPE), called, folder)
            if name not in made:
                made[name] = named(name, unpacking.unpack(parts["results"][name]))
            return made[name]

    return Results.lazily(read)


def read_package(folder: Path) -> dict[str, Any]:
    """Read what a results folder says of itself; refuse what cannot be opened."""
    marker = read_marker(folder)
    try:
        about = json.loads((folder / PACKAGE).read_text("utf-8"))
        own = about["commonweal"]
        written, study, form = str(own["version"]), str(own["study"]), own["format"]
        about["resources"] = [dict(resource) for resource in about["resources"]]
        about["commonweal"] = {key: own[key] for key in (*_OWN, *own)}
    except (FileNotFoundError, NotADirectoryError):
        if not folder.exists():
            raise CommonwealError(f"{folder}: there is no such folder") from None
        if "study" not in marker or not (folder / RECIPE).is_file():
            raise CommonwealError(
                f"{folder} is no results folder; expected one that `commonweal run STUDY` has written"
            ) from None
        raise CommonwealError(
            f"{folder} was written by a version of Commonweal ({marker['commonweal']}) whose results cannot be "
            f"opened again.\n{_again(folder, str(marker['study']))}"
        ) from None
    except OSError as error:
        raise CommonwealError(f"{folder / PACKAGE} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CommonwealError(
            f"{folder / PACKAGE} is damaged.\n{_again(folder, str(marker.get('study', 'study')))}"
        ) from None
    if form != FORMAT:
        raise CommonwealError(
            f"{folder} is a results folder of format {form} (Commonweal {written}); this version opens format {FORMAT}."
            f"\n{_again(folder, study)}"
        )
    return dict(about)


def _again(folder: Path, study: str) -> str:
    own = folder / RECIPE
    named = study if study in shipped_studies() else own if own.is_file() else f"{study}.yaml"
    return f"Run the study again: commonweal run {named} --out {folder}"


class _Members:
    """The files of a results folder, each read whole and compared with its checksum."""

    def __init__(self, folder: Path, hashes: Mapping[str, str], study: str, package: bytes) -> None:
        self.folder = folder
        self.hashes = hashes
        self.study = study
        self.package = package

    def read(self, name: str) -> bytes:
        """Give the bytes of a file; refuse them if they are not those that were written."""
        try:
            found = (self.folder / name).read_bytes()
        except FileNotFoundError:
            fault = "is missing"
        except OSError as error:
            fault = f"cannot be read ({error.strerror})"
        else:
            if self.hashes.get(name) == f"sha256:{hashlib.sha256(found).hexdigest()}":
                return found
            fault = "is damaged: its checksum is not the one in datapackage.json"
        with suppress(OSError):
            if (self.folder / PACKAGE).read_bytes() != self.package:
                raise CommonwealError(
                    f"{self.folder} has been written again since it was opened; open it again"
                )
        raise CommonwealError(f"{self.folder / name} {fault}.\n{_again(self.folder, self.study)}")
