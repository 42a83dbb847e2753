"""The mixture that all pages show this visitor: the model's own, or one chosen on Mixture."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from vaegmm.editing import BY_HAND
from vaegmm.model import VAEGMM

_CHOSEN = "mixture_chosen"  # session key that no widget owns
_MOST_STEPS = 30  # that can be undone; each holds a mixture, not the network


@dataclass
class _Chosen:
    own: VAEGMM
    steps: list[VAEGMM] = field(default_factory=list)  # the last one is shown


def shown(own: VAEGMM) -> VAEGMM:
    """Return the model to show: `own`, or what was chosen instead of its mixture.

    Args:
        own: the model as it was loaded; another than before lets go of what was chosen.
    """
    chosen: _Chosen | None = st.session_state.get(_CHOSEN)
    if chosen is None or chosen.own.fingerprint != own.fingerprint:
        st.session_state[_CHOSEN] = chosen = _Chosen(own)
    return chosen.steps[-1] if chosen.steps else own


def current() -> VAEGMM:
    """Return what is shown; `shown` was asked before."""
    return shown(own())


def own() -> VAEGMM:
    """Return the model as it was loaded; `shown` was asked before."""
    chosen: _Chosen = st.session_state[_CHOSEN]
    return chosen.own


def choose(model: VAEGMM) -> None:
    """Show another mixture from the next run of the script on."""
    steps = st.session_state[_CHOSEN].steps
    steps.append(model)
    del steps[:-_MOST_STEPS]


def can_undo() -> bool:
    """Whether another mixture than the model's own is shown."""
    return bool(st.session_state[_CHOSEN].steps)


def undo() -> None:
    """Go back to what was shown before."""
    if can_undo():
        st.session_state[_CHOSEN].steps.pop()


def reset() -> None:
    """Go back to the model's own mixture."""
    st.session_state[_CHOSEN].steps.clear()


def before() -> VAEGMM:
    """Return what `undo` would go back to."""
    chosen: _Chosen = st.session_state[_CHOSEN]
    return chosen.steps[-2] if len(chosen.steps) > 1 else chosen.own


def describe(model: VAEGMM) -> str:
    """Say how the mixture that is shown differs from the model's own."""
    n_components, steps = len(model.mixture.weights_), model.provenance.get(BY_HAND, [])
    words = [f"{n_components} {'cluster' if n_components == 1 else 'clusters'}"]
    if steps:
        words.append(f"{len(steps)} {'change' if len(steps) == 1 else 'changes'} by hand")
    return ", ".join(words)
