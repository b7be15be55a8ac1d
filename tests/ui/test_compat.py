"""The hooks of NiceGUI that are not its public interface do what the screens need; garbage is collected on time."""

import gc
import inspect

import pytest
import socketio
from nicegui import core
from nicegui.client import Client
from nicegui.dependencies import esm_modules
from nicegui.elements.sub_pages import SubPages
from nicegui.version import __version__

from ui import compat
from ui.components import CORE
from ui.garbage import EVERY_CLIENTS, Collector


def test_the_hooks_are_pinned_to_the_version_they_were_written_for():
    assert __version__.startswith("3.18.")


def test_the_shared_module_is_served_under_its_name():
    compat.register_module("weir-core", CORE)
    assert any(module.name == "weir-core" and module.path == CORE for module in esm_modules.values())
    assert any(module.name == "nicegui-echart" for module in esm_modules.values())


def test_one_emit_reaches_many_rooms():
    assert isinstance(core.sio, socketio.AsyncServer)
    assert "room" in inspect.signature(core.sio.emit).parameters


def test_sockets_are_accepted_from_named_origins_only(monkeypatch):
    engine = core.sio.eio
    for name in ("cors_allowed_origins", "ping_interval", "ping_timeout"):
        monkeypatch.setattr(engine, name, getattr(engine, name))
    compat.harden_sockets(["https://weir.example"])
    assert engine.cors_allowed_origins == ["https://weir.example"]
    compat.harden_sockets([])
    assert engine.cors_allowed_origins is None


def test_what_is_overridden_in_the_pages_is_still_there():
    assert callable(SubPages._render_404)
    assert callable(SubPages._render_error)
    assert "page" in inspect.signature(Client).parameters


@pytest.fixture
def collections(monkeypatch):
    found = []
    monkeypatch.setattr(gc, "collect", lambda: found.append(1))
    return found


def test_closed_pages_are_collected_by_the_hundred_and_never_for_nothing(collections):
    collector = Collector()
    collector.tidy()
    assert collections == []
    for _ in range(EVERY_CLIENTS):
        collector.client_gone()
    assert len(collections) == 1
    collector.tidy()
    assert len(collections) == 1
    collector.client_gone()
    collector.tidy()
    assert len(collections) == 2
