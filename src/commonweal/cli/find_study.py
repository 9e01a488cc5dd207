"""Find the study that an area belongs to, by code, name or postcode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.errors import (
    CommonwealError,
    UnreachableError,
    nearest,
)
from commonweal.study.fingerprint import areas_kept, boundaries_kept, load_asked

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.areas import Areas
    from commonweal.sources import Store
    from commonweal.spec import Study


def find_study(
    asked: str, store: Store, study: str | None = None, postcodes: Path | None = None
) -> tuple[Study, str]:
    """Find the study that an area belongs to, and the area's code."""
    from commonweal.study.names import (
        area_of_postcode,
        find_area,
        folded,
        is_postcode,
        larger_named,
    )
    from commonweal.study.postcodes import postcode_finder

    names = [study] if study else ["left-behind-2025", "left-behind-2019", "demo"]
    by_postcode = is_postcode(asked)
    away: UnreachableError | None = None
    seen: list[str] = []
    tried: list[Areas] = []
    several: CommonwealError | None = None
    for name in names:
        found = load_asked(name)
        try:
            areas = areas_kept(found, store)
        except UnreachableError as error:  # another study may have the area, and its data be here
            away = away or error
            continue
        wanted = asked
        if by_postcode and postcodes is not None:
            wanted = area_of_postcode(asked, str(postcodes), areas.system)
        elif by_postcode:
            outlines = boundaries_kept(found, areas, store)
            wanted = areas.codes[postcode_finder(areas, outlines, kept=store.cache)(asked)]
        try:
            row = find_area(areas, wanted)
        except CommonwealError as error:  # in another study it may be the whole name of one area
            several = several or error
            tried.append(areas)
            continue
        if row is not None and (
            several is None or folded(wanted).startswith(folded(areas.table["name"][row] or "-"))
        ):
            return found, areas.codes[row]
        if study or name != "demo":  # a fictional place is no help to who looks for a real one
            seen += [n for names in areas.names for n in names.drop_nulls()]
            tried.append(areas)
    if (fault := several or away) is not None:
        raise fault
    where = f"'{asked}' (in {wanted})" if by_postcode else f"'{asked}'"
    if larger := next((told for areas in tried if (told := larger_named(areas, asked))), None):
        raise CommonwealError(larger)
    example = tried[-1].codes[0]
    near = nearest(asked, seen)
    hint = f"{near} Expected" if near.startswith("did you mean") else "expected"
    raise CommonwealError(
        f"no area {where}; {hint} "
        f"a code such as {example}, a name, 'name, authority', or a postcode"
    )
