"""The whole case for an investment: who gets what, where it goes, what it costs, what it is worth, how sure that is."""

from commonweal.invest.case.case import make_case
from commonweal.invest.case.model import Case, CaseOptions
from commonweal.invest.case.valuation import Values, load_values, shipped_values

__all__ = ["Case", "CaseOptions", "Values", "load_values", "make_case", "shipped_values"]
