"""Which headlines of social capital a study's indicators say something of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from commonweal.errors import nearest
from commonweal.files.explain import FieldError
from commonweal.social_capital import load_framework
from commonweal.spec.data import _Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.spec.indicators import IndicatorSpec

__all__ = ["HeadlineSpec", "check_headlines"]


class HeadlineSpec(_Part):
    """How an indicator of the study says something of a headline.

    Attributes
    ----------
    indicator
        The indicator.
    how
        ``measured``: counted, or asked of people there. ``modelled``: estimated from something else.
        ``proxy``: it stands in for the headline, which asks something else.
    caution
        What to beware of, in a sentence; a proxy needs one.
    """

    indicator: str = Field(min_length=1)
    how: Literal["measured", "modelled", "proxy"]
    caution: str = ""


def check_headlines(
    section: Mapping[str, HeadlineSpec], indicators: Mapping[str, IndicatorSpec]
) -> None:
    """Check that each headline and each indicator is there, and that they mean the same.

    Raises
    ------
    FieldError
        At the first fault.
    """
    if not section:
        return
    known = load_framework().headlines
    for id_, spec in section.items():
        at = ("social_capital", id_)
        if id_ not in known:
            raise FieldError(f"headline '{id_}' not found; {nearest(id_, known)}", *at)
        if spec.indicator not in indicators:
            found = f"indicator '{spec.indicator}' not found; {nearest(spec.indicator, indicators)}"
            raise FieldError(found, *at, "indicator")
        of = indicators[spec.indicator]
        if (of.higher_is == "less") != (known[id_].higher_is == "more"):
            more = "more" if known[id_].higher_is == "less" else "less"
            raise FieldError(
                f"higher means {known[id_].higher_is} social capital, and of '{spec.indicator}' "
                f"{of.higher_is} need; expected an indicator with 'higher_is: {more}'",
                *(*at, "indicator"),
            )
        if of.synthetic and spec.how == "measured":
            found = f"'{spec.indicator}' is synthetic; expected 'modelled' or 'proxy'"
            raise FieldError(found, *at, "how")
        if spec.how == "proxy" and not spec.caution:
            raise FieldError(
                "a proxy asks something else; expected a sentence that says what", *at, "caution"
            )
