"""The API under random questions made from its own description."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis

from commonweal.web import create_app

if TYPE_CHECKING:
    import schemathesis

    from commonweal.web import Explorer

SLOW = (".png", ".svg")
"""Drawings take long; a few of each do."""


def test_no_question_breaks_it(explorer: Explorer) -> None:
    """Every answer is of a status, kind and shape that the description names; none is a fault."""
    import schemathesis  # not above: every worker reads this file
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    every = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
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
            case.call_and_validate(checks=every)

        ask()
        asked.add(operation.path)
    assert {
        "/",
        "/area/{code}",
        "/area/{code}/options",
        "/api/areas",
        "/documents/{name}",
        "/api/documents/{name}.json",
        "/api/rescore",
        "/api/tiles/{z}/{x}/{y}.mvt",
    } <= asked
