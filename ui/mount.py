"""Puts the screens into the parent web app: the one call of the composition root."""

from __future__ import annotations

from fastapi import FastAPI
from nicegui import app, background_tasks, ui

from services.parts import Services
from ui import compat
from ui.assets import STATIC, serve_assets
from ui.components import MODULES
from ui.garbage import EVERY_S, Collector
from ui.installable import serve_installable
from ui.live import Rooms, evict, relay
from ui.login import serve_login
from ui.ports import Settings
from ui.shell import Shell
from ui.webchat import serve_widget

TOPICS = ("monitor",)
RECONNECT_S = 15.0


def mount(api: FastAPI, services: Services, settings: Settings) -> None:
    """Serve the login page, the static files and every screen from `api`; routes that `api` has already win.

    To be called once in a process, after the API's own routes are there, and before its lifespan starts.
    """
    rooms, collector = Rooms(), Collector()
    services.accounts.on_revoked(lambda name: evict(rooms, name))
    serve_assets(api)
    serve_installable(api)
    serve_login(api)
    serve_widget(api)
    for name, folder in MODULES.items():
        compat.register_module(name, folder)
    Shell(services, rooms, collector).register()

    @app.on_startup
    def start() -> None:
        compat.harden_sockets(list(settings.origins))
        for topic in TOPICS:
            background_tasks.create(relay(services.bus, rooms, topic), name=f"relay {topic}")
        collector.start()
        app.timer(EVERY_S, collector.tidy)

    ui.run_with(
        api,
        title="Weir",
        favicon=STATIC / "icon.svg",
        tailwind=False,
        reconnect_timeout=RECONNECT_S,
        binding_refresh_interval=0.25,
        show_welcome_message=False,
    )
