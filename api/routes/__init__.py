"""Route groups, one file each; ROUTES is the whole list."""

from fastapi import APIRouter

from api.routes import (
    anomalies,
    auth,
    bindings,
    conversations,
    events,
    health,
    monitor,
    mutes,
    people,
    profile,
    records,
    replies,
    stats,
    sweeps,
    thresholds,
    webhooks,
)

ROUTES: tuple[APIRouter, ...] = (
    events.router,
    webhooks.router,
    anomalies.router,
    conversations.router,
    replies.router,
    monitor.router,
    mutes.router,
    stats.router,
    thresholds.router,
    people.router,
    records.router,
    auth.router,
    profile.router,
    bindings.router,
    sweeps.router,
    health.router,
)
