"""`postgres`: sign in to PostgreSQL, run one query that only reads, and look at its first value."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
import psycopg
from django.utils.translation import gettext_lazy as _

from apps.core.kindconfig import SECRET, Text, field
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.handles import trusted_certificates
from apps.core.outbound.locations import BadLocation, parse_host
from apps.probes.base import PROBE_KINDS, AsyncProbeKind, Outcome, OutcomeState, Reason
from apps.probes.looking import Looking

# The one command besides queries that is worth asking: a cursor cannot be declared for it.
_SHOW = re.compile(r"\s*SHOW\s+[\w.]+(\s+[\w.]+)*\s*;?\s*", re.IGNORECASE | re.ASCII)
_NO_FILE = "/nonexistent/none"

SslMode = Literal["disable", "prefer", "require", "verify-full"]
# libpq tells what happened before the server's own answers only in words; the wheel's are English.
_BY_WORDS = (
    ("connection refused", OutboundReason.CONNECT_REFUSED),
    ("no route to host", OutboundReason.UNREACHABLE),
    ("network is unreachable", OutboundReason.UNREACHABLE),
    ("timeout expired", OutboundReason.CONNECT_TIMEOUT),
    ("certificate has expired", OutboundReason.TLS_EXPIRED),
    ("does not match host name", OutboundReason.TLS_WRONG_HOST),
    ("certificate verify failed", OutboundReason.TLS_UNTRUSTED),
    ("does not support ssl", OutboundReason.TLS_ERROR),
    ("ssl error", OutboundReason.TLS_ERROR),
    ("connection reset", OutboundReason.CONNECTION_RESET),
    ("server closed the connection", OutboundReason.EMPTY_RESPONSE),
    ("expected authentication request", OutboundReason.PROTOCOL_ERROR),
    ("invalid response", OutboundReason.PROTOCOL_ERROR),
)
_SIGN_IN_WORDS = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "authentication failed",
    "is not permitted to log in",
    'role "',
)


class PostgresConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is, how to sign in, what to ask."""

    host: Annotated[
        str, field(_("Host"), _("A name or an address."), destination=True, min_length=1, max_length=253)
    ] = "127.0.0.1"
    port: Annotated[int, field(_("Port"), destination=True, ge=1, le=65_535)] = 5432
    # With the stored password, another database, user or query could read what whoever entered it did not mean to show.
    database: Annotated[str, field(_("Database"), destination=True, min_length=1, max_length=63)] = "postgres"
    user: Annotated[
        str, field(_("User name"), _("One that may only read."), destination=True, min_length=1, max_length=63)
    ]
    password: Annotated[str, field(_("Password"), max_length=500), SECRET] = ""
    ssl_mode: Annotated[SslMode, field(_("TLS"))] = "prefer"
    query: Annotated[
        str,
        field(
            _("Query"),
            _("Runs in a transaction that can only read."),
            widget="textarea",
            private=True,
            destination=True,
            max_length=2_000,
        ),
    ] = "SELECT 1"
    expect: Annotated[
        str, field(_("Expect"), _("What the first value of the first row must be; empty: anything."), max_length=500)
    ] = ""

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express."""
        errors: dict[str, list[Text]] = {}
        try:
            parse_host(self.host)
        except BadLocation as error:
            errors["host"] = [error.sentence]
        for name in ("database", "user", "password", "query"):
            if "\0" in getattr(self, name):
                errors[name] = [_("This must not contain a NUL character.")]
        if not self.query.strip():
            errors["query"] = [_("Enter a query, such as SELECT 1.")]
        return errors


class PostgresKind(AsyncProbeKind[PostgresConfig]):
    """One connection, one query, read-only, with a statement timeout of its own."""

    name = "postgres"
    label = _("PostgreSQL")
    summary = _("Signs in and runs a query that only reads.")
    Config = PostgresConfig
    default_interval_seconds = 30
    default_timeout_seconds = 5.0

    def address(self, config: PostgresConfig) -> str:
        return f"{config.host}:{config.port}/{config.database}"

    async def look(self, config: PostgresConfig, looking: Looking) -> Outcome:
        addresses = await looking.addresses(config.host)
        looking.evidence["port"] = config.port
        try:
            with looking.phase("connect"):
                connection = await _connect(config, looking, addresses)
        except psycopg.OperationalError as error:
            return _not_connected(error)
        looking.evidence["address"] = connection.info.hostaddr
        try:
            return await _ask(config, looking, connection)
        finally:
            # Closing ends the transaction; nothing it did could be worth keeping.
            await connection.close()


async def _connect(
    config: PostgresConfig, looking: Looking, addresses: tuple[str, ...]
) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """Connect to addresses that were checked: libpq is given them and looks nothing up."""
    connection = await psycopg.AsyncConnection.connect(
        host=",".join([config.host] * len(addresses)),
        hostaddr=",".join(addresses),
        port=config.port,
        dbname=config.database,
        user=config.user,
        password=config.password or None,
        sslmode=config.ssl_mode,
        # libpq would otherwise read passwords and certificates of the account we run under.
        passfile=_NO_FILE,
        sslcert=_NO_FILE,
        sslkey=_NO_FILE,
        sslrootcert=trusted_certificates() if config.ssl_mode == "verify-full" else _NO_FILE,
        gssencmode="disable",
        connect_timeout=max(int(looking.remaining()) + 1, 2),
        application_name="monitor-portal probe",
    )
    # By the transaction and not by start-up options, which a connection pooler in between refuses.
    await connection.set_read_only(True)
    return connection


async def _ask(
    config: PostgresConfig, looking: Looking, connection: psycopg.AsyncConnection[tuple[Any, ...]]
) -> Outcome:
    try:
        milliseconds = max(int(looking.remaining() * 1000), 1)
        await connection.execute(f"SET LOCAL statement_timeout = {milliseconds}".encode())
        with looking.phase("query"):
            row = await _first_row(connection, config.query)
    except psycopg.errors.QueryCanceled:
        raise TimeoutError from None
    except psycopg.Error as error:
        evidence = {"detail": str(error).strip().splitlines()[0][:300], "sqlstate": error.sqlstate or ""}
        return Outcome(state=OutcomeState.FAILED, reason=Reason.QUERY_FAILED, evidence=evidence)
    actual = "" if row is None or row[0] is None else str(row[0])[:500]
    if not config.expect or actual == config.expect:
        return Outcome(state=OutcomeState.OK, reason=Reason.OK)
    evidence = {"expected": config.expect, "actual": actual or "NULL"}
    return Outcome(state=OutcomeState.FAILED, reason=Reason.UNEXPECTED_ANSWER, evidence=evidence)


async def _first_row(connection: psycopg.AsyncConnection[tuple[Any, ...]], query: str) -> tuple[Any, ...] | None:
    """The first row of one statement that only reads; None without rows. Raises psycopg.Error for anything else.

    Both statements go through the extended protocol, which takes one statement only: a second one could leave the
    transaction that can only read. A cursor is declared for queries alone, so that the server itself refuses COPY, DO
    and the like, which a transaction that can only read lets pass; and one row of it is all that is sent.
    """
    statement = query.encode()
    if not _SHOW.fullmatch(query):
        # `binary` is what makes psycopg use the extended protocol; declaring answers no rows.
        await connection.execute(b"DECLARE probe NO SCROLL CURSOR FOR " + statement, binary=True)
        statement = b"FETCH 1 FROM probe"
    first: tuple[Any, ...] | None = None
    # Row by row and to the end: a server that sends more than was asked for must not fill the memory.
    async for row in connection.cursor().stream(statement):
        first = row if first is None else first
    return first


def _not_connected(error: psycopg.OperationalError) -> Outcome:
    """The outcome of a connection that did not come about; raises OutboundError for what the network did."""
    message = str(error).strip()
    words = message.lower()
    detail = {"detail": message.splitlines()[-1].strip()[:300] if message else type(error).__name__}
    if any(sign in words for sign in _SIGN_IN_WORDS) or (error.sqlstate or "").startswith("28"):
        return Outcome(state=OutcomeState.FAILED, reason=Reason.AUTHENTICATION_FAILED, evidence=detail)
    for part, reason in _BY_WORDS:
        if part in words:
            raise OutboundError(reason, detail)
    return Outcome(state=OutcomeState.FAILED, reason=Reason.QUERY_FAILED, evidence=detail)


PROBE_KINDS.add("postgres", PostgresKind())
