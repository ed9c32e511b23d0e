"""The house: what lies where, what may import what, and what must stand in one place only."""

import ast
import functools
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
import yaml

import firstlight

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "code" / "firstlight"
MODULES = sorted(PACKAGE.rglob("*.py"))
# From the top of the house to its door. A room uses its own floor and those before it; real
# and simulated data share one, so that both speak of the same questions in the same order.
FLOORS = [
    {"archive", "sky"}, {"autodiff"}, {"layers"}, {"models"}, {"training"}, {"evaluation"},
    {"studies"}, {"scaling"}, {"figures"}, {"reports"}, {"claims"}, {"exercises"}, {"press"},
    {"cli"},
]  # fmt: skip
NOT_OURS = {".git", ".venv", "_build", "dist", "__pycache__", "node_modules"}
TEXT = {
    "", ".bib", ".cff", ".cfg", ".css", ".csv", ".in", ".ini", ".js", ".json", ".md", ".py",
    ".svg", ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip


@functools.cache
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@functools.cache
def sources():
    """Every text file of the repository, with its text."""
    found = {}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and ".egg" not in name]
        folders[:] = [name for name in folders if not re.match(r"\.\w+_cache|\.hypothesis", name)]
        for name in files:
            path = Path(folder) / name
            if path.suffix in TEXT:
                found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8", "replace")
    return found


def name_of(path):
    """The dotted name of a module, and whether it is a package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if package else parts), package


def imports(path, top_level_only=False):
    """The firstlight modules that a file imports, as dotted names."""
    module, package = name_of(path)
    here = module.split(".") if package else module.split(".")[:-1]

    def visit(node):
        for child in ast.iter_child_nodes(node):
            lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            if top_level_only and (lazy or typing):
                continue
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = here[: len(here) - child.level + 1] if child.level else []
                base = ".".join(base + ([child.module] if child.module else []))
                yield from (f"{base}.{alias.name}" for alias in child.names)
            yield from visit(child)

    found = visit(ast.parse(path.read_text("utf-8")))
    return [name for name in found if name.split(".")[0] == "firstlight"]


def floor(dotted):
    """The floor of a dotted name: 0 is the package itself."""
    room = [*dotted.split("."), ""][1].replace("__main__", "cli")
    return next((n for n, rooms in enumerate(FLOORS, 1) if room in rooms), 0)


def relative(path):
    return path.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------- the package


def test_the_standard_librarys_code_is_not_hidden():
    assert not (ROOT / "code" / "__init__.py").exists()
    ask = "import code, pdb; print(code.InteractiveConsole.__name__)"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "InteractiveConsole", done.stderr


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_stands_in_a_room_that_the_house_has(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    assert parts[0] in {"__init__", "__main__"}.union(*FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_the_floors_bind(path):
    module, _ = name_of(path)
    upward = [name for name in imports(path) if floor(name) > floor(module)]
    assert not upward, f"{module} imports {upward}, which stand below it"


def test_the_floors_would_notice(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "firstlight")
    path = tmp_path / "firstlight" / "sky" / "wrong.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "def f():\n    from firstlight.press import build\n    from ..cli import main\n"
    )
    assert imports(path) == ["firstlight.press.build", "firstlight.cli.main"]
    assert all(floor(name) > floor("firstlight.sky.wrong") for name in imports(path))
    assert imports(path, top_level_only=True) == []


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name == "__init__.py"], ids=relative
)
def test_no_package_imports_its_rooms_when_it_is_imported(path):
    assert imports(path, top_level_only=True) == []


def test_importing_the_package_costs_nothing():
    ask = (
        "import sys, time; begun = time.perf_counter(); import firstlight; "
        "cost = time.perf_counter() - begun; "
        "print(cost, sorted({'tensorflow', 'keras', 'numpy', 'astropy'} & set(sys.modules)))"
    )
    best = 1.0
    for _ in range(3):  # the machine may be busy
        cost, loaded = subprocess.check_output([sys.executable, "-c", ask], text=True).split(" ", 1)
        assert loaded.strip() == "[]"
        best = min(best, float(cost))
    assert best < 0.2


@functools.cache
def named_by_tests():
    """All that the tests name: dotted names, and module names in strings."""
    names = set()
    for path in (ROOT / "tests").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names |= set(re.findall(r"[\w.]+", node.value))
    return names


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.name not in ("__init__.py", "sitecustomize.py")],
    ids=relative,
)
def test_every_module_has_a_test_that_names_it(path):
    module, _ = name_of(path)
    if path.parent.name == "exercises":  # its test goes through all of that folder's modules
        module = "firstlight.exercises"
    assert module in named_by_tests(), f"no test imports or names {module}"


def test_the_style_is_kept():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", str(ROOT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


# ---------------------------------------------------------------- what gets installed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = [path.relative_to(ROOT / "code") for path in PACKAGE.rglob("*") if path.is_file()]
    ours = {path.as_posix() for path in files if not re.search("_cache|__pycache", str(path))}
    assert names == ours
    assert "firstlight/py.typed" in names


def test_the_metadata_let_it_live_beside_other_things(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = message_from_string(wheel.read(name).decode())
    assert metadata["Name"] == "firstlight"
    assert metadata["Version"] == firstlight.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    base = [need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need]
    assert len(base) == len(project()["project"]["dependencies"])
    for need in base:
        assert "==" not in need and "@" not in need, f"{need}: a range lets readers install it"
    # The CPU build would overwrite the files of a reader's GPU build.
    assert any(need.startswith("tensorflow>") for need in base)


def test_the_lock_covers_what_the_package_needs():
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.M))
    extras = project()["project"]["optional-dependencies"]
    needs = project()["project"]["dependencies"] + extras["book"] + extras["test"]
    needs += extras["scaling"]
    names = {re.match(r"[\w.-]+", need).group().lower() for need in needs}
    assert not names - locked


def test_everything_in_the_locks_has_a_hash():
    for name in ("requirements.txt", "requirements-data.txt"):
        text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text(), flags=re.M)
        for entry in text.replace("\\\n", " ").splitlines():
            assert not entry.strip() or re.search(r"==\S+.*--hash=sha256:[0-9a-f]{64}", entry)


# ---------------------------------------------------------------- the repository


@pytest.mark.parametrize(
    "name",
    "README.md LICENSE CITATION.cff CONTRIBUTING.md Makefile pyproject.toml requirements.in "
    "_config.yml _toc.yml references.bib .ci/run .binder/requirements.txt .binder/runtime.txt "
    ".binder/postBuild .binder/start .github/workflows/ci.yml".split(),
)
def test_the_house_is_complete(name):
    assert (ROOT / name).stat().st_size > 0


@pytest.mark.parametrize("name", [".ci/run", ".binder/postBuild", ".binder/start"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable bit")
def test_scripts_are_executable_and_parse(name):
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / name)], check=True)


def test_the_repositorys_address_stands_in_one_place():
    address = project()["project"]["urls"]["Repository"].split("//")[1]
    owner = address.split("/", 1)[1]
    holders = [name for name, text in sources().items() if address in text or owner in text]
    assert holders == ["pyproject.toml"]
    assert sources()["pyproject.toml"].count(owner) == 1


def test_no_file_names_a_folder_of_one_machine():
    pattern = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/\w|[A-Z]:\\+Users\\")
    found = {
        f"{name}: {match.group()}"
        for name, text in sources().items()
        for match in pattern.finditer(text)
    }
    assert not found


def test_readme_and_continuous_integration_say_the_same():
    for name in ("README.md", ".ci/run", ".github/workflows/ci.yml"):
        assert "make book" in sources()[name] and "make test" in sources()[name], name
    assert len(sources()["README.md"].split()) < 700


def test_the_workflow_is_one():
    flow = yaml.safe_load(sources()[".github/workflows/ci.yml"])
    assert {"push", "pull_request"} <= set(flow[True])  # YAML reads the key `on` as a truth
    pythons = flow["jobs"]["book"]["strategy"]["matrix"]["python"]
    assert min(pythons) == "3.11" and max(pythons) == "3.13"


def test_binder_has_the_tested_versions_of_what_chapters_run_on():
    from packaging.requirements import Requirement

    version = sources()[".binder/runtime.txt"].strip().removeprefix("python-")
    binder = {"python_version": version, "python_full_version": f"{version}.9",
              "sys_platform": "linux", "platform_machine": "x86_64"}  # fmt: skip
    lines = re.findall(r"^(\w[^\\\n]*==[^\\\n]*)", sources()["requirements.txt"], re.M)
    needed = [Requirement(line) for line in lines]  # one package may have a pin per Python
    meant = [need for need in needed if not need.marker or need.marker.evaluate(binder)]
    lock = {need.name: str(need.specifier).removeprefix("==") for need in meant}
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", sources()[".binder/requirements.txt"], re.M))
    assert {name: lock[name] for name in pins} == pins
    wanted = project()["project"]["dependencies"]
    wanted += project()["project"]["optional-dependencies"]["scaling"]  # a chapter runs on it
    needs = {re.match(r"[\w.-]+", need).group() for need in wanted}
    assert needs - {"tensorflow"} <= set(pins) and "tensorflow-cpu" in pins
    assert not {"sphinx", "jupyter-book", "tensorflow", "pytest"} & set(pins)  # a small image
    assert "jupytext-config set-default-viewer" in sources()[".binder/postBuild"]
    version = sources()[".binder/runtime.txt"].strip().removeprefix("python-")
    assert version in ("3.11", "3.12", "3.13")


def test_the_citation_is_valid_and_of_this_version():
    citation = yaml.safe_load(sources()["CITATION.cff"])
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == firstlight.__version__
    assert citation["license"] == "BSD-3-Clause"
    assert json.dumps(citation)  # dates and the like are quoted, so that every reader takes them


def test_both_licences_are_there():
    assert "BSD 3-Clause" in sources()["LICENSE"]
    assert "CC BY 4.0" in sources()["LICENSE"]
