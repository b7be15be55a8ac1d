"""How a query becomes an FTS5 expression; what is indexed is `storage.texts.document`."""

from __future__ import annotations

from storage.texts import CONTROL, SPACELESS_RUN, folded, indexed, query_words, undashed


def match_expression(query: str, columns: str = "text ids sender") -> str | None:
    """The FTS5 expression of what somebody typed; None when it holds nothing that is indexed. Any text is safe."""
    terms = " AND ".join(map(_term, query_words(query)))
    return f"{{{columns}}} : ({terms})" if terms else None


def id_expression(text: str) -> str | None:
    """The FTS5 expression of entries that may hold exactly this id; None when it holds nothing that is indexed."""
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate: no stored id has one
        return None
    words = folded(CONTROL.sub(" ", text))
    if not any(map(indexed, words)):
        return None
    quoted = words.replace('"', '""')
    return f'ids : "{quoted}"'


def _term(chunk: str) -> str:
    phrase = _phrase(chunk)
    joined = undashed(chunk)
    return f"({phrase} OR {_phrase(joined)})" if joined else phrase


def _phrase(words: str) -> str:
    quoted = '"' + words.replace('"', '""') + '"'
    last = words.rsplit(maxsplit=1)[-1]
    # A single letter as a prefix would gather most of the index.
    return quoted if len(last) == 1 or SPACELESS_RUN.match(last[-1]) else quoted + " *"
