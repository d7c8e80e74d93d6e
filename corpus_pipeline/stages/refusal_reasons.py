"""What makes it sure that words of declining are a model's own: the wrong it names, the writing it declines, the closing
offer of other help. One line a language, in lower case, for `corpus_pipeline.stages.refusals`.

- `JUDGES`: an apology and that such a thing is wrong, without a word of not being able: *Sorry, but such acts are illegal.*
- `DECLINES`: that one will not or cannot do what an assistant is asked for: describe, suggest, advise, write, support.
- `WRONG`: why a request is declined. Where an answer names a wrong, what it recommends instead is no answer, either.
- `WRITES`: that the very text asked for is not written: *I can't help you write an e-mail that ...* is not that e-mail.
- `CLOSES`: *Is there anything else I can help you with?*
- `ASKS_FOR_NO`: a question that may be answered with any words of declining: a translation, a role, a letter of refusal.
"""

from __future__ import annotations

from typing import Final

JUDGES: Final = {
    "en": r"(?:sorry|apologi[sz]e|\bno\b)[^.!?\n]{0,16}?\b(?:such|(?:this|that|these|those) (?:kinds?|types?|sorts?) of|it(?: is|['’]s) not (?:\w+ (?:or|and) ){0,2}\w+ to|(?:provid|creat|writ|mak|discuss|generat|promot|shar|encourag|help)\w*ing)\b[^.!?\n]{0,80}?\b(?:illegal|unethical|inappropriate|harmful|immoral|not (?:appropriate|ethical|acceptable|respectful|right|okay)|against)",
    "zh": r"(?:抱歉|对不起|對不起)[^。！？\n]{0,40}?(?:这种|此类|这样的|这类|該|该|您的|你的|这个)[^。！？\n]{0,30}?(?:违法|非法|不道德|不合适|不恰当|不适当|有害|不当|违反|歧视)",
    "ja": r"(?:申し訳|すみませ|恐れ入)[^。\n]{0,70}?(?:そのような|このような|そういった|こうした|ことは|行為は|のは)[^。\n]{0,60}?(?:違法|不適切|倫理|適切では|許され|許可され|問題があ|禁止|犯罪|有害)",
    "ko": r"(?:죄송|미안)[^.\n]{0,100}?(?:것은|것이|행동은|행위는|내용은|요구는|요청은|정보는|방법은|제공은|질문은)[^.\n]{0,50}?(?:불법|부적절|윤리|비윤리|적절하지|금지|범죄|허용되|위험|해로|옳지|잘못)",
    "de": r"(?:tut mir leid|entschuldig\w*|sorry|\bnein\b)[^.!?\n]{0,24}?(?:solche\w*|diese[r]? art|derartige\w*|so etwas)[^.!?\n]{0,80}?(?:illegal|strafbar|unethisch|unangemessen|verboten|rechtswidrig|nicht (?:akzeptabel|angemessen|in ordnung|erlaubt|ethisch))",
    "fr": r"(?:désolée?|navrée?|\bnon\b)[^.!?\n]{0,24}?(?:ce (?:type|genre) d|ces? (?:demande|contenu)|de tels|de telles|une telle|un tel)[^.!?\n]{0,80}?(?:illéga|contraire|inappropri|inacceptable|interdit|éthique|nuisible)",
    "es": r"(?:lo siento|lamento|\bno,)[^.!?\n]{0,24}?(?:(?:ese|este) tipo de|tales|semejante|algo así)[^.!?\n]{0,80}?(?:ilegal|inapropiad|inaceptable|no es ético|prohibid|dañin)",
    "pt": r"(?:desculp\w*|sinto muito|lamento|\bnão,)[^.!?\n]{0,24}?(?:(?:esse|este) tipo de|tais|semelhante|algo assim)[^.!?\n]{0,80}?(?:ilega|inapropriad|inadequad|inaceitáve|não é ético|proibid|prejudicia)",
    "it": r"(?:dispiace|spiacente|scusa\w*|\bno,)[^.!?\n]{0,24}?(?:questo (?:tipo|genere) di|(?:un|una) simile|simili|del genere|tali)[^.!?\n]{0,80}?(?:illegal|inappropriat|inaccettabil|non (?:è|sono) etic|vietat|dannos)",
    "ru": r"(?:извини\w*|прости\w*|сожале\w*|\bнет,)[^.!?\n]{0,24}?(?:так(?:ие|ое|ого|ой)|подобн\w+|это(?:т|го)? (?:вид|род))[^.!?\n]{0,80}?(?:незакон|неэтич|недопуст|неприемлем|запрещ|противо|вред)",
    "ar": r"(?:عذر|آسف|أعتذر|للأسف|معذرة)[^.؟!\n]{0,24}?(?:هذا النوع|مثل هذ|هذه الأفعال|هذا السلوك)[^.؟!\n]{0,80}?(?:غير (?:قانوني|أخلاقي|لائق|مقبول|مناسب)|ممنوع|مخالف|ضار)",
    "hi": r"(?:खेद|क्षमा|माफ|माफ़)[^।\n]{0,30}?(?:ऐसा|ऐसी|ऐसे|इस तरह|इस प्रकार|किसी)[^।\n]{0,90}?(?:अवैध|गैरकानूनी|ग़ैरक़ानूनी|अनैतिक|अनुचित|हानिकारक|उचित नहीं|सही नहीं|अपराध)",
    "vi": r"(?:xin lỗi|rất tiếc|thứ lỗi)[^.!?\n]{0,24}?(?:những|các|loại|hành (?:vi|động)|việc|nội dung|điều này|điều đó)[^.!?\n]{0,90}?(?:bất hợp pháp|trái pháp luật|vi phạm|phi đạo đức|không phù hợp|không đúng|có hại|bị cấm)",
    "tr": r"(?:üzgünüm|özür dilerim|maalesef|kusura bakma\w*|\bhayır,)[^.!?\n]{0,24}?(?:bu tür|bu tarz|böyle|bu gibi)[^.!?\n]{0,90}?(?:yasa ?dışı|yasadışı|etik değil|etik dışı|uygunsuz|uygun değil|kabul edilemez|suç|zararlı)",
    "id": r"(?:maaf|menyesal)[^.!?\n]{0,24}?(?:hal|tindakan|konten|permintaan|kegiatan|perbuatan)[^.!?\n]{0,16}?(?:seperti|semacam|tersebut|itu|ini)[^.!?\n]{0,80}?(?:ilegal|melanggar|tidak etis|tidak pantas|tidak dapat diterima|berbahaya|dilarang)",
    "pl": r"(?:przepraszam|przykro mi|niestety|\bnie,)[^.!?\n]{0,24}?(?:tego (?:typu|rodzaju)|taki\w*|podobn\w+)[^.!?\n]{0,80}?(?:nielegaln|nieetyczn|niewłaściw|niedopuszczaln|nieodpowiedni|zabronion|szkodliw)",
    "nl": r"(?:sorry|spijt me|helaas|\bnee,)[^.!?\n]{0,24}?(?:dit soort|zulke|dergelijke|zoiets)[^.!?\n]{0,80}?(?:illegaal|illegale|onethisch|ongepast|onaanvaardbaar|verboden|schadelijk|niet (?:toegestaan|oké|gepast))",
}  # fmt: skip

DECLINES: Final = {
    "en": r"\bi (?:can(?:no|['’])?t|can not|won['’]t|will not) (?:\w+ )?(?:describe|suggest|propose|advise|explain|depict|translate|publish|praise|rate|review|teach|guide|list|draft|compose|design|develop|plan|agree to)\b|\bi (?:do not|don['’]t) (?:provide|support|recommend|endorse|write|create) ",
    "zh": r"我(?:真的)?(?:不能|无法|不会|不可以|不应该|不方便|可以不|没法|不愿意?|拒绝)(?:再)?(?:向|为|给|替|对)?(?:您|你)?(?:推荐|鼓励|告诉|描述|建议|设计|支持|创作|参与|编造|透露|解释|教|列出|分享|传播|评价|评论|发表|预测|赞同|配合|提供|按照|编写|说明|展示|模拟|扮演)|这(?:超出|不在)[^。\n]{0,10}?(?:范围|能力)",
    "ja": r"\A私は(?:それ|この質問)?[がにへ]?(?:でき|答え)(?:ません|られません)|\A答えは?(?:出せ|言え)ません|(?:私は|私には|私として|当方|そのような|このような|そういった|この|その|当?アシスタント)[^。\n]{0,90}?(?:助ける|教える|説明(?:する)?|書く|書い|作成(?:する)?|推奨(?:する)?|促進(?:する)?|提供(?:する)?|支援(?:する)?|支持|描写(?:する)?|出す|助言|提案|協力|計画|練る|答える|答え|応え|応じ|回答|関与|生成|紹介|伝え|述べ|お話し|お教え|翻訳|提示|議論|サポート|起草|設計|行う|勧め|立案|満た|指導|助長|開発)[^。\n]{0,12}?(?:できません|できかねます|出来ません|いたしかねます|られません|じかねます|控え|差し控え|お断り)",
    "ko": r"(?:지침|정보|조언|방법|가이드|내용|메시지|텍스트|글|이메일|메일|목록|스크립트|코드|콘텐츠|음란물|계획|답변|도움|설명|의견|추천|이미지|게시물|기사|안내|자료)(?:을|를|은|는|도|에 대해|에 대한)?[^.\n]{0,30}?(?:제공|작성|생성|알려|설명|공유|추천|지원|안내|답변|드릴|말씀|도와|만들|다룰|보여|전달)[^.\n]{0,12}?(?:수(?:는|가|도)? 없|않습니다|않아요|어렵|불가)|저는[^.\n]{0,80}?(?:수(?:는|가)? 없습니다|지 않습니다|허용되지 않)|(?:알려|도와|설명해|작성해|제공해|말씀) ?드릴 수(?:는|가)? 없|응할 수 없|따를 수 없|들어드릴 수 없|들어줄 수 없",
    "de": r"\bich (?:kann|darf|werde|möchte)[^.!?\n]{0,40}?\bkein\w*[^.!?\n]{0,110}?\b(?:geben|erstellen|schreiben|verfassen|entwerfen|formulieren|beschreiben|liefern|vorschlagen|anbieten|bereitstellen|machen|nennen|erteilen|unterstützen|teilen|erklären|erzählen|empfehlen|aussprechen|leisten|enthalten)\b|\bich (?:kann|werde|möchte|darf) (?:ihnen |dir |euch )?(?:\w+ )?nicht[^.!?\n]{0,110}?\b(?:helfen|unterstützen|beschreiben|erklären|raten|schreiben|fördern|empfehlen|mitwirken|beteiligen|diskutieren|erstellen|teilnehmen|sagen, wie)\b|\b(?:da|dabei|damit) (?:helfe|mache) ich nicht|\blehne (?:ich )?(?:es |das |diese )?[^.!?\n]{0,40}?\bab\b|\bmöchte ich (?:\w+ )?(?:nicht|keine)",
    "fr": r"\bje ne (?:peux|puis|vais|saurais|souhaite|veux|suis pas prêt)[^.!?\n]{0,30}?(?:suggérer|décrire|conseiller|expliquer|proposer|rédiger|encourager|promouvoir|participer|formuler|aborder|commenter|évaluer|enseigner|concevoir|inventer|raconter|composer|indiquer|dire comment|donner suite)|\bje ne (?:fournis|donne|rédige|recommande|soutiens|traite) pas|\bje (?:décline|m['’]abstiens)|\b(?:cela|ça|c['’]est)[^.!?\n]{0,20}?(?:que je ne (?:peux|ferai))",
    "es": r"\bno (?:puedo|voy a|podría|debo|deseo|quiero) (?:\w+ )?(?:describir|sugerir|asistir|aconsejar|explicar|proponer|redactar|promover|fomentar|apoyar|participar|indicar|detallar|enseñar|comentar|diseñar|inventar|elaborar|colaborar|decirte cómo|decir cómo)|\bno (?:proporciono|recomendar[ée]|recomendaría|ofrezco|apoyo|doy|genero|creo contenido|escribiré|ayudaré)|\bme (?:niego a|abstengo)|\bdeclino",
    "pt": r"\bnão (?:posso|consigo|vou|poderia|devo|desejo|quero|irei) (?:\w+ )?(?:descrever|sugerir|auxiliar|aconselhar|explicar|propor|redigir|promover|incentivar|apoiar|indicar|detalhar|ensinar|comentar|elaborar|colaborar|inventar|dizer como|atender|prestar|passar|orientar)|\bnão (?:forneço|recomendo|ofereço|apoio|dou|gero|ajudarei|escreverei)|\b(?:me recuso|recuso-me|eu recuso)|\bme abstenho",
    "it": r"\bnon (?:posso|potrei|voglio|intendo|devo|desidero) (?:\w+ )?(?:descriver|suggerir|assister|spiegar|proporr|redig|promuover|incoraggiar|sostener|indicar|insegnar|commentar|elaborar|collaborar|inventar|dirti come|dare|farl|valutar)|\bnon (?:fornisco|consiglio di|offro|sostengo|scriverò|aiuterò)|\bmi rifiuto|\bmi astengo",
    "ru": r"\bя не (?:могу|может|буду|стану|хочу|должен|должна|готов\w*) (?:\w+ )?(?:предлож|описа|опис|совет|объясн|рассказ|рекоменд|поддерж|участв|дать|дава|предостав|помочь|помога|составл|состав|писать|сочин|поощр|комментир|оцен|учить|научить|разглаш|сообщ|назва|указ)|\b(?:отказываюсь|воздержусь|воздерживаюсь)",
    "ar": r"(?:لا|لن) (?:أستطيع|يمكنني|أتمكن من|أقدر على|يسعني|أود|أرغب في)[^.؟!\n]{0,12}?(?:أن )?(?:أوف[ّ]?ر|أقد[ّ]?م|أساعد|أشرح|أكتب|أصف|وصف|شرح|اقتراح|أقترح|أشارك|توفير|تزويد|إعداد|صياغة|نصح|أنصح|الحديث|تشجيع|الترويج|دعم|إخبار|كتابة|وضع|إعطاء|إبداء|التعليق)|(?:لن|لا) (?:أقوم|أقدم|أكتب|أنشئ|أشارك|أدعم) ",
    "hi": r"मैं[^।\n]{0,100}?(?:नहीं (?:कर|दे|बता|लिख|बना|दिखा|सुझा|समझा|सिखा) (?:सकत|सकूँग|सकूंग|पाऊँग|पाऊंग|रहा|रही)|(?:करने|देने|बताने|लिखने|बनाने)[^।\n]{0,6}?(?:में )?(?:असमर्थ|सक्षम नहीं)|का समर्थन नहीं|नहीं (?:करूँगा|करूंगा|करूँगी|करूंगी|दूँगा|दूंगा|लिखूँगा|लिखूंगा|चाहूँगा|चाहूंगा|चाहता|चाहती)|(?:इनकार|मना) करत)",
    "vi": r"(?:tôi|mình|em|chúng tôi) (?:\w+ )?(?:không (?:thể|được phép|muốn|nên|có ý định)|sẽ không|xin không|chưa thể|xin phép không|đành) (?:\w+ )?(?:mô tả|gợi ý|đề xuất|giải thích|khuyến khích|ủng hộ|tham gia|soạn|hướng dẫn|tư vấn|bình luận|nói|cho bạn biết|chỉ|dạy|lập|thiết kế|hỗ trợ|đáp ứng|từ chối|làm (?:việc|điều)|tiết lộ|đưa|giúp|kể|trả lời|cung cấp|viết|tạo)|(?:tôi|mình) (?:xin )?(?:phép )?từ chối",
    "tr": r"\b\w+(?:maya|meye|mak|mek|mam|mem)? ?(?:öneremem|önermem|anlatamam|açıklayamam|tarif edemem|desteklemiyorum|destekleyemem|teşvik edemem|yazamam|hazırlayamam|katılamam bu|veremem|veremiyorum|sağlayamam|paylaşamam|bulunamam|edemem|öğretemem|yapmayacağım|yazmayacağım|vermeyeceğim|yardım edemem|yardım edemiyorum|karşılayamam|üretemem|gerçekleştiremem|gerçekleştiremiyorum|yerine getiremem|yerine getiremiyorum|sunamam|konuşamam|yorum yapamam)\b|reddediyorum|geri çevirmek zorunda",
    "id": r"(?:saya|aku|kami) (?:\w+ )?(?:tidak|tak|enggan) (?:\w+ )?(?:menjelaskan|menyarankan|menggambarkan|merekomendasikan|mendukung|mendorong|terlibat|menyediakan|menuliskan|menyusun|mengajarkan|mengomentari|merancang|berpartisipasi|memandu|menceritakan|memenuhi|membantu|memberi\w*|menulis|membuat)|(?:saya|kami) (?:harus |terpaksa |memilih (?:untuk )?)?(?:menolak|keberatan)",
    "pl": r"\bnie (?:mogę|będę|chcę|zamierzam|powinienem|powinnam|wolno mi) (?:\w+ )?(?:zaproponować|proponować|opisywać|doradzać|doradzić|wyjaśnić|wyjaśniać|pisać|publikować|promować|zachęcać|pomo|sugerować|zasugerować|uczestniczyć|wspomagać|przygotować|tłumaczyć|zdradzić|udziel\w*|poda\w*|komentować|oceniać|nauczyć|poradzić|dostarcz\w*|wspierać)|\bnie (?:udzielam|pomagam|wspieram|tworzę|podam|napiszę|pomogę|doradzam)\b|\b(?:odmawiam|muszę (?:tu )?odmówić)",
    "nl": r"\bik (?:kan|mag|wil|zal|ga)[^.!?\n]{0,40}?\bgeen\b[^.!?\n]{0,100}?\b(?:doen|geven|schrijven|bevorderen|steunen|bieden|maken|verstrekken|beschrijven|delen|aanbevelen|opstellen|leveren|voorstellen|ondersteunen|uitleggen|promoten|verlenen|vertellen)\b|\bik (?:kan|mag|wil|zal|ga) (?:je |u |jou )?(?:\w+ )?niet[^.!?\n]{0,100}?\b(?:meewerken|adviseren|helpen|beschrijven|uitleggen|schrijven|ondersteunen|aanbevelen|deelnemen|bespreken|assisteren|promoten|zeggen)\b|\bik kan geen (?:hulp|gidsen|suggesties|advies)|\bik (?:weiger|bedank|geef|schrijf|verleen|ondersteun) (?:\w+ )?(?:geen|niet|om|hiervoor)",
}  # fmt: skip

WRONG: Final = {
    "en": r"illegal|unlawful|unethical|immoral|harmful|dangerous|discriminat|hateful|hate speech|inappropriate|violat|offensive|crimes?\b|criminal|privacy|consent\b|abus|racis|sexis|violen|misinformation|stereotyp|explicit",
    "zh": r"违法|違法|非法|不道德|有害|危险|歧视|仇恨|不当|不合适|不恰当|侵犯|犯罪|隐私|暴力|虚假|骚扰|色情|违反",
    "ja": r"違法|不法|不道徳|非倫理|倫理|有害|危険|差別|不適切|侵害|犯罪|プライバシー|暴力|偏見|詐欺|虐待|正当化|傷つけ",
    "ko": r"불법|비윤리|윤리|도덕|유해|해로|위험|차별|부적절|침해|범죄|사생활|폭력|혐오|허위|법적|적절하지|존중",
    "de": r"illegal|strafbar|rechtswidrig|gesetz|unethisch|ethisch|moralisch|schädlich|gefährlich|diskriminier|beleidig|unangemessen|verletz|kriminell|straftat|verbrechen|rassis|gewalt|verboten|hass",
    "fr": r"illéga|illici|éthique|immora|nuisib|dangereu|discriminat|haine|haineu|inappropri|inaccepta|crimin|crime|vie privée|consentement|racis|sexis|violen|stéréotyp|harcèlement|porter atteinte",
    "es": r"ilegal|ilícit|étic|inmoral|dañin|peligros|discrimin|odio|inapropiad|inaceptable|crimin|delito|privacidad|consentimiento|racis|sexis|violen|estereotip|acoso|ofensiv|fraudulent",
    "pt": r"ilega|ilícit|étic|imoral|prejudicia|perigos|discrimin|ódio|inapropriad|inadequad|inaceitáve|crimin|crime|privacidade|consentimento|racis|sexis|violên|estereótip|assédio|ofensiv",
    "it": r"illegal|illecit|etic|immoral|dannos|pericolos|discrimin|odio|inappropriat|inaccettabil|crimin|reato|reati|privacy|consenso|razzis|sessis|violen|stereotip|molesti|offensiv",
    "ru": r"незаконн|противоправн|неэтич|этичес|аморальн|вредн|опасн|дискримин|ненавист|неприемлем|недопустим|преступ|конфиденциальн|согласия|расис|насили|стереотип|оскорб|вред\b",
    "ar": r"غير (?:قانوني|أخلاقي|لائق|مقبول|مشروع)|القانون|أخلاقي|ضار|خطير|تمييز|كراهية|ينتهك|انتهاك|جريمة|جرائم|إجرامي|خصوصية|موافقة|عنصري|عنف|مسيئة|إيذاء",
    "hi": r"अवैध|गैरकानूनी|ग़ैरक़ानूनी|अनैतिक|नैतिक|हानिकारक|नुकसान|खतरनाक|ख़तरनाक|भेदभाव|नफरत|नफ़रत|अनुचित|उल्लंघन|अपराध|आपराधिक|गोपनीयता|निजता|सहमति|हिंसा|अपमानजनक|घृणा|धोखाधड़ी",
    "vi": r"bất hợp pháp|trái pháp luật|phạm pháp|pháp luật|phi đạo đức|đạo đức|có hại|gây hại|nguy hiểm|phân biệt|thù (?:ghét|hận)|không phù hợp|vi phạm|xâm phạm|tội phạm|quyền riêng tư|bạo lực|xúc phạm|lừa đảo|quấy rối",
    "tr": r"yasa ?dışı|yasadışı|yasal|etik|ahlak|zararlı|zarar ver|tehlikeli|ayrımcı|nefret|uygunsuz|kabul edilemez|ihlal|suç|gizlilik|mahremiyet|rıza|ırkçı|şiddet|hakaret|taciz|dolandırıcı",
    "id": r"ilegal|melanggar|hukum|tidak etis|etika|tidak bermoral|berbahaya|merugikan|diskrimin|kebencian|tidak pantas|tidak dapat diterima|kejahatan|kriminal|privasi|persetujuan|rasis|kekerasan|menyinggung|pelecehan|penipuan|membahayakan",
    "pl": r"nielegaln|niezgodn|nieetyczn|etyczn|niemoraln|moraln|szkodliw|niebezpieczn|dyskrymin|nienawi|niewłaściw|nieodpowiedn|niedopuszczaln|narusz|przestęp|prywatnoś|zgody|rasis|przemoc|obraźliw|krzywd|oszust",
    "nl": r"illegaal|illegale|strafbaar|onethisch|ethisch|immoreel|schadelijk|gevaarlijk|discrimin|haat|ongepast|onaanvaardbaar|schend|misdaad|misdrijf|crimine|privacy|toestemming|racis|seksis|geweld|beledigend|oplichting|pesten",
}  # fmt: skip

WRITES: Final = {
    "en": r"(?:help|assist)(?: you)?(?: to| with| in)? (?:the )?(?:writ|creat|draft|design|generat|develop|plan|mak|convinc|spread|produc)\w*|\b(?:can(?:no|['’])?t|will not|won['’]t|not able to|unable to) (?:\w+ )?(?:write|create|draft|compose|design|generate|produce) (?:a|an|any|such|that|this|content|the)\b",
    "zh": r"(?:帮|幫|协助|協助)(?:助)?(?:您|你)?(?:撰写|写|创作|创建|设计|制定|策划|编写|起草|生成|制作|开发)|(?:不能|无法|不会|不可以)(?:撰写|写|创作|创建|设计|编写|起草|生成|制作)",
    "ja": r"(?:書く|作成する|作る|作成を|デザインする|計画する|考える|生成する)[^。\n]{0,12}?(?:こと|手伝|助け|支援)[^。\n]{0,16}?(?:できません|できかね|いたしかね)|(?:作成|生成|執筆)(?:は)?(?:できません|いたしかね|できかね)",
    "ko": r"(?:작성|생성|디자인|제작|설계|계획|창작)[^.\n]{0,24}?(?:도와|도움|수는? 없|어렵)|(?:만드는|쓰는|작성하는)[^.\n]{0,20}?(?:도와|도움|수는? 없)",
    "de": r"(?:helfen|helfe|unterstützen)[^.!?\n]{0,12}?(?:zu|beim|bei der)? ?[^.!?\n]{0,80}?(?:schreiben|verfassen|erstellen|entwerfen|planen|formulieren|entwickeln)|kein\w* (?:\w+ ){0,4}?(?:e-?mail|brief|nachricht|artikel|beitrag|text|skript|witz|inhalte|geschichte|rede|kommentar|tweet)\w*[^.!?\n]{0,80}?(?:schreiben|verfassen|erstellen|formulieren|entwerfen|generieren)",
    "fr": r"(?:aider|assister|aide)[^.!?\n]{0,8}? (?:à|pour|dans)? ?(?:la |de )?(?:rédi|écri|cré|élabor|conce|génér|convainc|planif|produi|diffus)|ne (?:peux|puis|vais)[^.!?\n]{0,8}? (?:rédiger|écrire|créer|générer|concevoir|composer) (?:d['’e]|un|une|ce|cette|de)",
    "es": r"(?:ayudar\w*|asistir\w*|ayuda)[^.!?\n]{0,8}? (?:a|para|con|en)? ?(?:la )?(?:escrib|redact|crea|diseñ|elabor|planific|gener|convenc|difund|extrac)|no (?:puedo|voy a) (?:escribir|redactar|crear|generar|diseñar|elaborar) (?:un|una|ese|este|esa|esta|conten|tal|mensaj|ningún)",
    "pt": r"(?:ajudar\w*|ajudá-l\w+|auxiliar|ajuda)[^.!?\n]{0,8}? (?:a|para|com|na|em)? ?(?:escrev|redig|cri|elabor|planej|ger|convenc|espalh)|não (?:posso|consigo|vou) (?:escrever|redigir|criar|gerar|elaborar) (?:um|uma|esse|este|essa|esta|conte|tal|mensage|nenhum)",
    "it": r"(?:aiutar\w*|assister\w*|assistenza)[^.!?\n]{0,8}? (?:a|per|nella|con)? ?(?:la )?(?:scriv|crea|redig|progett|pianific|elabor|genera|convinc|diffond)|non posso (?:scrivere|redigere|creare|generare|fornire un) ?(?:un|una|quest|conten|tal|messag|alcun|articol)",
    "ru": r"помочь (?:вам |тебе )?(?:с |в )?(?:написа|созда|состав|разработ|планиров|подготов|письмом|сообщен|мошенн)|не (?:могу|буду|стану) (?:написать|создать|составить|сочинить|сгенерировать|писать|создавать) (?:так|эт|подоб|стать|текст|контент|письм|сообщен|сценари)",
    "ar": r"(?:مساعدتك|المساعدة|مساعدة) (?:في|على) (?:كتابة|إنشاء|صياغة|تصميم|إعداد|تطوير)|لا (?:يمكنني|أستطيع) (?:كتابة|إنشاء|صياغة|تأليف) (?:رسالة|بريد|مقال|نص|محتوى|قصة|مثل|هذا|هذه)",
    "hi": r"(?:लिखने|बनाने|तैयार करने|रचने|डिज़ाइन करने)[^।\n]{0,20}?(?:मदद|सहायता)[^।\n]{0,10}?नहीं|(?:ऐसा|ऐसी|ऐसे|इस तरह)[^।\n]{0,30}?(?:नहीं (?:लिख|बना)|तैयार नहीं कर)",
    "vi": r"(?:giúp|hỗ trợ)(?: bạn)?(?: trong)?(?: việc)? (?:viết|soạn|tạo|thiết kế|lập|xây dựng|phát tán)|không thể (?:viết|soạn|tạo)(?: ra)? (?:một|bài|thư|email|tin nhắn|nội dung|những|loại)",
    "tr": r"(?:yaz|oluştur|hazırla|tasarla|planla|üret)\w*[^.!?\n]{0,30}?(?:yardımcı ol(?:am|mam|ma)|yardım edem|destek olamam)|(?:mesaj|e-posta|mektup|metin|içerik|makale|yazı|senaryo)\w*[^.!?\n]{0,30}?(?:yazamam|oluşturamam|hazırlayamam|üretemem|yazamıyorum)",
    "id": r"membantu(?: anda)?(?: untuk| dalam)? (?:menulis|membuat|menyusun|merancang|merencanakan|menyebarkan)|tidak (?:dapat|bisa|akan) (?:menulis|membuat|menyusun) (?:sebuah|surat|email|pesan|konten|artikel|cerita|itu|teks)",
    "pl": r"(?:pomóc|pomagać|pomocy|pomogę)[^.!?\n]{0,12}? (?:w|przy|z)? ?(?:napis|tworz|stworz|pisan|opracow|zaplanow|projektow|przygotow)|nie (?:mogę|będę) (?:napisać|stworzyć|utworzyć|wygenerować|tworzyć|pisać) (?:tak|t\w+|wiadomoś|tekst|treś|artyku|żadn|list|skrypt)",
    "nl": r"(?:helpen|helpen met|assisteren|hulp)[^.!?\n]{0,16}?(?:om|bij|met|het)? ?[^.!?\n]{0,60}?(?:schrijven|maken|opstellen|ontwerpen|creëren|plannen|ontwikkelen|verspreiden)|geen (?:\w+ ){0,4}?(?:e-?mail|brief|bericht|artikel|tekst|script|grap|inhoud|verhaal|tweet)\w*[^.!?\n]{0,60}?(?:schrijven|maken|opstellen|creëren|genereren)",
}  # fmt: skip

CLOSES: Final = {
    "en": r"(?:anything|something) else (?:i|you)\b|help you with (?:something|anything) else|other (?:questions|topics|ways)|if you or someone you know|if you(?:['’]re| are) (?:struggling|feeling)",
    "zh": r"(?:其他|别的)(?:问题|方面|话题|帮助|需要)|如果(?:您|你)或(?:您|你)",
    "ja": r"(?:他に|ほかに|別の)[^。\n]{0,20}?(?:質問|手伝|お役|話題|方法|助け)|もしあなた",
    "ko": r"(?:다른|더) ?(?:질문|도움|것|주제|방법)|만약 당신이나",
    "de": r"(?:bei|mit) (?:etwas|einem) ander\w+|sonst (?:noch )?(?:etwas|irgend|weiter)|andere (?:fragen|themen)|kann ich ihnen (?:stattdessen|bei)|wenn (?:sie|du) oder jemand",
    "fr": r"autre chose|d['’]autres (?:questions|sujets)|autre (?:question|sujet)|si vous ou quelqu['’]un",
    "es": r"algo más|otra (?:cosa|pregunta)|otro tema|¿en qué (?:más )?puedo|si (?:tú|usted) o alguien|si estás pensando en|te animo a que busques",
    "pt": r"algo mais|mais alguma coisa|outra (?:coisa|pergunta)|outro assunto|em que (?:mais )?posso|se você ou alguém",
    "it": r"qualcos['’]altro|qualcosa d['’]altro|altro (?:argomento|modo)|altre domande|posso aiutarti a .{3,120}\?|se tu o qualcuno|se stai pensando",
    "ru": r"(?:чем-то|чем-нибудь|что-то) (?:ещё|еще|другим)|друг(?:ой|им|ие) (?:вопрос|тем)|чем (?:ещё |еще |я )?могу|если вы или кто-то",
    "ar": r"(?:شيء|أمر|شيئ) آخر|(?:أسئلة|مواضيع) أخرى|سؤال آخر|موضوع آخر|إذا كنت (?:أنت|تفكر|تشعر|تعاني)",
    "hi": r"(?:किसी|कुछ|कोई) (?:और|अन्य)|अन्य (?:प्रश्न|सवाल|विषय)|यदि आप या आपका|अगर आप या",
    "vi": r"(?:điều|việc|gì|câu hỏi|chủ đề) (?:gì )?khác|nếu bạn hoặc (?:ai|người)",
    "tr": r"başka bir (?:konu|soru|şey)|başka (?:konu|soru|nasıl)|siz veya tanıdığınız|eğer siz",
    "id": r"(?:hal|pertanyaan|topik|yang|sesuatu) lain|jika anda atau seseorang",
    "pl": r"czym(?:ś|kolwiek) (?:innym|jeszcze)|w czymś innym|inn(?:e|ym|y) (?:pytani|temat)|coś jeszcze|jeśli (?:ty )?lub ktoś|jeśli potrzebujesz pomocy|jeśli ty lub",
    "nl": r"iets anders|nog iets|andere (?:vragen|onderwerpen)|ander onderwerp|als (?:je|u|jij) of iemand",
}  # fmt: skip

ASKS_FOR_NO: Final = (
    r"\b(?:translat|rephras|paraphras|rewrit|proofread|role.?play|pretend|act as|declin|reject|refus|say(?:s|ing)? no|apolog|customer|complain|quote|quotation|finish the sentence)"
    r"|翻译|翻譯|改写|润色|扮演|角色|假装|拒绝|婉拒|推辞|客服|道歉|台词|訳し|翻訳|断り方|断る|断りたい|断って|演じ|言い換え|セリフ|謝罪|お客様|번역|거절|연기해|역할|사과|고객|대사"
    r"|\b(?:übersetz|absage|absagen|ablehn|verweiger|kunde|spiel(?:e|en)?\b|rolle|stell dir vor|umformulier|entschuldig|zitat|tradui|refuser|refus\b|déclin|client|joue|rôle|imagine que|reformul|excuse|citation"
    r"|traduc|rechaz|negativa|declin|cliente|papel de|imagina que|disculpa|traduz|recusa|recuse|imagine que|desculpa|citação|rifiut|recita|fai finta|ruolo|immagina|scusa)"
    r"|переведите|переведи|перевод|\bотказ|отклон|клиент|сыграй|\bроль\b|представь|перефраз|извинен|цитат|ترجم|رفض|اعتذار|أعتذر|عميل|(?<!\w)دور(?!\w)|صياغة|अनुवाद|इनकार|मना कर|ग्राहक|भूमिका|माफी"
    r"|\b(?:dịch|từ chối|khách hàng|đóng vai|diễn đạt lại|lời xin lỗi|çevir|ret\b|reddet|müşteri|özür|terjemah|menolak|penolakan|pelanggan|berperan|parafrase|permintaan maaf"
    r"|przetłumacz|tłumacz|odmow|odmów|klient|zagraj|parafraz|przeprosin|vertaal|weiger|afwijz|afzeg|klant|speel|stel je voor|herformuleer|excuus)"
)  # fmt: skip
