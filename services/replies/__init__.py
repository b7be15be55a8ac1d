"""Replies go out once: asked for, kept, sent from an outbox, matched with their echoes and receipts."""
