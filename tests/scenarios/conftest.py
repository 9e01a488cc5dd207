"""Failures in what follows a study show the values that differ."""

import pytest

pytest.register_assert_rewrite("tests.scenarios.follow")
