"""What a field of a target may hold. Each rule raises ValidationError with a sentence; nothing here writes."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _

from apps.core.addresses import RULE_LABELS, probe_policy

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LONGEST_URL = 500
LONGEST_KEY = 2_000
_CREDENTIALS = re.compile(r"https?://[^/?#]*@", re.IGNORECASE)
_URL = URLValidator(schemes=["http", "https"])


def check_base_url(url: str) -> None:
    """Where an API begins: an http(s) URL without user and password; of a query only Azure's `api-version`."""
    if not url:
        return
    check_page_url(url)
    parts = urlsplit(url)
    if "#" in url or {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)} - {"api-version"}:
        raise ValidationError(_("Leave out everything from “?” or “#” on; only an api-version may stand there."))


def check_page_url(url: str) -> None:
    """A page or an API the portal reads: an http(s) URL it may contact, without user and password in it."""
    if not url:
        return
    if _CREDENTIALS.match(url):
        raise ValidationError(_("Leave the user and password out of the address; enter the key in its own field."))
    check_link(url)
    _refuse_address(urlsplit(url).hostname or "")


def _refuse_address(host: str) -> None:
    """An address written out is judged when it is saved; a name is judged by what it leads to, at every look."""
    try:
        address = str(ip_address(host))
    except ValueError:
        return
    rule = probe_policy(settings.PORTAL_PROBE_DENY).refusal(address)
    if rule is not None:
        raise ValidationError(
            _("The portal must not contact %(address)s (%(rule)s). Enter another address.")
            % {"address": address, "rule": RULE_LABELS.get(rule, rule)}
        )


def check_link(url: str) -> None:
    """An http(s) URL for people. Names without a dot are good names inside a network."""
    if not url:
        return
    check_text(url, LONGEST_URL)
    if not (_is_url(url) or _is_plain_http(url)) or not _leads_to_a_port(url):
        raise ValidationError(
            _("Enter a full address that begins with http:// or https://, such as https://example.com.")
        )


def _is_url(url: str) -> bool:
    try:
        _URL(url)
    except ValidationError:
        return False
    return True


def _is_plain_http(url: str) -> bool:
    """Names without a dot and bracketed addresses are good addresses inside a network; URLValidator refuses some."""
    return bool(re.fullmatch(r"https?://[A-Za-z0-9._\-\[\]:]+(/[^\s]*)?", url))


def _leads_to_a_port(url: str) -> bool:
    """Neither a bracket that is not closed nor a port above 65,535 leads anywhere."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def check_api_key(key: str) -> None:
    """What can stand in a header as it is. No sentence holds any of the key."""
    if len(key) > LONGEST_KEY:
        raise ValidationError(_("The key is longer than 2,000 characters."))
    if "\n" in key or "\r" in key:
        raise ValidationError(_("The key holds a line break: paste it again as one line."))
    if re.search(r"\s", key):
        raise ValidationError(_("The key holds a space: paste it again without."))
    if not key.isascii() or CONTROL.search(key):
        raise ValidationError(_("The key holds a character that no key can hold: copy it again where it was made."))


def check_text(text: str, limit: int) -> None:
    """At most `limit` characters, none of them NUL."""
    if "\x00" in text:
        raise ValidationError(_("The text holds a NUL character; leave it out."))
    if len(text) > limit:
        raise ValidationError(_("At most %(limit)s characters, please.") % {"limit": limit})


def server_of(url: str) -> tuple[str, str]:
    """Which server a URL leads to: its scheme and its host with the port."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
