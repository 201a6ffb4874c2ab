"""Signing in."""

from __future__ import annotations

from freellm_dashboard.shapes.wire import Answer, Body


class Session(Answer, frozen=True, kw_only=True):
    """Who is signed in.

    :param signed_in: whether the request came with a session that is good
    :param password_set: whether there is a password to sign in with; else `freellm dashboard link` prints a link
    :param password_required: whether nobody can sign in before a password is set, because others reach the server
    :param expires_at: Unix time at which the session ends at the latest
    :param version: freellm's version
    """

    signed_in: bool
    password_set: bool
    password_required: bool
    expires_at: float | None
    version: str


class Login(Body, frozen=True, kw_only=True):
    """Sign in with one of the two.

    :param password: the password
    :param token: the token of a one-time link
    """

    password: str | None = None
    token: str | None = None


class SessionRow(Answer, frozen=True, kw_only=True):
    """One browser that is signed in.

    :param id: what it is revoked by
    :param current: whether it is the one that asks
    :param created_at: Unix time
    :param seen_at: Unix time of its last request
    :param expires_at: Unix time
    :param client: the browser, as it calls itself
    """

    id: str
    current: bool
    created_at: float
    seen_at: float
    expires_at: float
    client: str


class Sessions(Answer, frozen=True, kw_only=True):
    """Every browser that is signed in.

    :param sessions: the last used first
    """

    sessions: list[SessionRow]


class NewPassword(Body, frozen=True, kw_only=True):
    """Set, change or remove the password.

    :param password: the new one; null removes it
    :param current: the one that is set now, if any is
    """

    password: str | None
    current: str | None = None


class Done(Answer, frozen=True, kw_only=True):
    """It is done.

    :param done: true
    """

    done: bool = True
