"""Results beside each other: two indices of the same places, and one index on smaller and larger places.

>>> import numpy as np
>>> from commonweal.compare.similarity import spearman
>>> float(spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])))
0.5
"""

import sys
from types import ModuleType

from commonweal.compare.studies import IndexComparison, StudyComparison, compare_results

__all__ = [
    "IndexComparison",
    "StudyComparison",
    "compare_results",
]


class _Room(ModuleType):
    """The room, which is called as the front door's function of that name is: ``cw.compare(first, second)``."""

    __call__ = staticmethod(compare_results)


sys.modules[__name__].__class__ = _Room
