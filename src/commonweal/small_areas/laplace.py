"""The likelihood of a multilevel logistic regression: Laplace approximation and bordered Cholesky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.sparse import csr_array, hstack
from scipy.special import expit, logsumexp

from commonweal.errors import DataError
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from commonweal.small_areas.checks import Array, Codes


BLOCK = 20_000  # rows whose variance is worked out at a time


@dataclass(frozen=True, slots=True, eq=False)
class BorderedCholesky:
    """A factored matrix: `root` is the upper Cholesky factor of what is left of C once D is eliminated."""

    root: Array
    cross: Any  # B, sparse: columns of C x levels
    diagonal: Array  # D

    def log_determinant(self) -> float:
        """Give the log of the determinant."""
        return float(2 * np.log(np.diag(self.root)).sum() + np.log(self.diagonal).sum())

    def solve(self, c: Array, u: Array) -> tuple[Array, Array]:
        """Solve for a right-hand side in its two parts."""
        top = cho_solve((self.root, False), c - self.cross @ (u / self.diagonal))
        return top, (u - self.cross.T @ top) / self.diagonal

    def inverse_diagonals(self) -> tuple[Array, Array]:
        """Give the diagonal of the inverse, in its two parts."""
        half = solve_triangular(self.root, np.eye(len(self.root)), trans="T")
        reduced = csr_array(self.cross.T).multiply(1 / self.diagonal[:, None])
        return (half**2).sum(axis=0), 1 / self.diagonal + self._quadratic(csr_array(reduced))

    def row_variances(self, columns: Any, codes: Codes, scale: float) -> Array:
        """Give m'H^-1 m for rows m = (their columns of C, `scale` at their level)."""
        reduced = csr_array(self.cross.T).multiply((scale / self.diagonal)[:, None])
        rows = csr_array(columns - csr_array(reduced)[codes])
        return scale**2 / self.diagonal[codes] + self._quadratic(rows)

    def draws(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw from the normal distribution whose precision this is: columns x n and levels x n."""
        k = len(self.root)
        top = solve_triangular(self.root, rng.standard_normal((k, n)))
        noise = rng.standard_normal((len(self.diagonal), n))
        bottom = noise / np.sqrt(self.diagonal)[:, None]
        return top, bottom - (self.cross.T @ top) / self.diagonal[:, None]

    def _quadratic(self, rows: Any) -> Array:
        """Give r'S^-1 r of each sparse row r, a block of rows at a time."""
        half = solve_triangular(self.root, np.eye(len(self.root)))  # S^-1 = half half'
        out = np.empty(rows.shape[0])
        for start in range(0, len(out), BLOCK):
            out[start : start + BLOCK] = ((rows[start : start + BLOCK] @ half) ** 2).sum(axis=1)
        return out


def factorise(
    weights: Array, columns: Any, penalty: Array, codes: Codes, levels: int, scale: float
) -> BorderedCholesky:
    """Factor the weighted sums of squares of rows (columns of C, `scale` at their level)."""
    weighted = columns.multiply(weights[:, None]).tocsr()
    diagonal = 1 + scale**2 * np.bincount(codes, weights, levels).astype(np.float64)
    member = csr_array(
        (np.full(len(codes), scale), (np.arange(len(codes)), codes)), shape=(len(codes), levels)
    )
    cross = csr_array(weighted.T @ member)
    full = (columns.T @ weighted).toarray() + np.diag(penalty)
    left = full - (cross.multiply(1 / diagonal) @ cross.T).toarray()
    try:
        root = cholesky(left, lower=False) if len(left) else np.empty((0, 0))
    except np.linalg.LinAlgError as error:
        raise DataError(
            "the coefficients cannot be told apart (no outcome varies with them, or covariates and factors "
            "repeat each other); expected covariates that each add something"
        ) from error
    return BorderedCholesky(root, cross, diagonal)


Method = Literal["reml", "ml"]

NODES = 9  # of quadrature over each level of the largest factor
STEPS = 100  # of Newton; five to eight are usual
LEAST, MOST = (
    1e-3,
    20.0,
)  # log-odds: a standard deviation below the first is 0, and none is above the second


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Rows with what is in them; `small` are the factors but the largest, in order."""

    y: Array
    n: Array
    x: Array
    codes: tuple[Codes, ...]
    sizes: tuple[int, ...]
    largest: int
    member: Any  # rows x levels of the small factors, ones
    refined: bool  # whether the largest factor is integrated by quadrature

    @property
    def small(self) -> list[int]:
        """Give the places of the factors but the largest."""
        return [f for f in range(len(self.sizes)) if f != self.largest]


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """Where the penalised likelihood is highest, for given standard deviations."""

    c: Array
    u: Array
    eta: Array
    mu: Array
    weight: Array
    columns: Any
    arrow: BorderedCholesky
    height: float  # minus the penalised log-likelihood


def one_thread() -> AbstractContextManager[object]:
    """Keep linear algebra to one thread: these matrices are small and many, and threads wait for each other."""
    with needs("survey"):
        from threadpoolctl import threadpool_limits
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def merged(
    y: Array,
    n: Array,
    x: Array,
    codes: tuple[Codes, ...],
    sizes: tuple[int, ...],
    refined: bool,
) -> Data:
    """Put equal rows together and lay out the factors."""
    keys = np.column_stack([*codes, x])
    found, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.ravel()
    f = len(codes)
    codes_now = tuple(found[:, j].astype(np.int64) for j in range(f))
    largest = int(np.argmax(sizes))
    rows = np.arange(len(found))
    blocks = [
        csr_array((np.ones(len(found)), (rows, codes_now[j])), shape=(len(found), sizes[j]))
        for j in range(f)
        if j != largest
    ]
    member = hstack(blocks, format="csr") if blocks else csr_array((len(found), 0))
    return Data(
        _sums(place, y, len(found)), _sums(place, n, len(found)), np.ascontiguousarray(found[:, f:]),
        codes_now, sizes, largest, member, refined,
    )  # fmt: skip


def _sums(place: Codes, values: Array, size: int) -> Array:
    """Add values up by place."""
    return np.bincount(place, values, size).astype(np.float64, copy=False)


def climb(data: Data, method: Method) -> tuple[Array, Array | None, Mode]:
    """Find the standard deviations (and under ML the coefficients) that maximise the approximation."""
    f, p = len(data.sizes), data.x.shape[1]
    last: list[Mode | None] = [None]

    def joint(theta: Array) -> tuple[float, Array]:
        last[0] = mode = find_mode(data, theta, None, last[0])
        return criterion(data, theta, mode), _gradient(data, theta, mode, fixed=True)

    theta = lowest(joint, np.full(f, 0.5), f)
    mode = find_mode(data, theta, None, last[0])
    if method == "reml":
        return theta, None, mode
    scale = np.sqrt(mode.arrow.inverse_diagonals()[0][:p])
    centre, last[0] = mode.c[:p], None

    def marginal(free: Array) -> tuple[float, Array]:
        beta = centre + scale * free[f:]
        last[0] = mode = find_mode(data, free[:f], beta, last[0])
        slope = _gradient(data, free[:f], mode, fixed=False)
        slope[f:] *= scale
        return criterion(data, free[:f], mode), slope

    best = lowest(marginal, np.concatenate([np.maximum(theta, 0.01), np.zeros(p)]), f)
    beta = centre + scale * best[f:]
    return best[:f], beta, find_mode(data, best[:f], beta, last[0])


def lowest(
    function: Callable[[Array], tuple[float, Array]], start: Array, f: int, precise: float = 1e-13
) -> Array:
    """Go down to the lowest point; the first `f` numbers are standard deviations, moved by their logs."""

    def on_logs(free: Array) -> tuple[float, Array]:
        at = np.concatenate([np.exp(free[:f]), free[f:]])
        value, slope = function(at)
        return value, np.concatenate([slope[:f] * at[:f], slope[f:]])

    begin = np.concatenate([np.log(start[:f]), start[f:]])
    bounds = [(np.log(LEAST), np.log(MOST))] * f + [(None, None)] * (len(start) - f)
    options = {"maxiter": 500, "ftol": precise, "gtol": 1e-7}
    found = minimize(  # type: ignore[call-overload]  # its stubs know no bounds of None
        on_logs, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    sd = np.exp(found.x[:f])
    return np.concatenate([np.where(sd < 2 * LEAST, 0.0, sd), found.x[f:]])


def criterion(data: Data, theta: Array, mode: Mode) -> float:
    """Give minus the approximate log-likelihood (restricted if coefficients are part of the mode)."""
    return mode.height + mode.arrow.log_determinant() / 2 - beyond(data, theta, mode)[0]


def restricted(data: Data, theta: Array, start: Mode | None = None) -> tuple[float, Array, Mode]:
    """Give minus the restricted log-likelihood for given standard deviations, its slope, and the mode."""
    mode = find_mode(data, theta, None, start)
    return criterion(data, theta, mode), _gradient(data, theta, mode, fixed=True), mode


def beyond(data: Data, theta: Array, mode: Mode) -> tuple[float, Array, Array, float]:
    """Give what quadrature over each level of the largest factor adds to the Laplace approximation.

    It matters where levels have few rows each: an approximation by a normal is poor there. Adaptive Gauss-Hermite
    nodes about each level's mode, all else at the joint mode (Pinheiro and Bates 1995). Also its slopes: by
    the linear predictors, by them without the level's own effect, and by the factor's standard deviation.
    """
    if not data.refined:
        return 0.0, np.zeros(len(data.y)), np.zeros(len(data.y)), 0.0
    code, size, t = data.codes[data.largest], data.sizes[data.largest], float(theta[data.largest])
    s2 = _sums(code, mode.weight, size)
    h2 = 1 + t**2 * s2
    nodes, weights = np.polynomial.hermite.hermgauss(NODES)
    eta = mode.eta
    residual = data.y - data.n * mode.mu
    logs, moves, pulls = np.empty((NODES, size)), np.empty((NODES, size)), []
    for k in range(NODES):
        step = np.sqrt(2 / h2) * nodes[k]
        there = eta + t * step[code]
        rise = data.y * (there - eta) - data.n * (np.logaddexp(0, there) - np.logaddexp(0, eta))
        moves[k] = mode.u + step
        logs[k] = _sums(code, rise, size) - (moves[k] ** 2 - mode.u**2) / 2
        logs[k] += nodes[k] ** 2 + np.log(weights[k] / np.sqrt(np.pi))
        pulls.append(data.y - data.n * expit(there))
    term = logsumexp(logs, axis=0)
    share = np.exp(logs - term)
    mean_pull = sum(share[k][code] * pulls[k] for k in range(NODES))
    moved = sum(
        float((share[k] * moves[k]) @ _sums(code, pulls[k], size)) for k in range(NODES)
    ) - float(mode.u @ _sums(code, residual, size))
    by_eta = (t**2 / 2 / h2)[code] * mode.weight * (1 - 2 * mode.mu)
    by_sd = moved + float((t * s2 / h2).sum())
    return float(term.sum()), by_eta, mean_pull - residual, by_sd


def find_mode(data: Data, theta: Array, beta: Array | None, start: Mode | None) -> Mode:
    """Climb by Newton's steps; coefficients are among what moves unless they are given."""
    scales = np.repeat(theta[data.small], [data.sizes[f] for f in data.small])
    columns = csr_array(data.member.multiply(scales[None, :])) if len(scales) else data.member
    penalty = np.ones(len(scales))
    if beta is None:
        columns = csr_array(hstack([csr_array(data.x), columns]))
        penalty = np.concatenate([np.zeros(data.x.shape[1]), penalty])
    offset = 0.0 if beta is None else data.x @ beta
    code, size, scale = (
        data.codes[data.largest],
        data.sizes[data.largest],
        float(theta[data.largest]),
    )
    c, u = (start.c, start.u) if start else (np.zeros(len(penalty)), np.zeros(size))

    def look(c: Array, u: Array) -> tuple[Array, float]:
        eta = offset + columns @ c + scale * u[code]
        fall = data.n @ np.logaddexp(0, eta) - data.y @ eta
        return eta, float(fall + (penalty @ c**2 + u @ u) / 2)

    eta, height = look(c, u)
    for _ in range(STEPS):
        mu = expit(eta)
        weight = data.n * mu * (1 - mu)
        arrow = factorise(weight, columns, penalty, code, size, scale)
        residual = data.y - data.n * mu
        slope_c = columns.T @ residual - penalty * c
        slope_u = scale * _sums(code, residual, size) - u
        step_c, step_u = arrow.solve(slope_c, slope_u)
        gain = float(slope_c @ step_c + slope_u @ step_u)
        if gain < 1e-18 * abs(height) + 1e-20:
            break
        length = 1.0
        while True:
            eta_new, height_new = look(c + length * step_c, u + length * step_u)
            if height_new <= height + 1e-13 * abs(height) or length < 1e-6:
                break
            length /= 2
        c, u = c + length * step_c, u + length * step_u
        settled = gain < 1e-9 and height - height_new <= 1e-13 * abs(height)
        eta, height = eta_new, height_new
        if settled:
            break
    mu = expit(eta)
    weight = data.n * mu * (1 - mu)
    arrow = factorise(weight, columns, penalty, code, size, scale)
    return Mode(c, u, eta, mu, weight, columns, arrow, height)


def _gradient(data: Data, theta: Array, mode: Mode, *, fixed: bool) -> Array:
    """Give the slope of (minus) the approximation by each standard deviation, then by each coefficient."""
    code, scale = data.codes[data.largest], float(theta[data.largest])
    size = data.sizes[data.largest]
    residual = data.y - data.n * mode.mu
    # half of how the log-determinant answers to a move of the linear predictor
    answer = (
        mode.weight * (1 - 2 * mode.mu) * mode.arrow.row_variances(mode.columns, code, scale) / 2
    )
    _, by_eta, by_offset, by_sd = beyond(data, theta, mode)
    answer = answer - by_eta
    inverse_c, inverse_u = mode.arrow.inverse_diagonals()
    p = data.x.shape[1] if fixed else 0
    starts = dict(
        zip(data.small, p + np.cumsum([0, *(data.sizes[f] for f in data.small)])[:-1], strict=True)
    )

    def followed(moved: Array, pull_c: Array, pull_u: Array, own: bool = False) -> float:
        """Follow the mode as the linear predictor is moved, by the largest factor's own effect or another."""
        weighted = mode.weight * moved
        d_c, d_u = mode.arrow.solve(
            pull_c - mode.columns.T @ weighted, pull_u - scale * _sums(code, weighted, size)
        )
        offset = mode.columns @ d_c + (0 if own else moved)
        eta = mode.columns @ d_c + moved + scale * d_u[code]
        return float(answer @ eta - by_offset @ offset)

    slopes = []
    for f in range(len(theta)):
        pull_c, pull_u = np.zeros(len(mode.c)), np.zeros(size)
        pull = _sums(data.codes[f], residual, data.sizes[f])
        if f == data.largest:
            effect, inverse, pull_u = mode.u, inverse_u, pull
        else:
            part = slice(starts[f], starts[f] + data.sizes[f])
            effect, inverse = mode.c[part], inverse_c[part]
            pull_c[part] = pull
        moved = effect[data.codes[f]]
        trace = (data.sizes[f] - inverse.sum()) / theta[f] if theta[f] > 0 else 0.0
        slopes.append(trace - residual @ moved + followed(moved, pull_c, pull_u, f == data.largest))
    slopes[data.largest] -= by_sd
    if not fixed:
        none_c, none_u = np.zeros(len(mode.c)), np.zeros(size)
        slopes += [followed(column, none_c, none_u) - residual @ column for column in data.x.T]
    return np.array(slopes)
