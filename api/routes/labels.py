"""Labels: the catalogue with the words behind it, a try-out, and the labels of a conversation."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Request
from msgspec import Struct
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Parts, needs
from api.bodies import read_json
from api.description import body_of, path_of
from api.inbox_asking import KEY, conversation_of
from api.views import answer, conversation_view, rfc3339
from services.labels.book import COLOURS
from services.labels.labelling import EVERY, Explained
from services.labels.words import BUILT_IN, LANGUAGES, packaged
from services.parts import Services
from services.people.permissions import Caller
from storage.label_records import Label, OwnWords

router = APIRouter(prefix="/api/v1", tags=["inbox"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
Labeller = Annotated[Caller, Depends(needs("label"))]
Keeper = Annotated[Caller, Depends(needs("manage_labels"))]
Language = Annotated[str, Path(max_length=8)]
OF_CONVERSATION = "/conversations/{key:path}/labels"
KEYED = path_of(key=KEY)
MOST_BODY = 2**18


class Book(Struct, forbid_unknown_fields=True):
    """The whole catalogue anew. `version`: the one it was read at; 409 when somebody was faster."""

    labels: list[Label] = []
    words: list[OwnWords] = []
    version: int | None = None


class Tried(Struct, forbid_unknown_fields=True):
    """A text as a customer might write it; `lang` as a platform might tell it."""

    text: str
    lang: str | None = None


class LabelsChange(Struct, forbid_unknown_fields=True):
    """Labels to give and to take away; `sensitive`: into the priority queue, or out of it."""

    add: list[str] = []
    remove: list[str] = []
    sensitive: bool | None = None


@router.get("/labels", summary="Every label, and the words people changed")
async def labels(parts: Parts, _caller: Reader) -> Response:
    """`in_use`: how many conversations bear it now. Labels that are not `active` are given to nothing any more."""
    return answer(book_view(parts, await parts.store.labels_in_use()))


@router.put("/labels", summary="Change labels and words", openapi_extra=body_of(Book))
async def keep_labels(request: Request, parts: Parts, caller: Keeper) -> Response:
    """Custom labels, changed built-in ones and words, whole; every process uses them within a second."""
    wanted = await read_json(request, Book, MOST_BODY)
    await parts.labels.save(wanted.labels, wanted.words, who=caller.name, expected=wanted.version)
    return answer(book_view(parts, await parts.store.labels_in_use()))


@router.get("/labels/words/{lang}", summary="The packaged words of a language")
async def words(_caller: Reader, lang: Language) -> Response:
    """By label, `strong` ones decide alone and two `weak` ones together; `sensitive` ones put into the queue."""
    if lang not in LANGUAGES:
        raise RejectedError(f"lang: there are words for {', '.join(LANGUAGES)}, not for {lang!r}")
    found = packaged(lang)
    return answer({"lang": lang, "labels": msgspec.to_builtins(found.labels), "sensitive": found.sensitive})


@router.post("/labels/try", summary="Try a text", openapi_extra=body_of(Tried))
async def try_labels(request: Request, parts: Parts, _caller: Reader) -> Response:
    """Its labels, its language and what led to them; nothing is kept."""
    wanted = await read_json(request, Tried)
    return answer(explained_view(parts.labels.explain(wanted.text, wanted.lang)))


@router.post(OF_CONVERSATION, summary="Label a conversation", openapi_extra={**body_of(LabelsChange), **KEYED})
async def label_conversation(request: Request, parts: Parts, caller: Labeller) -> Response:
    """What is taken away does not come back by itself; what is given stays. The conversation as it is then."""
    key = await conversation_of(request, parts, caller, "labels")
    wanted = await read_json(request, LabelsChange)
    row = await parts.label_desk.change(caller, key, wanted.add, wanted.remove, sensitive=wanted.sensitive)
    return answer(conversation_view(row))


def book_view(parts: Services, in_use: dict[str, int]) -> dict[str, Any]:
    """The catalogue as people see it."""
    book = parts.labels.book
    changed = {label.id for label in book.labels}
    return {
        "version": book.version,
        "changed_at": rfc3339(book.at) if book.version else None,
        "changed_by": book.who or None,
        "labels": [
            {
                **msgspec.to_builtins(label),
                "built_in": label.id in BUILT_IN,
                "changed": label.id in changed,
                "in_use": in_use.get(label.id, 0),
            }
            for label in parts.labels.labels()
        ],
        "words": [{"lang": one.lang, "label": one.label, "added": one.added, "off": one.off} for one in book.words],
        "languages": [EVERY, *LANGUAGES],
        "colours": list(COLOURS),
    }


def explained_view(found: Explained) -> dict[str, Any]:
    """A text's labels with their reasons."""
    labelled, guess = found.labelled, found.language
    return {
        "labels": list(labelled.labels),
        "lang": labelled.lang,
        "sensitive": labelled.sensitive,
        "sure": labelled.sure,
        "neutral": found.neutral,
        "language": {"lang": guess.lang, "probability": round(guess.probability, 3)} if guess else None,
        "hits": [{"label": hit.label, "words": hit.phrase, "weight": hit.weight} for hit in found.hits],
        "model": {"label": found.model[0], "probability": round(found.model[1], 3)} if found.model else None,
    }
