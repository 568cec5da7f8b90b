"""One message as a letter: the whole of RFC 5322, with a part for terminals and one for everybody else.

Pure; registers no kind. Every header is made by the standard library from one line of text, so that no name can bring
another header with it, and everything on the wire is ASCII unless the sender's own address is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from html import escape
from itertools import groupby

from apps.alerts.channels.base import Message
from apps.alerts.wording import Line, Text, cut, one_line

# A mail reader shows some seventy characters; what comes after is for the search.
SUBJECT_LIMIT_CHARACTERS = 150
MAX_REFERENCES = 10
LINES_SHOWN = 50
SENDER_NAME = "Monitor Portal"


def compose(message: Message, text: Text, *, sender: str, recipients: Iterable[str]) -> bytes:
    """The letter with CRLF line ends. `sender` and `recipients` have ASCII domains.

    Its Message-ID is that of the notification, the same on every attempt; letters about one alert refer to the alert,
    so that mail readers show them together. There is no List-Unsubscribe: the list is kept by those who run the portal.
    """
    letter = EmailMessage(policy=(SMTP if sender.isascii() else SMTPUTF8).clone(cte_type="7bit"))
    letter["From"] = _address(sender, SENDER_NAME)
    # An address beyond ASCII cannot stand in a header of its own right; its owner gets the letter all the same.
    named = tuple(_address(recipient) for recipient in recipients if recipient.isascii())
    letter["To"] = named or "undisclosed-recipients:;"
    letter["Subject"] = _subject(text.title)
    letter["Date"] = format_datetime(message.sent_at.astimezone(UTC))
    letter["Message-ID"] = message_id(message.id, sender)
    if references := _references(message, sender):
        letter["References"] = " ".join(references)
        letter["In-Reply-To"] = references[0]
    letter["Auto-Submitted"] = "auto-generated"
    # Exchange's word for it.
    letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content(_whole(plain_part(text)), charset="utf-8")
    letter.add_alternative(_whole(html_part(text)), subtype="html", charset="utf-8")
    # Set last: what is about content moves into the first part when a second one comes.
    letter["Content-Language"] = text.language
    return letter.as_bytes()


def _subject(title: str) -> str:
    """The library decodes what looks like an encoded word, line breaks in it included, so nothing may look like one."""
    return cut(one_line(title).replace("=?", "= ?"), SUBJECT_LIMIT_CHARACTERS)


def _whole(words: str) -> str:
    """Without halves of characters, which are not UTF-8."""
    return words.encode("utf-8", "replace").decode()


def message_id(identifier: str, sender: str) -> str:
    return f"<{_token(identifier)}@{sender.rpartition('@')[2]}>"


def _references(message: Message, sender: str) -> list[str]:
    """One id an alert: no letter ever had it, yet all that name it are shown as one conversation."""
    alerts = message.data.get("alerts")
    entries = alerts[:MAX_REFERENCES] if isinstance(alerts, list) else []
    identifiers = [str(entry["id"]) for entry in entries if isinstance(entry, dict) and entry.get("id")]
    return [message_id(f"alert.{identifier}", sender) for identifier in identifiers]


def _token(identifier: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", identifier)[:100]


def _address(address: str, name: str = "") -> Address:
    local, _at, domain = address.rpartition("@")
    return Address(display_name=name, username=local, domain=domain)


def _runs(text: Text) -> Iterator[tuple[bool, list[Line]]]:
    """The lines as runs of alerts, and of words about no single one."""
    for is_alert, lines in groupby(text.shown(LINES_SHOWN), key=lambda line: bool(line.subject)):
        yield is_alert, list(lines)


# --- For terminals ----------------------------------------------------------------------------------------


def plain_part(text: Text) -> str:
    blocks = [text.title, text.summary]
    for is_alert, lines in _runs(text):
        rows = [_plain_line(line) for line in lines]
        blocks += rows if is_alert else ["\n".join(rows)]
    blocks.append("\n".join(f"{label}: {url}" for label, url in text.links))
    if text.footer:
        blocks.append(f"-- \n{text.footer}")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _plain_line(line: Line) -> str:
    head = " · ".join(part for part in (line.mark, line.subject, line.when) if part)
    rows = [head, line.sentence, *line.details, line.url]
    first, *rest = [row for row in rows if row] or [""]
    return "\n".join((first, *(f"  {row}" for row in rest)))


# --- For everybody else -----------------------------------------------------------------------------------

# Light by inline styles, which every reader honours; dark by the style sheet, which those that have a dark mode read.
_COLOURS = {
    "critical": ("#b3261e", "#ff8a80"),
    "warning": ("#8a5200", "#ffb74d"),
    "info": ("#1f5fa8", "#82b1ff"),
    "acknowledged": ("#5a4bb0", "#b3a5ff"),
    "resolved": ("#1b6e3c", "#81c995"),
}
_FONT = (
    "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Apple SD Gothic Neo','Malgun Gothic','Noto Sans KR',"
    "sans-serif"
)
_DARK = "".join(
    f".{tone}{{color:{dark}!important;border-color:{dark}!important}}" for tone, (_, dark) in _COLOURS.items()
)
_HEAD = (
    '<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
    "<title>{title}</title><style>:root{{color-scheme:light dark}}@media(prefers-color-scheme:dark){{"
    ".page{{background:#15181c!important}}.card{{background:#1e2227!important;border-color:#3a4048!important}}"
    ".text{{color:#e8eaed!important}}.quiet{{color:#a8b0ba!important}}.link{{color:#8ab4f8!important;border-color:#8ab4f8!important}}"
    "{dark}}}</style></head>\n"
)


def html_part(text: Text) -> str:
    """One column of at most 600 pixels that needs no style sheet, no picture and nothing from any server."""
    tone = text.tone if text.tone in _COLOURS else "info"
    rows = [
        f'<h1 class="{tone}" style="margin:0 0 8px;font-size:20px;line-height:1.3;color:{_COLOURS[tone][0]}">'
        f"{escape(text.title)}</h1>"
    ]
    if text.summary:
        rows.append(_paragraph(text.summary, "text", "#1f2328"))
    for is_alert, lines in _runs(text):
        rows += [_html_line(line) for line in lines] if is_alert else [_html_words(lines)]
    rows.append(_html_links(text.links))
    if text.footer:
        rows.append(_paragraph(text.footer, "quiet", "#59636e", "font-size:13px;margin-top:24px"))
    head = _HEAD.format(language=escape(text.language), title=escape(text.title), dark=_DARK)
    return (
        f'{head}<body class="page" style="margin:0;padding:16px;background:#f3f4f6;font-family:{_FONT}">\n'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center">\n'
        '<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="max-width:600px;background:#ffffff;border:1px solid #d5d9de;border-radius:8px">'
        '<tr><td style="padding:20px;text-align:left">\n' + "\n".join(rows) + "\n</td></tr></table>\n"
        "</td></tr></table>\n</body></html>\n"
    )


def _html_line(line: Line) -> str:
    tone = line.tone if line.tone in _COLOURS else "info"
    colour = _COLOURS[tone][0]
    head = []
    if line.mark:
        head.append(f'<span class="{tone}" style="color:{colour};font-weight:600">{escape(line.mark)}</span>')
    subject = f"<strong>{escape(line.subject)}</strong>"
    head.append(_anchor(line.url, line.subject, "font-weight:600;") if line.url else subject)
    if line.when:
        head.append(f'<span class="quiet" style="color:#59636e">{escape(line.when)}</span>')
    rows = [" · ".join(head), *(escape(row) for row in (line.sentence, *line.details) if row)]
    return (
        f'<div class="text {tone}" style="margin:16px 0;padding:0 0 0 12px;border-left:4px solid {colour};'
        'line-height:1.5;font-size:15px;color:#1f2328;word-break:break-word">'
        f'<div class="text" style="color:#1f2328">{"<br>".join(rows)}</div></div>'
    )


def _html_words(lines: Iterable[Line]) -> str:
    """Words that are about no single alert: the user's own, or how many more there are."""
    words = (_anchor(line.url, line.sentence) if line.url else escape(line.sentence) for line in lines)
    return (
        '<p class="text" style="margin:16px 0;line-height:1.5;font-size:15px;color:#1f2328;word-break:break-word">'
        f"{'<br>'.join(words)}</p>"
    )


def _html_links(links: Iterable[tuple[str, str]]) -> str:
    """Large enough for a thumb, one below the other where there is no room side by side."""
    box = "display:inline-block;margin:8px 12px 0 0;padding:10px 16px;border:1px solid #1f5fa8;border-radius:6px;"
    return "".join(_anchor(url, label, box) for label, url in links)


def _anchor(url: str, label: str, more: str = "") -> str:
    if not url.lower().startswith(("http://", "https://")):
        return escape(label)
    style = f"{more}color:#1f5fa8;font-size:15px;text-decoration:underline"
    return f'<a class="link" href="{escape(url)}" style="{style}">{escape(label)}</a>'


def _paragraph(words: str, name: str, colour: str, more: str = "font-size:15px") -> str:
    lines = "<br>".join(escape(line) for line in words.splitlines())
    return f'<p class="{name}" style="margin:0 0 12px;line-height:1.5;color:{colour};{more}">{lines}</p>'
