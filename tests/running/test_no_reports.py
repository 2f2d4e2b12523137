"""Truss's settings: in a folder of ours, where it looks for them, and without a question to the internet."""

import tomllib

from fsdl_deploy.running.no_reports import truss_settings


def test_truss_keeps_its_settings_in_the_folder_and_asks_for_no_update(tmp_path):
    for _ in range(2):
        variables = truss_settings(tmp_path / "settings")
    assert variables == {"XDG_CONFIG_HOME": str(tmp_path / "settings")}
    written = tomllib.loads((tmp_path / "settings" / "truss" / "settings.toml").read_text(encoding="utf-8"))
    assert written["preferences"]["check_for_updates"] is False
