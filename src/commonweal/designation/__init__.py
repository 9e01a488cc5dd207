"""Who qualifies: rules as data, margins, near misses, what would change it, and how sure it is.

>>> from commonweal import designation
>>> both = [{"index": "needs", "worst": "10%"}, {"index": "money", "worst": 50}]
>>> print(designation.Rule.model_validate({"all": both}))
worst 10% on needs and worst 50 on money
"""

from commonweal.designation.comparison import Comparison, compare_designations
from commonweal.designation.designation import Designation, designate, evaluate_rule
from commonweal.designation.rule import AtMost, Condition, ConditionResult, Rule, Worst
from commonweal.designation.uncertainty import (
    Certainty,
    CertaintySpec,
    Sensitivity,
    SensitivitySpec,
    certainty,
    sensitivity,
)
from commonweal.designation.vintage import (
    INDICES_OF_DEPRIVATION,
    VintageModel,
    fit_vintage,
    next_release,
)

__all__ = [
    "INDICES_OF_DEPRIVATION",
    "AtMost",
    "Certainty",
    "CertaintySpec",
    "Comparison",
    "Condition",
    "ConditionResult",
    "Designation",
    "Rule",
    "Sensitivity",
    "SensitivitySpec",
    "VintageModel",
    "Worst",
    "certainty",
    "compare_designations",
    "designate",
    "evaluate_rule",
    "fit_vintage",
    "next_release",
    "sensitivity",
]
