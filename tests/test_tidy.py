"""Style is a test: sizes, docstrings, leftovers, the direction of imports, and what belongs to every fault."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import chaos
from chaos import faults

ROOT = Path(__file__).parent.parent
LINES_MAX = 300
FOLDERS = ("chaos", "sandbox", "tests", "benchmarks")
SOURCES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
TWINS = sorted((ROOT / "experiments" / "twins").glob("*.yaml"))

NOUNS = {"errors", "version", "words", "units", "metrics", "samples", "model", "verdict", "system"}
ABOVE_TARGETS = {"plan", "validate", "parse", "inject", "load", "observe", "judge", "reconcile", "report", "run", "cli"}
PURE = ("plan", "judge", "reconcile", "report")
IMPURE = {
    *("time", "random", "secrets", "uuid", "socket", "ssl", "select", "asyncio", "threading", "multiprocessing"),
    *("subprocess", "signal", "http", "urllib", "requests", "aiohttp", "psycopg", "docker", "pyroute2", "toxiproxy"),
}


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imports(file: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it; names imported from chaos itself as modules of it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "chaos":
                yield from (f"chaos.{alias.name}" for alias in node.names)
            else:
                yield node.module


def own_imports(file: Path) -> set[str]:
    """The modules of chaos a file imports, without `chaos.`."""
    return {each.removeprefix("chaos.") for each in imports(file) if each.startswith("chaos.")}


def sources(part: str) -> list[Path]:
    """The files of one module or package of chaos."""
    folder = ROOT / "chaos" / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def top(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_every_file_is_small_and_says_what_it_is(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= LINES_MAX
    assert file.name not in ("utils.py", "helpers.py", "misc.py", "common.py")
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "no docstring at the top"
    else:
        assert file.name == "__init__.py"


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_nothing_is_left_over(file: Path) -> None:
    text = file.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    assert not [each for each in comments if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", each)]
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    # A print to a named stream was meant; a bare one was left behind.
    bare = [call.func for call in calls if not any(keyword.arg == "file" for keyword in call.keywords)]
    assert not {call.id for call in bare if isinstance(call, ast.Name)} & {"print", "breakpoint"}


def test_the_docstring_of_chaos_names_every_file_in_it() -> None:
    package = ROOT / "chaos"
    files = {file.name for file in package.glob("*.py") if not file.name.startswith("__")}
    files |= {f"{file.parent.name}/" for file in package.glob("*/*.py")}
    named = set(re.findall(r"^([a-z_]+(?:\.py|/)) ", chaos.__doc__ or "", re.MULTILINE))
    assert named == files


def test_the_shop_and_the_program_do_not_import_each_other() -> None:
    for file in (ROOT / "sandbox").rglob("*.py"):
        assert not [each for each in imports(file) if top(each) == "chaos"], name(file)
    for file in (ROOT / "chaos").rglob("*.py"):
        assert not [each for each in imports(file) if top(each) == "sandbox"], name(file)


def test_nouns_import_only_nouns() -> None:
    for noun in NOUNS:
        [file] = sources(noun)
        assert own_imports(file) <= NOUNS, name(file)


def test_faults_stand_on_targets_base_and_nouns() -> None:
    assert own_imports(ROOT / "chaos" / "targets" / "base.py") <= NOUNS
    for file in sources("faults"):
        below = {each for each in own_imports(file) if each != "targets.base" and top(each) != "faults"}
        assert below <= NOUNS, name(file)


def test_targets_know_nothing_of_the_stages() -> None:
    for file in sources("targets"):
        assert not {top(each) for each in own_imports(file)} & ABOVE_TARGETS, name(file)


def test_the_agent_stands_alone() -> None:
    for file in sources("agent"):
        assert all(top(each) == "agent" for each in own_imports(file)), name(file)


def test_nothing_imports_the_command_line_and_only_commands_import_the_conductor() -> None:
    for file in (ROOT / "chaos").rglob("*.py"):
        used = {top(each) for each in own_imports(file)}
        assert "cli" not in used or file.name == "__main__.py", name(file)
        assert "run" not in used or file.name in ("cli.py", "batch.py"), name(file)


@pytest.mark.parametrize("part", PURE)
def test_pure_stages_have_no_clock_no_chance_and_no_network(part: str) -> None:
    allowed = {"random"} if part == "plan" else set()  # drawn from the seed alone
    for file in sources(part):
        assert not ({top(each) for each in imports(file)} & IMPURE) - allowed, name(file)


@pytest.mark.parametrize("word", faults.words())
def test_every_fault_has_its_file_its_test_and_an_experiment(word: str) -> None:
    kind = faults.fault_class(word)
    module = kind.__module__.rpartition(".")[2]
    assert module == word.replace(".", "_")
    assert kind.word == word
    assert (ROOT / "tests" / "faults" / f"test_{module}.py").is_file()
    used = [act["fault"] for file in EXPERIMENTS for act in yaml.safe_load(file.read_text())["method"]]
    assert word in used, f"no experiment uses {word}"


def test_every_fault_is_in_the_catalogue() -> None:
    found = re.compile(r'^    word: ClassVar\[str\] = "(.+)"$', re.MULTILINE)
    written = [word for file in sources("faults") for word in found.findall(file.read_text())]
    assert sorted(written) == sorted(faults.words())


@pytest.mark.parametrize("file", EXPERIMENTS, ids=name)
def test_every_experiment_has_a_twin_that_lacks_a_protection(file: Path) -> None:
    experiment = yaml.safe_load(file.read_text())
    assert not experiment.get("weak"), "a stock experiment runs against the hardened shop"
    twins = [yaml.safe_load(twin.read_text()) for twin in TWINS]
    alike = [twin for twin in twins if twin.get("tags") == experiment["tags"]]
    assert alike, "no twin has the same tags"
    assert all(twin.get("weak") for twin in alike), "a twin switches no protection off"
