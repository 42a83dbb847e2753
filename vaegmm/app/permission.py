"""Who may do what: on a public server visitors look, and the owner alone changes anything.

With VAEGMM_PUBLIC=1 a server is open to others. VAEGMM_OWNER_PASSWORD is what its owner signs in
with, in the sidebar; without it nobody is the owner through a page, and the command line remains.
Without VAEGMM_PUBLIC whoever opens the app is its owner.
"""

from __future__ import annotations

import functools
import hmac
import os
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st

from vaegmm.app.words import sentence
from vaegmm.errors import ReasonedError

_P = ParamSpec("_P")
_T = TypeVar("_T")

MOST_TRIES = 20  # of the password by everybody together ...
TRIES_SECONDS = 600.0  # ... in this time
_TRY_SECONDS = 1.0  # that the answer to a try takes

# Session keys.
_IS_OWNER = "is_owner"  # no widget's: nothing that a browser sends gets there
_PASSWORD = "owner_password"
_REFUSED = "owner_refused"  # why somebody was not signed in

_lock = threading.Lock()
_tries: list[float] = []  # when passwords were wrong, or are being looked at


class NotOwnerError(ReasonedError):
    """Somebody who is not the owner wants what only the owner may do."""


def is_public() -> bool:
    """Whether this server is open to others than its owner."""
    return os.environ.get("VAEGMM_PUBLIC", "") not in ("", "0")


def is_owner() -> bool:
    """Whether the person whose page this is may change what others see."""
    return not is_public() or st.session_state.get(_IS_OWNER) is True


def require_owner() -> None:
    """Go on for the owner alone.

    Raises:
        NotOwnerError: if somebody else asks.
    """
    if not is_owner():
        raise NotOwnerError("only the owner of this server may do this.", reason="owner only")


def owner_only(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let only the owner call a function; whoever else does gets a NotOwnerError.

    It stands where something is done and not only where a button is drawn: what a browser sends
    need not come from a button.
    """

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        require_owner()
        return function(*args, **kwargs)

    return guarded


def say_at_home(what: str) -> None:
    """Say what only the owner can do here, and how everybody can.

    Args:
        what: is done, such as "Trainings are started"; the sentence goes on from there.
    """
    st.info(
        f"{what} by the owner of this server. To do it yourself, run vaegmm at home: `make app` in "
        "a clone of the project.",
        icon=":material/visibility:",
    )


def offer_sign_in() -> None:
    """Let the owner sign in and out; on a server that is not public draw nothing."""
    if not is_public():
        return
    if is_owner():
        st.caption("Signed in as the owner of this server.")
        st.button("Sign out", icon=":material/logout:", on_click=_sign_out, key="owner_out")
        return
    st.caption(
        "You are a guest here. Look at everything, walk, draw, and teach it your hand: what you "
        "bring is seen by you alone, and gone when you leave."
    )
    if not _password():
        return
    with (
        st.expander("For the owner", icon=":material/key:"),
        st.form("owner", border=False, clear_on_submit=True),
    ):
        st.text_input("Password", type="password", key=_PASSWORD)
        st.form_submit_button("Sign in", on_click=_sign_in)
        if refused := st.session_state.pop(_REFUSED, None):
            st.error(refused, icon=":material/error:")


def _sign_in() -> None:
    try:
        check_password(str(st.session_state.get(_PASSWORD, "")))
    except NotOwnerError as error:
        st.session_state[_REFUSED] = sentence(error)
    else:
        st.session_state[_IS_OWNER] = True


def _sign_out() -> None:
    st.session_state.pop(_IS_OWNER, None)


def check_password(given: str) -> None:
    """Compare a password with the owner's; slowly, and not too often.

    Raises:
        NotOwnerError: if it is another one, there is none, or too many were wrong lately.
    """
    began = time.monotonic()
    with _lock:  # counted before it is looked at: many may try at once
        _tries[:] = [then for then in _tries if began - then < TRIES_SECONDS]
        if len(_tries) >= MOST_TRIES:
            raise NotOwnerError("too many wrong passwords.", reason="many passwords")
        _tries.append(began)
    time.sleep(_TRY_SECONDS)
    password = _password()
    is_right = hmac.compare_digest(given.encode(), password.encode())
    if not (password and is_right):
        raise NotOwnerError("the password is another one.", reason="wrong password")
    with _lock:
        _tries.remove(began)


def _password() -> str:
    return os.environ.get("VAEGMM_OWNER_PASSWORD", "")
