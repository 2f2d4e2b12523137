"""What an interpreter does when it starts: in any folder, in any locale, and whatever is wrong, it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsdl_course.setup import start_up
from fsdl_course.setup.environment import Environment
from fsdl_deploy.paths import ROOT

LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    "utf8": {"PYTHONUTF8": "1"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0"},
}
PROXIES = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "socks://127.0.0.1:9"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Environment:
    """An empty environment in a folder whose name has letters beyond ASCII, a space, and signs of URLs."""
    folder = tmp_path_factory.mktemp("odd") / "Unité 1 日本" / "50% 'pröject' #?"
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    for name in ("both", "beside"):
        (folder / "root").mkdir(exist_ok=True)
        (folder / "root" / f"{name}.py").write_text("where = 'root'")
    return Environment("odd", folder / "env", ROOT / "requirements.lock", root=folder)


def start(environment: Environment, program: str, **environ: str) -> subprocess.CompletedProcess:
    names = {*os.environ} - {"PYTHONPATH", "PYTHONUTF8", "LC_ALL", "LANG"}
    given = {name: os.environ[name] for name in names if not name.lower().endswith("_proxy")} | environ
    command = [str(environment.python), "-c", program]
    return subprocess.run(command, env=given, capture_output=True, timeout=60)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_path_with_any_letters_is_found_behind_the_environments_own(environment, locale):
    site = environment.site()
    assert site.is_dir() and site.is_relative_to(environment.folder)
    (site / "both.py").write_text("where = 'own'")
    start_up.write(site, [environment.root / "root", Path("/nowhere")])
    process = start(environment, "import both, beside; print(both.where, beside.where)", **LOCALES[locale])
    assert (process.stdout.split(), process.stderr) == ([b"own", b"root"], b"")


@pytest.mark.parametrize("locale", LOCALES)
def test_proxies_are_settled_before_the_first_line(environment, locale):
    start_up.write(environment.site(), [ROOT])
    process = start(
        environment, "import os; print(os.environ.get('ALL_PROXY'))", **PROXIES, **LOCALES[locale]
    )
    assert (process.stdout.split(), process.stderr) == ([b"None"], b"")


@pytest.mark.parametrize("damage", [None, "raise SystemError", "def at_start(): raise OSError", "no Python"])
def test_an_interpreter_starts_whatever_became_of_the_course(environment, tmp_path, damage):
    if damage:
        (tmp_path / "fsdl_deploy").mkdir()
        (tmp_path / "fsdl_deploy" / "__init__.py").touch()
        (tmp_path / "fsdl_deploy" / "proxies.py").write_text(damage)
    start_up.write(environment.site(), [tmp_path])
    process = start(environment, "print('well')", **PROXIES)
    assert (process.stdout.split(), process.stderr) == ([b"well"], b"")


def test_without_a_proxy_nothing_is_imported(environment):
    start_up.write(environment.site(), [ROOT])
    process = start(environment, "import sys; print('fsdl_deploy' in sys.modules, 're' in sys.modules)")
    assert process.stdout.split() == [b"False", b"False"]


def test_what_an_earlier_set_up_wrote_is_found_and_removed(environment):
    file = environment.site() / start_up.FILE
    file.write_bytes("/Unité 1/pröject\n".encode() + b"\xff\n")
    start_up.remove(environment.site())  # ``site`` starts an interpreter that does not read the file
    assert not file.exists()
    start_up.remove(environment.site())
