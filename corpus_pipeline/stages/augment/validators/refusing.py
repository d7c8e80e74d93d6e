"""Does an answer decline, where no refusal was asked for?

The shared lists (`stages.refusals`) know how refusals begin. Here the source is known, too: an answer that says what the
source's answer says is none, whatever its words; and one that says nothing but that it will not is one, in any wording.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages import languages
from corpus_pipeline.stages.augment.validators.content import in_common, is_function_word, shared, stems
from corpus_pipeline.stages.refusals import (
    MAX_CHARACTERS,
    Refusal,
    Strength,
    asks_for_words,
    goes_on,
    is_everyday,
    refusal_in,
)

_ANSWERS_TOO: Final = 2  # content words that an answer has in common with the source's answer, and no refusal has
_BARE_CHARACTERS: Final = 220
_GENERAL_WORDS: Final = Refusal(Strength.GENERAL, "en")
_BARE_WORDS: Final = 2  # of content, in a text that says only that it declines

# what declines: a negation of being able, willing or allowed, or a verb that means it; in lower case, which takes a third of
# the time
_DECLINES: Final = lazily(
    r"\b(?:can['’]?t|cannot|can not|couldn['’]t|could not|won['’]t|will not|wouldn['’]t|would not|don['’]t|do not|not|isn['’]t|aren['’]t|wasn['’]t|doesn['’]t|shouldn['’]t|unable|refrain\w*|declin\w+|refus\w+|pass on"
    r"|have to pass|must pass|leave (?:it|that|this)|leaves? me|steer clear|turn(?:ed|ing)? (?:it |this |that )?down|stay away|keep out|stay out|sit (?:this|that) one out|abstain\w*|withhold\w*|rather not|prefer not|outside|beyond|against|inappropriate|off.limits|no comment|unwilling|impossible|skip"
    r"|nicht|nichts|kein\w*|leider|übersteig\w*|ablehn\w+|lehne|verweiger\w+|unmöglich|außerhalb|enthalte|passen"
    r"|ne|n['’]|pas|aucune?|dépass\w*|hors|refus\w+|impossible|déclin\w+|abstien\w+|abstenir|dehors|regret\w*"
    r"|no|ni|imposible|excede|supera|rechaz\w+|declin\w+|abstener\w*|abstengo|fuera|lamento|tampoco"
    r"|non|impossibile|rifiut\w+|astenermi|astengo|fuori|spiacente|purtroppo"
    r"|não|nao|impossível|recus\w+|abster\w*|abstenho|fora|lamento"
    r"|niet|geen|onmogelijk|weiger\w*|helaas|buiten|liever"
    r"|nie|niestety|odmawiam|odmówić|niemożliwe|poza|wolę"
    r"|не|нет|нельзя|отказ\w+|невозможно|вне|воздерж\w+|боюсь)\b"
    r"|ません|できかね|しかね|無理|控え|不能|无法|無法|不便|拒绝|拒絕|没有办法|不可以|수 없|어렵|않습니다|못 ?합|삼가"
)
_WOULD_RATHER: Final = lazily(
    r"\b(?:rather not|prefer not|have to pass|no comment|lieber nicht|prefiero no|préfère (?:ne|pas)|preferisco (?:di )?non)\b",
    re.I,
)
_GIVES_ANSWER: Final = lazily(
    r"\b(?:answer|antwort|réponse|respuesta|risposta|resposta|antwoord|odpowiedź|ответ)\b\W{0,4}(?:is|ist|lautet|est|es|è|é|brzmi|[:=—])",
    re.IGNORECASE,
)
# stems of words that speak of answering and of not answering: a text of these alone has no content
_ABOUT_ANSWERING: Final = stems(
    "answer answering respond response reply discuss discussing discussion talk talking comment help helping assist assistance provide providing request"
    " question topic subject matter sorry apologise apologies apologize regret regrettably unfortunately afraid unable decline refrain pass prefer comfortable"
    " position appropriate inappropriate able allowed permitted guidelines policy policies scope capability capabilities language model assistant"
    " programmed artificial intelligence information kind type content think believe feel feeling want something anything thing things way outside beyond fall falls"
    " able going today now moment time here sure right must need have give giving share sharing continue proceed comply fulfil fulfill engage address"
    " speak speaking say saying opinion advice support offer ask asked asking find another different else instead other skip"
    " liberty willing unwilling prepared inclined authorised authorized equipped qualified designed sensitive issue conversation take taking against"
    " tell telling explain explaining know knowing possible impossible limits limit stop leave leaving area expertise refuse refusing hope understand"
    " thank thanks appreciate interest patience kindly respectfully politely simply honest frankly unable ability limited restricted"
    " antwort antworten beantworten frage fragen anfrage thema themen helfen hilfe leider entschuldigung entschuldige bedaure tut mir leid möglich unmöglich"
    " äußern auskunft sagen geben erteilen besprechen sprechen reden eingehen lage richtlinien rahmen möchte lieber ablehnen enthalten weiterhelfen dienen"
    " stellung nehmen sache punkt bereich gerade moment damit dazu dabei darüber passen muss verweigern wohl fühle angemessen anliegen erfüllen"
    " répondre réponse question demande sujet aider aide désolé désolée malheureusement regrette navré excuses possible impossible parler discuter donner fournir"
    " mesure capacité position autorisé refuser refuse décliner abstenir préfère passer dire commenter avis assistance approprié là-dessus satisfaire requête"
    " responder respuesta pregunta solicitud petición tema ayudar ayuda siento lamento lamentablemente disculpa disculpe posible imposible hablar discutir"
    " ofrecer proporcionar condiciones capacidad posición autorizado rechazar declinar abstener abstengo prefiero decir comentar opinar apropiado adecuado asunto"
    " rispondere risposta domanda richiesta argomento aiutare aiutarti dispiace purtroppo spiacente scusa possibile parlare discutere fornire grado capacità"
    " rifiutare declinare astenermi preferisco dire commentare opportuno appropriato questione"
    " responder resposta pergunta pedido solicitação assunto tópico ajudar desculpe sinto lamento infelizmente possível falar discutir fornecer condições"
    " capacidade posição autorizado recusar declinar abster prefiro dizer comentar apropriado adequado questão"
    " antwoord antwoorden beantwoorden vraag verzoek onderwerp helpen hulp helaas sorry spijt mogelijk onmogelijk praten bespreken geven zeggen weigeren liever"
    " odpowiedź odpowiedzieć odpowiadać pytanie prośba temat pomóc przepraszam niestety przykro możliwe rozmawiać udzielić wolę odmówić powiedzieć"
    " ответ ответить отвечать вопрос просьба запрос тема помочь помощь извините простите сожалению жаль возможно невозможно говорить обсуждать предоставить"
    " отказаться отказать сказать предпочитаю"
    " esprimermi esprimersi выскажусь буду стану вправе специалисту professional expert specialist fachmann expertin professionnel profesional professionista especialista"
    " ki compétences competencias competenze kompetenz competence skills partie lawyer doctor advice matter weigh purview remit produce produces"
    " 回答 答复 帮助 帮忙 协助 问题 话题 请求 内容 方面 提供 抱歉 对不起 很抱歉 讨论 服务 处理 这类 这个 人工智能 助手 能力 范围 質問 対応 手伝 協力 提供 件 内容 申訳 恐縮 了承 遠慮 依頼"
    " 답변 질문 도움 요청 죄송 주제 제공 말씀 양해 부탁 드리 도와 대해 부분 내용 대답"
    " write writing written compose draft letter mail email message text texts such schreiben schreibe verfassen verfasse brief nachricht solchen solche rédiger écrire lettre courriel"
    " texte telle escribir redactar carta correo mensaje texto scrivere redigere lettera messaggio testo escrever redigir mensagem schrijven bericht tekst написать письмо текст 作成 メール 文章 写 信 邮件"
    " nichts äußere turn prononcer prononce peux peut puis pronunciarme pronunciar puedo queda pronunciarmi posso zeggen niets нельзя этом этому эту"
)


_OF_SAYING: Final = stems(
    "answer answering respond response reply say saying tell telling discuss talk comment help ability antwort antworten sagen sage helfen réponse répondre dire aider"
    " respuesta responder decir ayudar risposta rispondere aiutare resposta dizer ajudar antwoord zeggen odpowiedź powiedzieć ответ ответить сказать помочь 回答 说 帮助 返事 답변"
)


@lru_cache(maxsize=64)  # the whole answer, then its fields are looked at
def declines(answer: str, *, asked: str = "", known: str = "") -> bool:
    """Whether an answer is a refusal and nothing else. asked: what it answers; known: the answer that the source has."""
    if not answer.strip() or len(answer) > MAX_CHARACTERS:
        return False
    return _declines(answer, asked, known) and not looks_refused(known)


def _declines(answer: str, asked: str, known: str) -> bool:
    refusal = refusal_in(answer)
    if refusal is None and not _may_say_nothing_else(answer) and not _sends_away(answer):
        return False  # nearly every answer
    own = stems(answer)
    content = own - _ABOUT_ANSWERING
    of_answer, of_both = shared(content, stems(known) - stems(asked)), shared(content, stems(known))
    if of_answer >= _ANSWERS_TOO or (of_answer and of_both >= _ANSWERS_TOO):
        return False
    if refusal is None:
        if _sends_away(answer) and not of_answer and not _sends_away(known):
            return True
        return _says_nothing_else(answer, own, asked) or _evades(answer, own, asked, known)
    if goes_on(answer, refusal.language):
        return False
    is_bare = len(own - _ABOUT_ANSWERING) <= _BARE_WORDS
    if asks_for_words(asked, refusal):
        return is_bare and refusal.strength is Strength.EXPLICIT
    return is_bare or not is_everyday(answer, refusal)


def _may_say_nothing_else(answer: str) -> bool:
    """Whether a text is short and has a word that declines."""
    return len(answer) <= _BARE_CHARACTERS and _DECLINES.search(answer.lower()) is not None


_SENDS_AWAY: Final = lazily(
    r"\A\W*(?:(?:please|kindly|you (?:should|may want to|might want to|need to)|i(?:['’]d| would)? (?:recommend|suggest|advise)(?: that)? you|bitte|sie sollten|wenden sie sich"
    r"|veuillez|il faut|vous devriez|je vous (?:conseille|recommande|invite)|por favor|debes?|deberías?|te recomiendo|le recomiendo|si prega di|ti consiglio di|dovresti|por favor|recomendo"
    r"|raadpleeg|proszę|пожалуйста|вам следует|рекомендую|请|建议您?|詳しくは|자세한)\b.{0,20})?"
    r"(?:consult\w*|ask|contact|see|speak (?:to|with)|talk to|turn to|get in touch with|konsultieren|wenden|fragen|s['’]adresser|adressez|contact\w+|voir|consulte|pregunta\w*|acud\w+|rivolg\w+|chied\w+"
    r"|vraag|skonsultuj|zapytaj|обратит\w+|проконсультир\w+|spoke|咨询|諮詢|联系|相談|문의)\b.{0,60}(?:profession\w+|expert\w*|specialis\w+|spécialiste\w*|especialista\w*|esperto|doctor|doctors|physician|lawyer|advis[eo]r|fach\w+|arzt|ärztin"
    r"|anwalt|médecin|avocat|médico|abogado|medico|avvocato|advogado|arts|lekarz\w*|специалист\w*|врач\w*|юрист\w*|专业人士|专家|医生|律师|專家|専門家|医師|전문가|의사)\b[^.!?\n]{0,30}[.!]?\s*\Z",
    re.IGNORECASE,
)


def _sends_away(answer: str) -> bool:
    """Whether a short text says only whom one should ask instead."""
    return len(answer) <= _SENT_AWAY and _SENDS_AWAY.search(answer) is not None


_SENT_AWAY: Final = 140


def _says_nothing_else(answer: str, own: frozenset[str], asked: str) -> bool:
    """Whether a text of which `_may_say_nothing_else` holds has no content."""
    if asks_for_words(asked, _GENERAL_WORDS):
        return False
    if _GIVES_ANSWER.search(answer):
        return False
    words = re.findall(r"[^\W\d_]+", answer)
    if len(words) < 4 or not any(is_function_word(word) for word in words):
        return False
    own = stems(_DECLINES.sub(" ", answer.lower()))
    if not own:
        return _WOULD_RATHER.search(answer) is not None
    content = own - in_common(own, _ABOUT_ANSWERING)
    return not content or (len(content) <= 1 and len(own) >= 4 and not shared(content, stems(asked)))


_ANSWERED: Final = 6  # content words of the source's answer, of which another answer has one at least
_EVADES_WITH: Final = 5  # words of content, in a text that evades


def _evades(answer: str, own: frozenset[str], asked: str, known: str) -> bool:
    """Whether a short text declines, speaks of answering or of itself, and has no word of what the source answers."""
    answered = stems(known) - in_common(stems(known), stems(asked))
    about = in_common(own, _ABOUT_ANSWERING)
    is_wide = _WIDE.search(answer) is not None  # every pair of letters counts there
    if not about or shared(own - about, answered) > is_wide:
        return False
    if len(answered) < _ANSWERED:  # one in other words than a short answer may have no word of it
        about_itself = len(about) >= 2 and not shared(own, stems(known))
        if _SPEAKER.search(answer) is None or (shared(own, stems(asked) | stems(known)) and not about_itself):
            return False
    if len(own - about) > (_EVADES_WITH_WIDE if is_wide else _EVADES_WITH):
        return False
    if asks_for_words(asked, _GENERAL_WORDS) or _GIVES_ANSWER.search(answer):
        return False
    if in_common(stems(asked), _OF_SAYING):
        return False  # the request is itself about what somebody says
    if len(about) < 2 and _SPEAKER.search(answer) is None:
        return False
    return _in_one_language(answer, known)


_WIDE: Final = lazily("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_EVADES_WITH_WIDE: Final = 10
_SPEAKER: Final = lazily(
    r"\b(?:I|me|my|mine|I['’]\w+|ich|mir|mich|mein(?:e[nrms]?)?|je|j['’]|moi|mon|ma|mes|me|mi|mis|yo|mio|mia|miei|mie|meu|minha|meus|minhas|мой|моя|мои|моих|моей|мною|mijn|moje|moich|moim|prefiero|puedo|debo|posso|devo|io|eu|mim|ik|mij|я|мне|меня|mogę|jestem|mnie|KI|IA|AI|ИИ)\b|我|AI|私|저는|제가"
)


def _in_one_language(one: str, other: str) -> bool:
    return languages.guesses(one[:300])[0][0] == languages.guesses(other[:300])[0][0]


def looks_refused(text: str) -> bool:
    """Whether a text begins as models decline."""
    return refusal_in(text) is not None
