"""Keys of channels and conversations, as text and as partition numbers."""

from urllib.parse import quote, unquote
from zlib import crc32

PARTS_OF_A_CONVERSATION = 3


def escape(part: str) -> str:
    """`%` and `/` percent-encoded, everything else as it is."""
    return part.replace("%", "%25").replace("/", "%2F") if "%" in part or "/" in part else part


def channel_key(platform: str, account: str) -> str:
    """`platform/account`, its parts percent-encoded where they hold `/` or `%`."""
    return f"{escape(platform)}/{escape(account)}"


def conversation_key(platform: str, account: str, conversation: str) -> str:
    """`platform/account/conversation`, its parts percent-encoded where they hold `/` or `%`."""
    return f"{escape(platform)}/{escape(account)}/{escape(conversation)}"


def split_key(key: str) -> tuple[str, ...]:
    """The parts of a channel's or conversation's key, decoded."""
    return tuple(unquote(part) for part in key.split("/"))


def url_key(key: str) -> str:
    """A key made safe for one segment of a URL."""
    return quote(key, safe="")


def partition_of(platform: str, account: str, partitions: int) -> int:
    """The partition of a channel: a stable hash, so that a channel's whole story is told in one place, in order."""
    return crc32(f"{platform}\0{account}".encode("utf-8", "surrogatepass")) % partitions
