"""Pictures are read apart from everything else: small ones made, hostile ones survived; files are what they hold."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from connectors.contract.outgoing import Limits
from services.files.outgoing import OutgoingFiles, shown_name
from services.files.thumbnails import Pictures
from services.files.types import HEAD_BYTES, UNKNOWN, extension, sniffed
from storage.channel_records import ReplyFile
from storage.files import FolderFiles
from tests.services_layer.album import (
    DRAWING,
    FILM,
    HEIC,
    OGG,
    PAGE,
    PDF,
    bomb,
    chunk,
    noise,
    picture,
)
from tests.services_layer.desk import AGENT

OFFICE = "application/vnd.openxmlformats-officedocument"


@pytest.fixture
def seen(tmp_path):
    """What is seen of these bytes."""

    async def see(content, patience_s=10.0, fit=None):
        path = tmp_path / "file"
        path.write_bytes(content)
        with path.open("rb") as file:
            pictures = Pictures(patience_s=patience_s)
            return await (pictures.fitted(file, *fit) if fit else pictures.thumbnail(file))

    return see


def told(content):
    return Image.open(io.BytesIO(content))


async def test_a_small_picture_is_the_right_way_up_and_knows_nothing_of_the_camera(seen):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8825)[1] = "N"
    found = await seen(picture("JPEG", (800, 400), exif=exif, comment=b"here I live"))
    assert (found.width, found.height, found.trouble) == (800, 400, None)
    small = told(found.made)
    assert (small.format, small.size) == ("WEBP", (160, 320))
    assert not small.getexif()
    assert b"camera" not in found.made
    assert b"here I live" not in found.made


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16", "F"])
async def test_every_kind_of_pixels_gets_a_small_picture(seen, mode):
    kind = {"CMYK": "JPEG", "F": "TIFF", "PA": "TIFF"}.get(mode, "PNG")
    out = io.BytesIO()
    Image.new(mode, (50, 500)).save(out, kind)
    found = await seen(out.getvalue())
    assert told(found.made).size == (32, 320)


async def test_an_animation_shows_its_first_picture(seen):
    frames = [Image.new("P", (20, 20), shade) for shade in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert told((await seen(out.getvalue())).made).size == (20, 20)
    assert (await seen(out.getvalue(), fit=(10, ["image/jpeg"]))).made == b""


async def test_a_bomb_is_refused_before_it_is_decoded(seen):
    assert (await seen(bomb())).trouble == "too_many_pixels"
    text = zlib.compress(b"\0" * 50_000_000)
    loud = picture()[:33] + chunk(b"zTXt", b"a\0\0" + text) + picture()[33:]
    assert (await seen(loud)).trouble in {"undecodable", None}


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", PAGE, HEIC, b"%!PS-Adobe-3.0 EPSF"]
)
async def test_what_is_no_picture_is_said_to_be_none(seen, content):
    found = await seen(content)
    assert (found.trouble in {"undecodable", "truncated"}, found.made) == (True, b"")


async def test_a_picture_that_takes_too_long_ends_its_reader_alone(seen):
    assert (await seen(picture(), patience_s=0.001)).trouble == "too_costly"
    assert (await seen(picture())).trouble is None


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (picture("JPEG"), "image/jpeg"), (picture("GIF"), "image/gif"), (picture("WEBP"), "image/webp"),
        (picture("BMP"), "image/bmp"), (picture("TIFF"), "image/tiff"), (HEIC, "image/heic"), (PDF, "application/pdf"),
        (FILM, "video/mp4"), (OGG, "audio/ogg"), (PAGE, "text/html"), (DRAWING, "image/svg+xml"),
        (b'<?xml version="1.0"?>\n<!-- x --><svg>', "image/svg+xml"), (b"\xef\xbb\xbf <HTML>", "text/html"),
        (b"PK\x03\x04" + bytes(26) + b"word/document.xml", f"{OFFICE}.wordprocessingml.document"),
        (b"PK\x03\x04" + bytes(26) + b"any", "application/zip"), (b"\xff\xfb\x90\x64" + bytes(50), "audio/mpeg"),
        (b"\xff\xf1\x50\x80" + bytes(50), "audio/aac"), (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"), (b"\x00\x01", UNKNOWN),
        ("你好".encode(), "text/plain"), (("好" * 9_000).encode()[:HEAD_BYTES], "text/plain"),
        (b"\xff\xfe\x00", UNKNOWN), (b"<!---->" * 1_000 + b"x", "text/plain"),
        (b"<!-- a -->\n" * 99 + b"<html>", "text/html"),
        (b"caf\xe9 au lait", UNKNOWN), (b"", UNKNOWN), (b"MZ\x90\x00", "application/vnd.microsoft.portable-executable"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_first_bytes_say(content, mime):
    assert sniffed(content[:HEAD_BYTES]) == mime
    assert extension(mime).isalnum()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\a.png", "a.png"), ("a\r\n\0b.png", "ab.png"), ("", "file.png"),
     ("..", "file.png"), ("照片.png", "照片.png"), ("x" * 300, "x" * 255)],
)  # fmt: skip
def test_a_name_leads_nowhere(name, kept):
    assert shown_name(name, "image/png") == kept


async def fitted(path, content, mime, limits):
    files = FolderFiles(path / "files")
    outgoing = OutgoingFiles(files)

    async def pieces():
        yield content

    kept = await outgoing.keep(AGENT, "a.png", pieces())
    claimed = ReplyFile(digest=kept.digest, name=kept.name, mime=mime, size=kept.size)
    found = await outgoing.fitted(claimed, limits)
    return found, b"".join([piece async for piece in files.file(found.digest)])


async def test_a_picture_is_made_smaller_until_the_platform_takes_it(data_dir):
    limits = Limits(file_bytes=60_000, mimes=frozenset({"image/*"}))
    file, content = await fitted(data_dir, noise("PNG", (700, 500)), "image/png", limits)
    assert (file.mime, file.name, file.size) == ("image/jpeg", "a.jpg", len(content))
    assert len(content) <= 60_000
    assert told(content).size[0] < 700


async def test_what_shines_through_stays_so_where_the_platform_takes_it(data_dir):
    out = io.BytesIO()
    Image.new("RGBA", (300, 300), (255, 0, 0, 0)).save(out, "TIFF")
    both = Limits(mimes=frozenset({"image/jpeg", "image/png"}))
    _, content = await fitted(data_dir, out.getvalue(), "image/tiff", both)
    assert told(content).mode == "RGBA"
    _, content = await fitted(data_dir, out.getvalue(), "image/tiff", Limits(mimes=frozenset({"image/jpeg"})))
    assert told(content).getpixel((0, 0))[2] > 250


@pytest.mark.parametrize(
    ("content", "claimed", "limits", "mime"),
    [
        (picture(), "image/jpeg", Limits(), "image/png"),
        (PDF, "image/png", Limits(mimes=frozenset({"image/png"})), "application/pdf"),
        (b"a,b\n1,2\n", "text/csv", Limits(), "text/csv"),
        (b"a,b\n1,2\n", "image/png", Limits(), "text/plain"),
        (picture(), "image/png", Limits(mimes=frozenset({"application/pdf"})), "image/png"),
        (picture(), "image/png", Limits(files=0, file_bytes=1), "image/png"),
    ],
)
async def test_a_file_that_need_not_or_cannot_fit_goes_as_what_it_is(data_dir, content, claimed, limits, mime):
    file, same = await fitted(data_dir, content, claimed, limits)
    assert (file.mime, same) == (mime, content)
