"""What the server says to a request that it does not take: a sentence in the language that the browser asks for."""

from __future__ import annotations

import math
from html import escape

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Scope

from dlcore.texts import N_
from ui.browsers import wants_page
from ui.i18n import catalogue, language_for

LONG = N_("This address is too long. Open the lesson from the start page, and set it there.")
LARGE = N_("This request is larger than the server takes.")
TOO_MANY = N_("Too many requests came from this browser. Wait a few seconds, then reload the page.")
FULL = N_(
    "As many people are using this server as it has room for. This page tries again by itself every half minute; "
    "nothing that you have trained is lost."
)
TABS = N_(
    "This browser has {n} pages of the playground open, as many as it may. Close some of them: this page tries again "
    "by itself every half minute."
)
FOREIGN = N_("This upload belongs to a page of another browser. Reload the page, then choose the file again.")
NO_ROOM = N_("There is no room for this file just now. Remove an earlier file, or try again in a few minutes.")
TITLE = N_("Not just now")
PAGE = (
    '<!doctype html><html lang="{code}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="{retry}"><title>{title}</title>'
    '<body style="font: 1.1rem/1.6 sans-serif; max-width: 36rem; margin: 20vh auto; padding: 0 1rem">'
    "<h1>{title}</h1><p>{text}</p>"
)


def answer(scope: Scope, template: str, status: int, *, retry: float = 0.0, **params: int) -> Response:
    """A refusal, as a page for who opens one and as plain text for all others.

    Args:
        retry: seconds after which to ask again; a page does so by itself.
        params: for the template; numbers only, since nothing of the request is repeated to it.
    """
    code = language_for(None, HTTPConnection(scope).headers.get("accept-language"))
    words = catalogue(code)
    text, wait = words.gettext(template).format(**params), max(1, math.ceil(retry))
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(wait)} if retry else {})
    if retry and wants_page(scope):
        page = PAGE.format(code=code, retry=wait, title=escape(words.gettext(TITLE)), text=escape(text))
        return HTMLResponse(page, status, headers)
    return PlainTextResponse(text, status, headers)
