"""What is put on top of numbers: a linear head for features, trees for measured shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from firstlight.evaluation import morphology
from firstlight.evaluation.cas import NAMES, smoothness

__all__ = ["linear_head", "shapes", "tuned_trees"]

STRENGTHS = (1e-3, 1e-2, 1e-1)


def linear_head(features: ArrayLike, labels: ArrayLike, seed: int = 0) -> Any:
    """Logistic regression on standardized features, its penalty chosen by cross-validation.

    Args:
        features: Shape (n, k).
        labels: 0 or 1, shape (n,).
        seed: Of the folds.

    Returns:
        A fitted scikit-learn pipeline with `predict_proba`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    grid = {"logisticregression__C": STRENGTHS}
    search = GridSearchCV(line, grid, cv=folds, scoring="neg_log_loss")
    return search.fit(np.asarray(features), np.asarray(labels)).best_estimator_


def shapes(images: ArrayLike, noise: float = 1.0) -> pd.DataFrame:
    """The five numbers of the classical merger finders, for many images at once.

    Args:
        images: Shape (n, side, side), one band, sky subtracted.
        noise: Standard deviation of the sky.

    Returns:
        The columns of `cas.NAMES`, after the definitions that statmorph follows
        (`cas.cas_gini_m20`), some hundred times faster.
    """
    found = pd.DataFrame(morphology.measure(images, noise=noise))
    found["smoothness"] = smoothness(images, found["petrosian_radius"].to_numpy(), noise)
    return found[list(NAMES)]


def tuned_trees(features: ArrayLike, labels: ArrayLike, seed: int = 0) -> Any:
    """The best of a forest and of boosted trees, each at two settings, by cross-validation.

    Args:
        features: Shape (n, k).
        labels: 0 or 1, shape (n,).
        seed: Of trees and folds.

    Returns:
        A fitted scikit-learn classifier with `predict_proba`.
    """
    from sklearn.base import clone
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    x, y = np.asarray(features), np.asarray(labels)
    known: list[Any] = [
        ExtraTreesClassifier(150, min_samples_leaf=leaf, random_state=seed) for leaf in (2, 6)
    ]
    known += [
        HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=rounds, max_leaf_nodes=8, random_state=seed
        )
        for rounds in (40, 100)
    ]
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    scores = [cross_val_score(model, x, y, cv=folds, scoring="neg_log_loss").mean()
              for model in known]  # fmt: skip
    return clone(known[int(np.argmax(scores))]).fit(x, y)
