"""A program: reads one picture in a process of its own, so that a hostile one harms nobody else.

Standard input: the file. The only argument: what is wanted, as JSON. Standard output: a line of JSON, then the bytes of
the picture that was made. Memory and time are limited; a picture of too many pixels is not even begun. It imports
nothing of Weir.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import warnings
from contextlib import suppress
from typing import Any

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

MOST_PIXELS = 100_000_000
MEMORY_BYTES = 1_536 * 2**20
CPU_S = 8
NICENESS = 5
LIMITS = (
    (resource.RLIMIT_CPU, CPU_S),
    (resource.RLIMIT_AS, MEMORY_BYTES),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_FSIZE, 0),
)
KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
SMALLEST_SIDE = 200
QUALITIES = (88, 80, 70, 60)


class TooManyPixelsError(Exception):
    """It would fill the memory."""


def opened() -> Image.Image:
    """The picture, with nothing of it decoded."""
    Image.MAX_IMAGE_PIXELS = None  # judged below, before anything is decoded
    picture = Image.open(sys.stdin.buffer, formats=KINDS)
    if picture.width * picture.height > MOST_PIXELS:
        raise TooManyPixelsError
    return picture


def thumbnail(picture: Image.Image, side: int) -> bytes:
    """A small one, the right way up, without what cameras write beside it."""
    picture.load()
    picture.thumbnail((2 * side, 2 * side), Image.Resampling.BOX)
    small = ImageOps.exif_transpose(picture)
    small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return written(small, "WEBP", 75)


def fitted(picture: Image.Image, most: int | None, kinds: list[str]) -> tuple[bytes, str]:
    """The picture as one of these kinds in at most so many bytes: first at lower quality, then smaller."""
    if getattr(picture, "is_animated", False):
        return b"", ""  # a still of it would be another message
    picture.load()
    whole = ImageOps.exif_transpose(picture)
    kind = "JPEG" if "JPEG" in kinds and not (whole.has_transparency_data and len(kinds) > 1) else kinds[-1]
    if whole.has_transparency_data:
        whole = whole.convert("RGBA")
        if kind == "JPEG":
            whole = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole)
    if kind == "JPEG" or whole.mode != "RGBA":
        whole = whole.convert("RGB")
    while True:
        for quality in QUALITIES if kind != "PNG" else QUALITIES[:1]:
            content = written(whole, kind, quality)
            if most is None or len(content) <= most:
                return content, kind
        smaller = (whole.width * 3 // 4, whole.height * 3 // 4)
        if min(smaller) < 1 or max(smaller) < SMALLEST_SIDE:
            return b"", kind
        whole = whole.resize(smaller, Image.Resampling.LANCZOS)


def written(picture: Image.Image, kind: str, quality: int) -> bytes:
    """The pixels alone: a new picture knows nothing of where and with what the old one was taken."""
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    out = io.BytesIO()
    clean.save(out, kind, quality=quality, optimize=kind == "JPEG")
    return out.getvalue()


def answer(wanted: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What is told of the picture, and the one that was made of it."""
    made = b""
    try:
        picture = opened()
        width, height = picture.size
        told = {"width": width, "height": height, "kind": picture.format, "trouble": None}
        if wanted["do"] == "thumbnail":
            made = thumbnail(picture, wanted["side"])
        else:
            made, told["kind"] = fitted(picture, wanted["most"], wanted["kinds"])
    except TooManyPixelsError:
        return {"trouble": "too_many_pixels"}, b""
    except MemoryError:
        return {"trouble": "too_costly"}, b""
    except UnidentifiedImageError:
        return {"trouble": "undecodable"}, b""
    except Exception as wrong:  # noqa: BLE001 # decoders of hostile files raise whatever they like
        return {"trouble": "truncated" if "truncated" in str(wrong) else "undecodable"}, b""
    return told, made


def main() -> None:
    """Answer, then end."""
    warnings.simplefilter("ignore")
    with suppress(OSError):
        os.nice(NICENESS)
    for what, most in LIMITS:
        with suppress(OSError, ValueError):  # a system without it has the caller's patience still
            resource.setrlimit(what, (most, most))
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    told, made = answer(json.loads(sys.argv[1]))
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + made)


if __name__ == "__main__":
    main()
