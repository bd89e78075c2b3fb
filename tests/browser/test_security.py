"""The pages under their own Content-Security-Policy: what they need is allowed, what an intruder needs is refused."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.waiting import until

pytestmark = pytest.mark.browser
NOTED = """
  window.refused = [];
  addEventListener("securitypolicyviolation", (event) =>
    window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`));
"""
LESSONS = {  # by lesson: what is on it once it is drawn
    "": ".dl-map",
    "neural_network": "canvas",
    "classify": ".dl-box-image",
    "teach": ".dl-al",
    "convolution": "canvas",
}


@pytest.fixture
def noted(browse):
    """A page that notes what its policy refuses."""
    page = browse("about:blank", motion=False, policy=True)
    page.add_init_script(NOTED)
    return page


@pytest.mark.parametrize("slug", LESSONS)
def test_nothing_that_a_page_needs_is_refused(server, noted, slug):
    noted.goto(f"{server.url}/{slug}")
    noted.locator(LESSONS[slug]).first.wait_for(state="attached", timeout=120_000)
    noted.wait_for_timeout(500)
    assert noted.evaluate("refused") == []


@pytest.mark.parametrize("base", ["", "/class"])
def test_formulas_and_plots_also_under_a_path(serve, noted, base):
    """KaTeX, and plotly.js in two and three dimensions."""
    env = {"STREAMLIT_SERVER_BASE_URL_PATH": base.strip("/")} if base else None
    server = serve(env=env, health=f"{base}/healthz")
    noted.goto(f"{server.url}{base}/linear_regression")
    noted.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=120_000)
    noted.locator(".katex").first.wait_for(state="attached")
    noted.get_by_role("button", name="3-D").or_(noted.get_by_role("radio", name="3-D")).first.click()
    noted.locator(".js-plotly-plot .gl-container").first.wait_for(state="attached")
    assert noted.evaluate("refused") == []


def test_what_an_intruder_would_need_is_refused(server, noted, faults):
    noted.goto(f"{server.url}/")
    noted.locator(".dl-map").wait_for(timeout=120_000)
    noted.evaluate("""() => {
      const put = (html) => document.body.insertAdjacentHTML("beforeend", html);
      put('<img src="data:," onerror="window.broken = true">');
      put('<iframe srcdoc="<script>parent.broken = true</script>"></iframe>');
      put('<form action="/stolen"><button>go</button></form>');
      const script = document.createElement("script");
      script.textContent = "window.broken = true";
      document.body.append(script);
      document.forms[0].requestSubmit();
      setTimeout("window.broken = true", 0);
      fetch("http://127.0.0.2:9/").catch(() => {});
    }""")
    until(lambda: len(noted.evaluate("refused")) >= 5, 20)
    assert noted.evaluate("window.broken") is None
    directives = {line.split()[0] for line in noted.evaluate("refused")}
    assert directives >= {"script-src-attr", "script-src-elem", "form-action", "connect-src"}
    faults.clear()  # the console names each refusal as an error


class Foreign(BaseHTTPRequestHandler):
    """A page of somebody else that shows ours in a frame."""

    ours = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f'<iframe src="{self.ours}"></iframe>'.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_foreign_page_cannot_show_ours_in_a_frame(server, noted, faults):
    foreign = HTTPServer(("127.0.0.1", 0), type("Here", (Foreign,), {"ours": server.url}))
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    noted.goto(f"http://127.0.0.1:{foreign.server_port}/")
    until(lambda: any("frame-ancestors" in fault for fault in faults), 30)
    assert noted.frames[1].locator("#root").count() == 0
    foreign.shutdown()
    faults.clear()
