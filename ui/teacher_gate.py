"""Who may open the teacher's page: who knows the password, or whom the school's sign-in names.

Off by default. ``DLCORE_TEACHER_PASSWORD`` (or ``teacher_password`` in ``.streamlit/secrets.toml``) switches it on with
a password; ``teachers = ["mail@school.org"]`` beside an ``[auth]`` section there with Streamlit's own sign-in (OIDC).
A provider that does not say that an address is verified lets nobody in: anybody could have written it there.
"""

from __future__ import annotations

import hmac
import os
import time
from collections import deque
from collections.abc import Sequence

import streamlit as st

from dlcore.jobs.store import hashed
from ui.i18n import _
from ui.session import owner

PASSWORD = "DLCORE_TEACHER_PASSWORD"
SHORTEST = 8  # letters of a password that is accepted as one
TRIES, WITHIN = 10, 60.0  # wrong passwords that the whole server takes, and in how many seconds

_wrong: deque[float] = deque(maxlen=TRIES)
_known: set[str] = set()  # browsers that have been let in: nobody else's guessing keeps them out


def enabled() -> bool:
    """Whether this server has a teacher's page."""
    return bool(_password() or _teachers())


def _secret(name: str) -> object:
    try:
        return st.secrets.get(name)
    except Exception:  # no file of secrets, or one that cannot be read: said in the log by Streamlit
        return None


def _password() -> str:
    said = os.environ.get(PASSWORD) or str(_secret("teacher_password") or "")
    return said if len(said) >= SHORTEST else ""


def _teachers() -> Sequence[str]:
    said = _secret("teachers")
    return [str(mail).casefold() for mail in said] if isinstance(said, list | tuple) and _secret("auth") else []


def is_teacher() -> bool:
    """Whether this session has shown that it is the teacher's."""
    if enabled() and st.session_state.get("teacher"):
        return True
    teachers = _teachers()
    if not teachers or not st.user.get("is_logged_in"):
        return False
    return str(st.user.get("email", "")).casefold() in teachers and st.user.get("email_verified") is True


def ask() -> None:
    """The way in."""
    with st.container(key="teacher-gate"):
        if _teachers():
            _sign_in()
        if _password():
            with st.form("teacher-password", border=False):
                said = st.text_input(_("Password"), type="password")
                if st.form_submit_button(_("Enter"), type="primary"):
                    _try(said)


def _sign_in() -> None:
    if st.user.get("is_logged_in"):
        st.error(_("This account is not one of the teachers of this server."), icon=":material/error:")
        st.button(_("Sign out"), on_click=st.logout)
    else:
        st.button(_("Sign in with the school's account"), type="primary", on_click=st.login)


def _try(said: str) -> None:
    """Let in who knows the password; slow down who guesses."""
    now = time.monotonic()
    if len(_wrong) == TRIES and now - _wrong[0] < WITHIN and hashed(owner()) not in _known:
        st.error(_("Too many wrong passwords. Wait a minute."), icon=":material/error:")
    elif hmac.compare_digest(said.encode(), _password().encode()):
        st.session_state["teacher"] = True
        _known.add(hashed(owner()))
        st.rerun()
    else:
        _wrong.append(now)
        st.error(_("This is not the password."), icon=":material/error:")


def leave() -> None:
    """Forget that this session is the teacher's."""
    st.session_state.pop("teacher", None)
    if st.user.get("is_logged_in"):
        st.logout()
