"""Results beside each other: two indices of the same places, and one index on smaller and larger places."""

from commonweal.compare.similarity import Pair, match_indices, spearman, worst_tenth
from commonweal.compare.studies import (
    IndexComparison,
    StudyComparison,
    compare_indices,
    compare_studies,
)
from commonweal.compare.units import UnitComparison, compare_units, larger_units

__all__ = [
    "IndexComparison",
    "Pair",
    "StudyComparison",
    "UnitComparison",
    "compare_indices",
    "compare_studies",
    "compare_units",
    "larger_units",
    "match_indices",
    "spearman",
    "worst_tenth",
]
