"""The recipe of a study: a YAML file, checked line by line into a `Study`.

A wrong key, weight, column or code is an error that names the file, the field, what was found, what
was expected and the nearest valid name.
"""

from commonweal.spec.data import (
    FileOrSource,
    FileSpec,
    JoinSpec,
    OwnAreas,
    ReplaceSpec,
    ValidationSpec,
    WholeFile,
)
from commonweal.spec.fields import BriefingSpec, HeadlineSpec
from commonweal.spec.indicators import (
    AccessSpec,
    CompleteSpec,
    CountsSpec,
    DecaySpec,
    IndicatorSpec,
    ReachSpec,
    TimetableSpec,
)
from commonweal.spec.indices import CrosswalkSpec, IndexSpec, PanelSpec
from commonweal.spec.study import (
    Study,
    earlier_study,
    load_study,
    parse_study,
    read_spec,
    shipped_studies,
    template,
)

__all__ = [
    "AccessSpec",
    "BriefingSpec",
    "CompleteSpec",
    "CountsSpec",
    "CrosswalkSpec",
    "DecaySpec",
    "FileOrSource",
    "FileSpec",
    "HeadlineSpec",
    "IndexSpec",
    "IndicatorSpec",
    "JoinSpec",
    "OwnAreas",
    "PanelSpec",
    "ReachSpec",
    "ReplaceSpec",
    "Study",
    "TimetableSpec",
    "ValidationSpec",
    "WholeFile",
    "earlier_study",
    "load_study",
    "parse_study",
    "read_spec",
    "shipped_studies",
    "template",
]
