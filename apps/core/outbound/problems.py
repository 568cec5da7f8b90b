"""What keeps a request or letter from going out, and what is wrong with an answer, by code: see `apps.core.details`.

What the operating system, libcurl, OpenSSL, c-ares or a server says is no code: it is evidence as it stands.
"""

from __future__ import annotations

from enum import StrEnum

from apps.core.details import add_details, gettext_noop


class Problem(StrEnum):
    """Codes are stored and sent: never rename one."""

    # URLs and hosts
    URL_TOO_LONG = "url_too_long"
    URL_CHARACTERS = "url_characters"
    URL_SCHEME = "url_scheme"
    URL_UNREADABLE = "url_unreadable"
    URL_CREDENTIALS = "url_credentials"
    URL_PORT = "url_port"
    HOST_UNREADABLE = "host_unreadable"
    HOST_NO_ADDRESS = "host_no_address"
    HOST_NO_IPV6 = "host_no_ipv6"
    # Requests
    METHOD = "method"
    HEADER_NAME = "header_name"
    HEADER_FRAMING = "header_framing"
    HEADER_VALUE = "header_value"
    # Answers
    LARGE_HEADERS = "large_headers"
    LIBCURL_NUMBER = "libcurl_number"
    HANDSHAKE = "handshake"
    # Mail
    PLAIN_PASSWORD = "plain_password"  # noqa: S105 - a code
    ADDRESS_UNREADABLE = "address_unreadable"
    ADDRESS_CHARACTERS = "address_characters"
    NO_STARTTLS = "no_starttls"
    NO_SMTP = "no_smtp"
    SPOKE_BEFORE_TLS = "spoke_before_tls"
    LARGE_REPLY = "large_reply"


# Those of URLs, hosts and headers stand beside a field of a form as well, so they are whole sentences.
_WORDS: dict[Problem, str] = {
    Problem.URL_TOO_LONG: gettext_noop("A URL has at most %(limit)s characters."),
    Problem.URL_CHARACTERS: gettext_noop(
        "A URL holds no spaces, backslashes or control characters; write a space as %20."
    ),
    Problem.URL_SCHEME: gettext_noop("Enter a URL that starts with http:// or https://."),
    Problem.URL_UNREADABLE: gettext_noop("This is not a valid URL: its host or its port cannot be read."),
    Problem.URL_CREDENTIALS: gettext_noop(
        "Leave user name and password out of the URL; use the fields for them, which are kept secret."
    ),
    Problem.URL_PORT: gettext_noop("The port of a URL is a number from 1 to 65535."),
    Problem.HOST_UNREADABLE: gettext_noop("Enter a host name such as example.com, or an IP address."),
    Problem.HOST_NO_ADDRESS: gettext_noop("This looks like an IP address but is not a valid one."),
    Problem.HOST_NO_IPV6: gettext_noop("This is not a valid IPv6 address."),
    Problem.METHOD: gettext_noop("a method holds capital letters, such as GET"),
    Problem.HEADER_NAME: gettext_noop("A header name holds letters, digits and dashes, such as X-Request-Id."),
    Problem.HEADER_FRAMING: gettext_noop("The header %(name)s is set by the connection itself."),
    Problem.HEADER_VALUE: gettext_noop("The value of %(name)s must not contain line breaks or control characters."),
    Problem.LARGE_HEADERS: gettext_noop("the headers are larger than %(kilobytes)s kB or more than %(lines)s lines"),
    Problem.LIBCURL_NUMBER: gettext_noop("libcurl gives error %(number)s and no words"),
    Problem.HANDSHAKE: gettext_noop("it was broken off without a word"),
    Problem.PLAIN_PASSWORD: gettext_noop("a user name and a password need an encrypted connection"),
    Problem.ADDRESS_UNREADABLE: gettext_noop("an address that is none"),
    Problem.ADDRESS_CHARACTERS: gettext_noop("a line break or control character in an address"),
    Problem.NO_STARTTLS: gettext_noop("the server offers no STARTTLS"),
    Problem.NO_SMTP: gettext_noop("the server does not speak SMTP"),
    Problem.SPOKE_BEFORE_TLS: gettext_noop("the server spoke on in the clear after it had agreed to TLS"),
    Problem.LARGE_REPLY: gettext_noop("a reply of more than %(kilobytes)s kB"),
}
add_details(_WORDS)
