"""Talk about the task instead of its result: prefaces, remarks and thinking aloud, in any wording.

Such a sentence names the task (its source, the wording, the user, what was asked) and somebody who works on it or hands it
over. One of the two alone is ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.augment.validators.content import in_common, shared, stems
from corpus_pipeline.stages.first_look import MayMatch, Screened

_I = re.IGNORECASE


class _Language(NamedTuple):
    """task: the things of the task; doer: who works on it or hands over, and how; always: what is task talk by itself."""

    task: str
    doer: str
    always: str


_WORDS: Final[dict[str, _Language]] = {
    "en": _Language(
        task=r"source (?:response|answer|text|prompt|question)|reference(?: answer| response| text)?|original (?:answer|response|text|prompt|question|wording|version|meaning)"
        r"|(?:fresh|new|own|different|revised|improved|rewritten|rephrased|reworded|updated|alternative|better|polished|refined|translated|requested) (?:\w+ ){0,2}?(?:answer|response|version|wording|words|text|prompt|question|reply|phrasing|formulation|variant|translation)"
        r"|paraphras\w*|rephras\w*|reword\w*|rewrit\w*|rewrote|wording|the (?:task|instructions?|prompt|user(?:['’]s)?|assignment|guidelines|requirements?|constraints?|request)"
        r"|(?:the |this |my |your )?(?:translation|answer|response|reply|output|version|rewrite)|in (?:my|other|different|fresh|new) (?:own )?words|translat\w+",
        doer=r"\b(?:i(?:['’](?:ve|ll|m|d))?|we(?:['’](?:ve|ll|re))?|let(?:['’]s| me| us)|my|you asked|as (?:you )?(?:requested|instructed|asked|required|desired|told|specified)|per your|at your request|here(?:['’]s| is| are| goes| comes| you (?:go|are))|below|following|given (?:the|that)|based on|according to|note(?: that)?:?|the (?:user|task|prompt|instructions?) (?:wants?|asks?|says?|is|requires?|needs?|would)|hope this|without (?:copying|changing|repeating)|kept|preserv\w+|avoid\w*|should not|must not|need to|have to|this (?:is|version|answer|response|keeps|preserves|meets|follows))\b",
        always=r"\bthe user (?:wants|asks|is asking|asked|needs|would like|requests|has asked|says)\b|\bas (?:you )?(?:instructed|requested)\b|\bas per (?:the|your) (?:instructions?|request)\b"
        r"|\b(?:follow(?:ing|ed)|according to|per|by) (?:the )?(?:rules|instructions?|requirements|guidelines) (?:of the task|given|above|you|i was|provided)\b"
        r"|\b(?:source|reference) (?:response|answer|prompt)\b|\bi (?:have |['’]ve )?(?:kept|preserved|retained|maintained|changed|rewr\w+|rephrased|reworded|paraphrased|translated|reformulated|restructured|adjusted) (?:the |its |your |all |this |it\b)"
        r"|\b(?:here|below) (?:is|are|comes|follows)\b[^.!?\n]{0,60}\b(?:as (?:you )?(?:asked|requested|wanted|instructed)|answer|response|version|rewrit\w*|paraphras\w*|rephras\w*|rewording|translation|reformulation)\b"
        r"|\A\W*(?:ok(?:ay)?|hmm+|alright|wait|let me (?:think|see)|let['’]s (?:see|think))\b[,.:!]?\s+(?:\w+\W+){0,4}?(?:user|task|prompt|instructions?|question asks|i (?:need|should|must|will)|let me|we (?:need|should|must)|rephrase|answer this)\b"
        r"|\b(?:i|we) (?:need|have|ought|am supposed|was asked|were asked|am asked|should|must)(?: to)? (?:now )?(?:answer (?:the|this|in)|rephrase|paraphrase|rewrite|reword|translate|respond (?:to the|in)|keep the (?:meaning|facts|numbers|tone)|avoid (?:copying|repeating)|not copy)\b"
        r"|\b(?:given|above|previous|provided|new|alternative|existing|supplied|suggested|second) (?:\w+ )?(?:response|reply|wording|version|rewording|phrasing|paraphrase)\b"
        r"|\A\W*(?:(?:an?|the|my|your|this|one) )?(?:alternative|new|different|another|revised|second|fresh|rewritten|updated|improved) (?:\w+ )?answer\b[^.!?\n]{0,40}:"
        r"|\b(?:response|answer|reply|wording|question|prompt) (?:given|provided|supplied|shown|quoted) (?:above|below|here|to me|by you)\b|\bbased on the (?:given |provided |above )?(?:response|answer|reply|reference|text)\b"
        r"|\b(?:rephrased|reworded|rewritten|paraphrased|reformulated|refined|revised|translated) (?:\w+ )?(?:response|answer|reply|version|text|question|prompt|sentence|form)\b"
        r"|\blet me (?:rephrase|reword|paraphrase|rewrite|restate|reformulate|translate|put (?:it|this|that) (?:differently|another way|in))\b"
        r"|\b(?:below|here|above) (?:you (?:will|can|['’]ll) find|i (?:give|provide|offer|present|list))\b|\b(?:same|identical) (?:content|meaning|information|message)\b[^.!?\n]{0,30}:"
        r"|\bno (?:changes|modifications) (?:were|are|have been) (?:made|needed)\b|\b(?:left|kept|stays?) (?:it )?(?:as (?:it|they) (?:is|are|was|were)|unchanged|untranslated)\b"
        r"|\b(?:hope (?:this|that) (?:helps|meets|works|fits)|let me know if (?:you(?:['’]d)?|this|it|i))\b[^.!?\n]{0,60}(?:version|wording|rewrite|paraphrase|rephras\w+|translation)",
    ),
    "de": _Language(
        task=r"(?:quell|original|referenz|ausgangs)(?:antwort|text|frage|fassung)?\w*|vorlage|umformulier\w*|neu formulier\w*|paraphras\w*|übersetz\w*|fassung|formulierung|wortlaut|aufgabe(?:nstellung)?|anweisung\w*|anforderung\w*|der nutzer|eigenen worten|antwort",
        doer=r"\b(?:ich habe|ich werde|ich soll|ich muss|habe ich|soll ich|wie (?:gewünscht|verlangt|angewiesen|gefordert|erbeten)|hier (?:ist|sind|kommt|folgt)|im folgenden|nachfolgend|gemäß|laut|ohne (?:zu kopieren|die)|beibehalten|vermieden)\b",
        always=r"\bwie (?:gewünscht|verlangt|angewiesen|erbeten|gefordert)\b|\bder (?:nutzer|benutzer|anwender) (?:möchte|will|fragt|bittet|hat)\b|\bich habe (?:den|die|das|es|alles)[^.!?\n]{0,50}(?:umformuliert|übersetzt|umgeschrieben|neu (?:formuliert|verfasst|geschrieben)|beibehalten|angepasst|überarbeitet)"
        r"|\b(?:neue|umformulierte|überarbeitete|andere|alternative|geänderte|verbesserte) (?:fassung|version|formulierung|antwort)\b[^.!?\n]{0,20}:"
        r"|\bhier (?:ist|folgt|kommt|sind)\b[^.!?\n]{0,50}(?:antwort|fassung|version|umformulierung|übersetzung|formulierung)|\bin eigenen worten\b[^.!?\n]{0,12}:|\bich (?:soll|muss)[^.!?\n]{0,60}(?:umformulieren|übersetzen|beantworten|formulieren|nicht (?:kopieren|abschreiben))",
    ),
    "fr": _Language(
        task=r"(?:réponse|texte|question|version) (?:source|d['’]origine|originale?|de référence)|référence|reformul\w*|paraphras\w*|traduction|traduit\w*|réécri\w*|consignes?|instructions|l['’]utilisateur|(?:propres|autres) mots|formulation|tâche|réponse|version",
        doer=r"\b(?:j['’]ai|je (?:vais|dois)|voici|ci-dessous|comme (?:demandé|indiqué|souhaité|convenu)|conformément|selon (?:les|vos)|sans (?:copier|changer)|en (?:conservant|gardant|respectant))",
        always=r"\bcomme (?:demandé|vous (?:l['’]avez )?demandé|indiqué|souhaité)\b|\bl['’]utilisateur (?:veut|demande|souhaite|voudrait)\b|\bj['’]ai (?:gardé|conservé|reformulé|traduit|réécrit|changé|modifié|respecté|préservé)\b|\bvoici\b[^.!?\n]{0,50}(?:réponse|version|reformulation|traduction|paraphrase|formulation)"
        r"|\bconformément aux (?:consignes|instructions)|\bje dois[^.!?\n]{0,50}(?:reformuler|traduire|répondre|réécrire|ne pas copier)",
    ),
    "es": _Language(
        task=r"(?:respuesta|texto|pregunta|versión) (?:fuente|original|de referencia)|referencia|reformul\w*|parafras\w*|paráfrasis|traducción|traduj\w*|traducid\w*|reescri\w*|instrucciones|el usuario|(?:propias|otras) palabras|redacción|tarea|respuesta|versión",
        doer=r"\b(?:he|voy a|debo|tengo que|aquí (?:está|tienes?|va)|a continuación|como (?:pediste|se (?:pidió|indicó|solicitó)|solicitaste|me (?:pediste|indicaste))|según (?:las|tus)|sin (?:copiar|cambiar)|manteniendo|conservando)\b",
        always=r"\bcomo (?:pediste|se (?:me )?(?:pidió|indicó|solicitó)|solicitaste|me (?:pediste|indicaste)|has pedido)\b|\bel usuario (?:quiere|pide|desea|solicita|pregunta)\b|\bhe (?:mantenido|conservado|reformulado|traducido|reescrito|cambiado|modificado|respetado)\b"
        r"|\b(?:aquí (?:está|tienes?|va)|esta es)\b[^.!?\n]{0,50}(?:respuesta|versión|reformulación|traducción|paráfrasis)|\bsiguiendo (?:las|tus) instrucciones|\b(?:debo|tengo que)[^.!?\n]{0,50}(?:reformular|traducir|responder|reescribir|no copiar)",
    ),
    "it": _Language(
        task=r"(?:risposta|testo|domanda|versione) (?:di partenza|originale|di riferimento|fonte)|riferimento|riformul\w*|parafras\w*|traduzione|tradott\w*|riscri\w*|istruzioni|l['’]utente|(?:mie|altre|proprie) parole|compito|risposta|versione",
        doer=r"\b(?:ho|devo|ecco|di seguito|come (?:richiesto|indicato|chiesto)|secondo (?:le|la)|senza (?:copiare|cambiare)|mantenendo|conservando)\b",
        always=r"\bcome (?:richiesto|da richiesta|indicato|mi hai chiesto|hai chiesto)\b|\bl['’]utente (?:vuole|chiede|desidera)\b|\bho (?:mantenuto|conservato|riformulato|tradotto|riscritto|cambiato|modificato)\b|\becco\b[^.!?\n]{0,50}(?:risposta|versione|riformulazione|traduzione|parafrasi)"
        r"|\bdevo[^.!?\n]{0,50}(?:riformulare|tradurre|rispondere|riscrivere|non copiare)",
    ),
    "pt": _Language(
        task=r"(?:resposta|texto|pergunta|versão) (?:fonte|original|de referência)|referência|reformul\w*|parafras\w*|tradução|traduzi\w*|reescr\w*|instruções|o (?:usuário|utilizador)|(?:próprias|outras) palavras|tarefa|resposta|versão",
        doer=r"\b(?:mantive|devo|tenho que|vou|aqui (?:está|vai)|a seguir|abaixo|como (?:solicitado|pedido|você pediu|instruído)|conforme|segundo|sem (?:copiar|mudar)|mantendo)\b",
        always=r"\b(?:como|conforme) (?:solicitado|pedido|você pediu|pediste|instruído|indicado)\b|\bo (?:usuário|utilizador) (?:quer|pede|deseja|pergunta)\b|\b(?:eu )?(?:mantive|conservei|reformulei|traduzi|reescrevi|alterei|modifiquei) (?:o|a|os|as|tudo)\b|\b(?:aqui (?:está|vai)|segue)\b[^.!?\n]{0,50}(?:resposta|versão|reformulação|tradução|paráfrase)",
    ),
    "nl": _Language(
        task=r"(?:bron|originele?|referentie)\s?(?:antwoord|tekst|vraag)?|herformul\w*|herschre\w*|parafras\w*|vertaling|vertaald|instructies|de gebruiker|(?:eigen|andere) woorden|opdracht|versie",
        doer=r"\b(?:ik heb|ik moet|ik zal|hier (?:is|volgt|komt)|hieronder|zoals (?:gevraagd|gewenst)|volgens)\b",
        always=r"\bzoals (?:gevraagd|gewenst|je vroeg|u vroeg)\b|\bde gebruiker (?:wil|vraagt)\b|\bhier (?:is|volgt|komt)\b[^.!?\n]{0,40}(?:antwoord|versie|vertaling|parafrase|herformulering)|\bik heb[^.!?\n]{0,50}(?:behouden|vertaald|herschreven|geherformuleerd|aangepast)",
    ),
    "pl": _Language(
        task=r"(?:odpowied\w+|tekst\w*|pytani\w+|wersj\w+) (?:źródłow\w+|oryginaln\w+|referencyjn\w+)|parafraz\w*|przeformułow\w*|tłumaczeni\w*|przetłumacz\w*|instrukcj\w*|polecen\w*|użytkownik|własnymi słowami|zadani\w*",
        doer=r"\b(?:oto|poniżej|zgodnie z|muszę|powinienem|zachował\w*|zmienił\w*|jak prosi\w+)\b",
        always=r"\bjak prosi\w+\b|\bużytkownik (?:chce|prosi|pyta)\b|\boto\b[^.!?\n]{0,40}(?:odpowiedź|wersja|parafraza|tłumaczenie|przeformułowan\w+)|\bzgodnie z (?:poleceniem|instrukcj\w+|prośbą)",
    ),
    "ru": _Language(
        task=r"исходн\w+|оригинал\w*|эталон\w*|перефраз\w*|переформул\w*|перевод\w*|перевел\w*|инструкци\w*|указани\w*|пользовател\w+|своими словами|задани\w+|формулировк\w+|верси\w+|ответ\w*",
        doer=r"\b(?:я (?:сохранил\w*|изменил\w*|перевел\w*|перевёл|переписал\w*|должен|должна|постарал\w*)|вот|ниже|как (?:вы )?(?:просили|указано|требовалось)|согласно|в соответствии)\b",
        always=r"\bкак (?:вы )?просили\b|\bпользователь (?:хочет|просит|спрашивает)\b|\bвот\b[^.!?\n]{0,40}(?:ответ|верси\w+|перевод|перефраз\w*|формулировк\w*)|\bя (?:сохранил\w*|изменил\w*|переписал\w*|переформулировал\w*|перефразировал\w*)\b|\b(?:согласно|следуя) (?:инструкци\w+|указани\w+|заданию)",
    ),
    "tr": _Language(
        task=r"kaynak|orijinal|özgün|referans|yeniden (?:yaz|ifade)\w*|çeviri\w*|talimat\w*|kullanıcı\w*|kendi sözlerim\w*|görev\w*|yanıt|cevap|sürüm",
        doer=r"(?:işte|aşağıda|istediğiniz gibi|istendiği gibi|korudum|değiştirdim|yapmam gerek)",
        always=r"\bist(?:ediğiniz|endiği|enildiği) (?:gibi|üzere)\b|\bkullanıcı (?:istiyor|soruyor)|\bişte\b[^.!?\n]{0,40}(?:yanıt|cevap|çeviri|sürüm|hali)|talimatlara (?:uygun|uyarak|göre)",
    ),
    "zh": _Language(
        task=r"(?:原|源|参考|參考)(?:文|答案|回答|回复|问题|句|意)|改写|改寫|重写|用不同的|重寫|重新表述|换一种说法|翻译|翻譯|译文|指令|指示|要求|任务|任務|用户|用戶|自己的话|措辞|表述",
        doer=r"我(?:已|会|將|将|需要|应该|應該|保留|保持|按照|根据)|以下|下面|按照|根据|按您|按你|如您|这是|這是",
        always=r"(?:按照|根据|遵照|依照)(?:您|你|任务|题目)?的?(?:要求|指示|指令)|用户(?:想|要|希望|需要|问|请求)|(?:以下|下面|这|這)(?:是|为|為)[^。！？\n]{0,16}(?:回答|答案|回复|改写|版本|译文|翻译|表述)|我(?:已经?|会|将)?(?:保留|保持)了?(?:原|参考)|我(?:需要|应该|得)[^。\n]{0,12}(?:改写|回答|翻译|重新|避免)|如您所(?:要求|愿)|用我?自己的话(?:来?说|回答|重述)?[：:，,]",
    ),
    "ja": _Language(
        task=r"元の|原文|参考|言い換え|書き換え|書き直|翻訳|訳文|指示|課題|タスク|ユーザー|自分の言葉|表現|回答",
        doer=r"以下|次の|こちら|ご指示|ご依頼|ご要望|に従|に基づ|しました|します|する必要",
        always=r"(?:ご?指示|ご?依頼|ご?要望)(?:の通り|どおり|通り|に従|に基づ)|ユーザー(?:は|が)[^。\n]{0,20}(?:求め|望|質問|聞い)|(?:以下|こちら)(?:は|が|に)[^。\n]{0,24}(?:回答|言い換え|書き換え|翻訳|訳文|バージョン)|(?:言い換え|書き換え|書き直|翻訳)(?:ました|いたしました)|自分の言葉で(?:答え|説明|書|言)[^。\n]{0,10}(?:ます|ました)",
    ),
    "ko": _Language(
        task=r"원문|원래|참고|바꿔|다시 (?:쓴|작성)|번역|지시|과제|사용자|제 말로|표현|답변",
        doer=r"다음은|아래는|요청하신|지시(?:에|대로)|했습니다|하겠습니다|해야",
        always=r"요청하신 ?대로|지시(?:하신)? ?대로|지침에 따라|사용자(?:는|가)[^.\n]{0,20}(?:원|요청|질문|묻)|(?:다음은|아래는|여기)[^.\n]{0,20}(?:답변|번역|버전|표현|문장)|(?:바꿔 썼|다시 썼|번역했|다시 작성했)습니다",
    ),
    "ar": _Language(
        task=r"النص الأصلي|الإجابة المرجعية|المرجع|إعادة صياغة|صياغة|ترجمة|التعليمات|المستخدم|المهمة|بكلماتي",
        doer=r"إليك|فيما يلي|كما طلبت|حسب|وفقا|لقد|قمت|يجب أن",
        always=r"كما (?:طلبت|طُلب|هو مطلوب)|المستخدم (?:يريد|يطلب|يسأل)|(?:إليك|فيما يلي|هذه هي)[^.؟!\n]{0,40}(?:الإجابة|إجابة|النسخة|ترجمة|الترجمة|صياغة)|وفق(?:ا|اً) للتعليمات",
    ),
    "hi": _Language(
        task=r"मूल (?:उत्तर|पाठ)|संदर्भ|अनुवाद|निर्देश|उपयोगकर्ता|अपने शब्दों|कार्य|पुनर्लेखन",
        doer=r"यहाँ|नीचे|निम्न|जैसा|अनुसार|मैंने",
        always=r"जैसा कि (?:आपने|कहा|अनुरोध)|निर्देशों? के अनुसार|उपयोगकर्ता (?:चाहता|पूछ)|(?:यहाँ|नीचे|यह रहा)[^।\n]{0,40}(?:उत्तर|अनुवाद|संस्करण)|मैंने[^।\n]{0,30}(?:अनुवाद|दोबारा लिख|शब्द बदल)",
    ),
    "vi": _Language(
        task=r"bản gốc|câu trả lời gốc|tham khảo|diễn đạt|viết lại|bản dịch|hướng dẫn|người dùng|nhiệm vụ|phiên bản",
        doer=r"dưới đây|sau đây|đây là|theo yêu cầu|như (?:bạn )?yêu cầu|tôi đã|tôi cần|tôi phải",
        always=r"\b(?:theo|như) (?:bạn )?(?:đã )?yêu cầu\b|người dùng (?:muốn|hỏi|yêu cầu)|(?:dưới đây|sau đây|đây) là[^.!?\n]{0,30}(?:câu trả lời|bản dịch|phiên bản|cách diễn đạt)|tôi đã (?:giữ|viết lại|dịch|diễn đạt)",
    ),
    "id": _Language(
        task=r"(?:jawaban|teks|pertanyaan) (?:sumber|asli|acuan|referensi)|parafrase|menulis ulang|terjemahan|instruksi|pengguna|kata-kata (?:saya )?sendiri|tugas|versi",
        doer=r"berikut|di bawah|sesuai|seperti yang|saya (?:telah|sudah|akan|harus)",
        always=r"\b(?:sesuai|seperti)(?: yang)? (?:permintaan|diminta|instruksi|anda minta)\b|pengguna (?:ingin|meminta|bertanya)|berikut (?:ini )?(?:adalah )?[^.!?\n]{0,30}(?:jawaban|terjemahan|versi|parafrase)|saya (?:telah|sudah) (?:mempertahankan|menulis ulang|menerjemahkan|mengubah)",
    ),
}  # fmt: skip
_LANGUAGES: Final = tuple(
    (lazily(words.always, _I), lazily(words.task, _I), lazily(words.doer, _I)) for words in _WORDS.values()
)
_MAY_TALK: Final = MayMatch((words.always for words in _WORDS.values()), ignore_case=True)
_SENTENCE: Final = lazily(r"[^.!?。！？।؟\n]+[.!?。！？।؟\n:：]*")
_LOOKED_AT: Final = 1200  # characters
_EDGE: Final = 3  # sentences of the beginning, and two of the end: within a text such words are its own
_SHORT: Final = 220  # characters of a sentence
_COLON: Final = lazily(r"[:：]\s*$")


def task_talk(text: str, known: str) -> str | None:
    """The sentence of a text that talks about the task; None when there is none. known: the texts it was made from: what they
    say in this way is the subject."""
    beginning = text[:_LOOKED_AT]
    may_talk, may_hand_over = _MAY_TALK.search(beginning), ":" in beginning or "：" in beginning
    if not may_talk and not may_hand_over:
        return None
    found = [sentence.strip() for sentence in _SENTENCE.findall(beginning) if sentence.strip()]
    for number, sentence in enumerate([*found[:_EDGE], *found[_EDGE:][-2:]]):
        if len(sentence) > _SHORT:
            continue
        for always, task, doer in _LANGUAGES:
            if may_talk and always.search(sentence) is not None and always.search(known) is None:
                return sentence
            if number == 0 and _is_handed_over(sentence, text, task, doer) and task.search(known) is None:
                return sentence
    return None


def _is_handed_over(sentence: str, text: str, task: re.Pattern[str], doer: re.Pattern[str]) -> bool:
    """Whether a first sentence with a colon, or a line of its own, hands something over."""
    if _COLON.search(sentence) is None or len(text.strip()) <= len(sentence) + 10:
        return False
    return task.search(sentence) is not None and doer.search(sentence) is not None


# what announces a rewording, in any language: the act itself, its result, and how an obliging model begins
_REWORDS: Final = (
    r"paraphras\w*|rephras\w*|reword\w*|rewrit\w*|rewrote|restat\w*|reformulat\w*|translat(?:e|ed|ion)\b|umformulier\w*|neu formulier\w*|umgeschrieben"
    r"|formulier(?:e|en sie)\b|übersetz\w*|reformul\w*|réécri\w*|réécrire|tradu(?:ction|is|isez|ire|it|ite)\b|parafras\w*|paráfras\w*|reescri\w*|reescr(?:ev|it)\w*|traduc\w*"
    r"|tradú[cz]\w*|traduz\w*|tradução|traduzione|tradott\w*|tradurre|riformul\w*|riscri\w*|herformul\w*|herschre\w*|vertaal\w*|vertaling|przeformuł\w*|parafraz\w*"
    r"|przetłumacz\w*|tłumaczeni\w*|перефраз\w*|переформул\w*|перевед\w*|перевод\w{0,2}\b|перепиши\w*|переписа\w*|yeniden (?:yaz|ifade)\w*|çeviri\w*"
    r"|改写|改寫|重写|用不同的|重寫|重新表述|重述|翻译|翻譯|译文|言い換え|書き換え|書き直|言いかえ|翻訳|訳文|바꿔 (?:쓴|쓰|말)\w*|다시 (?:쓴|작성)\w*|번역\w*"
)
_WORDING: Final = (
    r"(?:other|different|new|own|fresh) w(?:ords|ording)|(?:another|different|alternative|new) (?:way|wording|phrasing|formulation|version)|(?:this|same|your) (?:question|request|prompt)"
    r"|question could|be (?:put|asked|phrased|said) (?:like|as|this|another)|(?:english|german|french|spanish|italian|chinese|japanese|russian) version"
    r"|ander(?:e|en|s|er) (?:formulierung|worten|fassung|ausgedrückt|gefragt|gesagt|formuliert|stellen)|\w+ fassung|(?:gleiche|dieselbe|selbe)n? frage"
    r"|autre(?:s|ment)? (?:façon|manière|formulation|mots|dit)|(?:formulée?|dite?|posée?) autrement|même question|(?:version|texte) (?:française|anglaise|allemande|espagnole)"
    r"|otr[ao]s? (?:forma|manera|modo|palabras|formulación)|misma pregunta|versión (?:inglesa|española|en)"
    r"|altr[oiae] (?:modo|maniera|parole|formulazione)|stessa domanda|versione (?:inglese|italiana|in)|outr[ao]s? (?:forma|maneira|modo|palavras)|mesma pergunta|versão (?:em|inglesa)"
    r"|ander(?:e|s) (?:formulering|woorden|manier|gezegd)|zelfde vraag|innymi słowami|inaczej (?:można|mówiąc|zapyta\w+)|to samo pytanie|другими словами|иначе (?:говоря|можно)|тот же вопрос"
    r"|başka bir (?:deyişle|şekilde)|换(?:一?种|个)(?:问法|说法|方式|表达)|不同的?(?:说法|措辞|方式)|换句话|同样的问题|言い方|別の(?:言い方|表現|聞き方)|다르게 (?:표현|말|물어)\w*|다른 (?:표현|말|방식)"
)
_OBLIGES: Final = (
    r"sure|of course|certainly|absolutely|gladly|with pleasure|no problem|(?:aber )?klar|gerne?|natürlich|selbstverständlich|bien sûr|avec plaisir|certainement|volontiers|claro(?: que sí)?"
    r"|por supuesto|con gusto|certo|certamente|volentieri|com certeza|com prazer|natuurlijk|graag|zeker|jasne|oczywiście|chętnie|конечно|хорошо|разумеется|elbette|tabii(?: ki)?"
    r"|好的|当然(?:可以)?|當然|没问题|もちろん(?:です)?|かしこまりました|承知(?:しました|いたしました)|はい|물론(?:입니다|이죠)?|네|بالتأكيد|tentu|tất nhiên"
)
_REWORDS_IN: Final = Screened(rf"(?<![^\W\d_])(?:{_REWORDS})", _I)
_WORDING_IN: Final = Screened(rf"(?<![^\W\d_])(?:{_WORDING})", _I)
_OBLIGES_FIRST: Final = lazily(rf"\A\W*(?:{_OBLIGES})(?![^\W\d_])[^\S\n]*[,，.!！:：。、~–—-]", _I)
_OBLIGES_WIDE: Final = lazily(
    r"\A\W*(?:(?:好的|はい|네)(?=[，,、。.!！])|当然(?:可以)?(?=[，,。！!])|當然|没问题|もちろん|かしこまりました|承知|물론)",
    _I,
)
_OUTPUTS: Final = Screened(
    r"\b(?:output only|only (?:output|return|reply with|respond with)|return only|do not (?:add|answer|copy)|without changing (?:its|the) meaning|keep(?:ing)? (?:every|all|the) (?:facts?|details?|meaning)"
    r"|ohne (?:den|die|ihren|seinen) (?:sinn|bedeutung)|sans (?:en )?(?:changer|modifier) le sens|sin cambiar (?:el|su) (?:sentido|significado)|senza cambiar\w* il (?:senso|significato)"
    r"|sem (?:mudar|alterar) o sentido|не меняя смысл\w*|bez zmiany (?:sensu|znaczenia)|zonder de betekenis)\b|不改变(?:原?意|意思)|保持(?:原意|意思)(?:不变)?|意味を変えず|의미를 (?:바꾸지|유지)",
    _I,
)
_ANSWER_WORDS: Final = Screened(
    r"\b(?:answer|response|reply|antwort|réponse|respuesta|risposta|resposta|antwoord|odpowied[źz]\w*|odpowiedzi|ответ\w*)\b|referenzantwort|musterantwort|回答|答案|回复|答え|답변",
    _I,
)
_REFERENCE: Final = Screened(
    r"\b(?:reference (?:answer|response|text|solution)|(?:model|sample) answer|referenz(?:antwort|text|lösung)\w*|musterantwort|réponse (?:de référence|modèle)|respuesta (?:de referencia|modelo)"
    r"|risposta (?:di riferimento|modello)|resposta (?:de referência|modelo)|referentieantwoord|voorbeeldantwoord|odpowied[źz]\w* (?:wzorcow\w*|referencyjn\w*)|эталонн\w+ (?:ответ|текст)\w*)\b"
    r"|(?:参考|標準|标准)(?:答案|回答|回复)|参考回答|模範解答|참고 ?답변",
    _I,
)
_OWN_WORDS: Final = Screened(
    r"\b(?:(?:in|with) (?:my|its|their|your|other|different|new) (?:own )?words|(?:in|mit) (?:eigenen|anderen|meinen) worten|avec (?:mes|d['’]autres|ses) (?:propres )?mots|con (?:mis|otras|sus) (?:propias )?palabras"
    r"|con (?:altre|parole) (?:parole|mie|proprie)|com (?:outras|minhas)(?: próprias)? palavras|in (?:eigen|andere) woorden|własnymi słowami|innymi słowami|своими словами|другими словами)\b|用自己的话|自分の言葉で|내 말로",
    _I,
)
_HEAD_WORDS: Final = 16
_HEAD_LETTERS: Final = 110
_WIDE_SENTENCE: Final = lazily(r"\A[^。\n]{2,40}。(?=.)")
_HEAD: Final = lazily(r"\A([^\n:：]{1,140}?(?:[:：]|\n))(?=\s*\S)")


_VERSION_ASKED: Final = Screened(
    r"\b(?:simplif\w+|shorten\w*|edit(?:ed|ing)?|correct(?:ed|ing|ion)?|proofread\w*|convert\w*|summari[sz]\w+|revis\w+|improv\w+|version|turn (?:it|this|the)|change (?:it|this|the)|distinguish"
    r"|kürz\w+|korrigier\w*|vereinfach\w*|verbesser\w*|zusammenfass\w*|résum\w*|corrig\w*|simplifi\w*|résumé|resum\w*|correg\w*|mejor\w*|riassum\w*|corregg\w*|melhor\w*|исправ\w*|сократи\w*|упрост\w*)\b"
    r"|改成|修改|润色|缩写|概括|总结|简化|要約|直して|添削|요약|고쳐",
    _I,
)


@lru_cache(maxsize=64)
def asks_for_a_version(asked: str) -> bool:
    """Whether a request is itself one for another version of a text; its answer speaks of rewriting."""
    return any(pattern.search(asked) for pattern in (_REWORDS_IN, _WORDING_IN, _OWN_WORDS, _VERSION_ASKED))


def preface(text: str, source: str, known: str, *, is_request: bool) -> str | None:
    """The head of a text that announces a rewording or a translation; None when there is none.

    source: what the text was made from; known: everything that may be the subject. is_request: the text is a request: a head
    that obliges, or speaks of wording, and has no content word of its source, is none of the person who asks.
    """
    found = _HEAD.match(text.lstrip()) or _WIDE_SENTENCE.match(text.lstrip())
    if found is None:
        return None
    head = found.group().strip()
    if len(head.split()) > _HEAD_WORDS or len(head) > _HEAD_LETTERS or head in known:
        return None
    rewords = _REWORDS_IN.search(head) is not None and _REWORDS_IN.search(known) is None
    if rewords and (is_request or _is_label(head) or _ANSWER_WORDS.search(head)):
        return head
    if not is_request:
        is_said_so = _OWN_WORDS.search(head) is not None and _OWN_WORDS.search(known) is None
        return head if is_said_so and head[-1] in ":：" and len(head.split()) <= 2 * _LABEL_WORDS else None
    wording = _WORDING_IN.search(head) is not None and _WORDING_IN.search(known) is None
    obliges = _OBLIGES_FIRST.search(head) or _OBLIGES_WIDE.search(head)
    if not wording and not (obliges and not _OBLIGES_FIRST.search(source) and not _OBLIGES_WIDE.search(source)):
        return None
    own = stems(head) - stems(_WORDING_IN.compiled.sub(" ", head)) if wording else frozenset()
    return head if len(in_common(stems(head) - own, stems(source))) <= 1 else None


def _is_label(head: str) -> bool:
    """Whether a head is a label such as `Paraphrased:`."""
    return head[-1] in ":：" and len(head.split()) <= _LABEL_WORDS


_LABEL_WORDS: Final = 3


def instruction(text: str, source: str, known: str, *, is_request: bool) -> str | None:
    """A sentence at an edge of a text that says what to do with a text, or how it was done; None when there is none."""
    text = text[:_LOOKED_AT]
    if not is_request and _ANSWER_WORDS.search(text) is None and _REFERENCE.search(text) is None:
        return None
    found = [sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip()]
    about = stems(source)
    for sentence in dict.fromkeys((*found[:2], *found[-2:])):
        if len(sentence) > _SHORT:
            continue
        if _REFERENCE.search(sentence) and _REFERENCE.search(known) is None:
            return sentence
        if len(found) < 2:
            break
        rewords = _tells_to_reword(sentence) if is_request else _REWORDS_IN.search(sentence) is not None
        says = rewords or _OWN_WORDS.search(sentence) or _OUTPUTS.search(sentence) or None
        if says is None or any(one.search(known) for one in (_REWORDS_IN, _OWN_WORDS, _OUTPUTS)):
            continue
        if is_request:
            if shared(stems(sentence), about) <= 1 or _OUTPUTS.search(sentence):
                return sentence
        elif _ANSWER_WORDS.search(sentence) and shared(stems(sentence), stems(known)) <= 1:
            return sentence
    return None


# what a remark about the work is made of, whatever its wording; each is one thing that such a remark names
_THINGS: Final = (
    _REWORDS_IN,
    Screened(
        rf"(?<![^\W\d_])(?:{_WORDING})|\b(?:wording|formulierung|formulation|formulación|formulazione|formulação|formulering|sformułowani\w*|формулировк\w*)\b|措辞|表述|表現",
        _I,
    ),
    Screened(
        r"\b(?:meaning|sense|intent|sinn|bedeutung|sens|signification|sentido|significado|senso|significato|betekenis|znaczeni\w*|смысл\w*|значени\w*)\b|意思|原意|意味|의미",
        _I,
    ),
    Screened(
        r"\b(?:instructions?|guidelines|instructed|requested|required|anweisung\w*|vorgabe\w*|gewünscht|verlangt|consignes?|indications|demandé\w*|instrucci\w+|indicacion\w+|pedid[oa]|solicitad[oa]"
        r"|istruzion\w+|richiest[oa]|instru[çc]\w+|solicitad[oa]|instructies|gevraagd|polece\w+|указани\w+|инструкци\w+|требовани\w+)\b|指示|要求|指令|지시",
        _I,
    ),
    Screened(
        r"\b(?:reference|source (?:text|answer)|original|referenz\w*|vorlage|ausgangs\w+|référence|d['’]origine|originale?|referencia|riferimento|referência|origine?el\w*|oryginał\w*|эталон\w*|исходн\w+|оригинал\w*)\b"
        r"|参考|原文|原答案|元の|원문|참고",
        _I,
    ),
    Screened(
        r"\b(?:user|nutzer\w*|benutzer\w*|anwender\w*|utilisateur|usuari[oa]|utente|utilizador|gebruiker|użytkownik\w*|пользовател\w+)\b|用户|用戶|ユーザー|사용자",
        _I,
    ),
    Screened(
        r"\b(?:kept|keeping|preserv\w+|retain\w+|unchanged|without (?:copying|looking|changing)|beibehalten|erhalten|unverändert|ohne (?:zu kopieren|abzuschreiben)|conserv\w+|gard(?:é|ant)|inchang\w+|sans copier"
        r"|manten\w+|mantien\w+|sin copiar|senza copiare|mantid\w+|sem copiar|behouden|zachowan\w*|bez kopiowania|сохран\w+|не копируя|без копировани\w+)\b|保留|保持|不变|未参考|維持|유지",
        _I,
    ),
    Screened(
        r"\b(?:generated|regenerat\w+|produced|erzeugt|generiert|neu geschrieben|généré\w*|générée?|generad[oa]|regenerad[oa]|generat[oa]|gerad[oa]|gegenereerd|wygenerowan\w+|сгенерирован\w+|создан\w*)\b|生成|重新|作成し|생성",
        _I,
    ),
    Screened(
        r"\b(?:(?:the|this|my|your) (?:answer|response|question|request|task)|antwort|frage|aufgabe|réponse|question|respuesta|pregunta|tarea|risposta|domanda|compito|resposta|pergunta|antwoord|vraag|odpowied\w+|pytani\w+|ответ\w*|вопрос\w*|задани\w+)\b|回答|答案|问题|問題|質問|답변|질문",
        _I,
    ),
)
# each remark names one of these
_MAY_REMARK: Final = MayMatch((thing.compiled.pattern for thing in _THINGS[:-1]), ignore_case=True)
_BRACKETED: Final = lazily(r"[(\[（【]([^()\[\]（）【】\n]{8,200})[)\]）】]")
_MOST_BRACKETS: Final = 6
_REMARK: Final = 3  # of the things that a sentence at an edge names
_REMARK_IN_BRACKETS: Final = 2


def remark(text: str, source: str, known: str) -> str | None:
    """A sentence at an edge of a text, or words in brackets, that speak of the work on it; None when there are none.

    Such words name several of the things of the task, which nothing known names, and hardly a word of their source.
    """
    text = text[:_LOOKED_AT]
    if not _MAY_REMARK.search(text):
        return None
    things = [thing for thing in _THINGS if thing.search(text) is not None]
    if len(things) < _REMARK_IN_BRACKETS or not (things := [thing for thing in things if thing.search(known) is None]):
        return None
    about = stems(source)
    for words in _BRACKETED.findall(text)[:_MOST_BRACKETS]:
        if _names(words, things) >= _REMARK_IN_BRACKETS and shared(stems(words), about) <= 1:
            return str(words)
    found = [sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip()]
    if len(found) < 2:
        return None
    for sentence in dict.fromkeys((found[0], found[-1])):
        if len(sentence) <= _SHORT and _names(sentence, things) >= _REMARK and shared(stems(sentence), about) <= 1:
            return sentence
    return None


def _names(words: str, things: Sequence[Screened]) -> int:
    return sum(thing.search(words) is not None for thing in things)


# how thinking aloud begins, and what somebody says who plans an answer
_THINKS_FIRST: Final = lazily(
    r"\A\W*(?:ok(?:ay)?|hm+|alright|all right|right|so|well|wait|first(?:ly)?|let me|let['’]s|also|gut|mal sehen|moment|zunächst|zuerst|erst mal|d['’]abord|bon|alors|voyons|tout d['’]abord|bien|bueno|a ver"
    r"|veamos|primero|antes de nada|allora|dunque|vediamo|prima|bom|vejamos|primeiro|laten we|eerst|dobrze|najpierw|так|итак|хорошо|ну|сначала|посмотрим|i need|ich muss|ich soll|je dois|il faut que je"
    r"|debo|necesito|tengo que|devo|preciso|ik moet|muszę|мне нужно|я должен|надо)(?![^\W\d_])|\A\W*(?:好的|嗯|首先|让我|我需要|我应该|まず|さて|えっと|먼저|우선|음)",
    _I,
)
_PLANS: Final = lazily(
    r"\b(?:i|we)(?:['’](?:ll|d)| will| would| should| need to| must| have to| could| can| might)? (?:also |first |now |just |perhaps |briefly |maybe )*(?:mention|explain|describe|talk about|go with|point out|cover|phrase|answer|respond|start with|begin with)\b"
    r"|\blet me (?:also |first |now |just )*(?:mention|explain|describe|add|answer|think|recall|check|start)\b"
    r"|\bich (?:muss|soll|sollte|werde|könnte|kann|würde)\b[^.!?\n]{0,60}(?:erwähnen|erklären|beschreiben|beantworten|antworten|nennen|schreiben|nehmen|formulieren)\b|\bich (?:erwähne|nehme|nenne|schreibe)\b"
    r"|\bje (?:vais|dois|devrais|peux|pourrais)\b[^.!?\n]{0,40}(?:mentionner|expliquer|parler|décrire|répondre|commencer|vérifier|ajouter|préciser)\b"
    r"|\b(?:voy a|debo|debería|necesito|tengo que|puedo|quizá)\b[^.!?\n]{0,30}(?:mencionar\w*|explicar\w*|hablar|describir\w*|responder\w*|empezar|añadir|usar|usarl\w)\b|\b(?:hablaré|explicaré|mencionaré|responderé|empezaré|usaré)\b"
    r"|\b(?:devo|dovrei|posso|vorrei)\b[^.!?\n]{0,30}(?:menzionare|spiegare|parlare|descrivere|rispondere|iniziare|aggiungere)\b|\b(?:spiegherò|parlerò|menzionerò|risponderò)\b"
    r"|\b(?:devo|preciso|vou|posso|deveria)\b[^.!?\n]{0,30}(?:mencionar|explicar|falar|descrever|responder|começar|acrescentar)\b"
    r"|\bik (?:moet|zal|kan|zou)\b[^.!?\n]{0,40}(?:noemen|uitleggen|beschrijven|antwoorden|beginnen)\b|\b(?:muszę|powinienem|mogę)\b[^.!?\n]{0,30}(?:wspomnieć|wyjaśnić|opisać|odpowiedzieć)\b"
    r"|\b(?:надо|нужно|следует|стоит|должен|должна|могу)\b[^.!?\n]{0,30}(?:подумать|упомянуть|объяснить|описать|ответить|сказать|начать|добавить)\b|\b(?:упомяну|объясню|отвечу|расскажу|начну)\b"
    r"|我(?:需要|应该|得|要|会|可以|将)[^。！？\n]{0,16}(?:解释|说明|提到|提及|回答|描述|介绍)|(?:下面|接下来)(?:开始)?回答|(?:説明|回答|言及|紹介)(?:する必要|すべき|しよう)|(?:설명|답변|언급|소개)(?:해야|하자|할게)",
    _I,
)
_MUST_THINK: Final = 2  # of its first sentences that plan, where none begins as thinking does


def thinking_aloud(text: str, known: str) -> str | None:
    """The sentence at the beginning of an answer in which somebody plans it; None when there is none, or what is known has such."""
    beginning = text[:_LOOKED_AT]
    if _PLANS.search(beginning) is None or _PLANS.search(known) is not None:
        return None
    found = [sentence.strip() for sentence in _SENTENCE.findall(beginning) if sentence.strip()]
    if len(found) < 2:
        return None
    plans = [sentence for sentence in found[: _EDGE + 1] if _PLANS.search(sentence) is not None]
    if plans and (_THINKS_FIRST.match(found[0]) is not None or len(plans) >= _MUST_THINK):
        return plans[0]
    return None


_ARTICLE: Final = lazily(
    r"\W*(?:the|a|an|this|that|die|der|das|eine?|la|le|les|une?|el|los|il|lo|o|os|uma?|de|het|een)\b", _I
)


def _tells_to_reword(sentence: str) -> bool:
    """Whether a sentence begins by telling somebody to reword or to translate."""
    found = _REWORDS_IN.search(sentence)
    if found is None or _ARTICLE.match(sentence) is not None:
        return False
    return len(sentence[: found.start()].split()) <= 1
