"""An example that runs as it is: the survey of the fictional county, and the two files that it takes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from commonweal.errors import CommonwealError
from commonweal.sources.county import draw_survey, generate_county, write_survey

__all__ = ["write_example"]

_FILES = ("residents.yaml", "neighbourhoods.yaml")


def write_example(folder: str | Path) -> list[Path]:
    """Write the example into a folder: ``residents.sav``, ``residents.yaml`` and ``neighbourhoods.yaml``.

    Parameters
    ----------
    folder
        Made if it is not there.

    Returns
    -------
    list of Path
        The three files.

    Raises
    ------
    CommonwealError
        If one of them is there, or the folder cannot be written.
    """
    folder = Path(folder)
    written = [folder / "residents.sav", *(folder / name for name in _FILES)]
    for file in written:
        if file.exists():
            raise CommonwealError(f"{file} is already there; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            text = (resources.files("commonweal.estimates") / "examples" / name).read_text("utf-8")
            (folder / name).write_text(text, "utf-8")
        write_survey(draw_survey(generate_county()), written[0])
    except OSError as error:
        raise CommonwealError(f"{folder} cannot be written: {error.strerror}") from None
    return written
