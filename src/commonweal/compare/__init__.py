"""Results beside each other: two indices of the same places, and one index on smaller and larger places."""

from commonweal.compare.indices import IndexComparison, compare_indices
from commonweal.compare.likeness import spearman, worst_tenth
from commonweal.compare.matching import Pair, match_indices
from commonweal.compare.studies import StudyComparison, compare_studies
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
