import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.access import Decay, Exponential, Gaussian, GaussianWithin, Power, Steps
from commonweal.errors import DataError

metres = st.floats(1e-3, 1e7)
HALVES: list[Callable[[float], Decay]] = [
    Exponential.half_at,
    Gaussian.half_at,
    GaussianWithin.half_at,
    lambda half: Power.half_at(half, floor_m=half / 3),
]


@given(st.sampled_from(HALVES), metres)
def test_the_weight_is_a_half_where_that_was_asked(
    half_at: Callable[[float], Decay], half: float
) -> None:
    assert half_at(half)(np.array([0.0, half])) == pytest.approx([1, 0.5])


decays = st.one_of(
    st.builds(Exponential, metres),
    st.builds(Gaussian, metres),
    st.builds(GaussianWithin, metres),
    st.builds(Power, st.floats(0.1, 4), metres),
    st.just(Steps((300, 800), (0.9, 0.1))),
)


@given(decays, st.lists(st.floats(0, 4e7), min_size=1))
def test_no_decay_rises_or_leaves_0_to_1(decay: Decay, far: list[float]) -> None:
    weight = decay(np.sort(far))
    assert ((weight >= 0) & (weight <= 1)).all()
    assert (np.diff(weight) <= 1e-15).all()


def test_weights_by_hand() -> None:
    at = np.array([0.0, 400.0, 800.0, 1600.0])
    e = math.e
    np.testing.assert_allclose(Exponential(400)(at), [1, 1 / e, e**-2, e**-4])
    np.testing.assert_allclose(Gaussian(400)(at), [1, e**-0.5, e**-2, e**-8])
    ends = GaussianWithin(800)(at)
    np.testing.assert_allclose(ends, [1, (e**-0.125 - e**-0.5) / (1 - e**-0.5), 0, 0], atol=1e-16)
    np.testing.assert_allclose(Power(1.5, 400)(at), [1, 1, 2**-1.5, 4**-1.5])
    assert Steps((400, 800), (1, 0.42))(at).tolist() == [1, 1, 0.42, 0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Exponential(0), "scale 0 m; expected a number above 0"),
        (lambda: Exponential.half_at(-5), "half at -5 m"),
        (lambda: Gaussian(math.nan), "width nan m"),
        (lambda: Gaussian.half_at(0), "half at 0 m"),
        (lambda: GaussianWithin(math.inf), "limit inf m"),
        (lambda: GaussianWithin.half_at(math.inf), "half at inf m"),
        (lambda: Power(-1, 100), "exponent -1; expected a number above 0"),
        (lambda: Power(1, 0), "floor 0 m"),
        (lambda: Power.half_at(100, floor_m=100), "half at 100 m; expected more than the floor"),
        (lambda: Power.half_at(100, floor_m=0), "floor 0 m"),
        (lambda: Steps((), ()), "0 distances and 0 weights"),
        (lambda: Steps((100, 200), (1,)), "2 distances and 1 weights"),
        (lambda: Steps((0, 200), (1, 0.5)), "distance 0 m"),
        (lambda: Steps((200, 200), (1, 0.5)), "200 m after 200 m; expected ascending"),
        (lambda: Steps((100, 200), (0.5, 1)), "weight 1 after 0.5; expected weights from 1 down"),
        (lambda: Steps((100,), (1.5,)), "weight 1.5 after 1"),
        (lambda: Steps((100, 200), (1, math.nan)), "weight nan after 1"),
    ],
)
def test_a_decay_that_makes_no_sense_is_refused(make: Callable[[], Decay], said: str) -> None:
    with pytest.raises(DataError, match=said):
        make()
