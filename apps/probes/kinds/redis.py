"""`redis`: sign in to a Redis or Valkey server and ask it to answer PING."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.probes.base import PROBE_KINDS, AsyncProbeKind, Outcome, OutcomeState, Reason
from apps.probes.looking import Looking
from apps.probes.resp import RedisConnection, RespError, SignInRefused, sign_in


class RedisConfig(RedisConnection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is and how to sign in."""


def refused(error: RespError) -> Outcome:
    """The outcome of an error the server answered with."""
    reason = Reason.AUTHENTICATION_FAILED if isinstance(error, SignInRefused) else Reason.QUERY_FAILED
    return Outcome(state=OutcomeState.FAILED, reason=reason, evidence={"detail": str(error)})


class RedisKind(AsyncProbeKind[RedisConfig]):
    """PING, answered with PONG."""

    name = "redis"
    label = _("Redis / Valkey")
    summary = _("Signs in and asks for an answer to PING.")
    Config = RedisConfig
    default_interval_seconds = 30
    default_timeout_seconds = 5.0

    def address(self, config: RedisConfig) -> str:
        return f"{config.host}:{config.port}"

    async def look(self, config: RedisConfig, looking: Looking) -> Outcome:
        try:
            stream, resp = await sign_in(config, looking)
            try:
                with looking.phase("first_byte"):
                    answer = await resp.command("PING")
            finally:
                stream.close()
        except RespError as error:
            return refused(error)
        if answer == "PONG":
            return Outcome(state=OutcomeState.OK, reason=Reason.OK)
        return Outcome(
            state=OutcomeState.FAILED,
            reason=Reason.UNEXPECTED_ANSWER,
            evidence={"expected": "PONG", "actual": str(answer)[:200]},
        )


PROBE_KINDS.add("redis", RedisKind())
