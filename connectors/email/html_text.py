"""The text of an HTML mail. Nothing of HTML is left: what comes out is shown as text.

Tags are cut out here in one pass, because the standard library's parser takes a time that grows with the square of what
a hostile mail holds (200 kB of opened comments: more than a minute).
"""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9:-]{0,31})")
_ATTRIBUTE = re.compile(r"""([A-Za-z-]{1,32})\s{0,8}=\s{0,8}(?:"([^"]{0,4096})"|'([^']{0,4096})'|([^\s"'>]{1,4096}))""")
_UNSHOWN = frozenset({"script", "style", "title", "template", "noembed", "iframe", "object", "svg", "math", "textarea"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer"}
    | {"form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"}
    | {"table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "table"})
_SPACE = re.compile(r"[ \t\r\n\f\u00a0\u200b]+")
_LONGEST_LINK = 500
_DEEPEST_QUOTE = 20


def to_text(source: str) -> str:
    """The text: blocks on lines of their own, quotations behind `> `, links with their address when it is another."""
    reader = _Reader(source)
    reader.read()
    return reader.text()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._preformatted = 0
        self._apart = False
        self._link: tuple[str, int] | None = None
        self._never: set[str] = set()

    def read(self) -> None:
        source, place = self._source, 0
        while place < len(source):
            opened = source.find("<", place)
            if opened < 0:
                self._say(source[place:])
                return
            if opened > place:
                self._say(source[place:opened])
            place = self._markup(opened)

    def text(self) -> str:
        """Everything read, with at most one blank line anywhere."""
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n")

    def _markup(self, opened: int) -> int:
        """Deal with what begins at `<`; where to go on."""
        source = self._source
        if source.startswith("<!--", opened):
            return self._after("-->", opened + 4)
        if source.startswith(("<!", "<?"), opened):
            return self._after(">", opened + 2)
        tag = _TAG.match(source, opened)
        if tag is None:
            self._say("<")
            return opened + 1
        closed = self._close_of(tag.end())
        if closed is None:
            self._say(source[opened : opened + 1])
            return opened + 1
        name = tag[1].lower()
        if source[opened + 1] == "/":
            self._end(name)
        else:
            self._start(name, source[tag.end() : closed])
            if name in _UNSHOWN and source[closed - 1] != "/":
                return self._after(f"</{name}", closed + 1, ignore_case=True)
        return closed + 1

    def _close_of(self, place: int) -> int | None:
        """The `>` of a tag, past those inside quotation marks; None when the tag never ends."""
        if ">" in self._never:
            return None
        closed = self._source.find(">", place)
        if closed < 0:
            self._never.add(">")
            return None
        found = self._source[place:closed]
        for mark in "\"'":
            if found.count(mark) % 2 and f"={mark}" in found:
                end = self._source.find(mark, closed, closed + 4_096)
                after = self._source.find(">", end) if end >= 0 else -1
                return after if 0 <= after < closed + 8_192 else closed
        return closed

    def _after(self, what: str, place: int, *, ignore_case: bool = False) -> int:
        """The place behind `what`; the end when it never comes: nothing there would be shown by a browser either."""
        if what in self._never:
            return place
        if ignore_case:
            match = re.compile(re.escape(what), re.IGNORECASE).search(self._source, place)
            found = match.start() if match else -1
        else:
            found = self._source.find(what, place)
        if found < 0:
            # One that is never closed hides nothing: hostile or broken, its words are told.
            self._never.add(what)
            return place
        return self._source.find(">", found) + 1 or len(self._source) if ignore_case else found + len(what)

    def _start(self, name: str, inside: str) -> None:
        match name:
            case "br":
                self._end_line()
            case "img":
                self._say_plain(_attributes(inside).get("alt", ""))
            case "a":
                self._link = (_attributes(inside).get("href", ""), len(self._line))
            case "li":
                self._break(name)
                self._line.append("- ")
            case "td" | "th":
                if "".join(self._line).strip():
                    self._line.append("\t")
            case "blockquote":
                self._break(name)
                self._quotes = min(self._quotes + 1, _DEEPEST_QUOTE)
            case "pre":
                self._break(name)
                self._preformatted += 1
            case _ if name in _BLOCKS:
                self._break(name)
            case _:
                return

    def _end(self, name: str) -> None:
        if name == "a":
            self._end_link()
        elif name in _BLOCKS:
            self._break(name)
            if name == "blockquote":
                self._quotes = max(self._quotes - 1, 0)
            elif name == "pre":
                self._preformatted = max(self._preformatted - 1, 0)

    def _end_link(self) -> None:
        """A link's address behind its words, unless they are the address."""
        link, self._link = self._link, None
        if link is None:
            return
        address, since = link[0].strip(), link[1]
        words = "".join(self._line[since:]).strip()
        scheme = address.partition(":")[0].lower()
        if scheme not in {"http", "https", "mailto", "tel"} or len(address) > _LONGEST_LINK:
            return
        bare = address.partition(":")[2].strip("/")
        if words and bare.lower() not in words.lower() and words.lower() not in bare.lower() and _whole(address):
            self._line.append(f" ({address})")

    def _say(self, piece: str) -> None:
        if "&" in piece:
            piece = html.unescape(piece)
        self._say_plain(piece)

    def _say_plain(self, piece: str) -> None:
        if self._preformatted:
            first, *more = piece.replace("\r\n", "\n").split("\n")
            self._line.append(first)
            for line in more:
                self._end_line()
                self._line.append(line)
            return
        piece = _SPACE.sub(" ", piece)
        if piece.strip() or (self._line and not self._line[-1].endswith((" ", "\t"))):
            self._line.append(piece)

    def _break(self, name: str) -> None:
        if "".join(self._line).strip():
            self._end_line()
        else:
            self._line.clear()
        self._link = None
        self._apart = self._apart or name in _APART

    def _end_line(self) -> None:
        line = "".join(self._line)
        line = line.rstrip() if self._preformatted else line.strip(" ")
        self._line.clear()
        mark = "> " * self._quotes
        if self._apart and self._lines and line:
            self._lines.append(mark.rstrip())
        if line:
            self._apart = False
        self._lines.append(f"{mark}{line}".rstrip())


def _attributes(inside: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(inside[:16_384]):
        found.setdefault(name.lower(), html.unescape(double or single or bare))
    return found


def _whole(address: str) -> bool:
    """Whether it is one printable address: no line breaks, no spaces."""
    try:
        urlsplit(address)
    except ValueError:
        return False
    return address.isprintable() and " " not in address


__all__ = ["to_text"]
