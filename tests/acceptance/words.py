"""Webhooks of a WhatsApp number in the platform's words, for what its emulator says otherwise or not at all.

After Meta's "WhatsApp Business Platform: webhooks reference".
"""

import base64
import hashlib
import json
import time


def whatsapp(shop, **value):
    """The body, of `messages`, `statuses` or `message_echoes`."""
    settings = shop.told.settings
    metadata = {"display_phone_number": "15550000000", "phone_number_id": settings["phone_number_id"]}
    field = "smb_message_echoes" if "message_echoes" in value else "messages"
    change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    entry = {"id": settings["business_account_id"], "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def whatsapp_text(person, own, text, **more):
    """A customer's message; `more` in the place of what it would be."""
    return {
        "from": person,
        "id": own,
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
        **more,
    }


def whatsapp_file(person, own, kind, media, mime):
    """A customer's picture, sound or document, its content made of its id."""
    told = {"from": person, "id": own, "timestamp": str(int(time.time())), "type": kind}
    digest = base64.b64encode(hashlib.sha256(media.encode()).digest()).decode()
    return told | {kind: {"id": media, "mime_type": mime, "sha256": digest}}


def whatsapp_echo(person, own, text):
    """What was written on the phone itself."""
    return whatsapp_text("15550000000", own, text) | {"to": person}


def whatsapp_status(person, own, status, error=None):
    """What became of a message of ours; `error`: (code, title) of one that failed."""
    told = {"id": own, "status": status, "timestamp": str(int(time.time())), "recipient_id": person}
    return told | ({"errors": [{"code": error[0], "title": error[1]}]} if error else {})
