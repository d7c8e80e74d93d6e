"""Small answers that mean the same in every language: yes and no, colours, days, months, seasons, directions, comparisons.

An answer is compared by these, and by its numbers, where its words are in another language than those of its source.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from corpus_pipeline.lazy_patterns import lazily

# concept: its words in en de fr es it pt nl pl ru tr zh ja ko ar hi, separated by blanks; a blank within a word is `_`
_TABLE: Final[dict[str, dict[str, str]]] = {
    "verdict": {
        "yes": "yes true correct right indeed ja wahr richtig stimmt jawohl oui vrai exact sí si verdadero cierto correcto vero sì corretto sim verdadeiro"
        " certo waar juist tak prawda да верно правда evet doğru 是的 对的 正确 真的 はい 正しい 예 네 맞습니다 참 نعم صحيح हाँ सही सत्य",
        "no": "no false incorrect wrong not nope nein falsch unwahr nicht non faux falso incorrecto falsa não errado nee onwaar onjuist nie fałsz нет неверно"
        " ложь hayır yanlış 否 不是 不对 错误 いいえ 違います 아니요 아닙니다 거짓 لا خطأ नहीं गलत असत्य",
    },
    "colour": {
        "red": "red rot rouge rojo roja rosso rossa vermelho vermelha rood czerwony czerwona красный красная kırmızı 红 红色 紅 赤 赤い 빨간 빨강 أحمر حمراء लाल",
        "blue": "blue blau bleu bleue azul blu blauw niebieski niebieska синий синяя голубой mavi 蓝 蓝色 藍 青 青い 파란 파랑 أزرق زرقاء नीला नीली",
        "green": "green grün vert verte verde groen zielony zielona зелёный зеленый зелёная yeşil 绿 绿色 緑 초록 녹색 أخضر خضراء हरा हरी",
        "yellow": "yellow gelb jaune amarillo amarilla giallo gialla amarelo amarela geel żółty żółta жёлтый желтый жёлтая sarı 黄 黄色 黄色い 노란 노랑 أصفر صفراء पीला पीली",
        "black": "black schwarz noir noire negro negra nero nera preto preta zwart czarny czarna чёрный черный чёрная siyah 黑 黑色 黒 黒い 검은 검정 أسود سوداء काला काली",
        "white": "white weiß weiss blanc blanche blanco blanca bianco bianca branco branca wit biały biała белый белая beyaz 白 白色 白い 흰 하얀 أبيض بيضاء सफ़ेद सफेद",
        "brown": "brown braun brun brune marron marrón marrone castanho bruin brązowy brązowa коричневый коричневая kahverengi 棕色 褐色 茶色 갈색 بني भूरा भूरी",
        "grey": "grey gray grau gris grigio grigia cinza cinzento grijs szary szara серый серая gri 灰 灰色 회색 رمادي धूसर",
        "orange": "orange naranja arancione laranja oranje pomarańczowy оранжевый turuncu 橙 橙色 オレンジ 주황 برتقالي नारंगी",
        "pink": "pink rosa rose roze różowy розовый pembe 粉色 粉红 ピンク 분홍 وردي गुलाबी",
        "purple": "purple violet lila violett morado morada viola roxo paars fioletowy фиолетовый mor 紫 紫色 보라 بنفسجي बैंगनी",
    },
    "day": {
        "monday": "monday montag lundi lunes lunedì segunda-feira maandag poniedziałek понедельник pazartesi 星期一 周一 月曜日 월요일 الاثنين सोमवार",
        "tuesday": "tuesday dienstag mardi martes martedì terça-feira dinsdag wtorek вторник salı 星期二 周二 火曜日 화요일 الثلاثاء मंगलवार",
        "wednesday": "wednesday mittwoch mercredi miércoles mercoledì quarta-feira woensdag środa среда çarşamba 星期三 周三 水曜日 수요일 الأربعاء बुधवार",
        "thursday": "thursday donnerstag jeudi jueves giovedì quinta-feira donderdag czwartek четверг perşembe 星期四 周四 木曜日 목요일 الخميس गुरुवार",
        "friday": "friday freitag vendredi viernes venerdì sexta-feira vrijdag piątek пятница cuma 星期五 周五 金曜日 금요일 الجمعة शुक्रवार",
        "saturday": "saturday samstag sonnabend samedi sábado sabato zaterdag sobota суббота cumartesi 星期六 周六 土曜日 토요일 السبت शनिवार",
        "sunday": "sunday sonntag dimanche domingo domenica zondag niedziela воскресенье pazar 星期日 星期天 周日 日曜日 일요일 الأحد रविवार",
    },
    "month": {
        "january": "january januar janvier enero gennaio janeiro januari styczeń январь ocak 一月 يناير जनवरी",
        "february": "february februar février febrero febbraio fevereiro februari luty февраль şubat 二月 فبراير फ़रवरी फरवरी",
        "march": "march märz mars marzo março maart marzec март mart 三月 مارس मार्च",
        "april": "april avril abril aprile kwiecień апрель nisan 四月 أبريل अप्रैल",
        "may": "mai mayo maggio maio mei maj май mayıs 五月 مايو मई",
        "june": "june juni juin junio giugno junho czerwiec июнь haziran 六月 يونيو जून",
        "july": "july juli juillet julio luglio julho lipiec июль temmuz 七月 يوليو जुलाई",
        "august": "august août agosto augustus sierpień август ağustos 八月 أغسطس अगस्त",
        "september": "september septembre septiembre settembre setembro wrzesień сентябрь eylül 九月 سبتمبر सितंबर",
        "october": "october oktober octobre octubre ottobre outubro październik октябрь ekim 十月 أكتوبر अक्टूबर",
        "november": "november novembre noviembre novembro listopad ноябрь kasım 十一月 نوفمبر नवंबर",
        "december": "december dezember décembre diciembre dicembre dezembro grudzień декабрь aralık 十二月 ديسمبر दिसंबर",
    },
    "season": {
        "spring": "spring frühling frühjahr printemps primavera lente wiosna весна ilkbahar 春 春天 春季 봄 الربيع वसंत",
        "summer": "summer sommer été verano estate verão zomer lato лето yaz 夏 夏天 夏季 여름 الصيف गर्मी",
        "autumn": "autumn fall herbst automne otoño autunno outono herfst jesień осень sonbahar 秋 秋天 秋季 가을 الخريف पतझड़ शरद",
        "winter": "winter hiver invierno inverno zima зима kış 冬 冬天 冬季 겨울 الشتاء सर्दी",
    },
    "direction": {
        "north": "north norden nord norte noorden północ север kuzey 北 北方 북쪽 الشمال उत्तर",
        "south": "south süden sud sur sul zuiden południe юг güney 南 南方 남쪽 الجنوب दक्षिण",
        "east": "east osten est este leste oosten wschód восток doğu 东 东方 東 동쪽 الشرق पूर्व पूरब",
        "west": "west westen ouest oeste ovest westen zachód запад batı 西 西方 서쪽 الغرب पश्चिम",
    },
    "side": {
        "left": "left links gauche izquierda sinistra esquerda lewo lewa левый слева sol 左 左边 왼쪽 يسار बाएँ",
        "right": "rechts droite derecha destra direita prawo prawa справа sağ 右 右边 오른쪽 يمين दाएँ",
    },
    "amount": {
        "more": "more mehr plus más più mais meer więcej больше daha_fazla 更多 多 もっと 더 أكثر ज़्यादा अधिक",
        "less": "less fewer weniger moins menos meno minder mniej меньше daha_az 更少 少 덜 أقل कम",
    },
    "size": {
        "bigger": "bigger larger greater größer plus_grand mayor más_grande maggiore più_grande maior groter większy больше daha_büyük 更大 大",
        "smaller": "smaller kleiner plus_petit menor más_pequeño minore più_piccolo kleiner mniejszy меньше daha_küçük 更小 小",
    },
    "heat": {
        "hot": "hot heiß chaud caliente caldo quente heet gorący горячий sıcak 热 热的 暑い 熱い 뜨거운 حار गर्म",
        "cold": "cold kalt froid frío freddo frio koud zimny холодный soğuk 冷 冷的 寒い 冷たい 차가운 بارد ठंडा",
    },
}  # fmt: skip
_WIDE: Final = lazily("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


def _pattern(words: str) -> re.Pattern[str]:
    forms = sorted({word.replace("_", " ") for word in words.split()}, key=len, reverse=True)
    return re.compile("|".join(map(_form, forms)), re.IGNORECASE)


def _form(word: str) -> str:
    """A word as a pattern; in Russian its cases, too."""
    if _WIDE.search(word):
        return re.escape(word)
    if len(word) > 4 and "\u0400" <= word[0] <= "\u04ff":
        return rf"(?<!\w){re.escape(word[:-1])}\w{{0,2}}(?!\w)"
    return rf"(?<!\w){re.escape(word)}(?![\w'])"


_PATTERNS: Final = {
    kind: {concept: _pattern(words) for concept, words in table.items()} for kind, table in _TABLE.items()
}


@lru_cache(maxsize=512)
def concepts(text: str) -> dict[str, frozenset[str]]:
    """The concepts that a text names, by kind."""
    return {
        kind: found
        for kind, table in _PATTERNS.items()
        if (found := frozenset(concept for concept, pattern in table.items() if pattern.search(text)))
    }


def contradict(one: str, other: str) -> bool | None:
    """Whether two short answers name different concepts of one kind; None when they name none of the same kind."""
    first, second = concepts(one), concepts(other)
    common = first.keys() & second.keys()
    if not common:
        return None
    return any(not first[kind] & second[kind] or _is_replaced(first[kind], second[kind]) for kind in common)


def _is_replaced(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether one of several concepts has another one in its place."""
    return len(some) == len(others) >= 2 and some != others
