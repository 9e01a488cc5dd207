"""Give parameters that share one description each its own type and default from the signature.

Griffe takes those of the first: without this, ``flags(available=0.65, nonzero=0.5)`` would be told with
0.65 for both. MkDocs loads it (`extensions` in mkdocs.yml).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import griffe


class Signatures(griffe.Extension):
    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        if func.docstring is None:
            return
        for section in func.docstring.parsed:
            if section.kind is not griffe.DocstringSectionKind.parameters:
                continue
            for told in section.value:
                with suppress(KeyError):  # such as **settings
                    stated = func.parameters[told.name]
                    told.annotation, told.value = stated.annotation, stated.default
