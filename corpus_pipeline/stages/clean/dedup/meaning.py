"""Words at which a text turns into its opposite, and signs of a question or an instruction."""

from __future__ import annotations

import re

# One of these on one side of an edit and not on the other: another meaning. Of two opposites the rarer one suffices: it
# is there on one side when the two are exchanged.
POLARITY = frozenset(
    """
    not no never none nothing nobody neither nor without cannot except unless
    before below under less least fewer smaller lower shorter younger earlier last previous second third fourth fifth
    decrease decreases decreased decreasing reduce reduces reduced fall falls fell
    left north south east west outside down bottom off out rarely seldom must
    false wrong incorrect bad worse worst closed cold wet empty old small short low slow soft weak poor dead
    female woman women girl girls negative minimum minimal min subtract subtracts divide divided minus
    reject rejects rejected forbid forbids forbidden deny denied lose loses lost sell sells sold
    stop stops stopped end ended disable disables disabled descending exclude excludes excluded
    two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million
    half double twice monday tuesday wednesday thursday friday saturday sunday january february march april june
    july august september october november december
    """.split()
)
POLARITY_CHARACTERS = frozenset(
    "不没无非未否莫勿别前下左少小低减降升除负假晚旧关进外男女东西南北冷热禁卖输坏零二三四五六七八九十百千万亿"
)
_PREFIXES = frozenset(
    """un in im il ir non dis mis anti counter de re pre post over under inter intra hyper hypo micro macro mono poly
    bi tri sub super en ex pro contra a ab mal semi multi""".split()
)
_MIN_STEM = 3
_MAX_PREFIX = 7
_NEGATED = ("n't", "nt")

_ASKING = re.compile(
    r"^\W*(?:(?:please|now|then|next|finally|first)\W+)?(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|should|would|will"
    r"|answer|list|name|write|summari[sz]e|explain|describe|translate|find|give|tell|compute|calculate|choose|select|pick|classify|identify"
    r"|generate|create|rewrite|extract|determine|decide|compare|convert|return|complete|fill|state|provide|suggest|predict|rate|label|sort|count"
    r"|imagine|act|use|make|show|prove|solve|evaluate|estimate|assume|suppose|consider|respond|reply|continue|paraphrase|correct|fix|implement|design)\b",
    re.I,
)
_ASKING_CJK = re.compile(
    r"^\W*(?:请|問|问|试|根据|翻译|写|列|给出|解释|说明|判断|选|找|计算|总结|概括"
    r"|描述|如何|怎么|什么|为什么|哪|谁)"
)
_TASK_LABEL = re.compile(
    r"^\W*(?:question|q|task|instructions?|query|problem|prompt|request|command|问题|题目|任务|要求|指令|提问)\s*\d*[:：]",
    re.I,
)
_FIELD = re.compile(r"^\W*[\w ]{1,24}[:：]\s*(?:\S+\s*){0,12}$")  # a short one: `Style: formal`
_ASKED = re.compile(r"[?？]\W*$")


def is_negated(token: str) -> bool:
    """Whether a word ends as "don't" does."""
    return token.endswith(_NEGATED[0]) or token in ("dont", "cant", "wont", "isnt", "arent", "didnt", "doesnt")


def turns_meaning(token: str) -> bool:
    """Whether a word or character alone decides about the meaning."""
    return token in POLARITY or token in POLARITY_CHARACTERS or is_negated(token)


def differ_in_prefix(one: str, other: str) -> bool:
    """Whether two words are one stem with another prefix: possible and impossible, hypertension and hypotension."""
    stem = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        stem += 1
    # a stem that ends within the prefix of one of them is no longer one
    for length in range(stem, _MIN_STEM - 1, -1):
        heads = one[: len(one) - length], other[: len(other) - length]
        if all(not head or head in _PREFIXES for head in heads) and max(map(len, heads)) <= _MAX_PREFIX:
            return heads[0] != heads[1]
    return False


def is_question(sentence: str) -> bool:
    """Whether a sentence asks or instructs, or is the field of a form (`Question: ...`)."""
    signs = (_ASKED.search, _ASKING.match, _ASKING_CJK.match, _TASK_LABEL.match, _FIELD.match)
    return any(sign(sentence) is not None for sign in signs)
