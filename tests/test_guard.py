"""The door of the server by itself: what it counts, what it refuses and in which words, without a server behind it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLsRequest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.waiting import on_a_loop
from ui import browsers, guard, guard_socket, limits
from ui.asking import address
from ui.limits import Buckets, Limits, Places

HTML = [(b"accept", b"text/html")]


def cookie() -> tuple[bytes, bytes]:
    """A browser's own, signed by this server."""
    return b"cookie", browsers._new_cookie(secure=False).split(";")[0].encode()


def scope(path: str = "/", kind: str = "http", headers=(), client: str = "10.0.0.1", **more) -> dict:
    return {
        "type": kind, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": list(headers), "client": (client, 1), "extensions": {"websocket.http.response": {}}, **more,
    }  # fmt: skip


class App:
    """What stands behind the door; ``seen`` are the scopes that came through."""

    def __init__(self) -> None:
        self.seen: list[dict] = []
        self.got: list[dict] = []

    async def __call__(self, scope, receive, send) -> None:
        self.seen.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"in"})
            return
        while (message := await receive())["type"] != "websocket.disconnect":
            self.got.append(message)


def ask(door, scope: dict, coming=()) -> SimpleNamespace:
    """What is answered: ``status``, ``headers``, ``text``, and all that was ``sent``."""
    sent, waiting = [], [{"type": "websocket.connect"}, *coming, {"type": "websocket.disconnect", "code": 1000}]

    async def receive() -> dict:
        return waiting.pop(0)

    async def send(message: dict) -> None:
        sent.append(message)

    on_a_loop(door(scope, receive, send))
    start = next((m for m in sent if m["type"].endswith("response.start")), {"status": 0, "headers": []})
    body = b"".join(m.get("body", b"") for m in sent if m["type"].endswith("response.body"))
    return SimpleNamespace(
        status=start["status"], headers=Headers(raw=start["headers"]), text=body.decode(), sent=sent
    )  # fmt: skip


def door(**numbers) -> guard.Guard:
    return guard.Guard(App(), Limits(**numbers))


def test_a_bucket_gives_its_burst_and_then_its_rate():
    bucket = Buckets(rate=2.0, burst=3.0)
    assert [bucket.take("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.take("b", 0.0) == 0.0, "each has its own"
    assert bucket.take("a", 0.4) == pytest.approx(0.1)
    assert bucket.take("a", 0.5) == 0.0
    assert [bucket.take("a", 100.0) for _ in range(4)].count(0.0) == 3, "no more than the burst is saved up"


def test_who_waits_as_told_is_at_the_rate():
    bucket, now, taken = Buckets(rate=10.0, burst=5.0), 0.0, 0
    while now < 60.0:
        now += bucket.take("a", now, debt=True)
        taken += 1
    assert taken == pytest.approx(600 + 5, abs=2)


def test_a_held_slider_and_all_ticks_of_a_page_never_wait():
    most = Limits()
    bucket = Buckets(most.messages_per_second, 5 * most.messages_per_second)
    assert all(bucket.take("a", k / 15, debt=True) == 0.0 for k in range(15 * 600))


def test_thirty_students_behind_one_address_open_a_lesson_in_the_same_second():
    at, students = door(), [[cookie(), *HTML] for _ in range(30)]
    answers = [
        ask(at, scope("/static/js/index.js", headers=headers)).status for headers in students for _ in range(200)
    ]
    assert set(answers) == {200}


def test_one_that_asks_without_end_is_answered_429_and_others_are_not():
    at, mine, other = door(requests_per_second=5), [cookie()], [cookie()]
    answers = [ask(at, scope("/media/x.png", headers=mine)) for _ in range(60)]
    assert [a.status for a in answers[:50]] == [200] * 50
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert ask(at, scope("/media/x.png", headers=other)).status == 200


def test_what_is_remembered_of_browsers_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "KEYS", 10)
    bucket = Buckets(1.0, 1.0)
    for k in range(100):
        bucket.take(k, 0.0)
    assert len(bucket._left) == 10
    assert bucket.take(99, 0.0) > 0


def test_places_are_given_back_also_after_a_fault():
    places = Places()

    def fall() -> None:
        with places.taken("a", None):
            assert (places["a"], places[None], places["b"]) == (1, 1, 0)
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fall()
    assert (places["a"], places[None]) == (0, 0)
    assert not places._taken


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"sessions": 2}, "As many people"),
        ({"sessions_per_address": 2}, "As many people"),
        ({"sessions_per_browser": 2}, "2 pages"),
    ],
)
def test_a_page_too_many_is_told_and_comes_by_itself_later(numbers, words):
    at, mine = door(**numbers), cookie()
    browser = browsers.owner_of({browsers.COOKIE: mine[1].decode().partition("=")[2]})
    with at.pages.taken(None, "10.0.0.1", browser, each=2):
        told = ask(at, scope("/cnn", headers=[mine, *HTML]))
        assert told.status == 503
        assert words in told.text
        assert 'http-equiv="refresh"' in told.text
        assert told.headers["retry-after"] == "30"
        chinese = ask(at, scope("/cnn", headers=[mine, *HTML, (b"accept-language", b"zh-CN,zh;q=0.9")]))
        assert 'lang="zh"' in chinese.text
        assert "。" in chinese.text
        assert ask(at, scope("/static/js/a.js", headers=[mine])).status == 200, "what pages need is still there"
    assert ask(at, scope("/cnn", headers=[mine, *HTML])).status == 200


def test_a_page_that_was_served_before_the_limit_was_met_still_finds_a_place():
    at = door(sessions=100)
    with at.pages.taken(None, each=105):
        assert ask(at, scope("/", headers=HTML)).status == 503
        assert ask(at, scope("/_stcore/stream", "websocket")).status == 0, "it is let through"
    with at.pages.taken(None, each=111):
        assert ask(at, scope("/_stcore/stream", "websocket")).status == 503


def test_websockets_without_end_are_answered_429():
    at, headers = door(connects_per_second=0.1), [cookie()]
    answers = [ask(at, scope("/_stcore/stream", "websocket", headers)).status for _ in range(4)]
    assert answers == [0, 0, 429, 429]


@pytest.mark.parametrize("path", ["/", "/healthz", "/_stcore/stream/", "/_stcore/health", "/component/x"])
def test_a_websocket_leads_to_streamlit_only(path):
    at = door()
    assert ask(at, scope(path, "websocket")).status == 404
    assert at.app.seen == []


def test_text_over_the_websocket_closes_it_without_a_traceback():
    at = door()
    told = ask(at, scope("/_stcore/stream", "websocket"), [{"type": "websocket.receive", "text": "hello"}])
    assert told.sent == [{"type": "websocket.close", "code": 1003}]
    assert [m["type"] for m in at.app.got] == ["websocket.connect"]


def test_messages_beyond_the_rate_wait_and_none_is_lost(monkeypatch):
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(guard_socket.asyncio, "sleep", sleep)
    at = door(messages_per_second=10)
    sent = [BackMsg(rerun_script=ClientState(query_string=f"{k}")).SerializeToString() for k in range(80)]
    coming = [{"type": "websocket.receive", "bytes": data} for data in sent]
    ask(at, scope("/_stcore/stream", "websocket", [cookie()]), coming)
    assert [m["bytes"] for m in at.app.got[1:]] == sent
    assert len(slept) >= 25, "fifty at once, then ten a second"


@pytest.mark.parametrize(
    ("fields", "passes"),
    [
        ({"app_heartbeat": True}, True),
        ({"stop_script": True}, True),
        ({"clear_cache": True}, False),
        ({"load_git_info": True}, False),
        ({"set_run_on_save": True}, False),
        ({"debug_shutdown_runtime": True}, False),
        ({"debug_disconnect_websocket": True}, False),
        ({}, False),
        ({"rerun_script": ClientState(query_string="a=1")}, True),
        ({"file_urls_request": FileURLsRequest(file_names=["x"] * 1000)}, True),
        ({"file_urls_request": FileURLsRequest(file_names=["x"] * 1001)}, False),
    ],
)
def test_only_what_a_page_sends_for_its_reader_gets_through(fields, passes):
    at = door()
    coming = [{"type": "websocket.receive", "bytes": BackMsg(**fields).SerializeToString()}]
    ask(at, scope("/_stcore/stream", "websocket", [cookie()]), coming)
    assert (coming[0] in at.app.got) is passes


def began(session: str) -> dict:
    message = ForwardMsg()
    message.new_session.initialize.session_id = session
    message.new_session.main_script_path = "/srv/secret/ui/shell.py"
    return {"type": "websocket.send", "bytes": message.SerializeToString()}


def opened(at: guard.Guard, session: str, headers) -> dict:
    """A page whose session Streamlit has just begun; what the browser was sent."""

    async def app(scope, receive, send) -> None:
        await send(began(session))

    inner, at.app = at.app, app
    told = ask(at, scope("/_stcore/stream", "websocket", headers))
    at.app = inner
    return told.sent[0]


def test_a_session_is_told_without_where_its_script_lies():
    told = opened(door(), "s", [cookie()])
    assert b"secret" not in told["bytes"]
    assert ForwardMsg.FromString(told["bytes"]).new_session.initialize.session_id == "s"


def test_nobody_comes_back_to_a_session_of_another_browser():
    at, mine, other = door(), cookie(), cookie()
    opened(at, "my-session", [mine])
    wish = (b"sec-websocket-protocol", b"streamlit, token, my-session")
    for headers, client, kept in [([mine], "10.0.0.9", True), ([other], "10.0.0.1", False), ([], "10.0.0.1", False)]:
        ask(at, scope("/_stcore/stream", "websocket", [*headers, wish], client=client))
        asked = Headers(raw=at.app.seen[-1]["headers"])["sec-websocket-protocol"]
        assert ("my-session" in asked) is kept
        assert asked.startswith("streamlit, token")


def test_nobody_uploads_into_a_session_of_another_browser(monkeypatch):
    monkeypatch.setattr(guard, "in_memory", lambda session: (0, 0))
    at, mine, other = door(), cookie(), cookie()
    opened(at, "my-session", [mine])
    put = {"method": "PUT", "path": "/_stcore/upload_file/my-session/f"}
    size = (b"content-length", b"10")
    assert ask(at, scope(headers=[mine, size]) | put).status == 200
    told = ask(at, scope(headers=[other, size]) | put)
    assert told.status == 403
    assert "another browser" in told.text
    assert ask(at, scope(headers=[other]) | put | {"method": "DELETE"}).status == 403


@pytest.mark.parametrize(("kept", "status"), [((0, 0), 200), ((190e6, 190e6), 413), ((0, 995e6), 413)])
def test_uploads_do_not_fill_the_memory(monkeypatch, kept, status):
    monkeypatch.setattr(guard, "in_memory", lambda session: kept)
    put = {"method": "PUT", "path": "/_stcore/upload_file/s/f"}
    assert ask(door(), scope(headers=[(b"content-length", b"20000000")]) | put).status == status
    assert ask(door(), scope(headers=[(b"transfer-encoding", b"chunked")]) | put).status == status, "counted as largest"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"query_string": b"a=" + b"x" * 40_000}, 414),
        ({"path": "/" + "x" * 40_000, "raw_path": b"/" + b"x" * 40_000}, 414),
        ({"headers": [(b"x-%d" % k, b"y" * 1000) for k in range(40)]}, 431),
        ({"headers": [(b"content-length", b"100000")], "method": "POST"}, 413),
        ({"headers": [(b"transfer-encoding", b"chunked")], "method": "POST"}, 413),
        ({"headers": [(b"content-length", b"-1")]}, 413),
        ({"headers": [(b"content-length", "٣".encode())]}, 413),
        ({"headers": [(b"content-length", b"9" * 400)]}, 413),
    ],
)
def test_what_is_larger_than_anything_a_page_sends_is_refused(change, status):
    assert ask(door(), scope() | change).status == status


def test_streamlit_s_own_counters_are_for_this_machine():
    at = door()
    assert ask(at, scope("/_stcore/metrics")).status == 404
    assert ask(at, scope("/_stcore/metrics", client="127.0.0.1")).status == 200


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::1", "::1"),
        ("not an address", "not an address"),
    ],
)
def test_an_address_is_what_one_household_has(client, counted):
    assert address(scope(client=client)) == counted


def test_limits_come_from_the_environment(monkeypatch):
    read = Limits.from_environment.__wrapped__
    monkeypatch.setenv("DLCORE_SESSIONS", "7")
    monkeypatch.setenv("DLCORE_MESSAGES_PER_SECOND", "0")
    found = read(Limits)
    assert (found.sessions, found.sessions_per_browser) == (7, 20)
    assert found.messages_per_second > 1e6, "0 takes the limit away"
    monkeypatch.setenv("DLCORE_SESSIONS", "-3")
    with pytest.raises(ValueError, match="DLCORE_SESSIONS"):
        read(Limits)
