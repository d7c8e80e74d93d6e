"""Refusals: the words with which models decline, in 17 languages, and what tells a refusal from a text that says no.

One list for the cleaning rule and for the validators of answers. A refusal is an answer that says of *itself* that it
will not or cannot answer: *I can't help with that*. A mail that declines, a shop that gives no refund, a translation,
a quotation and a role say no, too, and are answers. So the words alone do not decide:

- explicit words name the request, the help or the model ("this request", "as an AI"); general ones ("I cannot give ...")
  may be somebody's own, and do not count where everyday matters are spoken of, or where a text was asked for;
- where the question asks for a text that may say no (a translation, a mail, an example, a role), no words count;
- an answer that goes on to answer is none; an offer of other help is no answer;
- "I do not know" and "the text does not say" are answers: they are what questions without an answer are for.

Where the lists find nothing, `refusal_judge` says whether a short answer reads like a refusal all the same, and an answer to
a harmful question that only says how wrong that is (a lecture) is one without a word of declining.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages import languages, refusal_judge
from corpus_pipeline.stages.first_look import MayMatch
from corpus_pipeline.stages.refusal_limits import ASKS_FICTION, NOT_DONE, OWN_LIMITS, STAYS_OUT, THREATENS, WHATEVER
from corpus_pipeline.stages.refusal_reasons import (
    ASKS_FOR_NO,
    CLOSES,
    DECLINES,
    JUDGES,
    OF_WHOM,
    OPINION,
    WRITES,
    WRONG,
)


class Strength(StrEnum):
    """How surely words are a model's refusal."""

    EXPLICIT = "explicit"
    GENERAL = "general"
    LIKELY = "likely"  # no words of the lists: the second judge, or a lecture in answer to a harmful question


class _Language(NamedTuple):
    """Patterns of one language, in lower case. lead: what may stand before; explicit and general: what is not done."""

    lead: str
    explicit: str
    general: str
    everyday: str = r"(?!)"  # matters of people and shops
    goes_on: str = r"(?!)"
    offers: str = r"(?!)"  # a closing sentence that offers other help
    helps: str = r"(?!)"  # an offer of help without the help
    limits: str = r"(?!)"  # what is said of the limits of the one who answers
    apologises: str = r"(?!)"  # an apology, and that one cannot, whatever it is
    asks: str = r"(?!)"  # a question that asks for a text which may say no
    asks_text: str = r"(?!)"  # a question that asks for a text at all
    harmful: str = r"(?!)"  # a question that is rightly refused


_EN_CANNOT = (
    r"(?:can(?:no|['’])?t(?: and (?:will|do|must|should) not)?|can not|could(?: not|n['’]t)|(?:sh|w)ould(?: not|n['’]t)|won['’]t|will not|(?:must|have to|need to) (?:\w+ )?(?:decline|refuse)(?: to)?|refuse to"
    r"|(?:(?:am|['’]m|be) (?:\w+ )?(?:unable|not (?:\w+ )?(?:able|allowed|permitted|programmed|designed|capable|comfortable|going|authorized|equipped)(?: of)?)(?: to)?)"
    r"|(?:do not|don['’]t) feel comfortable)"
)
_EN_REQUEST = r"(?:this|that|your|the|such|these|those|any such) (?:\w+ ){0,2}?(?:requests?|questions?|prompts?|tasks?|query|queries|topic|content|information|instructions?|conversation|type of|kind of)"

LANGUAGES: Final[dict[str, _Language]] = {
    "en": _Language(
        lead=r"(?:(?:i|we)(?:['’]?m| am|['’]re| are)? (?:\w+ )?(?:sorry|afraid)|(?:\w+ )?sorry|i (?:do |sincerely )?apologi[sz]e|(?:my |our )?(?:sincere )?apologies|i regret|unfortunately|regrettably|as an? |no\b|i understand|i appreciate|thank you|while i|i['’]m (?:just|only) an|i am (?:just|only) an|this request|that['’]s not|it['’]s not|it is not)",
        explicit=rf"\bi (?:just |simply |really |also )?{_EN_CANNOT}(?: be able to)? (?:\w+ ){{0,2}}?(?:(?:assist|help)(?: you)?(?: further| any further)?(?:$|[.!,;]| (?:with|on|in) (?:that|this|it|your|the|such|these|those|any)\b)|comply|(?:do|say|write|answer|share|discuss|fulfil+|support|continue|process|complete) (?:that|this|it|so)\b|(?:\w+ )?{_EN_REQUEST}|provide (?:an? (?:\w+ )?(?:answer|response)|(?:\w+ )?(?:instructions|information|guidance|assistance|advice|details|opinions?|content))|answering|engage in (?:discussions?|conversations?|this|that|such)|continue (?:this|the|with))"
        rf"|\bas an? (?:\w+ )?(?:ai|artificial intelligence|language model|large language|virtual assistant)\b[^.!?\n]{{0,80}}?\bi (?:{_EN_CANNOT}|(?:do not|don['’]t|lack)\b)"
        r"|\bi(?:['’]m| am) (?:just |only )?an? (?:ai|artificial intelligence|language model|virtual assistant)\b[^.!?\n]{0,60}?\b(?:can(?:no|['’])t|cannot|(?:do not|don['’]t)|unable)"
        r"|\bi (?:do not|don['’]t) think i can (?:assist|help)|\bi have no access|\bi (?:do not|don['’]t|lack)(?: currently)? (?:have )?(?:the (?:ability|capability|capabilities|capacity)|access to|real-time|personal (?:opinions|feelings|experiences))"
        r"|\bi (?:must|have to|would (?:have to)?|['’]d rather) (?:respectfully )?(?:not answer|decline|refuse)(?: (?:this|that|to answer|your)|[.!]?$)"
        r"|\b(?:it is|it['’]s|it would be) (?:not|in)[ ]?(?:appropriate|ethical|possible) for me to|\b(?:that|this)(?: is|['’]s) (?:not something i (?:can|am able)|something i (?:can(?:no|['’])t|cannot))"
        r"|\bit (?:is|would be) (?:not|neither) (?:(?:ethical|legal|safe|appropriate|right|productive|acceptable|responsible)[ ,]+(?:or |and |nor )?){1,3}(?:for me )?to (?:ask for|ask how|ask about|discuss|provide|request|engage|give|make (?:fun|jokes?)|generate|share|assist|help)\b"
        r"|\b(?:this|your) (?:request|question|prompt) (?:violates|goes against|is (?:against|inappropriate|not appropriate))|\bi(?:['’]m| am) not (?:\w+ )?(?:programmed|privy) to|\bas an? (?:\w+ )?(?:ai|artificial intelligence|language model)\b[^.!?\n]{0,60}?\b(?:i(?:['’]m| am) not|it (?:is|would be|goes) (?:not|against|in))\b|\b(?:my|our) (?:guidelines|programming|policies|policy|content policy) (?:\w+ )?(?:prevents?|do(?:es)? not|don['’]t|prohibits?)",
        general=rf"\bi ?(?:just |simply )?{_EN_CANNOT}(?: be able to)? (?:\w+ )?(?:assist|help(?! but)|provid|compl|answer|creat|generat|writ|engag|participat|discuss|support|offer|shar|give|respond|brows|access|perform|process|produc|recommend|promot|endors|encourag|condon|order|book|send|purchas|disclos|reveal|diagnos|see|view|open|play|make (?!it\b)|fulfil|display|show|continue|describ|prescrib|advis|suggest (?:ways|how|any)|tell (?:jokes|stories|you (?:how|what|who))|identify|endors|fabricat|speculat|impersonat|facilitat)|\bi (?:do not|don['’]t) (?:\w+ )?(?:(?:create|generate|provide|share|endorse|support|promote|produce|engage in|make|tell|write|use|discuss|give)(?: or (?:create|generate|provide|share|endorse|support|promote|disparage))?) (?:\w+ ){0,3}?(?:content|jokes?|stories|insults?|fun of|advice|material|materials|instructions|information|stereotypes?|language|behaviou?rs?|violence|harm|hate\w*|activit\w+)",
        everyday=r"\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|tonight|today|weekend|refunds?|invoice|warranty|delivery|shipment|booking|appointment|meeting|party|wedding|kind regards|best regards|sincerely|dear (?:mr|ms|mrs|sir|\w+,)|my (?:back|boss|wife|husband|son|daughter|car|kids?)|love,|thee|thou|stranger|traveller|ye)\b",
        goes_on=r"\b(?:however|that (?:being )?said|nevertheless|instead|here(?:['’]s| is| are)|but (?:i can(?!['’n])|here|you (?:can|could|might)|most|it|generally|in general|based)|(?<!something )(?<!think )i can (?:still )?(?:help|offer|provide|suggest|try|give|tell|explain|summari))\b|```",
        offers=r"anything else|any other|something else|another|feel free|let me know|other (?:questions|topics)|different (?:topic|question)|\binstead,? (?:let['’]?s (?:focus|talk|strive|try to|discuss|work)|we (?:should|can|could) (?:focus|strive|talk)|(?:please )?(?:consider|focus|seek)\b|i (?:would )?(?:suggest|recommend|encourage|urge) (?:that )?(?:you )?(?:to )?(?:focus|seek|find|consider|talk|reach|look))|\blet['’]s (?:instead )?focus",
        asks=r"\b(?:translat\w*|rephrase|paraphrase|rewrite|correct|proofread|summari[sz]e|quote|role.?play|pretend|act as|play (?:a|the|an)\b|imagine you|you are an? (?!(?:\w+ )?(?:ai|assistant|helpful))|repl(?:y|ies) to|respond to|answer this|answer the (?:customer|mail|email)|excuse|declin\w*|reject\w*|refus\w*|say(?:s|ing)? (?:no|that)|apolog\w*|complain\w*|customer|example of|what did|what does .{0,40} (?:mean|say)|finish the sentence|complete the sentence|write what|what (?:a|an|the|his|her) .{0,30} says?|(?:first|third) person|in (?:a|my|our|the|his|her) (?:play|novel|film|movie|comic|game|show)|(?:scene|line|sentence|dialogue|conversation) (?:in which|where)|the mood)\b",
        asks_text=r"\b(?:(?:e-?)?mails?(?!\w|['’]?s?,? (?:addresse?s?|accounts?|ids?|passwords?|log-?ins?)\b)|letter|message to|text message|dialogue|conversation between|script|(?:line|scene|sentence|verse|poem|story) (?:of|from|for|with|about)|monologue|speech)\b",
        helps=r"\bi(?:['’]d| would| can| could|['’]m| am)(?: \w+){0,2}? (?:help|assist|guide|support|answer|discuss|talk|draft|direct|provide)\b[^:]{0,200}\Z",
        limits=r"\bi (?:can|am (?:only )?able to|am programmed to) only (?:answer|help|assist|discuss|respond|provide|talk|process)|\bi(?:['’]m| am) only (?:able|programmed|designed|here) to|\b(?:outside|beyond|out of|exceeds?|not within) (?:of )?(?:my|the) (?:scope|capabilit\w+|abilit\w+|area|domain|expertise|knowledge)\b",
        apologises=rf"\b(?:sorry|apologi[sz]e|regret|unfortunately|afraid)\b[^.!?\n]{{0,30}}?\bi ?(?!could|would|should){_EN_CANNOT}(?: be able to)? (?!(?:\w+ )?(?:come|go|swim|cook|dance|ride|find (?:my|the|it|him|her)|make it|attend|join|stay|wait|believe|imagine|remember|afford|pay|meet|see you|be (?:there|here|with)|do it|talk (?:right )?now|sleep|eat|drive|walk|lend|marry|love|leave|accept|refund|exchange|deliver|ship|be more|thank|take it|have (?:any|been|it)|say (?:i|it|no|yes)|agree|complain|promise|stand|work)\b)(?![^.!?\n]{{0,80}}\b(?:without (?:\w+ )?(?:more|additional|further|any|knowing|seeing)|given only|from (?:only|just|these|the given))\b)\w",
        harmful=r"\b(?:bombs?|explosives?|kill|murder|weapons?|poison\w*|hack\w*|steal\w*|stolen|rob|break into|pick a lock|suicide|self.?harm|hurt (?:myself|someone|him|her|people)|meth\w*|cocaine|heroin|lsd|fentanyl|malware|ransomware|virus to|phish\w*|counterfeit|forge\w*|launder\w*|stalk\w*|spy on|rape|molest|child porn|racis[mt]\w*|slurs?|hate speech|genocide|terroris[mt]\w*|kidnap\w*|blackmail|extort\w*|cheat on|illegal\w*|nazi|torture|ddos|credit card numbers|identity theft|scam\w*|fraud|without (?:a trace|(?:her|his|their) (?:consent|knowledge))|mean rumou?r|harass\w*|bully\w*|overdose|nude|porn\w*)\b",
    ),
    "zh": _Language(
        lead=r"(?:我(?:理解|明白|知道|必须)|首先|请注意|(?:很|非常|十分|实在|真的)?(?:抱歉|遗憾|遺憾|对不起|對不起)|不好意思|恐怕|作为|作為|身为|我是|我只是|您的|根据)",
        explicit=r"(?:无法|無法|不能|不(?:方)?便|没办法|没有办法|无权|不可以|不会|拒绝|暂时无法)[^。！？\n]{0,8}?(?:满足|滿足|回答|回应|協助|协助|提供|处理|處理|讨论|討論|执行|完成|生成)[^。！？\n]{0,8}?(?:请求|請求|要求|问题|問題|需求|任务|信息|資訊|内容|話題|话题|帮助|指导|服务|建议|天气|操作|类)|(?:问题|请求|要求)[^。！？\n]{0,6}?我?(?:无法|不能|不便)(?:回答|满足|提供|处理)|我(?:无法|不能|没有办法)(?:协助|帮助)(?:您|你)|(?:作为|作為|身为|我是)(?:一个|一個|一名|一款|一位|您的)?(?:ai|人工智能|人工智慧|大?语言模型|語言模型|智能助手|虚拟助手|聊天机器人)[^。！？\n]{0,24}?(?:无法|無法|不能|没有|沒有|不会|不便|不具备)|违反(?:了)?(?:我的|相关)?[^。！？\n]{0,6}?(?:准则|政策|规定)|超出(?:了)?我的(?:能力|知识|职责)|(?<![您你])没有(?:能力|权限)(?:访问|查看|回答|提供|执行|打开)|不会(?:参与|回答|提供|协助)(?:这|此|任何|该)|不(?:方|太方)?便(?:多)?(?:讨论|谈论|回答|透露|提供|说)|(?:话题|内容|问题)(?:比较|较为|很|过于|有些|有点)?敏感[^。！？\n]{0,6}(?:我)?(?:不|无法)|不能帮(?:您|你)这个忙|不能帮助您做|我不(?:想|愿意?)(?:讨论|回答|谈论)(?:这|该)|不能协助任何",
        general=r"我?(?:无法|無法|不能|没办法|没有办法|不便|不会|拒绝)[^。！？\n]{0,12}?(?:提供|回答|帮|幫|协助|協助|满足|滿足|完成|生成|执行|处理|撰写|写|创建|查看|讨论|继续|给出|回复|支持|访问)|不能这样做|做不到",
        everyday=r"周[一二三四五六日末]|星期|今天|明天|今晚|改天|聚会|会议|退款|退换|订单|发货|维修|快递|请假|手头|职位|您好|此致|通行证|客官",
        goes_on=r"但(?!是?，?(?:我)?(?:无法|不能|不可以))|不过|然而|我可以(?!不|提供[^，。\n]{0,30}，但)|以下|可以尝试|建议您可以",
        offers=r"其他|别的|另外|换一个|随时",
        limits=r"不在我的(?:能力|服务|职责)|(?:请求|請求|问题|内容|指令|操作)[^。！？\n]{0,12}?(?:被|已)[^。！？\n]{0,8}?(?:拦截|攔截|拒绝|阻止)|我?(?:只能|仅能|只会|僅能)(?:回答|提供|协助|帮助|处理)[^。！？\n]{0,20}?(?:问题|相关|方面|信息)|超出(?:了)?[^。！？\n]{0,6}?(?:范围|能力)",
        apologises=r"(?:抱歉|对不起|對不起|遗憾|不好意思|恐怕|不安全|非法|违法)[^。！？：:\n]{0,16}?我?(?:不能|无法|無法|不便|不可以|没办法)(?!(?:来|去|参加|到|等|接受|付|赴|见|出席|陪|退))",
        helps=r"我可以(?:帮|為|为|协助)|我很乐意|可以帮",
        asks=r"翻译|翻譯|改写|润色|扮演|角色|假装|拒绝|婉拒|推辞|推脱|写(?:一)?(?:封|句|条|段)|邮件|回复|回信|客服|道歉|例子|举例|造句|什么意思|说了什么|台词|对话",
        harmful=r"炸弹|爆炸|杀|毒|武器|枪|黑客|入侵|偷|盗|抢|自杀|自残|毒品|病毒|木马|钓鱼|伪造|洗钱|跟踪|偷窥|监视|强奸|色情|种族|歧视|恐怖|绑架|勒索|诈骗|违法|非法|作弊|开锁|撬",
    ),
    "ja": _Language(
        lead=r"(?:(?:大変|誠に)?申し訳|すみませ|恐れ入り|ごめん|残念ながら|ai|私は|人工知能|ご期待|お力|その|そのよう|この|倫理)",
        explicit=r"(?:リクエスト|ご?要望|ご?要求|ご?依頼|質問|ご質問|その件|お問い合わせ|情報|内容|話題|コンテンツ)[^。\n]{0,16}?(?:お?応え|お?答え|お?受け|対応|応じ|提供|お話し|生成|お手伝い)[^。\n]{0,10}?(?:できません|できかねます|いたしかねます|られません|かねます)|お(?:手伝い|力添え|答え|応え|話し)(?:することは|する事は)?[^。\n]{0,4}?(?:できません|できかね|いたしかね)|対応(?:できません|いたしかねます|できかねます)|申し上げられません|お話しできません|お力になれず|お力になれません|(?:ai|人工知能|言語モデル|アシスタント)[^。\n]{0,40}?(?:できません|ありません|持っていません|持ちません)|(?:違法|不正|有害)[^。\n]{0,20}?(?:できません|行えません|いたしかねます)|機能(?:が|は)(?:ありません|ございません)",
        general=r"(?:協力|対応|回答|提供|生成|作成|お答え|お応え|お手伝い|開示|送信|実行|共有|ご案内|お伝え)(?:する)?(?:こと)?(?:は|が)?でき(?:ません|かね)|\Aできません。?\Z|(?:申し訳|すみませ|恐れ入|ごめん|残念)[^。\n]{0,12}?[。、,\s]?[^。\n]{0,40}?(?:できません|できかねます|いたしかねます)",
        everyday=r"金曜|月曜|火曜|水曜|木曜|土曜|日曜|今夜|明日到着|会議|返品|返金|修理|商品|注文|飲み会|仕事で|採用|通行証|到着",
        goes_on=r"しかし|ただし|ですが、一般|代わりに|以下|ただ、",
        offers=r"他に|ほかに|別の",
        limits=r"(?:対応|範囲|専門|能力)(?:の)?(?:範囲)?(?:外|を超え)|(?:のみ|だけ)(?:に)?(?:お答え|対応|回答|お手伝い)|(?:提供|議論|お答え|お手伝い|対応|回答)できるものではあり",
        apologises=r"(?:申し訳|すみませ|恐れ入|ごめん|残念)[^。\n]{0,50}?(?:できません|できかねます|いたしかねます|出来ません|かねます|(?<!行け)(?<!来られ)(?<!参加でき)(?<!待て)ません(?:ので)?。)",
        helps=r"お手伝い(?:できます|します|いたします|させて)|喜んで",
        asks=r"返事|訳し|翻訳|断り方|断る|断りたい|断って|メール|手紙|返信|演じ|役|例文|例を|言い換え|セリフ|謝罪|お客様",
        harmful=r"爆弾|殺|毒|武器|ハッキング|ハッカー|盗|自殺|麻薬|マルウェア|ウイルス|偽造|詐欺|ストーカー|違法|差別|テロ|誘拐|ポルノ",
    ),
    "ko": _Language(
        lead=r"(?:아니요|아니오|안 됩니다|죄송|미안|유감|안타깝|저는|인공지능|ai|그 |그런|그러한|이 |해당)",
        explicit=r"(?:요청|질문|정보|내용|주제|작업|부분|답변|도움|기능|이미지|활동)[^.\n]{0,24}?(?:수 없|어렵습니다|어려워요|불가능|거절|없습니다)|(?:도와|도움을)[^.\n]{0,6}?(?:드릴|줄|도울)? ?수 없|말씀드릴 수 없|도울 수 없|(?:ai|인공지능|언어 모델|어시스턴트)[^.\n]{0,50}?(?:수 없|없습니다|않습니다)|요청[은는]? ?거절",
        general=r"(?:죄송|미안|유감)[^.\n]{0,50}?(?:수 없|어렵습니다)",
        everyday=r"금요일|토요일|일요일|오늘|내일|(?<!위원)회의|환불|상품|수리|택배|야근|통행증|없소|함께할|건승|퇴근",
        goes_on=r"(?<!송)(?<!지)하지만 (?!.{0,20}없)|(?<!니)다만|대신|그러나|다음은",
        offers=r"다른 (?:질문|도움)|더 필요",
        limits=r"범위 밖|제 (?:역할|영역)이 아니|도와드리기 어려|만 도와드|답변(?:을 )?드릴 수 없|(?:질문|주제|내용|정보)[^.\n]{0,4}?(?:에만|만) (?:답변|제공|도와|대답|안내)|범위를 (?:벗어|넘)|(?:의견|감정|능력|권한|기능)[^.\n]{0,6}?(?:가지고|갖고) 있지 않",
        apologises=r"(?:죄송|미안|유감|안타깝)[^.\n]{0,60}?(?:수(?:는|가)? ?없|어렵습니다|불가)",
        helps=r"도와드(?:릴|리)|도움을 드리|물어보세요",
        asks=r"번역|거절|메일|편지|답장|연기해|역할|예를|예문|사과|고객|통지|대사",
        harmful=r"폭탄|살인|죽이|독약|무기|해킹|훔치|자살|마약|악성|위조|사기|스토킹|불법|차별|테러|납치|음란",
    ),
    "de": _Language(
        lead=r"(?:nein\b|ich (?:verstehe|entschuldige)|es tut mir (?:\w+ )?leid|tut mir leid|entschuldig\w+|verzeih\w*|leider|bedauerlicherweise|sorry|als (?:ki|künstliche|sprachmodell|ai)|da ich|diese anfrage|das kann)",
        explicit=r"\b(?:das|dabei|damit|dazu|hierbei|bei dieser anfrage) kann ich (?:\w+ )?(?:\w+ )?(?:nicht|nichts|keine)|\bich kann (?:\w+ ){0,2}?(?:dabei|damit|dazu|hierbei|bei (?:dieser|diesem|ihrer|deiner)) (?:\w+ ){0,2}?(?:nicht|nichts|keine)|\bich (?:kann|darf|werde|möchte|muss)[^.!?\n]{0,40}?(?:diese[rmns]?|solche|deine|ihre) (?:\w+ )?(?:anfrage|frage|bitte|aufgabe|informationen|inhalte|wunsch|thema)|\b(?:kann|darf) ich[^.!?\n]{0,30}?(?:diese[rmns]?|solche|deine|ihre) (?:\w+ )?(?:anfrage|frage|bitte|informationen|inhalte)|\b(?:bin|sehe mich)[^.!?\n]{0,12}?(?:nicht (?:in der lage|befugt|berechtigt)|außerstande)|\bich kann ihnen diese informationen|\b(?:als|da ich)[^.!?\n]{0,24}?(?:ki|künstliche intelligenz|sprachmodell|ai)\b[^.!?\n]{0,60}?(?:nicht|keine?n?)\b|\bich kann keine (?:anleitung|informationen|auskunft|inhalte|bilder|ratschläge|links)|\b(?:dazu|darüber) möchte ich mich (?:\w+ )?nicht|\bkeinen zugriff auf|\b(?:kann|darf) ich (?:\w+ )?keine (?:auskunft|anleitung|informationen|inhalte|bilder)|\bich werde dabei nicht|\bmuss (?:diese|ihre|deine)[^.!?\n]{0,30}ablehnen|\bist mir (?:leider )?nicht möglich,? (?:diese|ihre|deine|das)|verstößt gegen|\bkann (?:diesem|ihrem|deinem) (?:wunsch|anliegen) (?:\w+ )?nicht",
        general=r"\b(?:kann ich|ich kann|ich darf|darf ich)[^.!?\n]{0,50}?(?:nicht|keine?n?)[^.!?\n]{0,20}?(?:senden|öffnen|herunterladen|preisgeben|bestätigen|ausführen|verarbeiten|übersetzen|diskutieren|liefern|generieren|durchführen|bearbeiten|verfassen|anzeigen|empfehlen)|\bkann ich[^.!?\n]{0,50}?(?:nicht|keine)[^.!?\n]{0,20}?(?:helfen|geben|bereitstellen|beantworten|erstellen|unterstützen|zugreifen|nennen|anbieten|anzeigen)|\bich kann[^.!?\n]{0,50}?(?:nicht|keine)[^.!?\n]{0,20}?(?:helfen|geben|bereitstellen|beantworten|erstellen|unterstützen|zugreifen|nennen|anzeigen|weiterhelfen)",
        everyday=r"\b(?:montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?|heute|morgen|erstatten|erstattung|rechnung|paket|bestellung|reparatur|umzug|grüße|rücken|fremder|zimmer|stelle|feier)\b",
        goes_on=r"\b(?:jedoch|allerdings|aber ich kann(?![^.!?]*(?:nicht|kein))|stattdessen|hier (?:ist|sind)|trotzdem|dennoch|aber (?:im allgemeinen|meist))\b",
        offers=r"ander(?:e|en|em|s)|sonst|weitere",
        limits=r"\b(?:liegt|geht|übersteigt|ist)[^.!?\n]{0,12}?(?:außerhalb|über)?[^.!?\n]{0,6}?(?:mein\w*|des) (?:\w+ )?(?:fähigkeiten|möglichkeiten|aufgabe\w*|zuständigkeit\w*|bereich\w*|wissen\w*)|\b(?:ich (?:kann|darf)|(?:kann|darf) ich) (?:\w+ ){0,2}?(?:nur|ausschließlich|lediglich)[^.!?\n]{0,40}?(?:fragen|themen|auskunft|informationen|verarbeiten|bearbeiten|beantworten)|\bübersteigt mein|\bich habe keine (?:persönlichen|eigenen) (?:meinung|gefühle|emotion|überzeug|erfahr)",
        apologises=r"(?:tut mir (?:\w+ )?leid|entschuldig\w+|verzeih\w*|sorry|leider|bedaure\w*)[^.!?\n]{0,24}?\b(?:ich (?:kann|darf|werde)|kann ich|darf ich)\b(?![^.!?\n]{0,60}\b(?:kommen|teilnehmen|umzug|bezahlen|warten|treffen|dabei sein|mitkommen|vorstellen|glauben|erinnern|annehmen|bleiben|gehen|schlafen)\b)[^.!?\n]{0,90}?\b(?:nicht|kein\w*)\b|\bich kann das bild",
        helps=r"(?:helfe ich|kann ich|ich kann)[^.!?:\n]{0,60}?(?:helfen|weiter|unterstützen|beantworten)|helfe ich",
        asks=r"\b(?:übersetz\w*|absage|absagen|ablehn\w*|verweiger\w*|mail|e-mail|brief|nachricht|antworte (?:auf|dem|der)|kunde\w*|spiel\w*|rolle|stell dir vor|beispiel|umformulier\w*|entschuldig\w*|zitat|dialog)\b",
        harmful=r"bombe|sprengstoff|töten|mord|gift|waffe|hacken|stehlen|einbrechen|selbstmord|suizid|drogen|schadsoftware|fälsch|geldwäsche|stalken|illegal|rassis|terror|entführ|erpress|betrug",
    ),
    "fr": _Language(
        lead=r"(?:(?:je suis |nous sommes )?(?:\w+ )?(?:désolée?|navrée?)|malheureusement|je regrette|je m['’]excuse|excusez|toutes mes excuses|en tant qu|étant|pardon|cela|non\b|je comprends)",
        explicit=r"\bje ne (?:peux|puis|suis)[^.!?\n]{0,30}? (?:vous|t['’]|te )?\s?(?:aider|assister)(?:$|[.!]| (?:avec|dans|à) (?:cela|ça|cette|ce\b|votre|ta)| (?:pour|sur) ce)|\bje ne (?:peux|puis|suis|souhaite)[^.!?\n]{0,50}?(?:cette|ce|votre|ces|cela|ce type|ce genre|ta) ?(?:demande|question|sujet|requête|contenus?|informations?|type|genre|démarche)|\bje ne (?:peux|puis)[^.!?\n]{0,20}?(?:fournir|donner)[^.!?\n]{0,20}?(?:instructions|informations|conseils|opinion|réponse)|\b(?:en tant qu['’e ]|étant )[^.!?\n]{0,40}?(?:ia|intelligence artificielle|modèle|assistant)\b[^.!?\n]{0,50}?\bje n[e'’]|\bje ne suis pas (?:en mesure|capable|autorisée?|habilitée?|programmée?)|\bil m['’]est impossible de (?:répondre|fournir|satisfaire|vous)|\bje (?:dois|me dois de) (?:refuser|décliner)|\bje (?:refuse de|ne (?:vais|veux|souhaite) pas (?:répondre|vous aider|t['’]aider|discuter|faire cela))|\bje n['’]ai pas (?:accès|la (?:capacité|possibilité))|à l['’]encontre de (?:mes|mon|nos)|\bje préfère ne pas répondre|\bje ne peux pas (?:accéder|satisfaire|créer ce)",
        general=r"\bje ne (?:peux|puis) (?:pas )?(?:\w+ )?(?:envoyer|ouvrir|télécharger|révéler|montrer|confirmer|effectuer|exécuter|traiter|traduire|soutenir|produire|divulguer|communiquer|afficher)|\bje ne (?:peux|puis)[^.!?\n]{0,16}? (?:vous |t['’]|te )?(?:aider|fournir|répondre|générer|accéder|créer|donner|partager|discuter|écrire|satisfaire|recommander|continuer)",
        everyday=r"\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|demain|ce soir|rembours\w*|colis|facture|commande|réparation|poste|chambre|étranger|bonne soirée|cordialement|réunion)\b",
        goes_on=r"\b(?:cependant|toutefois|néanmoins|mais je peux|en revanche|voici|par contre)\b",
        offers=r"autre|n['’]hésitez",
        limits=r"\bje (?:ne )?peux (?:\w+ )?(?:uniquement|seulement|que)? ?(?:répondre|vous aider)[^.!?\n]{0,10}?(?:qu['’]|uniquement|seulement)|(?:hors|en dehors|au[- ]delà|dépasse)[^.!?\n]{0,8}?(?:de )?(?:mes|mon|ma) (?:champ|domaine|compétences?|capacités?|périmètre|connaissances)|\bje ne (?:peux|puis) (?:traiter|répondre|aider|vous aider) (?:\w+ )?qu['’e]|\bje refuse\b(?! (?:votre invitation|d['’]y aller))",
        apologises=r"(?:désolée?|regrette|malheureusement|excuse\w*|navrée?|pardon)[^.!?\n]{0,24}?\bje ne (?:\w+ )?(?:peux|puis|suis pas|saurais|vais)(?![^.!?\n]{0,40}\b(?:venir|assister à (?:la|votre|ta)|rester|attendre|payer|participer à (?:la|votre|ta)|croire|accepter (?:votre|ton)|aller|là|libre|disponible|intéressée?)\b)",
        helps=r"je (?:peux|serai|suis|serais)[^.!?:\n]{0,30}?(?:aider|assister|répondre|ravie?|heureu)",
        asks=r"\b(?:tradui\w*|refus\w*|déclin\w*|mail|courriel|lettre|message|répon(?:ds|dez) (?:à|au)|client\w*|joue\w*|rôle|imagine que|exemple|reformule\w*|excuse\w*|cite|citation|dialogue)\b",
        harmful=r"bombe|explosif|tuer|meurtre|poison|arme|pirater|voler|cambriol|suicide|drogue|malware|faux papiers|contrefa|blanchi|harcel|illégal|racis|terroris|enlev|chantage|escroqu",
    ),
    "es": _Language(
        lead=r"(?:lo siento|lo lamento|lamento|lamentablemente|desafortunadamente|disculp[ae]\w*|perdón|perdona|como |me temo|siento|no,|entiendo)",
        explicit=r"\bno (?:puedo|podré|me es posible)[^.!?\n]{0,16}?(?:ayudar(?:te|le|los|lo|la)?|asistir(?:te|le)?)(?:$|[.!]| (?:con|en) (?:eso|esto|esa|ese|esta|tu|su|actividades))|\bno (?:puedo|podré|me es posible|soy capaz de|debo)[^.!?\n]{0,40}?(?:esa|ese|esta|este|esas|tu|su|tal) (?:\w+ )?(?:pregunta|solicitud|petición|información|tipo|contenido|tema|conversación|clase)|\bno puedo (?:proporcionar|ofrecer|dar)[^.!?\n]{0,20}?(?:instrucciones|información|consejos|opini|respuesta)|\bcomo (?:una? )?(?:ia|inteligencia artificial|modelo|asistente)\b[^.!?\n]{0,50}?\bno\b|\bno estoy (?:capacitad|autorizad|program|diseñad)|\bno (?:tengo|dispongo de) (?:acceso|la capacidad|la habilidad)|\bno (?:voy a|quiero) (?:ayudar|responder|hacer eso|hablar de)|\bdebo (?:rechazar|declinar)|\b(?:lamento|siento) no poder (?:ayudar|responder|cumplir)|\bva en contra de (?:mis|nuestras)|\bprefiero no responder|\bno puedo (?:hacer eso|acceder|continuar con esta|cumplir)|\bno soy capaz de",
        general=r"\bno puedo (?:\w+ )?(?:enviar|abrir|descargar|revelar|mostrar|confirmar|realizar|ejecutar|procesar|traducir|tratar|apoyar|contestar|divulgar|brindar|emitir)|\bno puedo (?:\w+ )?(?:ayudar|proporcionar|ofrecer|responder|generar|crear|dar(?!te)|compartir|acceder|participar|discutir|escribir|recomendar|continuar|cumplir|mostrar)",
        everyday=r"\bahora mismo\b|\b(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo|mañana|hoy|reunión|devolver|reembols\w*|paquete|factura|pedido|reparación|puesto|habitación|forastero|saludos?)\b",
        goes_on=r"\b(?:sin embargo|no obstante|pero (?:sí )?puedo|en cambio|aquí (?:tienes|está)|a continuación)\b",
        offers=r"algo más|otra|otro|alguna",
        limits=r"\b(?:solo|sólo|únicamente) puedo (?:responder|ayudar|hablar|proporcionar|ofrecer|procesar|contestar)|(?:fuera|más allá|excede)[^.!?\n]{0,8}?(?:de )?(?:mi|mis) (?:alcance|capacidad\w*|ámbito|conocimiento\w*|competencia\w*)|\bno (?:tengo permitido|se me permite|me está permitido|estoy (?:capacitad|autorizad|programad|diseñad))",
        apologises=r"(?:lo siento|lo lamento|lamento|lamentablemente|desafortunadamente|disculp\w*|perdón|siento)[^.!?\n]{0,24}?(?:\bno (?:\w+ )?(?:puedo|podré|me es posible|soy capaz|tengo permi\w+|dispongo)|\bno poder)(?= \w)(?![^.!?\n]{0,30}\b(?:ir|asistir|venir|acompañar\w*|quedar\w*|esperar\w*|pagar\w*|creer\w*|aceptar\w*|llegar|estar)\b)",
        helps=r"(?:puedo|podría|estaré|estaría)[^.!?:\n]{0,16}?(?:ayudar|asistir|encantad|responder)",
        asks=r"\b(?:traduc\w*|rechaz\w*|negativa|declin\w*|correo|carta|mensaje|responde a|cliente\w*|haz de|papel de|imagina que|ejemplo|reformula\w*|disculpa\w*|cita|diálogo)\b",
        harmful=r"bomba|explosiv|matar|asesin|veneno|arma|hackear|robar|suicid|droga|malware|falsific|lavado de dinero|acosar|ilegal|racis|terroris|secuestr|chantaj|estafa",
    ),
    "pt": _Language(
        lead=r"(?:(?:me )?desculp[ea]\w*|sinto muito|lamento|lamentavelmente|infelizmente|peço desculpas?|perdão|como |não,|entendo)",
        explicit=r"\bnão (?:te |lhe |o |a )?(?:posso|consigo|poderei)[^.!?\n]{0,16}?(?:ajud(?:ar|á-l[oa]|ar-te|ar-lhe)|auxiliar)(?:$|[.!]| (?:com|nisso|nisto|em) ?(?:isso|isto|esse|essa|este|esta|atividades)?)|\bnão (?:posso|consigo|me é possível|sou capaz de|devo|estou autorizad\w+ a)[^.!?\n]{0,40}?(?:esse|essa|este|esta|essas|seu|sua|tal|desse|dessa) (?:\w+ )?(?:pergunta|pedido|questão|informaç\w+|tipo|conteúdo|assunto|conversa|solicitação)|\bnão posso (?:fornecer|oferecer|dar)[^.!?\n]{0,20}?(?:instruções|informaç|conselhos|opini|resposta)|\bcomo (?:uma? )?(?:ia|inteligência artificial|modelo|assistente)\b[^.!?\n]{0,50}?\bnão\b|\bnão (?:estou autorizad|fui program|sou capaz)|\bnão tenho (?:acesso|a? ?capacidade)|\bnão (?:vou|quero) (?:ajudar|responder|fazer isso|falar sobre)|\bdevo recusar|\bvai contra (?:as )?minhas|\bprefiro não responder|\bnão posso (?:fazer isso|acessar|aceder)",
        general=r"\bnão (?:posso|consigo) (?:\w+ )?(?:enviar|abrir|baixar|revelar|mostrar|confirmar|realizar|executar|processar|traduzir|tratar|apoiar|divulgar|dar|emitir)|\bnão (?:posso|consigo) (?:\w+ )?(?:ajudar|fornecer|oferecer|responder|gerar|criar|compartilhar|partilhar|acessar|participar|discutir|escrever|recomendar|continuar|atender)",
        everyday=r"\b(?:segunda|terça|quarta|quinta|sexta|sábado|domingo|amanhã|hoje|reunião|reembols\w*|encomenda|fatura|pedido de compra|conserto|vaga|quarto|forasteiro|abraço)\b",
        goes_on=r"\b(?:no entanto|porém|contudo|mas posso|em vez disso|aqui (?:está|estão)|a seguir)\b",
        offers=r"outra|outro|mais alguma",
        limits=r"\b(?:só|somente|apenas) (?:posso|consigo) (?:responder|ajudar|falar|fornecer|processar)|(?:fora|além|foge)[^.!?\n]{0,8}?(?:d[oae]s? )?(?:meu|minhas?|meus) (?:escopo|alcance|capacidade\w*|área|conhecimento\w*|âmbito)|\bniss?t?o não (?:te |lhe )?posso ajudar",
        apologises=r"(?:desculp\w*|sinto muito|lamento|infelizmente|perdão)[^.!?\n]{0,24}?\bnão (?:\w+ )?(?:posso|consigo|poderei|me é possível|estou autorizad\w+|tenho permissão)(?= \w)(?![^.!?\n]{0,30}\b(?:ir|vir|comparecer|participar d|ficar|esperar|pagar|acreditar|aceitar|chegar|estar)\b)",
        helps=r"(?:posso|poderia|ficarei|terei)[^.!?:\n]{0,16}?(?:ajudar|feliz|prazer|responder)",
        asks=r"\b(?:traduz\w*|recus\w*|rejei\w*|e-mail|email|carta|mensagem|responda a|cliente\w*|papel|imagine que|exemplo|reformul\w*|desculpa|citação|diálogo)\b",
        harmful=r"bomba|explosiv|matar|assassin|veneno|arma|hackear|roubar|suic|droga|malware|falsific|lavagem de dinheiro|perseguir|ilegal|racis|terroris|sequestr|chantag|golpe|fraude",
    ),
    "it": _Language(
        lead=r"(?:(?:mi|ci) (?:di)?(?:spiace|rincresce|scuso)|(?:sono )?spiacente|purtroppo|scusa\w*|temo|come |in quanto|essendo|no,|capisco)",
        explicit=r"\bnon (?:posso|potrò|mi è possibile|sono in grado di)[^.!?\n]{0,10}?(?:aiutar(?:ti|la|vi)?|assister(?:ti|la)?)(?:$|[.!]| (?:con|in) (?:questo|questa|quest|ciò|attività))|\b(?:temo|mi dispiace) di non poter(?:ti|la|vi)? aiutare|\bnon (?:posso|mi è possibile|sono in grado di|devo)[^.!?\n]{0,40}?(?:questa|questo|queste|quest['’]|tale|la tua|la sua) (?:\w+ )?(?:domanda|richiesta|informazion\w+|tipo|contenut\w+|argomento|conversazione|questione)|\bnon (?:posso|mi è possibile) rispondere|\bnon posso fornire[^.!?\n]{0,20}?(?:istruzioni|informazioni|consigli|opinioni|risposte)|\b(?:come|in quanto|essendo) (?:un['’]?a? ?)?(?:ia|intelligenza artificiale|modello|assistente)\b[^.!?\n]{0,50}?\bnon\b|\bnon (?:sono in grado|sono autorizzat|sono programmat)|\bnon ho (?:accesso|la capacità|la possibilità)|\bnon (?:intendo|voglio) (?:rispondere|aiutar\w+|farlo|parlare di)|\bdevo (?:rifiutare|declinare)|\bva contro (?:le )?mie|\bpreferisco non rispondere|\bnon posso (?:farlo|accedere)",
        general=r"\bnon posso (?:\w+ )?(?:inviar|aprir|scaricar|rivelar|mostrar|confermar|eseguir|elaborar|tradurr|trattar|sostener|divulgar|dar(?!e retta)|emetter|visualizzar)|\bnon posso (?:\w+ )?(?:aiutar|fornir|offrir|risponder|generar|crear|condivider|acceder|partecipar|discuter|scriver|consigliar|continuar|soddisfar)",
        everyday=r"\b(?:lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|domani|oggi|stasera|riunione|rimbors\w*|pacco|fattura|ordine|riparazione|stanza|straniero|saluti|posto)\b",
        goes_on=r"\b(?:tuttavia|però|ma posso|invece|ecco|comunque)\b",
        offers=r"altr[oiae]|qualcos",
        limits=r"\bposso (?:\w+ )?(?:solo|soltanto) (?:salvare|gestire|accettare|usare)|\bposso (?:\w+ )?(?:solo|soltanto|unicamente) (?:rispondere|aiutar|parlare|fornire|elaborare)|(?:fuori|al di fuori|oltre|esula)[^.!?\n]{0,8}?(?:dal|dalle|dalla|le|la|il|del) ?(?:mi[eoa]i?) (?:ambito|competenz\w+|capacità|portata)|\b(?:su|in) quest[oa] non posso aiutar",
        apologises=r"(?:(?:mi|ci) (?:di)?spiace|spiacente|purtroppo|scusa\w*|temo)[^.!?\n]{0,24}?\bnon (?:\w+ )?(?:posso|potrò|mi è possibile|sono in grado|sono autorizzat\w+|ho (?:esperienze|opinioni|sentimenti|accesso|informazioni))(?= \w)(?![^.!?\n]{0,30}\b(?:venire|partecipare a(?:lla|l)|restare|rimanere|aspettar\w*|pagar\w*|creder\w*|accettar\w*|andar\w*|esserci)\b)",
        helps=r"(?:posso|potrei|sarò|sarei)[^.!?:\n]{0,16}?(?:aiutar|assister|felice|lieto|rispondere)",
        asks=r"\b(?:traduc\w*|rifiut\w*|declin\w*|mail|lettera|messaggio|rispondi a|cliente\w*|recita|fai finta|ruolo|immagina|esempio|riformul\w*|scusa|citazione|dialogo)\b",
        harmful=r"bomba|esplosiv|uccider|omicid|veleno|arma|hackerare|rubare|suicid|droga|malware|falsific|riciclaggio|illegal|razzis|terroris|rapire|ricatt|truffa",
    ),
    "ru": _Language(
        lead=r"(?:к сожалению|извини\w*|прости\w*|прошу прощения|сожалею|мне (?:очень )?жаль|как |будучи|боюсь|нет\b|я понимаю)",
        explicit=r"\bя не (?:могу|смогу|буду|в состоянии|имею права)[^.!?\n]{0,20}?(?:вам |тебе )?(?:с этим |в этом )?помочь(?:$|[.!]| (?:с|в|вам)(?: этим| этом| вашей)?)|\bне смогу вам|\bя не (?:могу|буду|в состоянии|имею|готов)[^.!?\n]{0,40}?(?:эт(?:от|у|ом|о|и|их)|ваш|так(?:ую|ой|ие)|подобн\w+|данн\w+) ?(?:вопрос|просьбу|запрос|информаци\w+|контент|тему|разговор|\w*)|\bя не (?:могу|буду) (?:предоставить|предоставлять|дать|давать)[^.!?\n]{0,20}?(?:инструкци|информаци|совет|ответ)|\b(?:как|будучи) (?:\w+ )?(?:ии|искусственн\w+ интеллект\w*|языков\w+ модел\w*|ассистент)\b[^.!?\n]{0,50}?\bне\b|\bу меня нет (?:доступа|возможности|личн|чувств)|\bне имею доступа|\bвынужден\w* отказать|противоречит (?:моим|правилам|политике)|\bя не (?:стану|хочу) (?:этого )?(?:делать|отвечать|обсуждать|говорить об этом)|\bя не умею|\bя не буду (?:отвечать|помогать)|\bне могу помогать в",
        general=r"\bя не (?:могу|буду|смогу) (?:\w+ )?(?:отправ|откры|скача|раскры|показ|подтверд|обработ|перевести|переписа|обсуд|оказ|поддерж)|\bя не (?:могу|буду|смогу) (?:\w+ )?(?:помо|предостав|ответ|отвеч|созда|генерир|поделит|обсужд|выполн|написать|рекоменд|продолж|давать)",
        everyday=r"\b(?:понедельник|вторник|среду|четверг|пятницу|субботу|воскресенье|завтра|сегодня|встречу|вернуть деньги|возврат|посылка|ремонт|с уважением|путник|комнату|должность|допоздна)\b",
        goes_on=r"\b(?:однако|тем не менее|но я могу|вместо этого|вот)\b",
        offers=r"чем-то ещ|чем-нибудь|друг(?:ой|их|им|ие)",
        limits=r"выходит за (?:рамки|пределы) (?:моих|моей)|\bя (?:могу|отвечаю) (?:\w+ )?только|могу (?:отвечать|помогать|помочь|отвечать) только|вне моей компетенци|\A\W*(?:я )?не (?:могу|смогу|в состоянии|буду|имею права) (?:помо|выполн|обсужд|ответ|отвеч|предостав|созда)",
        apologises=r"(?:к сожалению|извини\w*|прости\w*|прошу прощения|сожалею|жаль|боюсь)[^.!?\n]{0,24}?\bя не (?:могу|смогу|умею|в состоянии|имею)(?= \w)(?![^.!?\n]{0,40}\b(?:прийти|приехать|ждать|остаться|заплатить|поверить|принять|участвовать в|пойти|вернуть|встретиться)\b)",
        helps=r"(?:могу|смогу|буду рад\w{0,3}|готов\w{0,4})[^.!?:\n]{0,24}?(?:помочь|ответить|помогу)",
        asks=r"(?:перевед|перевод|отказ|отклон|письмо|сообщение|ответь|клиент|сыграй|роль|представь|пример|перефраз|извинен|цитат|диалог)",
        harmful=r"бомб|взрывчат|убить|убийств|яд\b|оружи|взлом|украсть|воровать|самоубий|наркот|вирус|поддел|отмыва|преслед|незаконн|расис|террор|похит|шантаж|мошенн",
    ),
    "ar": _Language(
        lead=r"(?:لا،|أفهم|عذرا|عذراً|آسف|أنا آسف|أعتذر|للأسف|يؤسفني|معذرة|عفوا|عفواً|كنموذج|بصفتي|نأسف)",
        explicit=r"(?:لا (?:أستطيع|يمكنني)|لست قادر\w*|غير قادر\w*|ليس (?:بإمكاني|لدي القدرة))[^.؟!\n]{0,30}?(?:المساعدة|مساعدتك|هذا (?:الطلب|السؤال|الأمر|المحتوى|النوع|الموضوع)|هذه (?:المعلومات|الطلبات)|السؤال|الطلب|تعليمات|نصائح|الإنترنت|الروابط|الصور)|(?:كنموذج|بصفتي|كذكاء)[^.؟!\n]{0,50}?(?:لا |ليس)|(?:يخالف|ينتهك) (?:إرشاداتي|سياس)|لن (?:أجيب|أساعد|أفعل|أناقش)|أرفض|ليس لدي (?:القدرة|مشاعر|إمكانية|وصول)|لا (?:أستطيع|يمكنني) مساعدتك",
        general=r"(?:لا (?:أستطيع|يمكنني)|لا أملك صلاحية|ليس لدي صلاحية)[^.؟!\n]{0,10}?(?:إرسال|فتح|تحميل|الكشف|تأكيد|القيام|معالجة|ترجمة|دعم|كتابة|إعطاء|المساعدة|مساعدة|مشاركة|الإجابة|عرض)|(?:لا (?:أستطيع|يمكنني)|غير قادر)[^.؟!\n]{0,16}?(?:تقديم|الإجابة|إنشاء|مشاركة|الوصول|مناقشة|تنفيذ|تلبية)",
        everyday=r"(?<!\w)(?:الجمعة|السبت|الأحد|اليوم)(?!\w)|غدا|غداً|اجتماع(?!ي)|رد المبلغ|استرداد|الطرد|الإصلاح|التحية|متأخر",
        goes_on=r"ومع ذلك|لكن يمكنني|بدلا|إليك",
        offers=r"آخر|أخرى",
        limits=r"خارج (?:نطاق|حدود|اختصاص)|(?:يمكنني|أستطيع) فقط",
        apologises=r"(?:عذر[اًًا]*|عفو[اًا]*|آسف|أعتذر|للأسف|معذرة|يؤسفني)[^.؟!\n]{0,16}?(?:لا (?:يمكنني|أستطيع|يمكن)|لست قادر|غير قادر)(?![^.؟!\n]{0,24}(?:الحضور|القدوم|المجيء|الانتظار|الاجتماع|البقاء|الدفع|الاسترداد))",
        helps=r"(?:يمكنني|أستطيع|يسعدني|أقدر)[^.؟!:\n]{0,12}?(?:مساعد|أساعد|الإجابة)",
        asks=r"ترجم|رفض|أعتذر|اعتذار|رسالة|بريد|عميل|دور|مثال|صياغة|حوار",
        harmful=r"قنبلة|متفجر|قتل|سم\b|سلاح|اختراق|سرقة|انتحار|مخدر|فيروس|تزوير|غسيل|غير قانوني|عنصري|إرهاب|خطف|ابتزاز|احتيال",
    ),
    "hi": _Language(
        lead=r"(?:(?:मुझे )?(?:खेद|क्षमा|माफ|माफ़)|दुर्भाग्य|एक एआई|एक कृत्रिम|मैं|नहीं|माफ़)",
        explicit=r"(?:आपकी|इसमें|इस में)[^।\n]{0,20}?(?:मदद|सहायता)[^।\n]{0,6}?नहीं कर|(?:इस|यह|इसके|ऐसी|इस तरह)[^।\n]{0,30}?(?:प्रश्न|सवाल|अनुरोध|जानकारी|विषय|सामग्री|निर्देश)[^।\n]{0,40}?(?:नहीं(?! किया जा)|असमर्थ|सक्षम नहीं|विरुद्ध|अस्वीकार)|(?:एआई|कृत्रिम बुद्धिमत्ता|भाषा मॉडल)[^।\n]{0,60}?(?:नहीं)|मैं इस पर कुछ नहीं कह सकत|मैं यह नहीं कर सकत|(?:असमर्थ|सक्षम नहीं) हूँ|(?:अवैध|गैरकानूनी)[^।\n]{0,20}?मदद नहीं|मेरे पास[^।\n]{0,30}?(?:जानकारी|पहुँच)[^।\n]{0,6}?नहीं|अस्वीकार करना होगा|निर्देश प्रदान नहीं",
        general=r"मैं[^।\n]{0,90}?(?:सहायता|मदद|प्रदान|साझा|पुष्टि|प्रस्तुत)[^।\n]{0,6}?नहीं कर (?:सकत|पा)|मैं(?![^।\n]{0,60}सलाह नहीं)[^।\n]{0,40}?(?:नहीं (?:कर|दे|बना|दिखा|खोल|पहुँच) सकत)",
        everyday=r"शुक्रवार|शनिवार|सोमवार|आज|कल|बैठक|पैसे वापस|मरम्मत|पार्सल|सादर|कल्पना",
        goes_on=r"हालाँकि|हालांकि|लेकिन मैं .{0,20}सकता हूँ|इसके बजाय|यहाँ",
        offers=r"किसी और|अन्य|दूसर",
        limits=r"(?:केवल|सिर्फ़?)[^।\n]{0,40}?(?:सवाल|प्रश्न|विषय|जानकारी)[^।\n]{0,20}?(?:सकत|करता|करती)|(?:दायरे|सीमा)[^।\n]{0,6}?(?:से )?बाहर",
        apologises=r"(?:खेद|क्षमा|माफ|माफ़|दुर्भाग्य)[^।\n]{0,60}?नहीं (?:कर|दे|बता|बना|दिखा) (?:सक|पा)",
        asks=r"अनुवाद|इनकार|मना|ईमेल|पत्र|संदेश|ग्राहक|भूमिका|उदाहरण|माफी|संवाद",
        harmful=r"बम|विस्फोट|हत्या|मार(?:ना|ने)|ज़हर|हथियार|हैक|चोरी|आत्महत्या|ड्रग|नकली|अवैध|आतंक|अपहरण|ब्लैकमेल|धोखा",
    ),
    "vi": _Language(
        lead=r"(?:xin lỗi|xin thứ lỗi|tôi rất tiếc|rất tiếc|thật đáng tiếc|tiếc là|là một|tôi|không,|mình|thành thật)",
        explicit=r"tôi (?:e rằng tôi )?không (?:thể|được phép|có khả năng|có quyền)[^.!?\n]{0,30}?(?:giúp bạn(?:$|[.!]| (?:việc|điều|với|về|trong))|hỗ trợ|yêu cầu|câu hỏi|chủ đề|thông tin|nội dung|hướng dẫn|cuộc trò chuyện|lời khuyên|hình ảnh|dữ liệu|liên kết|internet|truy cập)|là một (?:mô hình|ai|trợ lý|trí tuệ)[^.!?\n]{0,50}?không|tôi không muốn (?:nói|trả lời|giúp|thảo luận)|vi phạm (?:nguyên tắc|chính sách)|từ chối (?:trả lời|yêu cầu)|chỉ là một (?:trợ lý|ai|mô hình)[^.!?\n]{0,30}?không|không thể (?:đáp ứng|thực hiện) yêu cầu",
        general=r"tôi không (?:thể|được phép) (?:gửi|mở|tải|tiết lộ|xác nhận|thực hiện|xử lý|dịch|hỗ trợ|cung cấp|hiển thị|truy)|tôi không thể (?:giúp|cung cấp|trả lời|tạo|chia sẻ|truy cập|thảo luận|viết|đưa ra|tiếp tục)",
        everyday=r"thứ (?:hai|ba|tư|năm|sáu|bảy)|chủ nhật|hôm nay|ngày mai|tối nay|cuộc họp|hoàn tiền|sửa chữa|thân mến|hàng sẽ",
        goes_on=r"tuy nhiên|nhưng tôi có thể|thay vào đó|dưới đây",
        offers=r"khác",
        limits=r"(?:ngoài|vượt quá|vượt ra ngoài) (?:phạm vi|khả năng|lĩnh vực)|tôi chỉ (?:có thể )?(?:trả lời|hỗ trợ|giúp|cung cấp|xử lý)|câu (?:bạn )?hỏi (?:của bạn |này )?(?:hiện )?không (?:thuộc|nằm trong|liên quan)|nội dung bạn hỏi|thông tin bạn cần không",
        apologises=r"(?:xin lỗi|rất tiếc|thứ lỗi|tiếc là)[^.!?\n]{0,24}?tôi (?:\w+ )?không (?:thể|được phép|có quyền)(?![^.!?\n]{0,24}(?:đến|tham dự|tham gia|đợi|chờ|đi|ở lại|gặp))",
        helps=r"tôi (?:có thể|sẵn sàng|rất vui)[^.!?:\n]{0,20}?(?:giúp|hỗ trợ|trả lời)",
        asks=r"dịch|từ chối|viết thư|thư|email|tin nhắn|khách hàng|đóng vai|ví dụ|diễn đạt lại|hội thoại|lời xin lỗi",
        harmful=r"bom|thuốc nổ|giết|chất độc|vũ khí|hack|ăn cắp|trộm|tự tử|ma túy|mã độc|làm giả|rửa tiền|bất hợp pháp|khủng bố|bắt cóc|lừa đảo",
    ),
    "tr": _Language(
        lead=r"(?:üzgünüm|özür dilerim|maalesef|ne yazık ki|kusura bakma\w*|bir yapay|bir dil|bu |size|yasa|hayır\b|anlıyorum)",
        explicit=r"(?:bu|size|sana)[^.!?\n]{0,24}?(?:konuda|konuyu|isteği|isteğ|talebi|soruya|soruyu|içerik\w*|bilgiyi|bilgileri|tür)[^.!?\n]{0,24}?(?:yardım(?:cı)? (?:ed|ol)emem|yardımcı olam|veremem|veremiyorum|getirem|paylaşam|oluşturam|yanıtla|tartışam|reddet|cevap|cevaplayam|aykırı|mümkün değil)|bunu (?:söyleyemem|yanıtlayamam|açıklayamam)|yardımcı olamam|bunu yapamam|(?:yapay zeka|dil modeli)[^.!?\n]{0,60}?(?:yok|değil|em(?:em|iyorum)|am(?:am|ıyorum))|erişim(?:im|e) (?:yok|sahip değil)|kurallarıma aykırı|talimat veremem|tavsiye(?:si)? veremem|(?:verilere|internete) erişem|(?:görüntüleri|resimleri|bağlantıları)[^.!?\n]{0,16}?(?:em|am)(?:em|am|iyorum|ıyorum)|reddetmek zorunday",
        general=r"\b(?:yanıtla|cevap ver|bilgi ver|yardımcı ol|paylaş|sağla|oluştur|yap|aç|göster|gönder|eriş|tartış|öner|üret|yaz|sun|açıkla|onayla)(?:y[ae]|[ae])m(?:am|em|ıyorum|iyorum)\b|(?:üzgünüm|maalesef)[^.!?\n]{0,40}?(?:veremem|oluşturamam|paylaşamam|yanıtlayamam|gösteremem)",
        everyday=r"cuma|cumartesi|pazar|bugün|yarın|bu akşam|toplantı|iade|onarım|kargo|sevgiler|çalışıyorum",
        goes_on=r"ancak (?:şunu|size .{0,30}ebilirim)|bununla birlikte|bunun yerine|işte",
        offers=r"başka",
        limits=r"yardımcı olabilecek biri değilim|size yardımcı olmam mümkün değil|\b(?:sadece|yalnızca)[^.!?\n]{0,50}?(?:yanıtla|cevapla|yardımcı ol|soru)\w*|kapsam\w* dışında|yetkim (?:dışında|yok)|bilgi veremiyorum|bilgi ver(?:emem|emiyorum)|yardımcı olamıyorum",
        apologises=r"(?:üzgünüm|özür dilerim|maalesef|ne yazık ki|kusura bakma\w*)[^.!?\n]{0,70}?(?:emem|amam|emiyorum|amıyorum|eyemem|ayamam|ıyorum değil)\b(?<!gelemem)(?<!katılamam)(?<!bekleyemem)(?<!gidemem)(?<!gelemiyorum)(?<!katılamıyorum)",
        helps=r"yardımcı olabilirim|yardımcı olmaktan|yardımcı olmaya",
        asks=r"çevir|ret |reddet|e-posta|mektup|mesaj|müşteri|rol|örneği|örnek|özür|diyalog",
        harmful=r"bomba|patlayıcı|öldür|cinayet|zehir|silah|hackle|çal(?:mak|arım)|intihar|uyuşturucu|sahte|yasa dışı|yasadışı|ırkç|terör|kaçır|şantaj|dolandır",
    ),
    "id": _Language(
        lead=r"(?:(?:mohon )?maaf|saya (?:minta|mohon) maaf|sayangnya|sebagai|dengan menyesal|saya|tidak,)",
        explicit=r"saya (?:khawatir saya )?(?:tidak|tak) (?:dapat|bisa|mampu|diizinkan|akan|boleh)[^.!?\n]{0,30}?(?:membantu(?: anda)?(?:$|[.!]| (?:dengan|dalam|hal|kegiatan|itu|ini))|permintaan|pertanyaan|topik|informasi|konten|instruksi|percakapan|nasihat|gambar|tautan|internet|melakukan itu)|sebagai (?:sebuah )?(?:ai|model|asisten|kecerdasan)[^.!?\n]{0,50}?tidak|melanggar (?:pedoman|kebijakan)|tidak memiliki (?:akses|kemampuan|perasaan|pendapat)|saya tidak (?:mau|ingin) (?:membahas|menjawab|membantu)|harus menolak",
        general=r"(?:saya|aku|kami) (?:tidak|tak|belum) (?:dapat|bisa|boleh) (?:mengirim|membuka|mengunduh|mengungkap|mengonfirmasi|melakukan|memproses|menerjemah|membicarakan|mendukung|menyediakan|menjawab|membantu|memberi)|saya (?:tidak|tak) (?:dapat|bisa) (?:membantu|memberikan|menjawab|membuat|membagikan|mengakses|membahas|menulis|melanjutkan|memenuhi)",
        everyday=r"senin|selasa|rabu|kamis|jumat|sabtu|minggu|besok|malam ini|hari ini|rapat|mengembalikan uang|perbaikan|paket|salam|lembur",
        goes_on=r"namun|tetapi saya (?:dapat|bisa)|sebagai gantinya|berikut",
        offers=r"lain",
        limits=r"di luar (?:cakupan|jangkauan|kemampuan|batas|lingkup|topik)|(?:hanya|cuma) (?:bisa|dapat) (?:membantu|menjawab|memberikan)|bukan topik|saya hanya menjawab",
        apologises=r"(?:maaf|menyesal|sayangnya)[^.!?\n]{0,20}?saya (?:\w+ )?(?:tidak|tak|belum) (?:dapat|bisa|mampu|boleh|diizinkan)(?![^.!?\n]{0,20}\b(?:datang|hadir|ikut|menunggu|pergi|bergabung|membayar|bertemu)\b)",
        helps=r"saya (?:\w+ )?(?:bisa|dapat|siap|senang)[^.!?:\n]{0,30}?(?:bantu|diskusi|jawab)",
        asks=r"terjemah|menolak|penolakan|surel|email|surat|pesan|pelanggan|berperan|contoh|parafrase|dialog|permintaan maaf",
        harmful=r"bom|peledak|membunuh|racun|senjata|meretas|mencuri|bunuh diri|narkoba|malware|palsu|pencucian uang|ilegal|teroris|menculik|memeras|penipuan",
    ),
    "pl": _Language(
        lead=r"(?:przepraszam|przykro mi|niestety|wybacz\w*|obawiam się|jako|nie,|rozumiem)",
        explicit=r"\bnie (?:mogę|jestem w stanie|potrafię|będę)[^.!?\n]{0,20}?(?:(?:w tym|ci|panu|pani|z tym) )*pom(?:óc|agać)(?:$|[.!]| (?:w|z|ci))|\bnie (?:mogę|jestem w stanie|potrafię|wolno mi)[^.!?\n]{0,30}?(?:t(?:o|ej|ego|en|ę|ych|ym)|takich|takiej|twojej) ?(?:\w+ )?(?:pytanie|prośby|prośbę|temat|informacji|treści|instrukcji|zrobić|rozmow\w+)|\bnie mogę[^.!?\n]{0,16}?(?:udzielać|udzielić)[^.!?\n]{0,16}?(?:porad|informacji|instrukcji|odpowiedzi)|\bjako (?:\w+ )?(?:ai|sztuczna inteligencja|model|asystent)\b[^.!?\n]{0,50}?\bnie\b|\bnie mam (?:dostępu|możliwości|osobistych)|narusza (?:moje|zasady)|\bnie będę (?:tego|w tym|na to)|\bmuszę odmówić|\b(?:wolał\w+|wolę) nie odpowiadać|\bnie (?:potrafię|mogę) wyświetl|\bnie mogę rozmawiać na ten",
        general=r"\bnie mogę (?:\w+ )?(?:wysłać|otworzyć|pobrać|ujawnić|potwierdzić|wykonać|przetworzyć|przetłumaczyć|wspierać|podać|udostępniać|wygenerować|pokazać|opisać|polecić)|\bnie mogę (?:\w+ )?(?:pomóc|udzielić|odpowiedzieć|stworzyć|tworzyć|udostępnić|napisać|kontynuować|spełnić)",
        everyday=r"\b(?:poniedziałek|wtorek|środę|czwartek|piątek|sobotę|niedzielę|jutro|dziś|dzisiaj|spotkanie|zwrócić|zwrot|paczka|naprawa|pozdrawiam|pracuję)\b",
        goes_on=r"\b(?:jednak|ale mogę|zamiast tego|oto)\b",
        offers=r"inn|czymś jeszcze",
        limits=r"\b(?:wykracza|jest|są) poza (?:moj\w+|(?:\w+ )?zakres\w*)|\bmogę (?:odpowiadać |pomagać |pomóc )?(?:tylko|jedynie|wyłącznie) (?:na pytania|w sprawach)|\bmogę (?:\w+ )?(?:tylko|jedynie|wyłącznie) (?:odpowiada|pom|rozmawia|udziela)|\bnie mogę (?:wspierać|pomaga|pomóc|kontynuować|spełnić)|\bz tym nie (?:mogę|pomogę)",
        apologises=r"(?:przepraszam|przykro mi|niestety|wybacz\w*|obawiam się)[^.!?\n]{0,24}?\bnie (?:mogę|jestem w stanie|potrafię|będę)(?= \w)(?![^.!?\n]{0,30}\b(?:przyjść|przyjechać|czekać|zostać|zapłacić|uwierzyć|przyjąć|uczestniczyć|pójść|zwrócić|zejść|spotkać)\b)",
        helps=r"(?:mogę|chętnie|z przyjemnością)[^.!?:\n]{0,24}?(?:pom|odpowi)",
        asks=r"(?:przetłumacz|tłumacz|odmow|odmów|mail|list|wiadomość|odpowiedz (?:na|klient)|klient|zagraj|rol[aęi]\b|przykład|parafraz|przeprosin|dialog)",
        harmful=r"bomb|wybuch|zabić|zabój|trucizn|broń|zhakować|włamać|ukraść|samobój|narkot|wirus|fałsz|pranie pieniędzy|nielegaln|rasis|terror|porwać|szantaż|oszust",
    ),
    "nl": _Language(
        lead=r"(?:sorry|het spijt me|helaas|mijn excuses|excuses|als |ik ben bang|nee\b|ik begrijp)",
        explicit=r"\bik kan (?:je|u|jou)?[^.!?\n]{0,12}?(?:daar|daarbij|hiermee|daarmee|hierbij|niet)[^.!?\n]{0,12}?(?:niet )?(?:mee )?helpen(?:$|[.!]| (?:met|bij))|\bik (?:kan|mag|wil|zal)[^.!?\n]{0,30}?(?:deze|dit|die|dergelijke|zulke|uw|jouw|hier|daar) ?(?:\w+ )?(?:vraag|verzoek|informatie|inhoud|onderwerp|instructies|over|op)\b[^.!?\n]{0,20}?|\b(?:kan|mag) ik[^.!?\n]{0,20}?(?:niet )?(?:aan )?(?:deze|dit|uw|dat|je)[^.!?\n]{0,20}?(?:niet|verzoek|vraag)|\bdat kan ik niet (?:doen|beantwoorden)|\bals (?:een )?(?:ai|kunstmatige|taalmodel|ai-taalmodel)[^.!?\n]{0,50}?(?:geen|niet)|\bgeen toegang tot|\bniet in staat om|\bmoet (?:dit|uw|je) verzoek|in strijd met mijn|\b(?:is|het) (?:voor mij )?niet mogelijk om deze|\bik kan geen (?:instructies|informatie|advies|medisch|afbeeldingen|links|toegang)|\bbang dat ik (?:je|u|jou) niet kan helpen|\bliever niet (?:op )?antwoord",
        general=r"\b(?:ik kan|kan ik)[^.!?\n]{0,40}?(?:niet|geen)[^.!?\n]{0,30}?(?:sturen|versturen|meesturen|downloaden|bevestigen|verwerken|vertalen|uitvoeren|bespreken|genereren|verstrekken|bieden|beoordelen|antwoord)|\b(?:ik kan|kan ik)[^.!?\n]{0,30}?(?:niet|geen)[^.!?\n]{0,20}?(?:helpen|geven|beantwoorden|maken|delen|openen|tonen|voldoen|schrijven)",
        everyday=r"\b(?:maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|morgen|vandaag|vanavond|vergadering|geld teruggeven|terugbetal\w*|pakket|reparatie|groeten|werken)\b",
        goes_on=r"\b(?:echter|maar ik kan (?:je |u )?wel|in plaats daarvan|hier (?:is|zijn)|toch)\b",
        offers=r"ander|nog iets",
        limits=r"\b(?:buiten|valt niet binnen) (?:mijn|het) (?:\w+ )?(?:mogelijkheden|bereik|expertise|kennis|taak)|\bik kan (?:je |u )?(?:alleen|enkel|uitsluitend)[^.!?\n]{0,24}?(?:vragen|helpen|informatie|onderwerpen)|\bdaar kan ik (?:\w+ )?(?:niet|geen)[^.!?\n]{0,20}?(?:helpen|antwoord|bij|over)",
        apologises=r"(?:sorry|spijt me|helaas|excuses|bang)[^.!?\n]{0,24}?\b(?:ik (?:kan|mag|zal)|kan ik|mag ik)\b(?![^.!?\n]{0,60}\b(?:komen|meekomen|wachten|blijven|betalen|geloven|aanwezig|erbij zijn|gaan|voorstellen|werken|afspreken|slapen)\b)[^.!?\n]{0,90}?\b(?:niet|geen)\b",
        helps=r"(?:kan ik|ik kan|help ik)[^.!?:\n]{0,40}?(?:helpen|graag|beantwoorden|wel)",
        asks=r"\b(?:vertaal\w*|weiger\w*|afwijz\w*|afzeg\w*|mail|e-mail|brief|bericht|antwoord (?:op|deze)|klant\w*|speel\w*|rol|stel je voor|voorbeeld|herformuleer\w*|excuus|dialoog)\b",
        harmful=r"bom\b|explosie|doden|vermoord|vergif|wapen|hacken|stelen|inbreken|zelfmoord|drugs|malware|vervals|witwas|illegaal|illegale|racis|terror|ontvoer|chanteer|oplicht",
    ),
}  # fmt: skip

MAX_CHARACTERS: Final = 400
_HEAD: Final = 220  # characters in which a refusal begins
_BARE: Final = 26  # characters that may stand before general words without an apology
_BARE_EXPLICIT: Final = 90  # and before explicit ones
_ANSWER: Final = 1_000  # characters of an answer in which reasons are looked for
_PRAISE: Final = 3  # characters before the *but* of a review
_SHORT_ANSWER: Final = 200  # characters of an answer to a harmful question that is no text of its own
_BARE_ANSWER: Final = 120  # characters of an answer that is too short for a letter or an article
_ASKED: Final = 2_000  # characters of a question in which words of declining are looked for
_VERB_LAST: Final = ("ja", "ko", "tr")  # what is not done stands before the words that it is not
# the words of somebody else: before what is not done, or behind it where the verb is last
_REPORTS: Final = lazily(
    r"(?:说|說|表示|称|答复)[，,：:]|\b(?:nói|cho biết|cho hay|tuyên bố|mengatakan|menyatakan|menjawab bahwa|ujar) |कहा कि|बताया कि|ने कहा|कहत[ाेी] (?:है|था|थी|थे) कि"
)
_REPORTED: Final = lazily(
    r"(?:söyledi|belirtti|açıkladı|bildirdi|kaydetti|bıraktı|dedi)\b|(?:と|旨を)(?:述べ|言っ|言い|答え|話し|発表し|連絡)|(?:말했|밝혔|답했|전했|알렸|했습니다)"
)
_MARKUP: Final = lazily(r"\A[\s*_>#\-]+")
_SPEECH: Final = "\"'“”‘«»「『„"
_SPEECH_ENDS: Final = "\"'”“’»«」』"
_SENTENCE: Final = lazily(r"[^.!?。！？؟।\n]+[.!?。！？؟।\n]*")
_SAYS: Final = {
    Strength.EXPLICIT: {
        name: f"{one.explicit}|{one.limits}|{JUDGES[name]}|{OWN_LIMITS[name]}" for name, one in LANGUAGES.items()
    },
    Strength.GENERAL: {
        name: f"{one.general}|{one.apologises}|{DECLINES[name]}|{NOT_DONE[name]}|{WHATEVER[name]}|{STAYS_OUT[name]}"
        for name, one in LANGUAGES.items()
    },
}
# automata let nearly all texts go, and say in which languages the rest is to be searched
_PLACES: Final = tuple((strength, name) for strength, says in _SAYS.items() for name in says)
_MAY_REFUSE: Final = MayMatch((_SAYS[strength][name] for strength, name in _PLACES), apart=True)


@cache
def _search_for(strength: Strength, names: tuple[str, ...]) -> re.Pattern[str]:
    """The words of some languages, the first of which that matches at a place names its group."""
    return re.compile("|".join(f"(?P<{name}>{_SAYS[strength][name]})" for name in names))


_LEAD: Final = lazily("|".join(f"(?:{words.lead})" for words in LANGUAGES.values()))
_EVERYDAY, _GOES_ON, _OFFERS, _HELPS, _ASKS, _ASKS_TEXT, _HARMFUL = (
    {name: lazily(getattr(words, part)) for name, words in LANGUAGES.items()}
    for part in ("everyday", "goes_on", "offers", "helps", "asks", "asks_text", "harmful")
)
_ASKS_FICTION: Final = {name: lazily(ASKS_FICTION.get(name, r"(?!)")) for name in LANGUAGES}
_WRONG, _WRITES, _CLOSES = (
    {name: lazily(words) for name, words in of_language.items()} for of_language in (WRONG, WRITES, CLOSES)
)
_OF_WHOM, _OPINION = lazily(OF_WHOM), lazily(OPINION)
_BUT: Final = lazily(
    r"\b(?:but|aber|mais|pero|mas|ma|maar|ale|но|nhưng|tetapi|tapi|ama|ancak|fakat)\b|لكن|但|けれど|ですが|のですが|지만|पर |लेकिन"
)
# of words that mean *only* and *on*, too, those behind a comma
_AFTER_ALL: Final = lazily(
    r"(?:\b(?:but|aber|mais|pero|mas|ma|maar|ale|но|nhưng|tetapi|tapi|ama|fakat)|[,;] ?(?:ancak|पर|लेकिन))(?!\w)|لكن|但|けれど|ですが|ませんが、|지만"
)
# who says to be none of these may answer all the same, also with words of denying
_NO_EXPERT: Final = lazily(
    r"doctor|lawyer|veterin|\b(?:arzt|ärztin|anwalt|médecin|avocat|abogad|advogad|avvocat|médic|medic|arts|advocaat|lekarz|prawnik|dokter|pengacara)"
    r"|doktor|avukat|врач|юрист|طبيب|محام|डॉक्टर|वकील|bác sĩ|luật sư|医生|律师|医師|弁護士|의사|변호사"
)
# a question what to say: what is said may be a no
_ASKS_WORDS: Final = lazily(
    r"\b(?:what (?:do|should|can|could) i (?:say|reply|answer|write|text)|was (?:soll|sage|antworte|schreibe) ich|que (?:dire|répondre|lui dire)"
    r"|qué (?:le )?(?:digo|respondo|contesto)|o que (?:digo|respondo|falo)|(?:che )?cosa (?:dico|rispondo|scrivo)|wat (?:moet|kan|zeg|antwoord) ik"
    r"|co (?:mam )?(?:powiedzieć|odpowiedzieć|napisać)|что (?:мне )?(?:сказать|ответить|написать)|nên (?:nói|trả lời|viết) (?:gì|sao|thế nào)|(?:nói|trả lời) (?:sao|thế nào)"
    r"|ne (?:diyeyim|yazayım|desem|cevap)|(?:bilang|jawab|balas) (?:apa|bagaimana|gimana))"
    r"|ماذا (?:أقول|أرد|أكتب)|क्या (?:कहूँ|बोलूँ|लिखूँ|जवाब)|怎么(?:说|回[复答]|拒)|如何(?:回[复答应]|拒)|怎样回[复答应]|(?:何|なん)て(?:言|返|答)|どう(?:言|返|断|答)"
    r"|뭐라(?:고)? (?:해|하|보내|말|답)|어떻게 (?:거절|말하|답)"
)
# a *but* behind which the model offers another thing
_OFFERS_ELSE: Final = lazily(
    r"^[\s,]*(?:i (?:can|could|would|will|am|may)\b|i['’](?:d|ll|m)\b|we |happy to|ich (?:kann|könnte|helfe|würde)|gerne?\b|je (?:peux|pourrais|serais)"
    r"|puedo|podría|con gusto|posso|poderia|potrei|volentieri|ik (?:kan|zou|help)|graag|mogę|mogł|mógł|chętnie|я могу|могу|с радостью|готов"
    r"|يمكنني|أستطيع|بإمكاني|يسعدني|tôi (?:có thể|sẵn|rất)|saya (?:bisa|dapat|siap|akan|senang)|我?(?:可以|能|很乐意))"
    r"|(?:abilirim|ebilirim|सकता हूँ|सकती हूँ|お手伝い|ご案内|ご紹介|드릴 수|도와드)"
)
# a text in a question that is to be said otherwise: in quotation marks, or behind a colon
_QUOTED: Final = lazily(r'["“”«»„]([^"“”«»„]{2,300})["“”«»„]|[「『‘]([^」』’]{2,300})[」』’]|[:：]\s{0,3}(\S.{2,300})$')
_SAYS_SOMETHING: Final = 16  # characters behind a *but* that may be an answer
_ROOM: Final = 60  # characters by which another wording of a quoted text may be longer
_THREATENS: Final = lazily(THREATENS)
_ASKS_FOR_NO: Final = lazily(ASKS_FOR_NO)
_LISTS: Final = lazily(r"\n\s{0,9}(?:[*•–-] |\d{1,3}[.)、])|[:：]\s{0,9}\S.{60}", re.DOTALL)
_ITEM: Final = lazily(r"^\s{0,9}(?:[*•–-] |\d{1,3}[.)、])(.*)$", re.MULTILINE)
# where somebody else may help: hotlines, offices, addresses
_CONTACT: Final = lazily(
    r"https?://|\bwww\.|\d{3,4}[- ]\d{3,4}|\b(?:988|911|110|112|119|120|113|116|117|1366|1388|1330|1393)\b"
    r"|hotline|helpline|lifeline|police|therapist|counsel|crisis|professional|lawyer|polizei|seelsorge|telefon|beratung|anwalt"
    r"|policía|teléfono|línea|abogad|psicólog|polícia|linha|telefone|polizia|avvocat|psicolog|avocat|écoute|ligne"
    r"|politie|hulplijn|advocaat|policj|prawnik|infolini|полици|горяч|психолог|юрист|شرطة|محام|पुलिस|हेल्पलाइन|वकील"
    r"|cảnh sát|đường dây|luật sư|polis|hattı|avukat|saluran|pengacara"
    r"|热线|熱線|警察|警局|警方|机构|执法|咨询|求助|医生|律师|心理|部门|协会|専門|相談|電話|窓口|ホットライン|弁護士|協会|医師|団体"
    r"|전화|상담|센터|경찰|기관|의사|변호사|전문가|협회|핫라인"
)
# whose words cannot be parts of other languages' words, so that a question in any of them is understood
_OWN_SCRIPT: Final = ("en", "zh", "ja", "ko", "ru", "ar", "hi")
_LECTURE: Final = 80  # characters in which a lecture says what is wrong
_LECTURE_EN: Final = 160  # of English
# how a lecture says that what is asked for is wrong; seen of models in these languages only
_LECTURES: Final = {
    "zh": lazily(
        r"违法|違法|非法|不道德|犯罪|不合法|违反[^，。]{0,8}(?:法律|道德|伦理)|法律[^，。]{0,4}禁止|有害|不可取|严重[^，。]{0,6}后果"
    ),
    "ja": lazily(
        r"違法|不法|非倫理|倫理的に|倫理に反|犯罪|法律[^。]{0,6}(?:禁|反|罰)|許され(?:ません|ない)|推奨(?:され|でき|し)ま?せん|不適切"
    ),
    "ko": lazily(r"불법|비윤리|윤리적으로|범죄|법적으로|법률[^.]{0,8}(?:위반|금지)|부적절|권장(?:되지|하지) 않|용납"),
}
# what is asked of a wrong that others do, or that one wants to end
_ASKS_AGAINST: Final = lazily(
    r"\b(?:report|prevent|avoid|protect|stop|detect|spot|recogni[sz]e|deal with|cope|escape|survive|recover|remove|quit|dispute|defend|treat|teach|discuss|warn)\w*\b",
    re.IGNORECASE,
)
# how a lecture in English begins
_ENGLISH_LECTURE: Final = lazily(
    r"^\W*(?:first,? )?(?:i must (?:clarify|emphasi[sz]e|stress|point out)\b.{0,60}\b(?:crim|illegal|unethical|not ethical|never|wrong|against|not legal|not appropriate)"
    r"|it(?: is|['’]s) (?:not|never) (?:\w+ )?(?:ethical|legal|safe|appropriate|okay|ok|acceptable|right|respectful)\b"
    r"|it(?: is|['’]s|['’]s also) (?:illegal|unethical|immoral|wrong|a (?:serious )?crime)\b"
    r"|it(?: is|['’]s) (?:important|crucial|essential) to (?:note|remember|understand|clarify) that .{0,80}\b(?:illegal|unethical|not (?:ethical|legal|appropriate|acceptable)|never acceptable|(?:potentially )?dangerous drug)"
    r"|i (?:strongly )?(?:condemn|advise against|urge you not)\b"
    r"|(?:\w+ ){1,5}(?:is|are) (?:\w+ )?(?:illegal|unethical|immoral|a (?:serious )?(?:crime|criminal (?:act|offen[cs]e))|never (?:acceptable|okay|right))\b)",
    re.IGNORECASE,
)
# and how no other answer begins, whatever was asked for
_SURE_LECTURE: Final = lazily(
    r"^\W*(?:first,? )?(?:i must (?:clarify|emphasi[sz]e|stress|point out)\b.{0,60}\b(?:criminal|illegal|unethical|not ethical|not legal|never appropriate)"
    r"|it(?: is|['’]s) (?:not|never) (?:\w+ )?(?:ethical|legal)\b)",
    re.IGNORECASE,
)
# an English question how to do something, not whether or why it is wrong
_ASKS_HOW: Final = lazily(
    r"^\W*(?:(?:please|ok|okay|hey|hi|so|now|can you|could you|i (?:want|need) (?:you )?to(?: know)?)\W+)*(?:how (?:do|can|could|would|should|to|best)\b|where (?:can|could|do|is a good)"
    r"|what(?:['’]s| is| are)? (?:a|an|the|some)? ?(?:good|best|easiest|fastest|safest|quickest|most effective|effective)?\s?(?:ways?|methods?|places?|plans?|tools?|steps|techniques?|recipe)\b"
    r"|(?:tell|show|teach|help|give|write|make|create|explain|describe|list) (?:me|us|how|a|an|the|some|step)\b)",
    re.IGNORECASE,
)
# a question whether or why something is wrong: what is wrong with it is the answer
_ASKS_WHETHER: Final = lazily(
    r"吗|嗎|是否|为什么|為什麼|什么是|后果|合法|ですか|でしょうか|なぜ|とは何|違法か|합법|불법인가|왜 |인가요|무엇인가|설명|解释|説明"
)
_NOT_PLAIN: Final = lazily(r'["“”«»「『„:：?？؟{}=<>|\\`]|\);')  # quotes, explains, asks back or is code


# a question what the one who asks may do: that they may not is the answer
_ASKS_LEAVE: Final = lazily(
    r"\b(?:(?:may|can|could|should|must|am) (?:i|we)\b|is it (?:ok|okay|legal|allowed|safe|possible)|darf (?:ich|man)|kann (?:ich|man)|soll ich"
    r"|puis-je|peut-on|dois-je|puedo|debo|se puede|posso|devo|si può|pode-se|mag (?:ik|je)|kan ik|moet ik|czy (?:mogę|można|powinienem)"
    r"|можно|могу ли|стоит ли|được không|có nên|miyim|mıyım|edebilir mi|boleh|bolehkah|haruskah)"
    r"|可以.{0,30}[吗嗎]|能.{0,30}[吗嗎]|该不该|てもいい|ていいですか|できますか|べき|해도 (?:돼|되|괜찮)|될까|되나요|هل (?:يمكنني|يجوز|يمكن|أستطيع)|क्या (?:मैं|हम)|सकते हैं|सकता हूँ"
)


class Refusal(NamedTuple):
    """The beginning of a text as a refusal: how surely, and in which language."""

    strength: Strength
    language: str


def refusal_in(text: str) -> Refusal | None:
    """What a text begins with, when it begins as a refusal does, by the words of the lists."""
    if " " not in text and text.isascii():
        return None  # one word
    head = _MARKUP.sub("", text[: _HEAD + 40]).lower()[:_HEAD]
    if head[:1] in _SPEECH and head:
        if len(text) >= _HEAD or text.rstrip()[-1:] not in _SPEECH:
            return None  # somebody else's words
        head = head.lstrip(_SPEECH)
    places = [_PLACES[place] for place in _MAY_REFUSE.which(head)]
    for strength in _SAYS:
        names = tuple(name for of, name in places if of is strength)
        match = _search_for(strength, names).search(head) if names else None
        if match is not None and _begins(head, match.start(), strength, str(match.lastgroup)):
            return Refusal(strength, str(match.lastgroup))
    return None


def refusal_of(answer: str, asked: str = "") -> Refusal | None:
    """What an answer to a question declines with, if it may be a refusal: by the lists, the second judge, or as a lecture."""
    found = refusal_in(answer)
    if found is None and _is_plain(answer, asked) and refusal_judge.declines(answer):
        language = languages.guesses(answer)[0][0]
        found = Refusal(Strength.LIKELY, language) if language in LANGUAGES else None
    return found or lecture_of(answer, asked)


def _is_plain(answer: str, asked: str) -> bool:
    """Whether the second judge may speak: a short answer that quotes, explains and asks nothing, and no leave was asked for."""
    if not refusal_judge.may_decline(answer) or _NOT_PLAIN.search(answer) or answer.lstrip()[:1].islower():
        return False  # or a part of a sentence
    return _ASKS_LEAVE.search(asked[:_ASKED].lower()) is None


def lecture_of(answer: str, asked: str) -> Refusal | None:
    """An answer to a harmful question that begins with how wrong that is, and declines by that."""
    if asked and answer.isascii():
        return _english_lecture(answer, asked)
    head = answer[:_LECTURE]
    for language, words in _LECTURES.items() if asked and not head.isascii() else ():
        if words.search(head) and is_harmful(asked[:_ASKED], language) and not _ASKS_WHETHER.search(asked):
            return None if "?" in head or "？" in head or _lists(answer) else Refusal(Strength.LIKELY, language)
    return None


def _english_lecture(answer: str, asked: str) -> Refusal | None:
    if len(answer) > MAX_CHARACTERS or _ENGLISH_LECTURE.match(answer[:_LECTURE_EN]) is None:
        return None
    if _ASKS_HOW.match(asked) is None or _ASKS_AGAINST.search(asked[:_ASKED]) is not None or _lists(answer):
        return None
    if _SURE_LECTURE.match(answer[:_LECTURE_EN]) is None and not is_harmful(asked[:_ASKED], "en"):
        return None
    return Refusal(Strength.LIKELY, "en")


def _begins(head: str, start: int, strength: Strength, language: str) -> bool:
    """Whether what stands before a refusal belongs to it: little, an apology, or its reason, and no one else's words."""
    before = head[:start]
    if any(sign in before for sign in '"“”«»「『„:：'):
        return False
    bare = _BARE_EXPLICIT if strength is Strength.EXPLICIT or language in _VERB_LAST else _BARE
    if _REPORTS.search(before) or (language in _VERB_LAST and _is_reported(head, start)):
        return False
    return start <= bare or _LEAD.match(head) is not None or _is_reason(before, language)


def _is_reported(head: str, start: int) -> bool:
    """Whether the sentence of a refusal ends with that somebody said so."""
    sentence = _SENTENCE.match(head, start)
    return sentence is not None and _REPORTED.search(sentence[0]) is not None


def _is_reason(before: str, language: str) -> bool:
    """Whether the words before a refusal say why: *That is a crime, so ...*"""
    if len(before) > _BARE_EXPLICIT:
        return False
    return _WRONG[language].search(before) is not None or _OF_WHOM.search(before) is not None


def is_refusal(answer: str, asked: str = "", max_characters: int = MAX_CHARACTERS) -> bool:
    """Whether an answer to a question is a refusal and nothing else."""
    if not answer or len(answer) > max_characters:
        return False
    refusal = refusal_of(answer, asked)
    if refusal is None:
        return False
    if words_a_quotation(answer, asked) or _answers_after_all(answer, refusal.language):
        return False
    if (_is_speech(answer) or _ASKS_WORDS.search(asked[:_ASKED].lower())) and not is_harmful(asked, refusal.language):
        return False  # what somebody may say
    names_wrong, own = is_own(answer, asked, refusal)
    if goes_on(answer, refusal.language, redirects=names_wrong) or asks_for_words(asked, refusal, own=own):
        return False
    if _judges_a_work(answer) or (
        not own and (_is_opinion(answer) or (refusal.strength is not Strength.EXPLICIT and ": " in answer))
    ):
        return False  # says why, or what instead, or what one thinks
    return not is_everyday(answer, refusal)


def is_own(answer: str, asked: str, refusal: Refusal) -> tuple[bool, bool]:
    """(an answer that declines names a wrong as its reason; it is surely the model's own words and no text asked for)."""
    text, language = answer[:_ANSWER].lower(), refusal.language
    question = asked[:_ASKED].lower()
    names_wrong = any(
        word not in question for word in _WRONG[language].findall(text)
    )  # else it is what was asked about
    if names_wrong or any(words[language].search(text) for words in (_WRITES, _CLOSES)):
        return names_wrong, True
    if len(answer) <= _SHORT_ANSWER and (is_harmful(asked, language) or _THREATENS.search(question) is not None):
        return False, True
    bare = refusal.strength is Strength.EXPLICIT and len(answer) <= _BARE_ANSWER and not _is_opinion(answer)
    return False, bare and not _MAY_REFUSE.search(question)


def _is_opinion(answer: str) -> bool:
    """Whether the first sentence says that one does not recommend or support something: *I can't recommend this film.*"""
    first = _SENTENCE.match(answer.lower())
    return first is not None and _OPINION.search(first[0]) is not None


def _judges_a_work(answer: str) -> bool:
    """Whether it is a review: what is good, and then that one does not recommend it: *Beautiful, but I can't recommend it.*"""
    first = _SENTENCE.match(answer.lower())
    if first is None:
        return False
    found = _OPINION.search(first[0])
    return found is not None and _BUT.search(first[0], _PRAISE, found.start()) is not None and not _LEAD.match(first[0])


def words_a_quotation(answer: str, asked: str) -> bool:
    """Whether a question quotes words of declining and the answer may be the same in other words, or another language."""
    for found in _QUOTED.finditer(asked[:_ASKED]):
        quoted = next(filter(None, found.groups()))
        if len(answer) <= 2 * len(quoted) + _ROOM and (refusal_in(quoted) or refusal_judge.denies(quoted)):
            return True
    return False


def _is_speech(answer: str) -> bool:
    """Whether the whole answer stands in quotation marks."""
    stripped = answer.strip()
    return len(stripped) > 2 and stripped[0] in _SPEECH and stripped[-1] in _SPEECH_ENDS


def _answers_after_all(answer: str, language: str) -> bool:
    """Whether the first sentence answers behind a *but*: *I am no doctor, but most adults may have three cups a day.*"""
    first = _SENTENCE.match(answer.lower())
    found = first and _AFTER_ALL.search(first[0], _PRAISE)
    if not first or not found:
        return False
    rest, is_free = first[0][found.end() :], _NO_EXPERT.search(first[0], 0, found.start()) is not None
    if len(rest) < _SAYS_SOMETHING or _CONTACT.search(rest) or _MAY_REFUSE.search(rest):
        return False
    if not is_free and refusal_judge.denies(rest):
        return False
    return not any(offer.search(rest) for offer in (_OFFERS_ELSE, _OFFERS[language], _HELPS[language]))


def is_everyday(answer: str, refusal: Refusal) -> bool:
    """Whether words that may be a refusal stand among matters of people and shops."""
    everyday = set(_EVERYDAY[refusal.language].findall(answer.lower()))
    return len(everyday) > (1 if refusal.strength is Strength.EXPLICIT else 0)


def goes_on(answer: str, language: str, *, redirects: bool = False) -> bool:
    """Whether a refusal goes on to answer all the same; an offer of other help is no answer, unless the help follows.

    redirects: what the answer recommends instead is no answer, for it names a wrong; a list is one all the same.
    """
    if "```" in answer:
        return True
    if redirects:
        return _lists(answer)
    offers, helps, further = _OFFERS[language], _HELPS[language], _GOES_ON[language]
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(answer.lower())]
    for place, sentence in enumerate(sentences):
        if further.search(sentence) and not offers.search(sentence):
            rest = sentences[place + 1 :]
            if not helps.search(sentence) or not all(offers.search(part) or helps.search(part) for part in rest):
                return True
    return False


def _lists(answer: str) -> bool:
    """Whether an answer lists anything but whom to turn to; the last item may be cut."""
    items = _ITEM.findall(answer)
    if items and all(_CONTACT.search(item.lower()) for item in items[: max(1, len(items) - 1)]):
        return False
    return _LISTS.search(answer) is not None


def asks_for_words(asked: str, refusal: Refusal, *, own: bool = False) -> bool:
    """Whether a question asks for a text that may say no: a translation, an example, a role; with general words any text,
    such as a mail. own: the answer is surely not the text that was asked for."""
    if own:
        question = asked.lower()
        return _ASKS_FOR_NO.search(question) is not None or _ASKS["en"].search(question) is not None
    if _any_of(_ASKS, asked, refusal.language):
        return True
    if refusal.strength is Strength.EXPLICIT:
        return False
    return _any_of(_ASKS_TEXT, asked, refusal.language) or _any_of(_ASKS_FICTION, asked, refusal.language)


def is_harmful(asked: str, language: str) -> bool:
    """Whether a question is one that a model rightly refuses."""
    return _any_of(_HARMFUL, asked, language)


def _any_of(patterns: dict[str, re.Pattern[str]], text: str, language: str) -> bool:
    text = text.lower()
    return any(patterns[name].search(text) for name in {language, *_OWN_SCRIPT})
