"""Settings: typed, checked at start, each with its help beside it. Precedence: file < environment < flags.

The file is TOML with the names below as keys; the environment has the same names in capitals after `WEIR_`;
flags have them with dashes. This is the only module that reads the environment.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from actors.errors import ConfigurationError
from weir.addresses import EMBEDDED, shown, trouble_with

PREFIX = "WEIR_"
OTHER_VARIABLES = ("WEIR_CONFIG", "WEIR_DEBUG")
ADDRESSES = ("broker", "database", "redis")
NAMES_IN_KAFKA = "^[a-zA-Z0-9._-]{1,200}$"
SECRETS = frozenset({"kafka_password", "secret_key", "secret_key_old"})


class Config(Struct, frozen=True, kw_only=True):
    """Every setting of a Weir process. Sizes are in MiB, spans in the unit of their name."""

    data_dir: Annotated[
        str,
        Meta(description="Folder of the log, the database and the keys; made when absent.", min_length=1),
    ] = "weir-data"
    host: Annotated[str, Meta(description="Address to listen on; 0.0.0.0 for every interface.", min_length=1)] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(description="Port to listen on; 0 for any free one.", ge=0, le=65535)] = 8080
    partitions: Annotated[
        int, Meta(description="Partitions of the log; fixed once a data folder exists.", ge=1, le=256)
    ] = 8
    log_format: Annotated[
        Literal["auto", "json", "console"],
        Meta(description="Log lines as json or for people (console); auto: for people on a terminal."),
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least level that is logged.")
    ] = "info"
    max_body_mb: Annotated[int, Meta(description="Largest request body as sent, in MiB.", ge=1, le=256)] = 16
    max_batch_mb: Annotated[
        int, Meta(description="Largest batch of events once decompressed, in MiB.", ge=1, le=256)
    ] = 32
    max_batch_events: Annotated[int, Meta(description="Most events in one batch.", ge=1, le=1_000_000)] = 50_000
    max_attachment_mb: Annotated[
        int, Meta(description="Largest file of a customer's message that is fetched, in MiB.", ge=1, le=1024)
    ] = 25
    max_upload_mb: Annotated[
        int,
        Meta(description="Largest file that people may send, in MiB; platforms allow less.", ge=1, le=1024),
    ] = 50
    secure_cookies: Annotated[
        bool, Meta(description="Send session cookies over HTTPS only; wanted wherever Weir is behind HTTPS.")
    ] = False
    origins: Annotated[
        list[str],
        Meta(description="Further origins browsers may act from, like https://weir.example.com; by comma."),
    ] = []
    trusted_proxies: Annotated[
        list[str],
        Meta(description="Addresses of reverse proxies whose X-Forwarded-For is believed; by comma."),
    ] = []
    retention_days: Annotated[
        int, Meta(description="Days after which messages and finished troubles are forgotten.", ge=1, le=3650)
    ] = 90
    archive_dir: Annotated[
        str, Meta(description="Folder that keeps messages when they are forgotten; empty: they are kept nowhere.")
    ] = ""
    alert_mailbox: Annotated[
        str,
        Meta(description="Account of a bound e-mail channel that sends notifications to people; empty: none does."),
    ] = ""
    shutdown_s: Annotated[int, Meta(description="Seconds a shutdown may take before it is forced.", ge=1, le=600)] = 15
    policies: Annotated[
        str,
        Meta(description="SLA policies: default, presets (the platforms' own promises), or a JSON or TOML file."),
    ] = "default"
    broker: Annotated[
        str, Meta(description="Log to use: embedded, or kafka://host:9092; several brokers by comma.")
    ] = EMBEDDED
    database: Annotated[str, Meta(description="Database to use: embedded, or mongodb://host:27017/weir.")] = EMBEDDED
    redis: Annotated[str, Meta(description="Live bus to use: embedded, or redis://host:6379/0.")] = EMBEDDED
    secret_key: Annotated[
        str,
        Meta(
            description="Key that seals the secrets of channels, base64 of 32 bytes; best given by the environment. "
            "Empty: a file in the data folder."
        ),
    ] = ""
    secret_key_old: Annotated[
        str, Meta(description="Older such keys to read with, parted by spaces; best given by the environment.")
    ] = ""
    worker_port: Annotated[
        int, Meta(description="Port of a worker's /healthz, /readyz and /metrics; 0 for any free one.", ge=0, le=65535)
    ] = 8081
    kafka_topic: Annotated[
        str,
        Meta(
            description="Topic that holds the log; two deployments on one Kafka need two.",
            pattern="^[a-zA-Z0-9._-]{1,200}$",
        ),
    ] = "weir-events"
    kafka_group: Annotated[
        str,
        Meta(description="Consumer group of the workers, two deployments need two.", pattern="^[a-zA-Z0-9._-]{1,200}$"),
    ] = "weir"
    kafka_replication: Annotated[
        int,
        Meta(description="Copies of each partition when the topic is made; 0: three, or one per broker.", ge=0, le=9),
    ] = 0
    kafka_retention_days: Annotated[
        int,
        Meta(
            description="Days the topic keeps what was accepted, set when it is made; longer than any outage.",
            ge=1,
            le=3650,
        ),
    ] = 30
    kafka_security: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        Meta(description="How to talk to Kafka: plaintext, ssl, sasl_plaintext or sasl_ssl."),
    ] = "plaintext"
    kafka_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Meta(description="How to log in to Kafka by SASL.")
    ] = "SCRAM-SHA-512"
    kafka_user: Annotated[str, Meta(description="Name for Kafka's SASL.")] = ""
    kafka_password: Annotated[str, Meta(description="Password for Kafka's SASL; best given by the environment.")] = ""
    kafka_ca: Annotated[str, Meta(description="File with the authority (PEM) that signed Kafka's certificates.")] = ""
    kafka_cert: Annotated[str, Meta(description="File with the certificate (PEM) Weir shows to Kafka.")] = ""
    kafka_key: Annotated[str, Meta(description="File with the key (PEM) of that certificate.")] = ""

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.data_dir)

    @property
    def keeps_files(self) -> bool:
        """Whether anything lies in the data folder: the log or the database."""
        return EMBEDDED in (self.broker, self.database)

    @property
    def clustered(self) -> bool:
        """Whether several processes may share the work: log, database and bus are all services."""
        return EMBEDDED not in (self.broker, self.database, self.redis)

    def __repr__(self) -> str:
        """Every value that is not the default, secrets left out."""
        told = (f"{name}={shown_value(name, getattr(self, name))!r}" for name in self.__struct_fields__)
        return f"Config({', '.join(told)})"


FIELDS = {field.name: field for field in msgspec.structs.fields(Config)}


def load_config(
    flags: Mapping[str, object] | None = None,
    *,
    file: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """The settings in force.

    Args:
        flags: values given on the command line by setting name; None means not given.
        file: the TOML file; otherwise `WEIR_CONFIG`, otherwise weir.toml in the working folder, if any.
        environ: the environment, for tests; otherwise the process's own.

    Raises:
        ConfigurationError: a value is wrong; the message names the setting, where it stands and what fits.

    """
    variables = environment() if environ is None else environ
    values: dict[str, Any] = {}
    for origin, layer in (
        _file_layer(file, variables),
        ("the environment", _environment_layer(variables)),
        ("the command line", {name: value for name, value in (flags or {}).items() if value is not None}),
    ):
        for name, value in layer.items():
            values[name] = _checked(name, value, origin)
    return _supported(Config(**values))


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ  # noqa: TID251 # the one place that may


def debug_wanted() -> bool:
    """Whether errors of the command line are shown with their stack (WEIR_DEBUG=1)."""
    return environment().get("WEIR_DEBUG", "") not in ("", "0")


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """WEIR_ variables that mean nothing: most likely misspelt; `weir doctor` shows them."""
    names = environment() if environ is None else environ
    known = {PREFIX + name.upper() for name in FIELDS} | set(OTHER_VARIABLES)
    return sorted(name for name in names if name.startswith(PREFIX) and name not in known)


def describe(name: str) -> str:
    """The help text of a setting; raises KeyError for an unknown one."""
    return next(m.description for m in FIELDS[name].type.__metadata__ if isinstance(m, Meta) and m.description)


def _file_layer(file: str | Path | None, environ: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    named = file or environ.get("WEIR_CONFIG")
    path = Path(named or "weir.toml")
    if not named and not path.is_file():
        return "", {}
    try:
        return str(path), tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        reason = f"the configuration file {path} cannot be read: {wrong.strerror}"
        raise ConfigurationError(f"{reason}; name another with --config") from wrong
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigurationError(f"the configuration file {path} is no TOML: {wrong}") from wrong


def _environment_layer(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {name: PREFIX + name.upper() for name in FIELDS}
    return {name: environ[variable] for name, variable in names.items() if variable in environ}


def _checked(name: str, value: Any, origin: str) -> Any:
    """The value in its setting's own type."""
    if name not in FIELDS:
        raise ConfigurationError(f"{name!r} in {origin} is no setting; the settings are {', '.join(FIELDS)}")
    field = FIELDS[name]
    wants_list = isinstance(field.default_factory, type) or field.default_factory is not msgspec.NODEFAULT
    if wants_list and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, field.type, strict=not isinstance(value, str))
    except msgspec.ValidationError as wrong:
        reason = f"setting {name} in {origin}: {shown_value(name, value)!r} does not fit ({wrong})"
        raise ConfigurationError(f"{reason}. {describe(name)}") from wrong


def shown_value(name: str, value: Any) -> Any:
    """A setting's value as it may be shown and logged."""
    if name in SECRETS:
        return "…" if value else value
    return shown(value) if name in ADDRESSES and isinstance(value, str) else value


def _supported(config: Config) -> Config:
    for name in ADDRESSES:
        address = getattr(config, name)
        if (wrong := trouble_with(name, address)) is not None:
            raise ConfigurationError(f"setting {name}: {shown(address)!r} does not fit: {wrong}")
    for origin in config.origins:
        scheme, _, rest = origin.partition("://")
        if scheme not in ("http", "https") or not rest or "/" in rest:
            raise ConfigurationError(f"setting origins: {origin!r} must be scheme and host only: https://a.example")
    _check_kafka(config)
    return config


def _check_kafka(config: Config) -> None:
    if config.kafka_security.startswith("sasl") and not (config.kafka_user and config.kafka_password):
        raise ConfigurationError(
            f"setting kafka_security: {config.kafka_security} needs kafka_user and kafka_password; "
            "give the password by WEIR_KAFKA_PASSWORD"
        )
    if bool(config.kafka_cert) != bool(config.kafka_key):
        raise ConfigurationError("settings kafka_cert and kafka_key: give both or none")
    for name in ("kafka_ca", "kafka_cert", "kafka_key"):
        path = getattr(config, name)
        if path and not Path(path).is_file():
            raise ConfigurationError(f"setting {name}: there is no file {path}")
    if config.kafka_cert and not config.kafka_security.endswith("ssl"):
        raise ConfigurationError("setting kafka_cert: is only shown over TLS: set kafka_security to ssl or sasl_ssl")


def check_clustered(config: Config, role: str) -> None:
    """Raises ConfigurationError when a role that shares its work with other processes has a part of its own."""
    own = [name for name in ADDRESSES if getattr(config, name) == EMBEDDED]
    if own:
        raise ConfigurationError(
            f"`weir {role}` shares its work with other processes, which see nothing that is {EMBEDDED} in this one: "
            f"set {', '.join(own)} to a service ({', '.join(PREFIX + name.upper() for name in own)}), "
            "or run `weir serve`, which does everything in one process"
        )
