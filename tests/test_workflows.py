"""The workflows call only what exists, and promise what the README promises."""

import json
import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from firstlight.press import notebooks
from firstlight.press.__main__ import parser

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "workflows"
FLOWS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in FOLDER.glob("*.yml")}
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
JOBS = [(file, name) for file, flow in FLOWS.items() for name in flow["jobs"]]


def triggers(flow):
    return flow[True]  # YAML reads the key `on` as a truth


def steps(file, name):
    return FLOWS[file]["jobs"][name].get("steps", [])


def scripts():
    for file, name in JOBS:
        for number, step in enumerate(steps(file, name), 1):
            if "run" in step:
                yield pytest.param(step["run"], id=f"{file}, {name}, step {number}")


def commands(script):
    """A script's commands as lists of words, with GitHub's expressions as x."""
    for line in re.sub(r"\$\{\{.*?\}\}", "x", script).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"^\w+=", words[0]):
            words = words[1:]
        if words:
            yield words


def complaint(words):
    """Why a command cannot work in this repository; None if it can."""
    program, *rest = words
    if program == "make":
        target, settings = rest[0], dict(word.split("=", 1) for word in rest[1:])
        if target not in TARGETS:
            return f"make has no target {target}"
        if target in ("notebooks", "pdf", "epub"):
            parser().parse_args([target, *settings.get("ARGS", "").split()])
        tests = re.findall(r"tests/\w+\.py(?:::\w+)?", settings.get("T", ""))
        return next((f"there is no {name}" for name in tests if not _test(name)), None)
    if re.fullmatch(r"(\S*/)?python3?", program):
        if rest[0] != "-m":
            return None if (ROOT / rest[0]).is_file() else f"there is no {rest[0]}"
        known = rest[1] in ("ruff", "mypy", "pip") or find_spec(rest[1])
        return None if known else f"there is no module {rest[1]}"
    if program == "firstlight":
        from firstlight.cli import main

        with pytest.raises(SystemExit) as end:
            main([*rest, "--help"])
        return None if end.value.code == 0 else f"firstlight does not know {rest}"
    return None


def _test(name):
    file, _, function = name.partition("::")
    path = ROOT / file
    return path.is_file() and (not function or f"def {function}(" in path.read_text("utf-8"))


@pytest.mark.parametrize("script", scripts())
def test_every_command_exists(script):
    for words in commands(script):
        assert complaint(words) is None, f"{' '.join(words)}: {complaint(words)}"


@pytest.mark.parametrize(
    "line, says",
    [
        ("make boook", "no target boook"),
        ("make test T=tests/test_nothing.py", "there is no tests/test_nothing.py"),
        ("make test T=tests/test_layout.py::test_nothing", "test_nothing"),
        ("python code/nothing.py", "there is no code/nothing.py"),
        ("PYTHONPATH=code python -m firstlight.press.nothing", "no module"),
    ],
)
def test_a_command_that_does_not_exist_would_be_noticed(line, says):
    (words,) = commands(line)
    assert says in complaint(words)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not on this machine")
@pytest.mark.parametrize("script", scripts())
def test_every_script_parses(script):
    plain = re.sub(r"\$\{\{.*?\}\}", "x", script)
    done = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file, name", JOBS)
def test_a_job_needs_and_calls_what_is_there(file, name):
    job = FLOWS[file]["jobs"][name]
    needs = job.get("needs", [])
    assert set([needs] if isinstance(needs, str) else needs) <= set(FLOWS[file]["jobs"])
    if called := job.get("uses", ""):
        inputs = triggers(FLOWS[Path(called).name])["workflow_call"]["inputs"]
        assert (ROOT / called).is_file() and set(job["with"]) == set(inputs)
    else:
        assert job["timeout-minutes"] <= 120 if "timeout-minutes" in job else len(job["steps"]) < 5
    for step in job.get("steps", []):
        known = r"(actions/[\w-]+|Vampire/setup-wsl)@v\d+"
        assert "run" in step or re.fullmatch(known, step["uses"]), step


def test_what_is_downloaded_was_uploaded():
    for file, flow in FLOWS.items():
        used = {"upload": set(), "download": set()}
        for name in flow["jobs"]:
            for step in steps(file, name):
                if found := re.match(r"actions/(up|down)load-artifact@", step.get("uses", "")):
                    used[f"{found.group(1)}load"].add(step["with"]["name"])
        assert used["download"] <= used["upload"], file


def test_nobody_may_write_who_does_not_publish():
    for file, flow in FLOWS.items():
        top = flow["permissions"]
        assert top == {"contents": "read"} or file == "report.yml" and top == {"issues": "write"}
    for file, name in JOBS:
        job = FLOWS[file]["jobs"][name]
        if "write" in job.get("permissions", {}).values():
            main_only = "refs/heads/main" in job["if"] and "pull_request" in job["if"]
            assert main_only or job["if"] == "failure()", f"{file}: {name}"


def test_tests_run_on_every_system_and_python():
    jobs = FLOWS["ci.yml"]["jobs"]
    matrix = jobs["tests"]["strategy"]["matrix"]
    systems = [(os, python) for os in matrix["os"] for python in matrix["python"]]
    left_out = [(pair["os"], pair["python"]) for pair in matrix["exclude"]]
    with_book = jobs["book"]["strategy"]["matrix"]["python"]
    assert sorted(left_out) == [("ubuntu-latest", python) for python in sorted(with_book)]
    assert {os.split("-")[0] for os, _ in systems} == {"ubuntu", "macos"}
    pythons = {"3.11", "3.12", "3.13"}
    assert {python for _, python in systems} == pythons
    assert jobs["windows"]["runs-on"].startswith("windows")
    assert set(jobs["windows"]["strategy"]["matrix"]["python"]) == pythons


def test_only_what_passed_is_published():
    for name in ("pages", "notebooks"):
        assert set(FLOWS["ci.yml"]["jobs"][name]["needs"]) == {"book", "tests", "windows"}


def test_notebooks_go_to_the_branch_that_colab_opens():
    (script,) = [s["run"] for s in steps("ci.yml", "notebooks") if "run" in s]
    assert f"--initial-branch {notebooks.BRANCH}\n" in script
    assert script.rstrip().endswith(f'.git" {notebooks.BRANCH}')
    assert f"/blob/{notebooks.BRANCH}/" in notebooks.colab_link("https://github.com/a/b", "book/x")


@pytest.mark.parametrize("file", ["newest.yml", "links.yml"])
def test_weekly_checks_open_an_issue_when_they_fail(file):
    minute, hour, day, month, weekday = triggers(FLOWS[file])["schedule"][0]["cron"].split()
    assert (day, month) == ("*", "*") and weekday in "0123456"
    report = FLOWS[file]["jobs"]["report"]
    assert report["uses"] == "./.github/workflows/report.yml" and report["if"] == "failure()"
    assert report["permissions"] == {"issues": "write"}
    checks = set(FLOWS[file]["jobs"]) - {"report"}
    assert checks == set([report["needs"]] if isinstance(report["needs"], str) else report["needs"])


def test_the_dev_container_sets_up_what_the_book_needs():
    box = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    for words in commands(box["postCreateCommand"].split("&&")[-1]):
        assert words[0] == "make" and complaint(words) is None
    version = re.search(r"python:(?:\d-)?(3\.\d+)", box["image"]).group(1)
    assert version in ("3.11", "3.12", "3.13")
    interpreter = box["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter.endswith("/.venv/bin/python")
