"""Settings: precedence, and errors that name what is wrong."""

import pytest

from actors.errors import ConfigurationError
from weir.config import FIELDS, Config, check_clustered, describe, load_config, unknown_variables


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
        ({"broker": "amqp://broker"}, {}, "broker"),
        ({"broker": "kafka://broker:0"}, {}, "broker"),
        ({"broker": "kafka://a:9092,"}, {}, "broker"),
        ({"broker": "kafka://broker/topic"}, {}, "broker"),
        ({"broker": "kafka://user:hush@broker"}, {}, "kafka_password"),
        ({"database": "mysql://db"}, {}, "database"),
        ({"database": "mongodb://"}, {}, "database"),
        ({"database": "mongodb://db/a.b"}, {}, "database"),
        ({"redis": "redis://r/cache"}, {}, "redis"),
        ({"redis": "redis://a,b"}, {}, "redis"),
        ({"kafka_security": "sasl_ssl"}, {}, "kafka_user"),
        ({"kafka_cert": "c.pem"}, {}, "kafka_key"),
        ({"kafka_ca": "gone.pem"}, {}, r"gone\.pem"),
        ({}, {"WEIR_WORKER_PORT": "70000"}, "worker_port"),
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


CLUSTER = {
    "broker": "kafka://a:9092,b:9092",
    "database": "mongodb://weir:hush@db-1:27017,db-2/weir?replicaSet=rs",
    "redis": "rediss://:hush@bus:6379/1",
}


def test_the_services_of_a_cluster_are_addresses():
    config = load_config(CLUSTER, environ={})
    assert config.clustered
    assert not config.keeps_files
    assert load_config({"database": "mongodb+srv://u:p@cluster.example/weir"}, environ={}).keeps_files
    check_clustered(config, "worker")


@pytest.mark.parametrize("absent", sorted(CLUSTER))
def test_what_shares_its_work_needs_every_service_and_says_which_is_missing(absent):
    config = load_config({**CLUSTER, absent: "embedded"}, environ={})
    with pytest.raises(ConfigurationError, match=f"(?s)weir worker.*WEIR_{absent.upper()}.*weir serve"):
        check_clustered(config, "worker")


@pytest.mark.parametrize(
    "address",
    [
        "mongodb://weir:hush@db/a.b",
        "mongodb://weir:hu/sh@db",
        "mysql://weir:hush@db",
        "mongodb://weir:hush@db:hush",
    ],
)
def test_no_password_of_an_address_is_ever_shown(address):
    with pytest.raises(ConfigurationError) as wrong:
        load_config({"database": address}, environ={})
    assert "weir:hu" not in str(wrong.value)
    shown = repr(load_config({**CLUSTER, "kafka_password": "hush"}, environ={}))
    assert "hush" not in shown
    assert "db-1:27017" in shown
