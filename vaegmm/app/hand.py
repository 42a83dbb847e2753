"""The hand that a session has taught: a model that has learned it, for this session alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from vaegmm.adaptation import Drawing, learn
from vaegmm.app.in_page import MOST_DRAWINGS, Drawn
from vaegmm.errors import InputError
from vaegmm.model import VAEGMM
from vaegmm.vae import IMAGE_SHAPE

_MINE = "draw-mine"  # session key: the adapted model, and what it has come from


def adapted(model: VAEGMM, drawn: Drawn) -> VAEGMM:
    """Return the model that has learned what the page has told of; the model itself if nothing.

    Raises:
        ValueError: if what came from the browser is nothing that can be learned.
    """
    drawings, labels = _checked(model, drawn.hand)
    if not drawings:
        return model
    come_from = (model.fingerprint, drawn.revision)
    mine = st.session_state.get(_MINE)
    if mine is None or mine[0] != come_from:
        mine = st.session_state[_MINE] = (come_from, learn(model, drawings, labels))
    return mine[1]


def _checked(model: VAEGMM, hand: Any) -> tuple[list[Drawing], list[int]]:
    """Return drawings and their labels; those that another model knows are left out.

    Raises:
        ValueError: if they are no drawings with what they were.
    """
    drawings: list[Drawing] = []
    labels = []
    try:
        for told in list(hand)[:MOST_DRAWINGS]:
            name = told["truth"]
            if name in model.label_names:
                image = told.get("image")
                drawings.append(told["strokes"] if image is None else _as_image(image))
                labels.append(model.label_names.index(name))
    except (TypeError, KeyError, AttributeError, ValueError, OverflowError) as error:
        raise InputError("hand must be drawings with what they were.", reason="strokes") from error
    return drawings, labels


def _as_image(pixels: Any) -> np.ndarray:
    return np.array(pixels, np.uint8).reshape(IMAGE_SHAPE)
