"""How what is counted or watched is named in Redis: by digest, since keys show up in dumps, and names may not."""

import hashlib

DIGEST_BYTES = 16


def digest(text: str) -> str:
    """The name under which an address, a person's name or a conversation is kept."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


__all__ = ["digest"]
