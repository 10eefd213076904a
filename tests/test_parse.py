"""Files with mistakes: each is told at its place, in plain words, and all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chaos.errors import InvalidExperiment
from chaos.parse import document, parse

GOOD = """\
title: Checkout survives
load: {orders: 20/s}
steady_state:
  orders.success_rate: ">= 99%"
method:
  - {fault: process.kill, target: storefront-1, for: 10s}
"""


def wrong(folder: Path, text: str | bytes) -> list[str]:
    """The problems of a file, as LINE:COLUMN: WHAT."""
    file = folder / "x.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidExperiment) as caught:
        parse(file)
    return [f"{each.line}:{each.column}: {each.what}" for each in caught.value.problems]


def test_a_good_file(tmp_path: Path) -> None:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    parsed = parse(file)
    assert parsed.text == GOOD
    assert parsed.file == str(file)
    assert parsed.experiment.load.orders == 20
    assert parsed.experiment.method[0].for_ == 10


def test_every_problem_at_once(tmp_path: Path) -> None:
    text = """\
title: 3
loda: {orders: 20/s}
seed: yes
steady_state:
  orders.success_rate: 99
method:
  - fault: payment.outage
    target: {ofn: 3}
    for: 10
    At: 3s
  - 3
invariants: [orders.none_lst]
title: again
"""
    assert wrong(tmp_path, text) == [
        "1:8: 3 is not text; put it in quotes",
        "2:1: unknown key 'loda'; did you mean 'load'; allowed: title, description, tags, sandbox, seed, weak, load, "
        "phases, probes, steady_state, method, while_faulty, recovers, invariants, abort_if",
        "3:7: 'yes' is not a whole number",
        "5:24: 99 is not a tolerance; allowed: a comparison (>=, >, <=, <, ==) and a value with its unit, as in "
        "'>= 99.5%', '< 800ms', '> 15/s', and in abort_if also '< 50% for 10s'",
        "8:13: not a target; allowed: a service by name, {one of: SET}, {all of: SET}, {percent of: SET, percent: 50%}",
        "9:10: 10 is not a duration; allowed: a number with a unit, as in 250ms, 10s, 2min, 1h",
        "10:5: unknown key 'At'; did you mean 'at'; allowed: fault, target, with, at, for",
        "11:5: 3 stands where a mapping is expected; allowed keys: fault, target, with, at, for",
        "12:14: 'orders.none_lst' is not one of them; did you mean 'orders.none_lost'; allowed: orders.none_lost, "
        "orders.none_doubled, payments.charged_once, payments.settled, stock.conserved, replicas.agree, "
        "shipments.match",
        "13:1: the key 'title' is given twice; it stands in line 1 already",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("title: Checkout survives\n", "", "1:1: the key 'title' is missing: the hypothesis in a few words"),
        ("Checkout survives", "''", "1:8: this text is empty"),
        ("Checkout survives", "", "1:7: nothing is not text"),
        ("20/s}", "20/s, timeout: yes}", "2:31: 'yes' is not a duration"),
        ("20/s}", "20/s, timeout: 1:30}", "2:31: '1:30' is not a duration"),
        ("20/s}", "1:20}", "2:16: '1:20' is not a rate"),
        ("for: 10s", "for: 10s, for_: 3s", "6:59: unknown key 'for_'; did you mean 'for'; allowed: fault,"),
        (", for: 10s", "", "6:5: the key 'for' is missing: how long it lasts"),
        ("storefront-1", "{one of: a, pct: 3}", "6:47: unknown key 'pct'; allowed: one of"),
        ("storefront-1", "{percent of: a}", "6:35: the key 'percent' is missing: the share of the set, as in 50%"),
        ("storefront-1", "[a]", "6:35: not a target; allowed: a service by name"),
        ("method:", "seed: -1\nmethod:", "5:7: -1 is out of range; allowed: >= 0"),
        ("method:", "seed: 1.5\nmethod:", "5:7: 1.5 is not a whole number"),
        ("method:", "seed: true\nmethod:", "5:7: true is not a whole number"),
        ("method:", "tags: a\nmethod:", "5:7: 'a' is not a list; write - items, or [a, b]"),
        ("method:", "phases:\nmethod:", "5:8: nothing stands where a mapping is expected; allowed keys: warmup,"),
        ("method:", "probes: [a]\nmethod:", "5:9: a list is not a mapping; write key: value"),
        ("method:", "probes: {a: {sqll: x}}\nmethod:", "5:13: not a probe; allowed: a mapping with one of the keys"),
        ("method:", "probes: {a: {http: x/y, on: z}}\nmethod:", "5:25: unknown key 'on'; allowed: http, every"),
        ("method:", "probes: {a: {sql: x}}\nmethod:", "5:13: the key 'on' is missing: the database service to ask"),
        ("method:", "probes: {a: {command: [], on: x}}\nmethod:", "5:23: this is empty; at least one entry"),
        ("method:", "sandbox: shp\nmethod:", "5:10: 'shp' is not one of them; did you mean 'shop'; allowed: shop"),
    ],
)
def test_one_mistake_each(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in GOOD
    problems = wrong(tmp_path, GOOD.replace(old, new))
    assert len(problems) == 1, problems
    assert problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the file is empty"),
        ("# nothing but a comment\n", "1:1: the file is empty"),
        ("just words", "1:1: 'just words' stands where a mapping is expected; allowed keys: title,"),
        ("a: b: c", "1:5: unexpected ':'; quote the text, or mend the indentation"),
        ("a:\n\tb: 1", "2:1: a tab stands in the indentation; use spaces"),
        ("a: [1, 2\nb: 3\n", "1:4: this list is not closed, or a comma is missing in it"),
        ("a: {b: 1", "1:4: this '{' is not closed, or a comma is missing after it"),
        ("a: 'x", "1:4: this quote is never closed"),
        ('a: "\\q"', "1:5: unknown escape after \\ in double quotes"),
        ("a: @x", "1:4: a plain value cannot start with this character; put the value in quotes"),
        ("a: 1\n b: 2", "2:3: unexpected ':'"),
        ("- a\nb: 3", "2:1: does not line up with what stands above; mend the indentation"),
        ("a\x00", "1:2: a control character (U+0000) stands here; take it out"),
        (b"title: caf\xe9\n", "1:11: not UTF-8 text; save the file as UTF-8"),
        ("title: x\n".encode("utf-16"), "1:1: not UTF-8 text"),
        ("a: *nope", "1:4: there is no anchor &nope before this alias"),
        ("a: &a [*a]", "1:8: the alias *a stands inside its own anchor"),
        ("a: !!python/object:x {}", "1:4: tags such as tag:yaml.org,2002:python/object:x are not allowed"),
        ("a: 1\n---\nb: 2", "2:1: a second document starts here; write one experiment to a file"),
        ("? [a]\n: 3", "1:3: a key must be a word"),
        ("[" * 100_000, "1:33: nested deeper than 32 levels"),
        (b"#" * (1024 * 1024 + 1), "1:1: the file is larger than 1 MiB"),
    ],
)
def test_what_is_not_one_yaml_document(tmp_path: Path, text: str | bytes, problem: str) -> None:
    problems = wrong(tmp_path, text)
    assert len(problems) == 1, problems
    assert problems[0].startswith(problem)


def test_aliases_that_would_fill_the_memory(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    [problem] = wrong(tmp_path, "\n".join(lines))
    assert problem.startswith("1:")
    assert problem.endswith(": far too many values")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidExperiment, match=r"none\.yaml:1:1: there is no such file"):
        parse(tmp_path / "none.yaml")
    with pytest.raises(InvalidExperiment, match=r":1:1: this is a folder; name the files in it"):
        parse(tmp_path)


def test_an_alias_is_its_anchor_and_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("{orders: 20/s}", "{orders: &r 20/s, browse: *r}").encode())
    assert parse(file).experiment.load.browse == 20


def test_words_are_read_as_yaml_1_2_reads_them() -> None:
    text = "on: yes\nb: no\nc: true\nd: 1:30\ne: 012\nf: 2026-11-22\ng: ~\nh: 1e3\ni: '5'\nj: 0x1f\nk: <<\n"
    assert document.document(text, file="x").data == {
        "on": "yes",
        "b": "no",
        "c": True,
        "d": "1:30",
        "e": 12,
        "f": "2026-11-22",
        "g": None,
        "h": 1000.0,
        "i": "5",
        "j": "0x1f",
        "k": "<<",
    }


@pytest.mark.parametrize("text", ["a: [1, 2", "a: {b: 1", "a: 'x", "a: b: c", "a:\n\tb: 1", "a: @x", "- a\nb: 3"])
def test_both_parsers_are_explained_alike(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    said = []
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        monkeypatch.setattr(document, "_LOADER", loader)
        with pytest.raises(InvalidExperiment) as caught:
            document.document(text, file="x")
        said.append(caught.value.problems[0].what)
    assert said[0] == said[1] != "this is not YAML"
