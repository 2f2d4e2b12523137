"""What services want from a model: an honest count of lines, and answers that are the model's own."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.managed import contracts
from fsdl_deploy.managed.contract_models import fit, prepare, questions
from fsdl_deploy.managed.contract_servers import trial
from fsdl_deploy.managed.contracts import FOLDER, MODELS, ContractError, lines_of
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations

PYTHON = '''"""A docstring
over two lines."""

# a comment
import os  # and one behind code

TEXT = """not a docstring:

three lines"""


class Model:
    """What it is."""

    def load(self):
        """Nothing but this."""

    async def run(
        self,
    ):
        return os.sep  \\
            + TEXT
'''
YAML = """
# a comment
build:
  python_version: "3.11" # as there

run: "run.py:Runner"
"""


@pytest.fixture(scope="module")
def fitted():
    return fit()


def by_folder(folder):
    return next(service for service in contracts.contracts() if service.folder == folder)


def test_blank_lines_comments_and_docstrings_do_not_count(tmp_path):
    (tmp_path / "model.py").write_text(PYTHON)
    # import, three of the text, class, def load, and five of run: its blank line in a text is code.
    assert lines_of(tmp_path / "model.py") == 1 + 3 + 1 + 1 + 5


@pytest.mark.parametrize(("name", "lines"), [("cog.yaml", 3), ("Dockerfile", 3), ("local.env", 3)])
def test_configuration_counts_like_code(tmp_path, name, lines):
    (tmp_path / name).write_text(YAML)
    assert lines_of(tmp_path / name) == lines


def test_what_cannot_be_counted_is_refused(tmp_path):
    (tmp_path / "model.bin").write_text("")
    with pytest.raises(ContractError, match=r"lines of \.bin files cannot be counted"):
        lines_of(tmp_path / "model.bin")


def test_an_empty_program_has_no_lines(tmp_path):
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "one.py").write_text('"""Only this."""\n')
    assert lines_of(tmp_path / "__init__.py") == lines_of(tmp_path / "one.py") == 0


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('wants = "x"', "", "Somebody has no wants"),
        ('wants = "x"', 'wants = "x"\nprice = 1', "Somebody: unknown price"),
        ('"server"', '"surely"', "Somebody: how must be one of server, called, not here"),
        ("reader =", "writer =", "for each of scikit-learn, huggingface, reader"),
        ("{ scikit", "[1] # { scikit", r"Somebody: how must be one of server.*, not \[1\]"),
        ('"x"', "nan", "Somebody: wants must be a text, not nan"),
        ('"somewhere"', "2026-11-30", "Somebody: folder must be a text"),
        ("[]", "true", "Somebody: careful must be a list, not True"),
        ("[]", '["nowhere.py"]', "Somebody: careful must be a list, each a file of the repository"),
        ('"Somebody"', "1e999", "row 1 of .* has no name: it must be a text"),
    ],
)
def test_a_service_that_is_not_whole_is_refused(tmp_path, before, after, message):
    text = """[[service]]
folder = "somewhere"
name = "Somebody"
wants = "x"
careful = []
how = { scikit-learn = "called", huggingface = "not here", reader = "server" }
"""
    assert before in text
    file = tmp_path / "contracts.toml"
    file.write_text(text.replace(before, after))
    with pytest.raises(ContractError, match=message):
        contracts.contracts(file)


def test_every_adapter_is_counted_and_every_file_is_an_adapters():
    known = {file for service in contracts.contracts() for model in MODELS for file in service.files(model)}
    folders = {service.folder for service in contracts.contracts()}
    there = {
        path
        for folder in folders
        for path in (FOLDER / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert known == there and len(known) > 30
    assert all((ROOT / name).is_file() for service in contracts.contracts() for name in service.careful)
    for service in contracts.contracts():
        for model in MODELS:
            code = [file for file in service.files(model) if file.suffix == ".py"]
            assert service.how[model] != "not here" or not code, "code that nothing here has tried"


def test_counts_are_those_of_the_files():
    counted, cog = contracts.counts(), by_folder("cog")
    assert counted["lines"]["reader"][cog.name] == cog.lines("reader")
    assert cog.lines("reader") == sum(lines_of(file) for file in cog.files("reader"))
    assert by_folder("sagemaker").lines("huggingface") == 1  # HF_TASK
    assert counted["none"] == {"scikit-learn": 0, "huggingface": 1, "reader": 0}
    assert counted["services"] == len(contracts.table().rows) == 8
    lines = counted["lines"]
    most = [
        name
        for name, count in lines["reader"].items()
        if count > max(lines["scikit-learn"][name], lines["huggingface"][name])
    ]
    assert counted["most_for_reader"] == len(most) and cog.name not in most  # where two take as many


def test_our_own_modules_travel_with_our_reader():
    names = {file.name for file in contracts.own_modules()}
    assert {"reader.py", "picture.py", "weights.py"} <= names and "contracts.py" not in names
    assert contracts.counts()["own"] == sum(map(lines_of, contracts.own_modules()))


def test_the_record_has_a_trial_for_all_that_can_run_and_every_answer_is_the_models_own():
    trials = contracts.trials()
    expected = [
        (service.name, model, service.how[model])
        for service in contracts.contracts()
        for model in MODELS
        if service.how[model] != "not here"
    ]
    assert [(service["service"], service["model"], service["how"]) for service in trials] == expected
    assert all(service["same"] == service["count"] >= 20 for service in trials)
    assert contracts.parity()["ran"] == contracts.counts()["tried"] == len(expected)


def test_the_scikit_learn_model_is_a_model(fitted):
    asked = questions("scikit-learn", 200, fitted)
    right = sum(mine == truth for mine, truth in zip(asked.expected, asked.truth, strict=True))
    assert right / 200 > 0.85


def test_an_unknown_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no model 'xgboost': there are scikit-learn"):
        prepare("xgboost", tmp_path)


def test_a_container_of_ones_own_answers_as_the_reader_without_any_station(tmp_path, monkeypatch):
    monkeypatch.setattr(stations, "python", lambda name: pytest.fail(f"the station {name} is asked for"))
    attempt = trial(by_folder("sagemaker"), "reader", tmp_path, 5)
    assert (attempt.same, attempt.count, attempt.how) == (5, 5, "server")


def test_what_is_not_here_is_said(tmp_path):
    with pytest.raises(ValueError, match="Hugging Face Endpoints has nothing for huggingface"):
        trial(by_folder("endpoints"), "huggingface", tmp_path)


@pytest.mark.parametrize("folder", ["sagemaker", "endpoints"])
def test_functions_called_as_the_service_calls_them_give_the_models_answers(folder, fitted, tmp_path):
    ensure("contracts")
    attempt = trial(by_folder(folder), "scikit-learn", tmp_path, 5, fitted)
    assert (attempt.same, attempt.how) == (5, "called")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("folder", "model"), [("vertex", "scikit-learn"), ("mlflow", "huggingface"), ("cog", "reader")]
)
def test_the_services_own_server_gives_the_models_answers(folder, model, fitted, tmp_path):
    ensure("contracts")
    assert trial(by_folder(folder), model, tmp_path, 5, fitted if model == "scikit-learn" else None).same == 5
