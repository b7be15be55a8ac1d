"""What the web side needs to know of the configuration."""

from msgspec import Struct


class WebSettings(Struct, frozen=True, kw_only=True):
    """Limits in bytes. `origins`: further origins browsers may act from, beside the server's own."""

    secure_cookies: bool = False
    origins: tuple[str, ...] = ()
    most_body: int = 16 * 2**20
    most_batch: int = 32 * 2**20
    version: str = "0"
