"""Who qualifies: rules as data, margins, near misses, what would change it, and how sure it is.

>>> from commonweal import designation
>>> both = [{"index": "needs", "worst": "10%"}, {"index": "money", "worst": 50}]
>>> print(designation.Rule.model_validate({"all": both}))
worst 10% on needs and worst 50 on money
"""

from commonweal.designation.comparison import Comparison, compare_designations
from commonweal.designation.designation import Designation, designate
from commonweal.designation.rule import Condition, Rule
from commonweal.designation.uncertainty import Certainty, CertaintySpec, certainty
from commonweal.designation.vintage import INDICES_OF_DEPRIVATION, VintageModel, fit_vintage

__all__ = [
    "INDICES_OF_DEPRIVATION",
    "Certainty",
    "CertaintySpec",
    "Comparison",
    "Condition",
    "Designation",
    "Rule",
    "VintageModel",
    "certainty",
    "compare_designations",
    "designate",
    "fit_vintage",
]
