"""Decks on a site: their links lead to the site's pages, and what is theirs alone stays."""

from fsdl_course.slides import publish


def test_links_lead_to_the_site_s_pages(tmp_path):
    built = tmp_path / "built"
    built.mkdir()
    (built / "01_deck.pdf").write_bytes(b"%PDF")
    links = '<a href="../../notebooks/tools/cog.ipynb">a</a><a href="https://example.org/x.ipynb">b</a>'
    (built / "01_deck.html").write_text(
        links + '<a href="../../labs/lab01/lab01.ipynb#Why">c</a>', encoding="utf-8"
    )
    (page,) = publish.copy_to(built, tmp_path / "site" / "slides")
    text = page.read_text(encoding="utf-8")
    assert 'href="../notebooks/tools/cog.html"' in text
    assert 'href="../labs/lab01/lab01.html#Why"' in text
    assert 'href="https://example.org/x.ipynb"' in text
    assert page.with_suffix(".pdf").read_bytes() == b"%PDF"
