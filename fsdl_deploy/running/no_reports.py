"""No reports of use: the settings by which tools that we start tell nobody about it"""

from pathlib import Path

NO_REPORTS = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "BENTOML_DO_NOT_TRACK": "True"}


def truss_settings(folder: Path) -> dict[str, str]:
    """The variable of the environment by which Truss has its settings in ``folder`` and asks for no update.

    It would keep settings in the home folder, and ask the internet for a newer Truss. The folder is made.
    """
    settings = Path(folder) / "truss"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "settings.toml").write_text("[preferences]\ncheck_for_updates = false\n", encoding="utf-8")
    return {"XDG_CONFIG_HOME": str(folder)}
