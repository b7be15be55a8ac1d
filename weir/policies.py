"""SLA policies by name: the default one, the platforms' own promises, or a file."""

import tomllib
from pathlib import Path

import msgspec

from actors.errors import ConfigurationError
from actors.presets import PRESETS, read_policies
from actors.sla import Policy

DEFAULT = "default"
PRESET_NAME = "presets"


def policies_of(name: str) -> tuple[Policy, ...]:
    """The policies, first match wins: `default`, `presets`, or a JSON or TOML file. Raises ConfigurationError."""
    if name == DEFAULT:
        return (Policy(),)
    if name == PRESET_NAME:
        return (*PRESETS, Policy())
    path = Path(name)
    decode = _toml if path.suffix == ".toml" else msgspec.json.decode
    try:
        return read_policies(decode(path.read_bytes()))
    except OSError as wrong:
        raise ConfigurationError(f"the SLA policies {name} cannot be read: {wrong.strerror}") from wrong
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigurationError(f"the SLA policies {name} are neither JSON nor TOML: {wrong}") from wrong


def _toml(raw: bytes) -> object:
    return tomllib.loads(raw.decode("utf-8"))
