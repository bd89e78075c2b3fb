"""The headers of each answer, by themselves; what browsers make of them is in ``tests/browser/test_security.py``."""

from __future__ import annotations

import base64
import hashlib

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.waiting import on_a_loop
from ui import security
from ui.metrics import TOKEN, metrics
from ui.security import FRAMES, SecurityHeaders, frame_ancestors, harden_uvicorn, headers, is_page, policy


def rules() -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in policy().split("; "))


def test_no_script_runs_that_is_not_the_server_s_own():
    scripts = rules()["script-src"].split()
    assert rules()["default-src"] == "'none'"
    assert set(scripts[:3]) == {"'self'", "blob:", "'wasm-unsafe-eval'"}
    assert not {"'unsafe-inline'", "'unsafe-eval'", "data:", "*", "https:"} & set(scripts)
    assert all(rule in rules() for rule in ("base-uri", "form-action", "frame-ancestors"))
    assert not any("http" in value or "*" in value for value in rules().values()), "nothing from elsewhere"


def test_the_one_inline_script_is_allowed_by_its_hash():
    script = "\n      window.prerenderReady = false\n    "
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in rules()["script-src"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "'self'"),
        ("'none'", "'none'"),
        ("https://moodle.example.org", "https://moodle.example.org"),
        ("'self', https://*.example.org:8443 lms.example.org", "'self' https://*.example.org:8443 lms.example.org"),
    ],
)
def test_who_may_show_the_pages_in_a_frame(monkeypatch, given, told):
    monkeypatch.setenv(FRAMES, given)
    assert frame_ancestors() == told
    assert f"frame-ancestors {told}" in policy()
    assert ("x-frame-options" in headers(page=True)) is (told == "'self'")


@pytest.mark.parametrize("given", ["moodle", "self", "https://a.example; script-src *", "javascript:alert(1)", "a\nb"])
def test_a_mistake_there_keeps_the_server_from_starting(monkeypatch, given):
    monkeypatch.setenv(FRAMES, given)
    with pytest.raises(ValueError, match=FRAMES):
        SecurityHeaders(PlainTextResponse("x"))


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", True), ("/cnn", True), ("/nowhere/at/all", True), ("/media/a.png", False), ("/static/js/a.js", False),
        ("/components/a.js", False), ("/_stcore/health", False), ("/healthz", False), ("/mediation", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("base", ["", "/class"])
def test_pages_and_files_are_told_apart_also_under_a_path(monkeypatch, base, path, page):
    monkeypatch.setattr(security, "base_path", lambda: base)
    assert is_page(base + path) is page


@pytest.mark.parametrize("status", [200, 304, 404, 500])
def test_every_answer_has_them_and_no_header_of_the_app_weakens_them(status):
    app = SecurityHeaders(Response(status_code=status, headers={"Content-Security-Policy": "default-src *"}))
    sent: list[dict] = []

    async def send(message) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request"}

    on_a_loop(app({"type": "http", "path": "/cnn", "method": "GET", "headers": []}, receive, send))
    told = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    assert dict(told)["content-security-policy"] == policy()
    assert [name for name, _value in told].count("content-security-policy") == 1
    assert dict(told)["x-content-type-options"] == "nosniff"


def test_uvicorn_does_not_say_what_it_is_and_reads_no_huge_message():
    config = uvicorn.Config(PlainTextResponse("x"), log_config=None)
    config.load()
    assert (b"server", b"uvicorn") in config.encoded_headers
    harden_uvicorn()
    assert (b"server", b"uvicorn") not in config.encoded_headers
    assert config.ws_max_size == 8 * 10**6


@pytest.mark.parametrize(
    ("wanted", "given", "status"),
    [
        ("", "", 200), ("", "Bearer x", 200), (" s3cret\n", "Bearer s3cret", 200), ("s3cret", "", 401),
        ("s3cret", "Bearer s3cre", 401), ("s3cret", "s3cret", 401), ("s3cret", "Bearer ", 401), ("ü", "Bearer ü", 200),
    ],
)  # fmt: skip
def test_counts_are_for_who_sends_the_token_where_one_is_set(monkeypatch, wanted, given, status):
    monkeypatch.setenv(TOKEN, wanted)
    asked = Request({"type": "http", "headers": [(b"authorization", given.encode())]})
    answer = metrics(asked)
    assert answer.status_code == status
    assert (b"dlcore_up" in answer.body) is (status == 200)
