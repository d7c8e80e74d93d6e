"""The closed set of reasons for which an answer does not become a row."""

from __future__ import annotations

from enum import StrEnum


class BadReason(StrEnum):
    """The reason word of a failed sample that comes from the answer itself."""

    EMPTY = "empty"  # nothing visible in the answer or in one of its parts
    REFUSED = "refused"  # the model says that it will not or cannot
    CUT = "cut"  # the answer ended before it was complete
    CONTENT_FILTER = "content_filter"  # the provider held the answer back
    MALFORMED = "malformed"  # not in the structure that was asked for
    OFF_LANGUAGE = "off_language"  # not in the language that was asked for
    UNCHANGED = "unchanged"  # says what the source says, word for word
    ANSWER_CHANGED = "answer_changed"  # another final answer than the source's
    TOO_SHORT = "too_short"  # out of proportion to the source
    TOO_LONG = "too_long"  # out of proportion to the source
    REPETITIVE = "repetitive"  # goes round in circles
    LEAKED_INSTRUCTION = "leaked_instruction"  # talks about its task, or repeats our delimiters
    NUMBERS_CHANGED = "numbers_changed"  # a number of the source is missing, another one came, or two changed places
    CODE_CHANGED = "code_changed"  # code of the source is missing or altered
    LATEX_CHANGED = "latex_changed"  # a formula of the source is missing or altered
    TEMPLATE_TOKEN = "template_token"  # a control token of a chat template is left in the answer
    OFF_TOPIC = "off_topic"  # about something else: another row's
    ANSWERED = "answered"  # a request was to be said in other words, and was answered
    NOISE = "noise"  # no language: keys struck at random, words in no order
    CONTROL_CHARACTERS = "control_characters"  # NUL and others that no text needs
    TEMPLATE = "template"  # the recipe's own template cannot be rendered for this row: nothing was asked
    ARGUMENTS_LOST = "arguments_lost"  # a request without what the calls behind it take from it
    MEDIA = "media"  # a mark for a picture, or its file, is missing, or one came: the row would show another one
    CHECK_FAILED = "check_failed"  # a validator of the recipe's own does not let it pass
