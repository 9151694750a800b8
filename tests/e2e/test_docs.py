"""The documentation is true: each console block is replayed against the program (transcripts.py has the rules)."""

import html
import os
import re
from pathlib import Path

import pytest
from harness import run_command
from harness.platform import pushrod_binary
from transcripts import Block, Names, Session, difference, read_page, replay

SOURCE = Path(__file__).parent.parent.parent
PAGES = [page for page in [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))] if page.is_file()]
MOST_NOT_REPLAYED = 2


def blocks_of(page):
    return [part for part in read_page(page.read_text()) if isinstance(part, Block)]


WITH_TRANSCRIPTS = [page for page in PAGES if any(block.language == "console" for block in blocks_of(page))]


@pytest.mark.parametrize("page", WITH_TRANSCRIPTS, ids=[page.stem for page in WITH_TRANSCRIPTS])
def test_the_transcripts_of_a_page_are_what_the_program_prints(make_platform, page):
    # The defaults of [health], as a reader has them.
    differences = replay(page.read_text(), Session(make_platform(settings="[health]\n"), SOURCE))
    assert not differences, f"{page.name}\n" + "\n\n".join(differences)


def shown_by(picture):
    return [html.unescape(line) for line in re.findall("<text [^>]*>(.*)</text>", picture.read_text())]


def test_the_picture_shows_what_the_program_prints(tmp_path):
    picture = tmp_path / "push.svg"
    words = [SOURCE / "script" / "picture", "--programs", pushrod_binary().parent, "--output", picture]
    run_command(words, env=dict(os.environ))
    differs = difference(shown_by(SOURCE / "docs" / "push.svg"), shown_by(picture), Names(), Names())
    assert not differs, f"docs/push.svg is no longer true; script/picture makes it again\n{differs}"


def test_every_transcript_is_marked_as_console():
    assert SOURCE / "docs" / "tour.md" in WITH_TRANSCRIPTS
    unmarked = [f"{page.name}:{block.line}" for page in PAGES for block in blocks_of(page)
                if block.is_transcript() != (block.language == "console")]  # fmt: skip
    assert unmarked == []


def test_few_blocks_are_not_replayed():
    exempt = [f"{page.name}:{block.line}: {block.reason}" for page in PAGES for block in blocks_of(page) if block.reason]
    assert len(exempt) <= MOST_NOT_REPLAYED, exempt


def anchors(page):
    headings = [line.lstrip("#").strip().lower() for line in page.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_links_to_other_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if target.startswith("http") or linked.parent != SOURCE / "docs" or linked.suffix != ".md":
            continue
        assert linked.is_file(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name}: {target}"


PAGE = """
<!-- replay:
echo hidden > file
-->
```console
$ cat file
hidden
$ printf 'one\\ntwo\\nthree\\n'
one
…
three
$ for word in a b; do
>   echo $word
> done
a
b
```
<!-- not replayed: nothing here can be run -->
```console
$ false news
true
```
"""


def test_a_page_is_one_session(make_platform):
    assert replay(PAGE, Session(make_platform(), SOURCE)) == []


@pytest.mark.parametrize(
    "true, false",
    [("\nhidden\n", "\nsecret\n"), ("\nhidden\n", "\n"), ("\nthree\n", "\nfour\n"), ("\na\nb\n", "\na\n"), ("\na\n", "\na\na\n")],
)
def test_a_false_transcript_is_found(make_platform, true, false):
    assert PAGE.count(true) == 1
    differences = replay(PAGE.replace(true, false), Session(make_platform(), SOURCE))
    assert len(differences) == 1


@pytest.mark.parametrize(
    "expected, actual",
    [
        ("done in 0.07 s", "done in 1.3 s"),
        ("done in 70 ms", "done in 1.3 s"),
        ("3  live  ada  2026-11-22 16:56:16  1.2 s", "3  live  ada  2027-01-02 03:04:05  0.15 s"),
        ("Deploying shop at 5fd4be3d65", "Deploying shop at a6f2027df6"),
        ("shop.3.web.1  running  11235  20002  1.5 s  0  -", "shop.3.web.1  running  7  31005  20 ms  0  -"),
        ("nothing listens on 127.0.0.1:20000", "nothing listens on 127.0.0.1:31005"),
        ("remote: -----> Checking out", "remote: -----> Checking out        "),
        ("why  … was not found", "why  the program was not found"),
    ],
)
def test_what_may_vary_is_no_difference(expected, actual):
    assert difference([expected], [actual], Names(), Names()) == ""


@pytest.mark.parametrize(
    "expected, actual",
    [
        ("done in 0.07 s", "done after 0.07 s"),
        ("Release 1 of shop is live", "Release 2 of shop is live"),
        ("shop.3.web.1  running  11235  -  1.5 s  0  -", "shop.3.web.1  running  11235  20002  1.5 s  0  -"),
        ("shop.3.web.1  running  11235  -  1.5 s  0  -", "shop.3.web.1  running  11235  -  1.5 s  1  -"),
        ("http://shop.localhost:8080", "http://shop.localhost:80"),
        ("  indented", "indented"),
        ("5fd4be3..22c75a6 is not 5fd4be3d65", "5fd4be3..22c75a6 is not 22c75a6d65"),
    ],
)
def test_anything_else_is_a_difference(expected, actual):
    assert difference([expected], [actual], Names(), Names()) != ""
