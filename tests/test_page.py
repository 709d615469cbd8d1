"""The report in a real browser: silent, self-contained, deaf to hostile text, readable everywhere."""

import http.server
import re
import threading
from dataclasses import replace

import pytest

from persuasion import report
from tests import browser
from tests.test_report import HOSTILE, inputs, reply

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not browser.found(), reason="no Chromium: apt-get install chromium"),
]
CONTRAST = """(() => {
  const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => { x /= 255;
    return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
  const ground = e => { while (e) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c) && c !== "transparent") return c; e = e.parentElement } return "rgb(255, 255, 255)" };
  let worst = [99, ""];
  for (const e of document.querySelectorAll("p, td, th, h1, h2, h3, a, li, pre, summary, .text, .tokens span")) {
    if (!e.innerText || !e.innerText.trim()) continue;
    const a = light(getComputedStyle(e).color), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < worst[0]) worst = [ratio, e.tagName + "." + e.className + ": " + e.innerText.slice(0, 40)] }
  return worst })()"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser.browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def server():
    """Counts who comes; hostile texts point to it."""
    hits = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", hits
        listening.shutdown()


@pytest.fixture(scope="module")
def page(tmp_path_factory, server):
    """The whole page with hostile texts in every place that takes one."""
    bad = HOSTILE + f" <img src={server[0]}/a.png> <link rel=stylesheet href={server[0]}/b.css> ![x]({server[0]}/c.png)"
    given = inputs([reply(bad, bad, bad)] * 2)
    evaluate = {**given.metrics["evaluate"], "slices": {"topic": {bad: {"accuracy": 0.5, "pairs": 3}}}}
    metrics = {**given.metrics, "evaluate": evaluate, "pair": {"dropped_by": {bad: 1}}}
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(report.html(replace(given, metrics=metrics, slices={("topic", bad): bad})), encoding="utf-8")
    return path


def test_it_loads_in_silence_and_asks_for_nothing(tab, page, server):
    tab.show(1200)
    tab.open(page)
    assert tab.said == []
    assert [address for address in tab.asked if not address.startswith("data:")] == [page.as_uri()]
    assert server[1] == []
    assert tab.js("document.images.length") > 8 and tab.js("[...document.images].every(i => i.naturalWidth > 0)")
    assert tab.js("document.scripts.length") == 0 and "<script>alert(1)</script>" in tab.js("document.body.innerText")
    assert tab.js("document.title") == "Persuasion: report of a run"


def test_what_watches_would_see_a_bad_page_and_the_policy_would_stop_it(tab, page, server):
    """The same hostile page without escaping: the policy holds alone, and is heard."""
    policy = re.search(r"<meta http-equiv=.*?>", page.read_text(encoding="utf-8"))
    bad = page.with_name("bad.html")
    bad.write_text(f"{policy[0]}<script>document.title = 'run'</script><img src={server[0]}/d.png>", encoding="utf-8")
    tab.open(bad)
    assert len(tab.said) >= 2 and all("Content Security Policy" in said for said in tab.said)
    assert tab.js("document.title") != "run" and server[1] == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_is_readable_on_a_phone_and_a_desk_by_day_and_by_night(tab, page, width, dark):
    tab.show(width, dark=dark)
    tab.open(page)
    assert tab.js("document.documentElement.scrollWidth") <= width
    assert (tab.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)") is not dark
    ratio, where = tab.js(CONTRAST)
    assert ratio >= 4.5, where


def test_on_paper_it_is_dark_on_white_whatever_the_system(tab, page):
    tab.show(1200, dark=True, media="print")
    tab.open(page)
    assert tab.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.js(CONTRAST)[0] >= 4.5
    assert tab.pdf().startswith(b"%PDF")
