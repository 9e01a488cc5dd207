"""The whole recipe of a study, with every name in it checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import model_validator

from commonweal.spec.data import OwnAreas
from commonweal.spec.fields import StudyFields
from commonweal.spec.names import check_names
from commonweal.spec.panel import check_years
from commonweal.spec.social_capital import check_headlines

__all__ = ["Study"]


class Study(StudyFields):
    """A whole recipe; see docs/reference/study.md for every key."""

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        check_names(self)
        check_years(self.panel, self.indicators, self.index)
        check_headlines(self.social_capital, self.indicators)
        return self

    def moved_to(self, folder: Path) -> Study:
        """Give the same study as a file in another folder says it: files named from there."""
        short = {name for name, spec in self.files.items() if spec.file}

        def there(name: str) -> str:
            if not name or name in short or Path(name).is_absolute():
                return name
            path = (self.folder / name).absolute()
            try:
                return Path(os.path.relpath(path, folder.absolute())).as_posix()
            except ValueError:  # on Windows, on another drive
                return path.as_posix()

        def renamed(spec: Any) -> Any:
            file = spec.file
            parts = {
                k: renamed(p) for k in ("timetable", "complete") if (p := getattr(spec, k, None))
            }
            if parts:
                spec = spec.model_copy(update=parts)
            named = (
                {k: there(v) for k, v in file.items()} if isinstance(file, dict) else there(file)
            )
            return spec.model_copy(update={"file": named})

        areas = self.areas
        if isinstance(areas, OwnAreas):
            boundaries = areas.boundaries and renamed(areas.boundaries)
            joined = tuple(renamed(spec) for spec in areas.join)
            areas = renamed(areas).model_copy(update={"boundaries": boundaries, "join": joined})
        return self.model_copy(
            update={
                "folder": folder,
                "areas": areas,
                "replace": {id_: renamed(spec) for id_, spec in self.replace.items()},
                "files": {there(name): renamed(spec) for name, spec in self.files.items()},
                "access": self.access.model_copy(
                    update={
                        key: tuple(renamed(spec) for spec in getattr(self.access, key))
                        for key in ("points", "maps")
                    }
                ),
                "indicators": {name: renamed(spec) for name, spec in self.indicators.items()},
                "agreement": tuple(renamed(spec) for spec in self.agreement),
                "since": there(self.since) if self.since_is_file else self.since,
            }
        )

    def resolved(self) -> dict[str, Any]:
        """Give the recipe with every default filled in, as plain data."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"name", "folder"}, exclude_none=True
        )
