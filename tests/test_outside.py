"""Addresses that the book names: found in every form, asked politely, judged carefully."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from firstlight.archive.registry import REGISTRY
from firstlight.press import outside

ROOT = Path(__file__).parents[1]


class Site(BaseHTTPRequestHandler):
    def do_HEAD(self):
        code = {"/there": 200, "/gone": 404, "/shy": 403, "/old": 405}[self.path]
        self.send_response(code)
        self.send_header("Content-Length", "10")
        self.end_headers()

    def do_GET(self):
        self.path = "/there" if self.path == "/old" else self.path
        self.do_HEAD()
        self.wfile.write(b"0123456789")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    server = HTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_addresses_are_found_in_every_form():
    text = (
        "See [it](https://x.org/a_(b)), <https://x.org/c>, https://x.org/d. Also\n"
        "doi = {10.1093/mnras/stv632}, note = {arXiv:astro-ph/0311058} and arXiv:1503.07077."
    )
    assert outside.addresses(text) == [
        "https://x.org/a_(b)", "https://x.org/c", "https://x.org/d",
        "https://doi.org/10.1093/mnras/stv632",
        "https://arxiv.org/abs/astro-ph/0311058", "https://arxiv.org/abs/1503.07077",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path, dead, words",
    [("/there", False, ""), ("/old", False, ""), ("/gone", True, "404"), ("/shy", False, "403")],
)
def test_only_what_is_gone_counts_as_dead(site, path, dead, words):
    answer = outside.ask(site + path)
    assert answer.dead is dead
    assert words in answer.words and bool(words) is bool(answer.words)


def test_data_must_have_the_size_that_the_registry_names(site):
    assert outside.ask(f"{site}/there", size=10).words == ""
    assert outside.ask(f"{site}/there", size=11).dead


def test_the_dead_come_first_and_name_their_page(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(outside, "REGISTRY", {})
    (tmp_path / "README.md").write_text(f"{site}/shy {site}/there")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "x.md").write_text(f"[lost]({site}/gone)")
    assert outside.main(tmp_path) == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"GONE  {site}/gone") and first.endswith("(in book/x.md)")
    assert second.startswith("look")
    assert last == "3 addresses, 1 gone, 1 unclear."


def test_every_source_of_data_is_asked():
    places = outside.collect(ROOT)
    for entry in REGISTRY.values():
        if entry.wheel is None:
            assert f"data {entry.name}" in places[entry.url]
