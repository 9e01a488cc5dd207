"""The recipe of a study: a YAML file, checked line by line into a `Study`.

A wrong key, weight, column or code is an error that names the file, the field, what was found, what
was expected and the nearest valid name.
"""

from commonweal.spec.study import Study

__all__ = [
    "Study",
]
