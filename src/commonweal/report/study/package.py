"""The results folder described for programs: a Data Package, with every file, column, source and licence."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.files.atomic import sha256_of
from commonweal.files.folder import MARK
from commonweal.report.study.columns import describe_columns
from commonweal.study.files import own_path
from commonweal.study.fingerprint import fingerprint, own_hashes, sensitivity_hash
from commonweal.study.saved import FORMAT
from commonweal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from commonweal.study.results import Results

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"

_MEDIA = {
    "arrow": "application/vnd.apache.arrow.file",
    "csv": "text/csv",
    "gpkg": "application/geopackage+sqlite3",
    "html": "text/html",
    "json": "application/json",
    "npz": "application/zip",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "yaml": "application/yaml",
}


def data_package(
    results: Results,
    folder: Path,
    holds: Mapping[str, str],
    schemas: Mapping[str, Mapping[str, pl.DataType]],
    day: date | None = None,
) -> str:
    """Describe a results folder whose other files are all written, as the text of its ``datapackage.json``.

    `day` is left out if not given, so that the same results give the same text.
    """
    study = results.study
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    about = {
        "$schema": PROFILE,
        "name": study.name.lower(),
        "title": study.title,
        **({"created": f"{day}T00:00:00Z"} if day else {}),
        "sources": list(_sources(results.provenance)),
        "licenses": list(_licences(results.provenance)),
        "commonweal": _own(results),
        "resources": [
            {
                **_resource(folder, name, holds.get(name) or holds[name.split("/")[0]]),
                **_table(results, folder, name, schemas),
            }
            for name in files
        ],
    }
    about = {key: value for key, value in about.items() if value != []}
    return json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _own(results: Results) -> dict[str, Any]:
    """Say what opening the folder, or opening it in place of a run, needs to know."""
    study = results.study
    read = {(s["path"], s["sha256"]) for s in results.provenance["sources"]}
    names = {name for name, _ in read}
    own = {(own_path(study, name).name, of.get("")) for name, of in own_hashes(study).items()}
    # A file that was changed while the study ran is not the one that the results are of; one that was not read, as of
    # an indicator that no index uses, has no part in them.
    known = not results.provenance.get("rescored") and {f for f in own if f[0] in names} <= read
    drawn = bool(results.certainty) or not results.designations
    return {
        "format": FORMAT,
        "version": __version__,
        "study": study.name,
        "fingerprint": fingerprint(study) if known else None,
        "draws": study.certainty.draws if study.certainty and drawn else 0,
        "sensitivity": sensitivity_hash(study) if results.sensitivity else "",
    }


def _resource(folder: Path, name: str, what: str) -> dict[str, Any]:
    file, kind = folder / name, PurePosixPath(name).suffix.removeprefix(".")
    return {
        "name": re.sub(r"[^-a-z0-9._/]", "-", name.lower()),
        "path": name,
        "description": what,
        "format": kind,
        "mediatype": _MEDIA[kind],
        **({"encoding": "utf-8"} if kind == "csv" else {}),
        # How long the steps of a run took is another each time.
        **(
            {}
            if name == MARK
            else {"bytes": file.stat().st_size, "hash": f"sha256:{sha256_of(file)}"}
        ),
    }


def _table(
    results: Results, folder: Path, name: str, schemas: Mapping[str, Mapping[str, pl.DataType]]
) -> dict[str, Any]:
    """Describe the columns of a table; nothing of what is none."""
    schema = pl.read_ipc_schema(folder / name) if name.endswith(".arrow") else schemas.get(name)
    if schema is None:
        return {}
    return {"type": "table", "schema": {"fields": list(describe_columns(results, name, schema))}}


def _sources(provenance: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Give the sources that the results were made from."""
    for source in provenance.get("sources", ()):
        told = {
            "title": source["title"],
            "path": source["url"] or source["path"],
            "version": source["vintage"],
        }
        yield {key: str(value) for key, value in told.items() if value}


def _licences(provenance: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Give the licences of the sources, each once."""
    seen = {
        (source["licence"], source["licence_url"]): None
        for source in provenance.get("sources", ())
        if source["licence"]
    }
    for title, url in seen:
        name = re.sub(r"[^-a-zA-Z0-9._]+", "-", title).strip("-")
        yield {"name": name, "title": title, **({"path": url} if url else {})}
