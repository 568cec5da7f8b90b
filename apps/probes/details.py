"""What probes say about answers in words of their own, by code: see `apps.core.details`."""

from __future__ import annotations

from enum import StrEnum

from apps.core.details import add_details, gettext_noop


class Detail(StrEnum):
    """Codes are stored and sent: never rename one."""

    # Bytes that are something else
    HTML_PAGE = "html_page"
    NO_OBJECTS = "no_objects"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NO_JSON = "no_json"
    NOTHING = "nothing"
    NO_OBJECT = "no_object"
    NO_PART = "no_part"
    NO_TYPE = "no_type"
    EMPTY_CHOICE = "empty_choice"
    # Answers that are something else
    NO_MODELS = "no_models"
    NO_CHOICES = "no_choices"
    NO_ANSWER = "no_answer"
    NO_WORDS = "no_words"
    WHOLE_ANSWER = "whole_answer"
    ERROR_AT_THE_END = "error_at_the_end"
    ERROR = "error"
    SAID_ERROR = "said_error"
    NO_EMBEDDING = "no_embedding"
    NO_EMBEDDINGS = "no_embeddings"
    UNREADABLE_EMBEDDING = "unreadable_embedding"
    EMPTY_EMBEDDING = "empty_embedding"
    NO_NUMBERS = "no_numbers"
    # Golden prompts
    NOT_ASKED = "not_asked"
    FILTERED = "filtered"
    CUT = "cut"
    ANOTHER_TEXT = "another_text"
    NO_MATCH = "no_match"
    NO_CALL = "no_call"
    ANOTHER_CALL = "another_call"
    NO_ARGUMENTS = "no_arguments"
    ARGUMENT_MISSING = "argument_missing"
    ARGUMENT_DIFFERS = "argument_differs"
    SCHEMA_TYPE = "schema_type"
    SCHEMA_MISSING = "schema_missing"
    SCHEMA_RULE = "schema_rule"
    # Requests that cannot be made, or are of no use
    ANOTHER_API = "another_api"
    NO_BASE_URL = "no_base_url"
    OFFERS_NO_EMBEDDINGS = "offers_no_embeddings"
    UNKNOWN_DIALECT = "unknown_dialect"
    UNKNOWN_KIND = "unknown_kind"
    BAD_CONFIG = "bad_config"
    IS_TOLD = "is_told"
    # Databases
    NOT_REDIS = "not_redis"
    NOT_REDIS_LINE = "not_redis_line"
    NOT_REDIS_SIZE = "not_redis_size"


# Each is the end of a sentence, and nothing in it but its values is anybody else's.
_WORDS: dict[Detail, str] = {
    Detail.HTML_PAGE: gettext_noop("a page of HTML in place of a stream"),
    Detail.NO_OBJECTS: gettext_noop("a stream that is no list of JSON objects"),
    Detail.TOO_LARGE: gettext_noop("an event that is too large"),
    Detail.TOO_DEEP: gettext_noop("JSON nested too deeply"),
    Detail.NO_JSON: gettext_noop("no JSON"),
    Detail.NOTHING: gettext_noop("nothing at all"),
    Detail.NO_OBJECT: gettext_noop("JSON, but no object"),
    Detail.NO_PART: gettext_noop("an event that is no part of an answer"),
    Detail.NO_TYPE: gettext_noop("an event without a type"),
    Detail.EMPTY_CHOICE: gettext_noop("a choice with nothing in it"),
    Detail.NO_MODELS: gettext_noop("no list of models"),
    Detail.NO_CHOICES: gettext_noop("no choices"),
    Detail.NO_ANSWER: gettext_noop("a stream without an answer"),
    Detail.NO_WORDS: gettext_noop("an empty answer"),
    Detail.WHOLE_ANSWER: gettext_noop("a whole answer in place of a stream"),
    Detail.ERROR_AT_THE_END: gettext_noop("an answer that ended with an error"),
    Detail.ERROR: gettext_noop("an error under a good status"),
    Detail.SAID_ERROR: gettext_noop("an error under a good status: “%(said)s”"),
    Detail.NO_EMBEDDING: gettext_noop("no embedding"),
    Detail.NO_EMBEDDINGS: gettext_noop("an embedding where there are none"),
    Detail.UNREADABLE_EMBEDDING: gettext_noop("an embedding that cannot be read"),
    Detail.EMPTY_EMBEDDING: gettext_noop("an embedding without numbers"),
    Detail.NO_NUMBERS: gettext_noop("an embedding with something else than numbers in it"),
    Detail.NOT_ASKED: gettext_noop("not asked"),
    Detail.FILTERED: gettext_noop("stopped by the content filter"),
    Detail.CUT: gettext_noop("cut at our limit of tokens"),
    Detail.ANOTHER_TEXT: gettext_noop("another text"),
    Detail.NO_MATCH: gettext_noop("no match"),
    Detail.NO_CALL: gettext_noop("no tool was called"),
    Detail.ANOTHER_CALL: gettext_noop("the tool “%(name)s” was called"),
    Detail.NO_ARGUMENTS: gettext_noop("arguments that are no JSON object"),
    Detail.ARGUMENT_MISSING: gettext_noop("the argument “%(name)s” is missing"),
    Detail.ARGUMENT_DIFFERS: gettext_noop("the argument “%(name)s” is another"),
    Detail.SCHEMA_TYPE: gettext_noop("what stands at %(path)s is not of the type %(expected)s"),
    Detail.SCHEMA_MISSING: gettext_noop("“%(name)s” is missing at %(path)s"),
    Detail.SCHEMA_RULE: gettext_noop("what stands at %(path)s breaks the rule “%(rule)s” of the schema: %(expected)s"),
    Detail.ANOTHER_API: gettext_noop(
        "this model is not asked by chat completions; where the provider has it in the Responses API, put /responses "
        "at the end of its base URL. It says: “%(said)s”"
    ),
    Detail.NO_BASE_URL: gettext_noop("the provider has no base URL"),
    Detail.OFFERS_NO_EMBEDDINGS: gettext_noop("this dialect has no embeddings"),
    Detail.UNKNOWN_DIALECT: gettext_noop("this worker does not know the dialect “%(name)s”"),
    Detail.UNKNOWN_KIND: gettext_noop("this worker does not know the kind of check “%(name)s”"),
    Detail.BAD_CONFIG: gettext_noop("what is configured cannot be read: “%(said)s”"),
    Detail.IS_TOLD: gettext_noop("this kind is told, so there is nothing to look at"),
    Detail.NOT_REDIS: gettext_noop("an answer of Redis was expected, and “%(said)s” came"),
    Detail.NOT_REDIS_LINE: gettext_noop("an answer of Redis was expected, and a line without end came"),
    Detail.NOT_REDIS_SIZE: gettext_noop("an answer of Redis was expected, and one of %(count)s bytes came"),
}
_OLD = (
    gettext_noop("an event that is no chunk of an answer"),
    gettext_noop("a line that is no part of an answer"),
    gettext_noop("a whole answer where a stream was asked for"),
)
add_details(_WORDS, old=_OLD)
