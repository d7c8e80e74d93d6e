"""The words of a text that carry its content, as stems that compare: what two texts are about, whatever their wording.

Letters of scripts without blanks are taken in pairs. A stem is a rough one (a few first letters), so that forms of a word
agree; two words that share a stem by chance make texts look more alike, never less.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

from corpus_pipeline.lazy_patterns import lazily

# function words, by language; one set for all: what is a function word in one language is hardly content in another
_FUNCTION_WORDS: Final[dict[str, str]] = {
    "en": "a an the and or but if of to in on at by for from with without as is are was were be been being am do does did done doing have has had"
    " having it its this that these those there here i me my mine you your yours he him his she her hers we us our ours they them their theirs what"
    " which who whom whose when where why how not no nor so than then too very can could will would shall should may might must about into over"
    " under out up down off again also just only own same such both each few more most other some any all one because while during before after"
    " above below between through until against please let get got make made like really quite rather much many well even still yet though although"
    " however therefore thus hence since upon within per via etc don doesn didn won isn aren wasn weren ll ve re",
    "de": "der die das den dem des ein eine einen einem einer eines und oder aber wenn von zu im in an am auf aus bei bis durch für gegen mit nach ohne"
    " um unter über vor zwischen als wie ist sind war waren sein bin bist habe hat haben hatte hatten werden wird wurde wurden kann können könnte soll"
    " sollte muss müssen darf will würde ich du er sie es wir ihr mir dir mich dich sich uns euch ihm ihn ihnen mein dein seine ihre unser nicht kein keine"
    " was wer wo wann warum welche welcher welches dieser diese dieses diesem diesen jener so auch noch nur schon sehr mehr dann denn weil dass da hier man zum zur"
    " vom beim ins sowie doch etwa bitte",
    "fr": "le la les un une des du de et ou mais si à au aux en dans sur sous par pour avec sans chez entre vers comme est sont était étaient être suis es"
    " ai as a ont avait avaient avoir fait faire peut peuvent pouvoir doit doivent je tu il elle on nous vous ils elles me te se lui leur moi toi mon"
    " ton son ma ta sa mes tes ses notre votre nos vos leurs ne pas non plus que qui quoi dont où quand pourquoi comment quel quelle quels quelles ce"
    " cet cette ces cela ça ci là y ainsi aussi très bien tout toute tous toutes autre même donc car parce puis alors afin",
    "es": "el la los las un una unos unas de del y o u pero si a al en con sin por para sobre entre hacia hasta desde como es son era eran ser estar está"
    " están estaba fue fueron he ha han había haber hay hacer hace puede pueden poder debe deben yo tú él ella usted nosotros ellos ellas me te se le"
    " les lo nos os mi tu su mis tus sus nuestro no ni que quien cual cuales cuando donde dónde por qué cómo qué cuál este esta estos estas ese esa eso"
    " esto aquel más muy también tan ya porque pues así entonces cada todo toda todos todas otro otra mismo",
    "it": "il lo la i gli le un uno una di del dello della dei degli delle e ed o ma se a al allo alla ai agli alle in nel nella nei nelle con senza da dal"
    " dalla dai su sul sulla per tra fra come è sono era erano essere ho hai ha abbiamo hanno aveva avere fa fare può possono deve devono io tu lui lei"
    " noi voi loro mi ti si ci vi ne mio tuo suo nostro non né che chi cui quale quali quando dove perché come cosa questo questa questi queste quello"
    " quella più molto anche così già poi quindi allora ogni tutto tutti altro stesso",
    "pt": "o a os as um uma uns umas de do da dos das e ou mas se em no na nos nas com sem por pelo pela para sobre entre até como é são era eram ser estar"
    " está estão foi foram tenho tem têm tinha ter há fazer faz pode podem poder deve devem eu tu ele ela você nós eles elas me te lhe meu teu seu sua"
    " nosso não nem que quem qual quais quando onde por porque este esta estes estas esse essa isso isto aquele mais muito também tão já então cada todo"
    " toda todos outro mesmo",
    "nl": "de het een en of maar als van naar in op aan bij door voor tegen met zonder om onder over uit tot tussen dan is zijn was waren ben bent heb heeft"
    " hebben had hadden worden wordt werd kan kunnen moet moeten mag wil zal zou ik jij je hij zij ze wij we jullie mij me jou hem haar ons hun mijn jouw"
    " niet geen wat wie waar wanneer waarom welke hoe dit dat deze die er hier daar ook nog maar zeer heel meer omdat want dus zo te",
    "pl": "i a oraz lub ale jeśli z ze w we na do od po przez dla bez o u pod nad przed między jak jest są był była było byli być mam ma mają może mogą musi"
    " ja ty on ona ono my wy oni one mnie mi ciebie ci go mu jej nas was ich im mój twój swój nie ani co kto gdzie kiedy dlaczego który która które ten ta"
    " to te tego tej tym tak też także już tylko bardzo więcej bo więc czy się",
    "ru": "и а но или если в во на с со к ко от до по из за для без о об при под над между как это есть был была было были быть я ты он она оно мы вы они меня"
    " мне тебя его ему её ей нас вас их им мой твой свой наш ваш не ни нет что кто где когда почему какой какая какие который которая которые этот эта эти"
    " тот та те так тоже также уже ещё еще только очень более потому чтобы же ли бы можно нужно через перед после около вокруг когда тогда там тут здесь сюда туда себя себе свою своей своих своё",
    "tr": "ve veya ama eğer bir bu şu o için ile gibi kadar daha en çok da de ki mi mı mu mü ne kim nerede ne zaman neden nasıl hangi ben sen biz siz onlar"
    " değil var yok olan olarak olur oldu her bazı",
    "sv": "och eller men om av till i på vid för från med utan som är var vara har hade ha kan ska skall måste jag du han hon det den vi ni de mig dig sig oss"
    " dem min din sin inte ingen vad vem var när varför hur vilken denna detta dessa så också mycket mer att en ett",
    "id": "dan atau tetapi jika dari ke di pada untuk dengan tanpa oleh sebagai adalah ialah itu ini yang saya kamu dia kami kita mereka tidak bukan apa siapa"
    " mana kapan mengapa bagaimana juga sangat lebih akan dapat bisa harus sudah telah karena",
    "vi": "và hoặc nhưng nếu của đến trong trên ở tại cho từ với không như là thì mà các những một này đó tôi bạn anh chị ông bà nó chúng ta họ gì ai đâu khi"
    " sao nào cũng rất hơn được bị sẽ đã đang có phải vì nên",
    "ar": "في من إلى على عن مع بعد قبل بين عند أو و ثم لكن أن إن كان كانت هو هي هم نحن أنا أنت هذا هذه ذلك تلك الذي التي ما ماذا لماذا كيف متى أين لا لم لن قد كل أي",
    "hi": "का की के में से को पर और या लेकिन है हैं था थी थे हो होता होती होते कर करना ने यह वह ये वे मैं तुम आप हम क्या कौन कहाँ कब क्यों कैसे नहीं भी ही तो एक इस उस जो",
}  # fmt: skip
_STOP: Final = frozenset(word for words in _FUNCTION_WORDS.values() for word in words.split())
_WIDE: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WIDE_FUNCTION: Final = frozenset(
    "的了是在和与有也就都而及或一不我你他她它们这那个为以于之其所吗呢吧啊嗎麼么什哪怎谁請请把被给从到会能可要您"
)
_TOKEN: Final = lazily(rf"[{_WIDE}]+|[^\W\d_{_WIDE}]+(?:['’][^\W\d_]+)?|\d[\d.,]*\d|\d")
_WIDE_RUN: Final = lazily(rf"[{_WIDE}]+")
_HIRAGANA: Final = lazily(r"[\u3040-\u309f]+")
_STEM: Final = 5
_HEAD: Final = 4  # letters of the shortest stem that may be the beginning of another one
_MIN_LETTERS: Final = 3


@lru_cache(maxsize=512)
def stems(text: str) -> frozenset[str]:
    """The stems of the content words of a text."""
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return frozenset().union(*map(_stems_of, set(_TOKEN.findall(normal.casefold()))))


@lru_cache(maxsize=1 << 14)  # of most texts most words were seen before
def _stems_of(token: str) -> tuple[str, ...]:
    if _WIDE_RUN.fullmatch(token):
        return tuple(_pairs(token))
    if token[0].isdigit():
        return (token.replace(",", "").rstrip("."),)
    word = re.split(r"['’]", token)[0]
    return () if word in _STOP or len(word) < _min_letters(word) else (_stem(word),)


def is_function_word(word: str) -> bool:
    """Whether a word is a function word of any of the languages that are known here."""
    return word.casefold() in _STOP


def function_words_in(folded: Iterable[str]) -> int:
    """How many of some words, in the case of `str.casefold`, are function words."""
    return sum(map(_STOP.__contains__, folded))


def is_wide_function(char: str) -> bool:
    """Whether a Han character is a function word by itself."""
    return char in _WIDE_FUNCTION


@cache
def words_of(language: str) -> frozenset[str]:
    """The function words of a language; none where they are not known."""
    return frozenset(_FUNCTION_WORDS.get(language, "").split())


def shared(one: frozenset[str], other: frozenset[str]) -> int:
    """How many stems of `one` are in `other`, or are the beginning of one there, as `bedt` is of `bedti`."""
    apart = one - other
    if not apart:
        return len(one)
    return len(one) - len(apart) + len(_begun(apart, other))


def in_common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The stems that `shared` counts."""
    return (one & other) | _begun(one - other, other)


def _begun(apart: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The stems that are the beginning of one of `other`, or that begin with one."""
    if not apart:
        return frozenset()
    heads = _heads(other)
    return frozenset(
        [
            stem
            for stem in apart
            if (stem in heads if (letters := len(stem)) == _HEAD else letters > _HEAD and stem[:_HEAD] in other)
        ]
    )


@lru_cache(maxsize=128)
def _heads(stems_of_a_text: frozenset[str]) -> frozenset[str]:
    return frozenset([stem[:_HEAD] for stem in stems_of_a_text if len(stem) >= _HEAD])


def _min_letters(word: str) -> int:
    return _MIN_LETTERS if word.isascii() else 2


def _stem(word: str) -> str:
    if "\u0600" <= word[0] <= "\u06ff":
        return (word[2:] if word.startswith("ال") and len(word) > 4 else word)[:4]
    if "\uac00" <= word[0] <= "\ud7a3":
        return word[:2]
    if word.endswith("s") and 3 < len(word) <= _STEM:
        word = word[:-1]
    return word[:_STEM]


def _pairs(run: str) -> set[str]:
    """Neighbouring letters of a script without blanks; a Han letter counts by itself, too."""
    kept = _HIRAGANA.sub(" ", run) if _HIRAGANA.search(run) else run
    letters = "".join(" " if char in _WIDE_FUNCTION else char for char in kept)
    pairs = {letters[at : at + 2] for at in range(len(letters) - 1) if " " not in letters[at : at + 2]}
    return pairs | {char for char in letters if "\u4e00" <= char <= "\u9fff"}
