"""Settings: precedence, and errors that name what is wrong."""

import pytest

from actors.errors import ConfigurationError
from weir.config import FIELDS, Config, describe, load_config, unknown_variables


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path):
    file = tmp_path / "weir.toml"
    file.write_text('port = 1001\nhost = "10.0.0.1"\npartitions = 4\n')
    config = load_config(
        {"port": 1003, "host": None}, file=file, environ={"WEIR_PORT": "1002", "WEIR_HOST": "10.0.0.2"}
    )
    assert (config.port, config.host, config.partitions) == (1003, "10.0.0.2", 4)


def test_without_anything_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config(environ={}) == Config()


def test_lists_are_comma_separated_in_the_environment():
    config = load_config(
        environ={"WEIR_ORIGINS": "https://a.example, https://b.example", "WEIR_SECURE_COOKIES": "true"}
    )
    assert config.origins == ["https://a.example", "https://b.example"]
    assert config.secure_cookies is True


@pytest.mark.parametrize(
    ("flags", "environ", "named"),
    [
        ({"port": 70000}, {}, "port"),
        ({}, {"WEIR_PORT": "http"}, "port"),
        ({}, {"WEIR_LOG_FORMAT": "xml"}, "log_format"),
        ({"broker": "kafka://broker"}, {}, "broker"),
        ({"database": "mongodb://db"}, {}, "database"),
        ({"redis": "redis://r"}, {}, "redis"),
        ({}, {"WEIR_ORIGINS": "weir.example.com"}, "origins"),
        ({"colour": "red"}, {}, "colour"),
    ],
)
def test_a_wrong_value_names_its_setting(flags, environ, named):
    with pytest.raises(ConfigurationError, match=named):
        load_config(flags, environ=environ)


def test_a_missing_or_broken_file_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match=r"gone\.toml"):
        load_config(file=tmp_path / "gone.toml", environ={})
    broken = tmp_path / "broken.toml"
    broken.write_text("port = = 1")
    with pytest.raises(ConfigurationError, match="no TOML"):
        load_config(file=broken, environ={})


def test_misspelt_variables_are_found():
    assert unknown_variables({"WEIR_PROT": "1", "WEIR_PORT": "1", "WEIR_DEBUG": "1", "PATH": ""}) == ["WEIR_PROT"]


def test_every_setting_has_help():
    assert all(describe(name) for name in FIELDS)
