"""A regressor for some dozen to some hundred samples: randomised trees and a Gaussian process, averaged."""

import warnings

import numpy as np

_TREES = 100
_MOST_FOR_PROCESS = 250  # its fit costs the cube of the samples; with so many the trees alone do well


class Committee:
    """The mean of bootstrapped extremely randomised trees and a Gaussian process, with what they are unsure of.

    With few samples both rank better together than either alone: trees find which features count, the process knows
    what is near to what. Fitting draws from a generator of its own with a fixed seed: the same samples, the same
    predictions.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        """Fit to float64 `x` (n, features) and `y` (n,), n >= 2."""
        from sklearn.ensemble import ExtraTreesRegressor

        self._mean, self._scale = x.mean(axis=0), x.std(axis=0) + 1e-9
        self._y_mean, self._y_scale = float(y.mean()), float(y.std()) + 1e-9
        scaled, target = self._scaled(x), (y - self._y_mean) / self._y_scale
        trees = ExtraTreesRegressor(_TREES, bootstrap=True, max_features=0.5, random_state=len(y), n_jobs=1)
        self._trees = trees.fit(scaled, target).estimators_
        self._process = _process(scaled, target) if len(y) <= _MOST_FOR_PROCESS else None

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation for each row of `x`, in the units of y: float64 (n,) each."""
        scaled = self._scaled(x)
        votes = np.array([tree.predict(scaled) for tree in self._trees])
        means, variances = [votes.mean(axis=0)], [votes.var(axis=0)]
        if self._process is not None:
            mean, deviation = self._process.predict(scaled, return_std=True)
            means.append(mean)
            variances.append(deviation**2)
        mean = np.mean(means, axis=0)
        deviation = np.sqrt(np.mean(variances, axis=0) + np.var(means, axis=0))
        return mean * self._y_scale + self._y_mean, deviation * self._y_scale

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        return np.asarray((x - self._mean) / self._scale)


def _process(x: np.ndarray, y: np.ndarray):  # type: ignore[no-untyped-def]  # scikit-learn has no types
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    kernel = ConstantKernel(1.0) * Matern(5.0, (1.0, 100.0), nu=2.5) + WhiteKernel(0.1, (1e-3, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a parameter at its bound is a fit as good as any
        return GaussianProcessRegressor(kernel).fit(x, y)
