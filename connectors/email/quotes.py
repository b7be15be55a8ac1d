"""Where the quoted part of a mail's text begins, by the marks that mail programs leave, in the languages of the shops.

The text stays whole: it is folded where it is shown, never cut.
"""

from __future__ import annotations

import re

_WROTE = re.compile(
    r"wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|scrisse|schreef|napisał|skrev|viết|menulis|เขียน|"
    r"написал|пишет|пише|写道|寫道|작성|のメッセージ|のメール|كتب|kirjoitti|yazd\u0131|írta|napsal|έγραψε",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"^[ \t]{0,8}(?:[-_=—*]{2,}[ \t]*)(?:original message|original appointment|forwarded message|"
    r"ursprüngliche nachricht|originalnachricht|weitergeleitete nachricht|message d'origine|message original|"
    r"message transféré|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|"
    r"原始邮件|原始郵件|转发邮件|轉寄郵件|"
    r"元のメッセージ|원본 메시지|원본 메일|исходное сообщение|thư gốc|ข้อความต้นฉบับ|pesan asli|reply message|"
    r"reply to message|original mail)[ \t]*[-_=—*]{0,80}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_FIRST = r"From|Von|De|Da|Van|Od|Från|Fra|От|发件人|寄件者|寄件人|差出人|送信者|보낸 사람|보낸사람|Từ|Dari|จาก|من"
_NEXT = (
    r"Sent|Date|Gesendet|Datum|Envoyé|Enviado|Enviado el|Enviada em|Data|Inviato|Verzonden|Wysłano|Skickat|Sendt|"
    r"Отправлено|Дата|发送时间|傳送日期|寄件日期|日期|时间|時間|送信日時|日時|보낸 날짜|보낸날짜|날짜|Ngày|Đã gửi|"
    r"Tanggal|Terkirim|ส่ง|วันที่|To|An|À|Para|A|Aan|收件人|Subject|Betreff|Objet|Asunto|Assunto|Oggetto|主题|主旨|件名|제목"
)
_HEADERS = re.compile(
    rf"^[ \t*]{{0,8}}(?:{_FIRST})[ \t]?[*]?[:\uff1a][^\n]{{1,400}}\n+[ \t*]{{0,8}}(?:{_NEXT})[ \t]?[*]?[:\uff1a]",
    re.IGNORECASE | re.MULTILINE,
)
_RULE = re.compile(r"^_{20,}[ \t]*\n(?=[ \t*]*(?:" + _FIRST + r")[ \t*]*[:\uff1a])", re.IGNORECASE | re.MULTILINE)
_QUOTE = re.compile(r"[ \t]{0,4}[>|\uff1e]")
LONGEST_LINE = 600
MOST_LINES = 5_000


def quoted_from(text: str) -> int | None:
    """The offset (code points) where the quoted history begins; None when there is none, or nothing but it.

    Quoted lines with an answer below them begin no history: the writer answered line by line.
    """
    places = [found.start() for mark in (_ORIGINAL, _HEADERS, _RULE) for found in [mark.search(text)] if found]
    if (start := _introduction(text)) is not None:
        places.append(start)
    if (start := _trailing_quote(text)) is not None:
        places.append(start)
    place = min(places, default=None)
    return place if place is not None and text[:place].strip() else None


def _introduction(text: str) -> int | None:
    """Where a line such as "On Monday somebody wrote:" begins, on one line or on two, with what it introduces."""
    lines = text.split("\n")[:MOST_LINES]
    place = 0
    for index, line in enumerate(lines):
        if len(line) <= LONGEST_LINE and _WROTE.search(line) and not _QUOTE.match(line):
            before = lines[index - 1] if index and not _QUOTE.match(lines[index - 1]) else ""
            wrapped = bool(before.strip()) and (not _dated(line) or line.lstrip().startswith("<")) and _dated(before)
            if (wrapped or _dated(line)) and _introduces(line, lines[index + 1 : index + 6]):
                return place - len(before) - 1 if wrapped else place
        place += len(line) + 1
    return None


def _dated(line: str) -> bool:
    return "@" in line or any(char.isdigit() for char in line)


def _introduces(line: str, following: list[str]) -> bool:
    """Whether the next line that is not blank is a quoted one, or the line itself names who wrote."""
    after = next((one for one in following if one.strip()), "")
    return bool(_QUOTE.match(after)) or ("@" in line and bool(after) and line.rstrip().endswith((":", "\uff1a")))


def _trailing_quote(text: str) -> int | None:
    """Where quoted lines begin that go on to the end, signatures after them aside."""
    lines = text.split("\n")
    index = len(lines)
    while index and (not lines[index - 1].strip() or _QUOTE.match(lines[index - 1])):
        index -= 1
    if not any(_QUOTE.match(line) for line in lines[index:]):
        return None
    while index < len(lines) and not lines[index].strip():
        index += 1
    return sum(len(line) + 1 for line in lines[:index])


__all__ = ["quoted_from"]
