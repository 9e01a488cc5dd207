"""An example that runs as it is: the survey of the fictional county, and the files that it takes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from commonweal.demo import County, draw_survey, generate_county, write_survey
from commonweal.demo.survey import value_labels
from commonweal.errors import CommonwealError
from commonweal.study.small_areas.spec import EstimatesSpec, load_estimates
from commonweal.survey import Survey, load_spec, make_survey
from commonweal.survey.read import Microdata

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["example_spec", "example_survey", "write_example"]

_FILES = ("residents.yaml", "neighbourhoods.yaml", "with-trust.yaml")


def example_spec() -> EstimatesSpec:
    """Give what the example's file says."""
    with resources.as_file(_examples() / "neighbourhoods.yaml") as file:
        return load_estimates(file)


def example_survey(county: County, seed: int = 1) -> Survey:
    """Ask the fictional county again, without a file: another seed asks other people.

    Examples
    --------
    >>> survey = example_survey(generate_county(1, 60), seed=5)
    >>> survey.levels["sex"]
    ('female', 'male')
    """
    drawn = draw_survey(county, seed)
    labels = value_labels()
    asked = [name for name, codes in labels.items() if min(codes) < 0]
    answers = [pl.when(pl.col(name) > 0).then(name).cast(pl.Float64) for name in asked]
    with resources.as_file(_examples() / "residents.yaml") as file:
        return make_survey(load_spec(file), Microdata(drawn.with_columns(answers), labels))


def write_example(folder: str | Path) -> list[Path]:
    """Write the example into a folder: a survey in SPSS, what its columns mean, and what to do with it.

    Parameters
    ----------
    folder
        Made if it is not there.

    Returns
    -------
    list of Path
        ``residents.sav``, ``residents.yaml``, ``neighbourhoods.yaml``, and ``with-trust.yaml``: a study that
        takes the result as a strand.

    Raises
    ------
    CommonwealError
        If one of them is there, or the folder cannot be written; then none is.
    """
    folder = Path(folder)
    written = [folder / "residents.sav", *(folder / name for name in _FILES)]
    for file in written:
        if file.exists():
            raise CommonwealError(f"{file} is already there; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            (folder / name).write_text((_examples() / name).read_text("utf-8"), "utf-8")
        write_survey(draw_survey(generate_county()), written[0])
    except OSError as error:
        for file in written:  # none of them was there before
            file.unlink(missing_ok=True)
        raise CommonwealError(f"{folder} cannot be written: {error.strerror}") from None
    return written


def _examples() -> Traversable:
    return resources.files("commonweal.study.small_areas") / "examples"
