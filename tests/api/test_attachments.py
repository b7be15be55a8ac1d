"""Files over the API: given out safely, uploaded, made to fit, fetched again."""

from __future__ import annotations

import io

import pytest
from msgspec import structs
from PIL import Image

from actors.effects import AttachmentChanged
from actors.events import Attachment
from connectors.contract.connector import Binding
from services.arrivals.arrivals import Arrivals
from services.channels.platform_api import Apis
from services.files.attachments import Attachments
from services.files.fetching import written
from services.files.outgoing import OutgoingFiles
from services.files.serving import AttachmentFiles
from services.replies.replies import Replies
from storage.files import FolderFiles
from streams.coordination.rate_limits import LocalRateLimits
from tests.services_layer.album import DRAWING, FILM, PAGE, PDF, noise, picture
from tests.services_layer.postal import ACCOUNT, CONVERSATION, KEY, PLATFORM, Office, Postal
from tests.storage.flushes import Flushes, stored

BASE = f"/api/v1/conversations/{KEY}/messages"
MOST = 3_000_000


@pytest.fixture
async def files(data_dir):
    return FolderFiles(data_dir / "files")


@pytest.fixture
async def office(store, gateway, services, files):
    opened = Office(gateway.now)
    services.outgoing_files = OutgoingFiles(files, most_bytes=MOST)
    services.attachment_files = AttachmentFiles(store, files)
    services.replies = Replies(store, gateway, opened.find, files=files, fit=services.outgoing_files.fitted)
    apis = Apis(LocalRateLimits(), gateway.now)
    services.attachments = Attachments(store=store, gateway=gateway, files=files, find=opened.find, apis=apis)
    yield opened
    await apis.close()


@pytest.fixture
def came(store, files, gateway, office):  # noqa: ARG001 # the services over the same files
    """A message with one file of this content, whose fate is told; the path of the file."""

    save = Flushes(store)

    async def come(content, mime, *, status="ok", name="f1", message="m1", thumb=None):
        digests = []
        for one in (content, thumb or b"small"):
            async with written(pieces(one), 10**7) as whole:
                await files.put_file(whole.digest, pieces(one))
                digests.append(whole.digest)
        told = {"mime": mime, "digest": digests[0], "size": len(content), "reason": None}
        told |= {"thumb": digests[1]} if thumb else {}
        where = {"platform": PLATFORM, "account": ACCOUNT, "at": gateway.now()}
        await save(
            stored(message, CONVERSATION, attachments=[Attachment(id=name, kind="image")], **where),
            AttachmentChanged(KEY, message, name, status, gateway.now(), told),
        )
        return f"{BASE}/{message}/attachments/{name}"

    return come


async def pieces(content):
    yield content


async def test_a_picture_may_be_shown_in_place_and_nothing_runs_in_it(came, admin):
    content = picture()
    path = await came(content, "image/png", thumb=b"a small one")
    found = await admin.get(path)
    assert (found.status_code, found.content) == (200, content)
    headers = found.headers
    assert headers["content-type"] == "image/png"
    assert headers["content-disposition"].startswith("inline")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cache-control"] == "private, max-age=86400, immutable"
    again = await admin.get(path, headers={"If-None-Match": headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = await admin.get(f"{path}/thumb")
    assert (small.content, small.headers["content-type"]) == (b"a small one", "image/webp")


@pytest.mark.parametrize(
    ("content", "mime"),
    [(PAGE, "text/html"), (DRAWING, "image/svg+xml"), (b"hello", "text/plain"), (b"x", 'text/html"\r\nx: y')],
)
async def test_what_could_run_is_sent_to_be_saved_as_bytes(came, admin, content, mime):
    found = await admin.get(await came(content, mime))
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"].startswith("attachment")
    assert "x" not in found.headers


async def test_a_film_is_given_in_parts(came, admin):
    path = await came(FILM, "video/mp4")
    part = await admin.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, FILM[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(FILM)}"
    assert (await admin.get(path, headers={"Range": "bytes=-7"})).content == FILM[-7:]
    assert (await admin.get(path, headers={"Range": f"bytes={len(FILM) - 3}-"})).content == FILM[-3:]
    assert (await admin.get(path, headers={"Range": f"bytes={len(FILM)}-"})).status_code == 416
    changed = await admin.get(path, headers={"Range": "bytes=1-2", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, FILM)
    for nonsense in ("bytes=5-2", "bytes=-", "lines=1-2", "bytes=1-2,4-5"):
        assert (await admin.get(path, headers={"Range": nonsense})).content == FILM


@pytest.mark.parametrize("status", ["failed", "expired", "corrupt", "too_large"])
async def test_a_file_that_is_not_sound_is_not_given_out(came, admin, status):
    path = await came(picture(), "image/png", status=status, thumb=b"x")
    assert (await admin.get(path)).status_code == 404
    assert (await admin.get(f"{path}/thumb")).status_code == 404


async def test_a_kind_that_is_not_shown_can_be_saved(came, admin):
    path = await came(b"heic", "image/heic", status="unsupported")
    assert (await admin.get(path)).headers["content-disposition"].startswith("attachment")


async def test_a_file_is_found_under_its_own_message_alone_whatever_its_id_holds(came, admin):
    path = await came(PDF, "application/pdf", name="a/b%2Fthumb", message="m/1")
    [row] = (await admin.get(BASE)).json()["items"]
    [file] = row["attachments"]
    assert (await admin.get(file["href"])).content == PDF
    assert "digest" not in str(file)
    assert (await admin.get(path)).status_code == 404
    assert (await admin.get(file["href"].replace("office-1", "office-2"))).status_code == 404
    assert (await admin.get(f"{BASE}/m2/attachments/{file['href'].rpartition('/')[2]}")).status_code == 404


async def test_a_file_is_only_for_people_who_may_read_messages(came, stranger):
    path = await came(PDF, "application/pdf")
    assert (await stranger.get(path)).status_code == 401


async def test_a_file_that_did_not_come_is_fetched_again(came, admin, as_role, store):
    path = await came(PDF, "application/pdf", status="expired")
    async with await as_role("viewer") as viewer:
        assert (await viewer.post(f"{path}/refetch")).status_code == 403
    assert (await admin.post(f"{path}/refetch")).status_code == 202
    [job] = await store.jobs("attachment", 5)
    assert job.payload["attachment"]["id"] == "f1"
    assert (await admin.post(f"{BASE}/m1/attachments/f2/refetch")).status_code == 404
    there = await came(PDF, "application/pdf", message="m2")
    assert (await admin.post(f"{there}/refetch")).status_code == 409


async def test_an_upload_is_kept_as_what_it_is(office, admin):
    content = picture("JPEG")
    kept = await admin.post("/api/v1/files?name=C:\\dir\\a%22b.png", content=content)
    assert kept.status_code == 201, kept.text
    told = kept.json()
    assert (told["mime"], told["size"], told["name"]) == ("image/jpeg", len(content), 'a"b.png')
    form = await admin.post("/api/v1/files", data={"note": "hello"}, files={"file": ("照片.jpg", content, "text/html")})
    assert form.json() == {**told, "name": "照片.jpg"}
    assert office.sent == []


async def test_an_upload_that_is_nothing_or_too_much_is_refused(office, admin, as_role):
    assert (await admin.post("/api/v1/files", content=b"")).status_code == 422
    assert (await admin.post("/api/v1/files", files={"note": (None, "hello")})).status_code == 422
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert (await admin.post("/api/v1/files", content=b"no form", headers=broken)).status_code == 422
    nowhere = {"content-type": "multipart/form-data"}
    assert (await admin.post("/api/v1/files", content=b"no form", headers=nowhere)).status_code == 422
    large = await admin.post("/api/v1/files", content=bytes(MOST + 2**17))
    assert large.status_code == 413

    async def endless():
        for _ in range(MOST // 2**16 + 2):
            yield bytes(2**16)

    assert (await admin.post("/api/v1/files", content=endless())).status_code == 422
    async with await as_role("viewer") as viewer:
        assert (await viewer.post("/api/v1/files", content=b"x")).status_code == 403
    assert office.sent == []


async def test_a_picture_is_made_to_fit_the_platform_and_what_cannot_be_is_objected_to(office, admin, came, services):
    await came(PDF, "application/pdf")
    limits = structs.replace(Postal.limits, file_bytes=100_000, mimes=frozenset({"image/jpeg"}))
    office.connector = Postal(Binding(account=ACCOUNT, url=""))
    office.connector.limits = limits
    kept = (await admin.post("/api/v1/files?name=a.png", content=noise("PNG", (900, 900)))).json()
    asked = {"text": "", "files": [{name: kept[name] for name in ("digest", "name", "mime")}]}
    taken = await admin.post(BASE, json=asked, headers={"Idempotency-Key": "k1"})
    assert taken.status_code == 202, taken.text
    row = await services.replies.one(taken.json()["message"])
    [file] = row.files
    assert (file.name, file.mime) == ("a.jpg", "image/jpeg")
    assert file.size <= 100_000
    found = await admin.get(f"{BASE}/{row.id}/attachments/{row.id}:0")
    assert Image.open(io.BytesIO(found.content)).format == "JPEG"
    other = (await admin.post("/api/v1/files?name=a.zip", content=b"PK\x03\x04" + bytes(200_000))).json()
    asked["files"] = [{name: other[name] for name in ("digest", "name", "mime")}]
    refused = await admin.post(BASE, json=asked, headers={"Idempotency-Key": "k2"})
    assert {one["code"] for one in refused.json()["objections"]} == {"file_too_large", "file_kind"}


async def test_what_a_webhook_announces_is_put_down_to_be_fetched(office, store, gateway, services):
    told = stored("m5", CONVERSATION, attachments=[Attachment(id="f", url="https://cdn.test/f")], platform=PLATFORM)
    message = structs.replace(told.event, account=ACCOUNT, at=None)
    await Arrivals(gateway, store, files=services.attachments).take(office.connector, [message])
    assert [job.payload["message"] for job in await store.jobs("attachment", 5)] == ["m5"]
