"""Words at which a text turns into its opposite, and signs of a question, an instruction or a result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

from corpus_pipeline.lazy_patterns import lazily

# One of these on one side of an edit and not on the other: another meaning. Of two opposites the rarer one suffices: it
# is there on one side when the two are exchanged.
POLARITY = frozenset(
    """
    not no never none nothing nobody neither nor without cannot except unless
    before below under less least fewer smaller lower shorter younger earlier last previous second third fourth fifth
    decrease decreases decreased decreasing reduce reduces reduced fall falls fell
    left north south east west outside down bottom off out rarely seldom must
    false wrong incorrect worse worst
    female woman women girl girls negative minimum minimal min subtract subtracts divide divided minus
    reject rejects rejected forbid forbids forbidden deny denied lose loses lost sell sells sold
    stop stops stopped end ended disable disables disabled descending exclude excludes excluded
    two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million
    half double twice monday tuesday wednesday thursday friday saturday sunday january february march april june
    july august september october november december
    nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder
    ne pas jamais rien aucun aucune sans nunca ninguno ninguna nadie nada tampoco mai niente senza nessuno
    não nem sem niet geen nooit zonder не нет ни никогда без нельзя لا ليس لم لن नहीं मत không chưa değil yok inte aldrig
    안 못 아니 아닌 아니다
    """.split()
)
POLARITY_CHARACTERS = frozenset(
    "不没无非未否莫勿别前下左少小低减降升除负假晚旧关进外男女东西南北冷热禁卖输坏零二三四五六七八九十百千万亿两半"
)
# Turns of languages whose words are not told apart by blanks; they are looked for in what surrounds an edit.
_PHRASES = (
    "ない", "なく", "なか", "なけ", "ませ", "ず", "まで", "から", "だけ", "より", "しか", "後", "ไม่", "ห้าม", "อย่า", "ก่อน",
    "หลัง", "않", "없", "못",
)  # fmt: skip
_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张曹严魏陶姜谢邹苏潘葛范彭郎鲁韦苗袁柳史唐薛雷贺倪汤滕罗毕郝傅齐康伍"
    "顾孟黄萧尹姚邵汪戴宋庞熊纪舒屈项祝董梁杜阮席贾江郭梅钟徐邱骆蔡胡凌霍柯卢莫丁邓洪崔龚程邢裴陆翁"
)
_PREFIXES = frozenset(
    """un in im il ir non dis mis anti counter de re pre post over under inter intra hyper hypo micro macro mono poly
    bi tri sub super en ex pro contra a ab mal semi multi""".split()
)
_MIN_STEM = 3
_MAX_PREFIX = 7
_NEGATED = ("n't", "nt")

_ASKING = lazily(
    r"^\W{0,16}(?:(?:please|now|then|next|finally|first)\W+)?(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|should|would|will"
    r"|answer|list|name|write|summari[sz]e|explain|describe|translate|find|give|tell|compute|calculate|choose|select|pick|classify|identify"
    r"|generate|create|rewrite|extract|determine|decide|compare|convert|return|complete|fill|state|provide|suggest|predict|rate|label|sort|count"
    r"|imagine|act|use|make|show|prove|solve|evaluate|estimate|assume|suppose|consider|respond|reply|continue|paraphrase|correct|fix|implement|design)\b",
    re.I,
)
_ASKING_CJK = lazily(
    r"^\W{0,16}(?:请|問|问|试|根据|翻译|写|列|给出|解释|说明|判断|选|找|计算|总结|概括"
    r"|描述|如何|怎么|什么|为什么|哪|谁)"
)
_TASK_LABEL = lazily(
    r"^\W{0,16}(?:question|q|task|instructions?|query|problem|prompt|request|command|问题|题目|任务|要求|指令|提问)\s*\d*[:：]",
    re.I,
)
# a short one: `Style: formal`, and no sentence behind a heading: `Watering: Do so when the soil feels dry.`
_FIELD = lazily(r"^\W*[\w ]{1,24}[:：](?P<value>.*)$", re.DOTALL)
_FIELD_WORDS = 12
_LONG_SENTENCE = 16  # words
_SENTENCE_WORDS = 7  # from which what ends as a sentence does is one
_ENDS = lazily(r"[.!。！][\W_]{0,8}$")
_WORD = lazily(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|\S+?(?=[\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|$)")
_CHARACTER = 0.5  # words that a character of a script without blanks counts
_ASKED = lazily(r"[?？]\W{0,16}$")


_RESULT = lazily(
    r"\b(?:answer|(?<!\bin )conclusion|verdict|label|category|diagnosis)\b|####|\\boxed"
    r"|答案|结论|結論|故选|结果[是为:：]|答[:：]|答え|정답",
    re.I,
)
_THEREFORE = lazily(
    r"\b(?:in conclusion|therefore|thus|hence|consequently|altogether|in total|result)\b|^\W*so\b"
    r"|因此|所以|综上|总之|従って|したがって|따라서|よって",
    re.I,
)


@cache
def _poles() -> Mapping[str, frozenset[tuple[int, int]]]:
    found: dict[str, set[tuple[int, int]]] = {}
    text = (resources.files(__package__) / "scales.txt").read_text(encoding="utf-8")
    for scale, line in enumerate(text.splitlines()):
        for pole, words in enumerate([] if line.startswith("#") else line.split("|")):
            for word in words.split():
                found.setdefault(word, set()).add((scale, pole))
    return {word: frozenset(poles) for word, poles in found.items()}


def is_negated(token: str) -> bool:
    """Whether a word ends as "don't" does."""
    return token.endswith(_NEGATED[0]) or token in ("dont", "cant", "wont", "isnt", "arent", "didnt", "doesnt")


def turns_meaning(token: str) -> bool:
    """Whether a word or character alone decides about the meaning."""
    return token in POLARITY or token in POLARITY_CHARACTERS or is_negated(token)


def takes_another_pole(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether a word on one side is exchanged for one that stands elsewhere on the same scale: dawn for dusk."""
    left, right = _on_scales(one), _on_scales(other)
    return any(left[scale].isdisjoint(right[scale]) for scale in left.keys() & right.keys())


def is_another_surname(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one Chinese surname stands for another."""
    return len(one) == len(other) == 1 and {*one, *other} <= _SURNAMES and one[0] != other[0]


def phrases(text: str) -> list[str]:
    """The phrases of a text that turn its meaning where words are not told apart by blanks, in order."""
    found = [(place, phrase) for phrase in _PHRASES for place in _places(text, phrase)]
    return [phrase for _, phrase in sorted(found)]


def _places(text: str, phrase: str) -> Iterable[int]:
    place = text.find(phrase)
    while place >= 0:
        yield place
        place = text.find(phrase, place + 1)


def _on_scales(words: Iterable[str]) -> dict[int, set[int]]:
    known, found = _poles(), dict[int, set[int]]()
    for word in words:
        poles = known.get(word) or (known.get(word[:-1]) if word.endswith("s") else None) or ()
        for scale, pole in poles:
            found.setdefault(scale, set()).add(pole)
    return found


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
    signs = (_ASKED.search, _ASKING.match, _ASKING_CJK.match, _TASK_LABEL.match)
    return any(sign(sentence) is not None for sign in signs) or _is_field(sentence)


def states_a_result(sentence: str, *, last: bool) -> bool:
    """Whether a sentence says what comes out, or is the field of a form (`Label: ...`); last: it ends a text.

    A long sentence that only begins as a conclusion does is prose like any other.
    """
    if _RESULT.search(sentence) is not None or _is_field(sentence):
        return True
    return last and _THEREFORE.search(sentence) is not None and _words(sentence, _LONG_SENTENCE) < _LONG_SENTENCE


def _is_field(sentence: str) -> bool:
    found = _FIELD.match(sentence)
    if found is None:
        return False
    words = _words(found["value"], _FIELD_WORDS + 1)
    if words > _FIELD_WORDS:
        return False
    return words < _SENTENCE_WORDS or _ENDS.search(sentence) is None


def _words(text: str, enough: float) -> float:
    """The size of a text in words, counted up to what is enough."""
    size = 0.0
    for word in _WORD.finditer(text):
        size += _CHARACTER if len(word[0]) == 1 and word[0] > "\u2fff" else 1
        if size >= enough:
            break
    return size
