"""The API under random questions made from its own description."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from commonweal.web import create_app

if TYPE_CHECKING:
    from commonweal.web import Explorer

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SLOW = (".png", ".svg")
"""Drawings take long; a few of each do."""


def test_no_question_breaks_it(explorer: Explorer) -> None:
    """Every answer is of a status, kind and shape that the description names; none is a fault."""
    described = schemathesis.openapi.from_asgi("/api/openapi.json", create_app(explorer, hosts=()))
    asked: set[str] = set()
    for result in described.get_all_operations():
        operation = result.ok()
        few = operation.path.endswith(SLOW)

        @hypothesis.settings(
            max_examples=3 if few else 15,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS)

        ask()
        asked.add(operation.path)
    assert {
        "/",
        "/area/{code}",
        "/area/{code}/options",
        "/programme/{name}",
        "/api/areas",
        "/api/areas/{code}/options",
        "/api/programmes/{name}",
        "/api/rescore",
        "/api/tiles/{z}/{x}/{y}.mvt",
    } <= asked
