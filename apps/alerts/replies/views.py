"""The page behind a link in a message: looking at it changes nothing, its button does.

Mail gateways, chat previews and browsers fetch links before anybody has tapped them, so GET and HEAD only show.
Nobody needs to be signed in: the link is the permission, for the one thing it was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts.models import User
from apps.alerts.models import Channel
from apps.alerts.pages.looks import alert_look
from apps.alerts.pages.sentences import matcher_sentences, subject, why
from apps.alerts.replies import services
from apps.alerts.replies.limits import WINDOW_SECONDS, is_too_often
from apps.alerts.replies.matters import ChannelGone, Matter, NothingLeft, read_matter, silenced_until
from apps.alerts.replies.tokens import ExpiredToken, ForgedToken, Purpose, Reply, read_token


@require_http_methods(["GET", "HEAD", "POST"])
def reply_page(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm (GET) and do (POST) what a link in a message is for."""
    with _spoken(request, None):
        if request.method == "POST" and is_too_often(request):
            return _discreet(_too_often(request))
        try:
            reply = read_token(token)
        except ForgedToken:
            return _discreet(_forged(request))
        except ExpiredToken as expired:
            channel = Channel.objects.filter(pk=expired.reply.channel).first()
            with _spoken(request, channel):
                return _discreet(_expired(request))
        return _discreet(_answer(request, reply))


def _answer(request: HttpRequest, reply: Reply) -> HttpResponse:
    try:
        matter = read_matter(reply)
    except ChannelGone:
        return _channel_gone(request)
    except NothingLeft:
        return _nothing_left(request)
    with _spoken(request, matter.channel):
        return _PAGES[matter.purpose](request, matter)


# --- Acknowledging --------------------------------------------------------------------------------------------


def _acknowledge(request: HttpRequest, matter: Matter) -> HttpResponse:
    if request.method == "POST" and matter.waiting:
        services.acknowledge(matter=matter, actor=_actor(request))
        return _seen(request)
    if not matter.open:
        return _resolved(request, matter)
    name = "confirm_acknowledge" if matter.waiting else "acknowledged"
    shown = matter.waiting or matter.open
    return _page(request, name, {"rows": _rows(shown), "number": len(shown), "matter": matter})


def _rows(alerts: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [
        {"alert": alert, "subject": subject(alert), "why": why(alert), "look": alert_look(alert)} for alert in alerts
    ]


# --- Silencing ------------------------------------------------------------------------------------------------


def _silence(request: HttpRequest, matter: Matter) -> HttpResponse:
    """A silence is worth making after it was resolved too: what comes and goes is what one wants to hush."""
    problem = ""
    if request.method == "POST":
        try:
            services.silence(matter=matter, hours=_hours(request), actor=_actor(request))
            return _seen(request)
        except ValueError:
            problem = _("Choose for how long: 1, 4 or 24 hours.")
    context = {
        "rows": _rows((matter.first,)),
        "matter": matter,
        "subject": subject(matter.first),
        "hushes": matcher_sentences(matter.matchers),
        "hours": services.SILENCE_HOURS,
        "until": silenced_until(matter),
        "problem": problem,
    }
    return _page(request, "confirm_silence", context, status=400 if problem else 200)


def _hours(request: HttpRequest) -> int:
    """Raises ValueError for what is no number."""
    return int(request.POST.get("hours", "")[:4])


_PAGES: dict[Purpose, Callable[[HttpRequest, Matter], HttpResponse]] = {
    Purpose.ACKNOWLEDGE_ALERT: _acknowledge,
    Purpose.ACKNOWLEDGE_MESSAGE: _acknowledge,
    Purpose.SILENCE_ALERT: _silence,
    Purpose.SILENCE_TARGET: _silence,
}


# --- Where nothing can be done --------------------------------------------------------------------------------


def _forged(request: HttpRequest) -> HttpResponse:
    sentence = _("It is not complete, or it was not made by this portal. Open it from the message itself.")
    return _refusal(request, 404, _("This link is not valid"), sentence)


def _expired(request: HttpRequest) -> HttpResponse:
    sentence = _("A link in a message works for 7 days. Sign in to do the same from the page of the alert.")
    return _refusal(request, 410, _("This link has expired"), sentence)


def _channel_gone(request: HttpRequest) -> HttpResponse:
    sentence = _(
        "The channel this message came through was deleted, and its links with it. "
        "Sign in to do the same from the page of the alert."
    )
    return _refusal(request, 403, _("This link is no longer accepted"), sentence)


def _nothing_left(request: HttpRequest) -> HttpResponse:
    sentence = _("The alert this message told of was removed: it ended long ago, or its target was deleted.")
    return _refusal(request, 404, _("There is nothing here any more"), sentence)


def _resolved(request: HttpRequest, matter: Matter) -> HttpResponse:
    return _page(request, "resolved", {"rows": _rows(matter.alerts), "matter": matter}, status=409)


def _too_often(request: HttpRequest) -> HttpResponse:
    sentence = _("Too many answers came from this address. Wait a minute, then try again.")
    response = _refusal(request, 429, _("One moment"), sentence)
    response["Retry-After"] = str(WINDOW_SECONDS)
    return response


def _refusal(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    return _page(request, "refused", {"title": title, "sentence": sentence}, status=status)


# --- How it is answered ---------------------------------------------------------------------------------------


def _page(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, f"alerts/replies/{name}.html", context, status=status)
    response["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    return response


def _seen(request: HttpRequest) -> HttpResponse:
    """To the same page by GET, which shows how it stands now: a reload does nothing twice."""
    response = redirect(request.path)
    response.status_code = 303
    return response


def _discreet(response: HttpResponse) -> HttpResponse:
    """The address is a permission: it is kept by no cache, no search engine, no Referer and no log line.

    Not "no-referrer": with it a browser sends its form with `Origin: null`, which the protection against forged
    requests must refuse.
    """
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "strict-origin"
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@contextmanager
def _spoken(request: HttpRequest, channel: Channel | None) -> Iterator[None]:
    """In the language the reader chose in this browser or account, else in the channel's; times likewise."""
    user = _actor(request)
    known = dict(settings.LANGUAGES)
    choices = (user.language if user else "", request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
    chosen = next((choice for choice in choices if choice in known), "")
    default = channel.language if channel is not None and channel.language in known else translation.get_language()
    with translation.override(chosen or default), timezone.override(_zone(user, channel)):
        yield


def _zone(user: User | None, channel: Channel | None) -> Any:
    if user is None and channel is not None and channel.time_zone in available_timezones():
        return ZoneInfo(channel.time_zone)
    return timezone.get_current_timezone()
