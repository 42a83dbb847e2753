"""A mixture changed by hand: components renamed, merged and split.

Each function returns another model with the same autoencoder and leaves the one it was given as it
is: whoever keeps that can go back. What was done stands in the model's provenance.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vaegmm.errors import InputError
from vaegmm.labelling import UNNAMED, ComponentNames
from vaegmm.mixture import GaussianMixture, as_matrices
from vaegmm.model import VAEGMM

BY_HAND = "by_hand"  # the entry of the provenance that lists what was done

_LEAST_SHARE = 1e-3  # of a point that belongs to a component that is split
_LEAST_MEMBERS = 2  # stored z for each dimension of each half


def rename(model: VAEGMM, component: int, label: int) -> VAEGMM:
    """Call a component what a person says, or nothing.

    Args:
        model: with names.
        component: which, from 0 to K - 1.
        label: its label from now on, with certainty; UNNAMED takes its name away: it then says of
            an image only how frequent the labels are as a whole.

    Raises:
        ValueError: if there is no such component or label, or the model has no names.
    """
    names = model.require_names()
    _check_component(model, component)
    n_labels = len(model.label_names)
    if not UNNAMED <= label < n_labels:
        raise InputError(
            f"label must lie from 0 to {n_labels - 1}, or be {UNNAMED}; got label={label}.",
            reason="no such label",
        )
    table, called = names.label_given_component.copy(), names.names.copy()
    frequencies = model.mixture.weights_ @ table
    table[component] = frequencies if label == UNNAMED else np.eye(n_labels)[label]
    called[component] = label
    title = "nothing" if label == UNNAMED else model.label_names[label]
    other = _edited(model, f"cluster {component} called {title}")
    other.names = replace(names, label_given_component=table, names=called)
    return other


def merge(model: VAEGMM, components: Sequence[int]) -> VAEGMM:
    """Make one component of several: with their common weight, mean and covariance.

    It takes the place of the first of them; those behind the others move up. What it is called is
    the mean of what they were called, by their weights.

    Args:
        model: with or without names.
        components: two at least, each from 0 to K - 1.

    Raises:
        ValueError: if these are not two different components of the model.
    """
    members = sorted(set(components))
    for component in members:
        _check_component(model, component)
    if len(members) < 2:
        raise InputError(
            f"components must be two different ones at least; got {list(components)}.",
            reason="one cluster to merge",
        )
    mixture = model.mixture
    shares = mixture.weights_[members] / mixture.weights_[members].sum()
    means, covariances = mixture.means_[members], _matrices(model)[members]
    mean = shares @ means
    away = means - mean
    covariance = np.einsum("k,kij->ij", shares, covariances) + (away.T * shares) @ away
    names = model.names
    if names is not None:
        row = shares @ names.label_given_component[members]
        is_named = (names.names[members] != UNNAMED).any()
        names = _with_rows(names, members, row[None], [row.argmax() if is_named else UNNAMED])
    done = f"clusters {', '.join(map(str, members[:-1]))} and {members[-1]} merged"
    weight = mixture.weights_[members].sum(keepdims=True)
    return _with_components(model, members, weight, mean[None], covariance[None], names, done)


def split(model: VAEGMM, component: int) -> VAEGMM:
    """Make two components of one, by EM on what it is responsible for.

    EM begins one standard deviation to either side of the mean, along the component's longest axis.
    The second half comes to stand behind all others. Both are called what the one was called.

    Args:
        model: with or without names.
        component: which, from 0 to K - 1.

    Raises:
        ValueError: if there is no such component, or too few stored z belong to it.
    """
    _check_component(model, component)
    mixture, dimension = model.mixture, model.latents.shape[1]
    shares = mixture.predict_proba(model.latents)[:, component]
    is_member = shares > _LEAST_SHARE
    least = 2 * _LEAST_MEMBERS * dimension
    if shares.sum() < least:
        raise InputError(
            f"component {component} must be responsible for {least} stored z at least; it is for "
            f"{shares.sum():.1f}.",
            reason="small cluster",
            least=least,
        )
    lengths, axes = np.linalg.eigh(_matrices(model)[component])
    away = np.sqrt(lengths[-1]) * axes[:, -1]
    mean = mixture.means_[component]
    halves = GaussianMixture(
        2,
        covariance_type="full",
        tol=mixture.tol,
        max_iter=mixture.max_iter,
        reg_covar=mixture.reg_covar,
        means_init=np.stack([mean - away, mean + away]),
        random_state=0,
    ).fit(model.latents[is_member].astype(np.float64), sample_weight=shares[is_member])
    names = model.names
    if names is not None:
        rows = np.repeat(names.label_given_component[[component]], 2, axis=0)
        names = _with_rows(names, [component], rows, [names.names[component]] * 2)
    return _with_components(
        model,
        [component],
        mixture.weights_[component] * halves.weights_,
        halves.means_,
        halves.covariances_,
        names,
        f"cluster {component} split: its other half is cluster {len(mixture.weights_)}",
    )


def _edited(model: VAEGMM, done: str) -> VAEGMM:
    """Return a copy that says what was done to it; figures measured before no longer hold."""
    other = copy.copy(model)
    steps = [*model.provenance.get(BY_HAND, []), done]
    other.provenance, other.metrics = {**model.provenance, BY_HAND: steps}, {}
    other.forget_derived()
    return other


def _with_components(
    model: VAEGMM,
    old: Sequence[int],
    weights: np.ndarray,
    means: np.ndarray,
    covariances: np.ndarray,
    names: ComponentNames | None,
    done: str,
) -> VAEGMM:
    """Put new components, M of them, into the place of old ones; see `_replace`."""
    mixture = model.mixture
    changed = GaussianMixture.from_parameters(
        _replace(mixture.weights_, old, weights),
        _replace(mixture.means_, old, means),
        _replace(_matrices(model), old, covariances),
        **{
            name: getattr(mixture, name)
            for name in ("tol", "max_iter", "n_init", "reg_covar", "init_params", "random_state")
        },
    )
    changed.lower_bounds_ = [changed.score(model.latents)]
    changed.lower_bound_, changed.n_iter_, changed.converged_ = changed.lower_bounds_[0], 1, False
    other = _edited(model, done)
    config = replace(
        model.config.mixture, n_components=len(changed.weights_), covariance_type="full"
    )
    other.config = replace(model.config, mixture=config)
    other.mixture, other.names = changed, names
    return other


def _with_rows(
    names: ComponentNames, old: Sequence[int], rows: np.ndarray, called: Sequence[int]
) -> ComponentNames:
    return replace(
        names,
        label_given_component=_replace(names.label_given_component, old, rows),
        names=_replace(names.names, old, np.array(called, names.names.dtype)),
    )


def _replace(values: np.ndarray, old: Sequence[int], new: np.ndarray) -> np.ndarray:
    """Put the first new entry where the first old one stood, take the others out, add the rest."""
    values = np.array(values)
    values[old[0]] = new[0]
    return np.concatenate([np.delete(values, list(old[1:]), axis=0), new[1:]])


def _matrices(model: VAEGMM) -> np.ndarray:
    return as_matrices(model.mixture.covariances_, model.mixture)


def _check_component(model: VAEGMM, component: int) -> None:
    n_components = len(model.mixture.weights_)
    if not 0 <= component < n_components:
        raise InputError(
            f"component must lie from 0 to {n_components - 1}; got component={component}.",
            reason="no such cluster",
        )
