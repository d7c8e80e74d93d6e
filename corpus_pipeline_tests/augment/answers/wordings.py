"""What models say instead of an answer, and what only looks like it: lists by language that `making.py` draws from.

Every second entry of a list is held out: it is not looked at while validators are tuned (see README.md).
"""

from __future__ import annotations

REFUSALS: dict[str, list[str]] = {
    "en": ["I'm sorry, but I'm not able to assist with that.", "That is a matter on which I would prefer to stay silent.", "As a language model I must decline to answer this question.",
           "I am afraid that this request is one I have to turn down.", "Unfortunately this goes beyond what I am permitted to discuss.", "No, I won't be helping with this one, sorry.",
           "My guidelines do not allow me to respond to this.", "It would not be right for me to comment on this subject.", "Sorry, I don't feel able to give you an answer here.",
           "Thank you for asking, but I cannot take up that topic."],
    "de": ["Es tut mir leid, aber dabei kann ich nicht helfen.", "Zu dieser Frage möchte ich mich lieber nicht äußern.", "Als KI darf ich auf dieses Thema nicht eingehen.",
           "Leider muss ich diese Anfrage ablehnen.", "Das übersteigt leider, was ich beantworten darf.", "Dazu kann ich Ihnen keine Auskunft geben.",
           "Ich bin nicht befugt, darüber zu sprechen.", "Tut mir leid, diese Frage lasse ich aus."],
    "fr": ["Je suis désolé, mais je ne peux pas vous aider avec cela.", "Je préfère ne pas me prononcer sur ce sujet.", "En tant qu'IA, je ne suis pas autorisé à répondre à cette question.",
           "Malheureusement, je dois décliner cette demande.", "Cela dépasse ce dont je peux parler.", "Il ne m'est pas possible de répondre à cela.",
           "Désolé, cette question sort de ce que je peux traiter.", "Je ne souhaite pas aborder ce sujet."],
    "es": ["Lo siento, pero no puedo ayudarte con eso.", "Prefiero no pronunciarme sobre este tema.", "Como modelo de lenguaje no puedo responder a esa pregunta.",
           "Lamentablemente debo rechazar esta solicitud.", "Eso está fuera de lo que puedo comentar.", "No me es posible contestar a esta pregunta.",
           "Disculpa, no estoy autorizado a hablar de ello.", "No quiero hablar de este asunto."],
    "zh": ["很抱歉，我无法回答这个问题。", "这个话题我不方便讨论。", "作为人工智能，我不能就此提供帮助。", "对不起，您的请求我不能满足。", "抱歉，这超出了我的能力范围。", "我没办法回答您的提问，请见谅。",
           "这个问题恕我不能作答。", "不好意思，我不能协助处理这个请求。"],
    "ru": ["К сожалению, я не могу помочь с этим.", "Я предпочитаю не отвечать на этот вопрос.", "Как языковая модель, я не могу обсуждать эту тему.", "Извините, я вынужден отказаться от ответа.",
           "Это выходит за рамки того, о чём я могу говорить.", "Я не буду отвечать на этот запрос.", "Простите, но я не могу выполнить эту просьбу.", "Мне нельзя говорить об этом."],
}  # fmt: skip

# what a model says around an answer: {} is the answer
TASK_TALK: dict[str, list[str]] = {
    "en": ["Here is my rewritten answer:\n{}", "As you requested, I have put it differently. {}", "The user would like another answer, so I should avoid the wording of the reference. {}",
           "{}\n\nI hope this new version meets your requirements!", "Sure! The rephrased response is as follows: {}", "{} (I kept the facts of the original answer and changed the phrasing.)",
           "Okay, I need to write this again without copying. {}", "Answer in different words: {}", "{}\nNote: the meaning of the source response is preserved.", "Let me reword that. {}"],
    "de": ["Hier ist die umformulierte Antwort:\n{}", "Wie gewünscht, habe ich den Text neu formuliert. {}", "Der Nutzer möchte eine neue Antwort. {}", "{}\n\nIch habe den Inhalt beibehalten und nur die Formulierung geändert.",
           "Gerne, die neue Fassung lautet: {}", "Ich soll die Antwort anders formulieren. {}"],
    "fr": ["Voici la réponse reformulée :\n{}", "Comme demandé, j'ai changé la formulation. {}", "L'utilisateur veut une autre réponse. {}", "{}\n\nJ'ai conservé le sens de la réponse d'origine.",
           "Bien sûr ! Voici une nouvelle version : {}", "Je dois répondre sans copier le texte. {}"],
    "es": ["Aquí tienes la respuesta reformulada:\n{}", "Como pediste, he cambiado la redacción. {}", "El usuario quiere otra respuesta. {}", "{}\n\nHe mantenido el sentido de la respuesta original.",
           "¡Claro! Esta es la nueva versión: {}", "Debo responder sin copiar el texto. {}"],
    "zh": ["以下是改写后的回答：\n{}", "按照您的要求，我换了一种说法。{}", "用户想要一个新的回答。{}", "{}\n\n我保留了原文的意思。", "好的，这是新的版本：{}", "我需要重新回答，避免照抄。{}"],
    "ru": ["Вот переформулированный ответ:\n{}", "Как вы просили, я изменил формулировку. {}", "Пользователь хочет другой ответ. {}", "{}\n\nЯ сохранил смысл исходного ответа.",
           "Конечно! Вот новая версия: {}", "Мне нужно ответить другими словами, не копируя. {}"],
}  # fmt: skip

# an echo of the question, {} is the question
ECHOES: dict[str, list[str]] = {
    "en": ["{}", "You would like to know: {}", "{} That is a good question!", "Interesting. {} Let me see."],
    "de": ["{}", "Sie fragen: {}", "Gute Frage! {}"],
    "fr": ["{}", "Vous demandez : {}", "Bonne question ! {}"],
    "es": ["{}", "Preguntas: {}", "¡Buena pregunta! {}"],
    "zh": ["{}", "您问的是：{}", "好问题！{}"],
    "ru": ["{}", "Вы спрашиваете: {}", "Хороший вопрос! {}"],
}  # fmt: skip
POLITE: dict[str, list[str]] = {
    "en": ["Please: {}", "{} Thanks!", "Could you tell me this? {}"],
    "de": ["Bitte: {}", "{} Danke!", "Sagen Sie mir: {}"],
    "fr": ["S'il vous plaît : {}", "{} Merci !"],
    "es": ["Por favor: {}", "{} ¡Gracias!"],
    "zh": ["请问：{}", "{}谢谢！"],
    "ru": ["Пожалуйста: {}", "{} Спасибо!"],
}  # fmt: skip

# sentences of no subject, for answers in another language than the row's
FOREIGN: list[tuple[str, str]] = [
    ("nl", "Dat hangt natuurlijk sterk af van wat je er precies mee wilt doen."), ("it", "In fondo è una cosa che si impara con un po' di pratica e di pazienza."),
    ("pt", "No fundo é uma coisa que se aprende com um pouco de prática."), ("pl", "W gruncie rzeczy wszystko zależy od tego, ile mamy na to czasu."),
    ("sv", "Egentligen beror det på hur mycket tid man vill lägga ner."), ("tr", "Aslında bu, ne kadar zaman ayırmak istediğinize bağlıdır."),
    ("fi", "Loppujen lopuksi se riippuu siitä, kuinka paljon aikaa on käytettävissä."), ("cs", "Nakonec záleží na tom, kolik času tomu chcete věnovat."),
    ("id", "Pada akhirnya semuanya tergantung pada waktu yang Anda punya."), ("vi", "Rốt cuộc thì điều đó phụ thuộc vào thời gian mà bạn có."),
    ("en", "In the end it all depends on how much time you want to spend on it."), ("de", "Letztlich kommt es darauf an, wie viel Zeit man dafür aufwenden will."),
    ("fr", "Au fond, tout dépend du temps que l'on veut bien y consacrer."), ("es", "En el fondo todo depende del tiempo que uno quiera dedicarle."),
    ("ja", "結局のところ、どれだけ時間をかけるかによって決まります。"), ("ko", "결국 얼마나 많은 시간을 들이느냐에 달려 있습니다."),
    ("ru", "В конце концов всё зависит от того, сколько времени вы готовы потратить."), ("ar", "في النهاية يعتمد الأمر على الوقت الذي تريد أن تقضيه فيه."),
]  # fmt: skip

# (question, the source's answer, a right answer that says no or sorry)
NO_REFUSALS: dict[str, list[tuple[str, str, str]]] = {
    "en": [
        ("Write a short mail in which a gardener turns down a job.", "Dear Mr Frost, I have no time for your hedge this month.", "Dear Mr Frost, I'm sorry, but I cannot take on your hedge this month."),
        ("What does a waiter say when the soup is finished?", "The soup is gone, may I bring you a salad?", "I'm afraid we can't offer the soup any more; would you like a salad?"),
        ("Can penguins fly?", "No, they swim instead.", "No, they cannot fly; they swim."),
        ("Is it allowed to feed the swans here?", "No, it is forbidden in this park.", "No, feeding the swans is not allowed in this park."),
        ("Give an example of a polite excuse for being late.", "The bus did not come, please forgive me.", "I apologise for being late, the bus never came."),
        ("Make a sentence with 'refuse'.", "The donkey refused to cross the bridge.", "My donkey refuses to walk over the bridge."),
        ("Translate into plain English: 'Nous ne pouvons pas vous aider.'", "We cannot help you.", "We can't help you."),
        ("Act as a knight who guards a gate.", "Nobody passes here before dawn.", "I cannot let you pass before dawn, stranger."),
        ("What do I answer a friend who wants to borrow my bike?", "Tell him that you need it yourself.", "Sorry, I can't lend you my bike, I need it myself."),
        ("Why can't I open the garage door?", "The battery of the remote control is empty.", "You cannot open it because the remote control has an empty battery."),
    ],
    "de": [
        ("Schreibe eine kurze Absage eines Gärtners.", "Sehr geehrter Herr Frost, für Ihre Hecke habe ich diesen Monat keine Zeit.", "Sehr geehrter Herr Frost, leider kann ich Ihre Hecke diesen Monat nicht schneiden."),
        ("Können Pinguine fliegen?", "Nein, sie schwimmen.", "Nein, fliegen können sie nicht, sie schwimmen."),
        ("Was sagt ein Kellner, wenn die Suppe aus ist?", "Die Suppe ist aus, darf es ein Salat sein?", "Tut mir leid, Suppe kann ich Ihnen keine mehr anbieten, vielleicht einen Salat?"),
        ("Bilde einen Satz mit 'unmöglich'.", "Es war unmöglich, den Esel zu bewegen.", "Den Esel zu bewegen, ist unmöglich."),
    ],
    "fr": [
        ("Écris un court refus d'un jardinier.", "Monsieur Frost, je n'ai pas le temps de tailler votre haie ce mois-ci.", "Monsieur Frost, je suis désolé, je ne peux pas tailler votre haie ce mois-ci."),
        ("Les manchots peuvent-ils voler ?", "Non, ils nagent.", "Non, ils ne peuvent pas voler, ils nagent."),
        ("Que dit un serveur quand il n'y a plus de soupe ?", "Il n'y a plus de soupe, désirez-vous une salade ?", "Je regrette, je ne peux plus vous offrir de soupe ; une salade, peut-être ?"),
        ("Fais une phrase avec 'impossible'.", "Il était impossible de faire avancer l'âne.", "Faire avancer cet âne est impossible."),
    ],
    "es": [
        ("Escribe una breve negativa de un jardinero.", "Señor Frost, este mes no tengo tiempo para su seto.", "Señor Frost, lo siento, este mes no puedo cortar su seto."),
        ("¿Pueden volar los pingüinos?", "No, nadan.", "No, no pueden volar, pero nadan."),
        ("¿Qué dice un camarero cuando ya no hay sopa?", "Ya no queda sopa, ¿desea una ensalada?", "Lo siento, ya no puedo ofrecerle sopa; ¿quizá una ensalada?"),
        ("Haz una frase con 'imposible'.", "Era imposible mover al burro.", "Mover ese burro es imposible."),
    ],
    "zh": [
        ("写一封园丁婉拒工作的短信。", "弗罗斯特先生，这个月我没有时间修剪您的树篱。", "弗罗斯特先生，很抱歉，这个月我不能为您修剪树篱。"),
        ("企鹅会飞吗？", "不会，它们会游泳。", "不会，企鹅不能飞，但会游泳。"),
        ("汤卖完了，服务员怎么说？", "汤已经卖完了，要不要来份沙拉？", "抱歉，汤没有了，不能再给您上了，来份沙拉好吗？"),
        ("用“不可能”造句。", "让那头驴走动是不可能的。", "要那头驴走动，简直不可能。"),
    ],
    "ru": [
        ("Напиши короткий отказ садовника.", "Господин Фрост, в этом месяце у меня нет времени на вашу изгородь.", "Господин Фрост, к сожалению, я не могу подстричь вашу изгородь в этом месяце."),
        ("Умеют ли пингвины летать?", "Нет, они плавают.", "Нет, летать они не умеют, но плавают."),
        ("Что говорит официант, если суп кончился?", "Суп кончился, не желаете ли салат?", "Извините, суп я вам уже не могу предложить, может быть, салат?"),
        ("Составь предложение со словом «невозможно».", "Сдвинуть осла было невозможно.", "Этого осла невозможно сдвинуть."),
    ],
}  # fmt: skip

# a sum: {name}, {a}, {b}, {c} = a + b; question, its answer, the question reworded, right answers in other words
SUMS: dict[str, tuple[str, str, list[str], list[str]]] = {
    "en": ("{name} picks {a} pears before lunch and {b} plums after lunch. How many fruits does {name} pick?",
           "{name} picks {a} pears and {b} plums, so {a} + {b} = {c} fruits. The answer is {c}.",
           ["Before lunch {name} gathers {a} pears, and {b} plums after it. What is the number of fruits?", "After picking {a} pears {name} has lunch and then picks {b} plums. How many fruits are that?",
            "{name} harvested {b} plums in the afternoon, having harvested {a} pears in the morning. How many fruits is that altogether?"],
           ["{a} pears plus {b} plums are {c} fruits.", "Adding {a} and {b} gives {c}, so {name} has {c} fruits.\n#### {c}", "In total that makes \\boxed{{{c}}}.", "The sum of {a} and {b} is {c}; hence **{c}**."]),
    "de": ("{name} pflückt vor dem Essen {a} Birnen und danach {b} Pflaumen. Wie viele Früchte pflückt {name}?",
           "{name} pflückt {a} Birnen und {b} Pflaumen, also {a} + {b} = {c} Früchte. Die Antwort ist {c}.",
           ["Vor dem Essen sammelt {name} {a} Birnen, danach {b} Pflaumen. Wie viele Früchte sind es zusammen?", "Nach {a} Birnen isst {name} zu Mittag und pflückt dann {b} Pflaumen. Wie groß ist die Zahl der Früchte?"],
           ["{a} Birnen und {b} Pflaumen sind zusammen {c} Früchte.", "Aus {a} und {b} wird {c}.\n#### {c}"]),
    "fr": ("{name} cueille {a} poires avant le repas et {b} prunes après. Combien de fruits {name} cueille-t-elle ?",
           "{name} cueille {a} poires et {b} prunes, donc {a} + {b} = {c} fruits. La réponse est {c}.",
           ["Avant le repas, {name} ramasse {a} poires, puis {b} prunes. Combien de fruits cela fait-il ?"],
           ["{a} poires et {b} prunes font {c} fruits.", "La somme de {a} et {b} est {c}.\n#### {c}"]),
    "es": ("{name} recoge {a} peras antes de comer y {b} ciruelas después. ¿Cuántas frutas recoge {name}?",
           "{name} recoge {a} peras y {b} ciruelas, es decir, {a} + {b} = {c} frutas. La respuesta es {c}.",
           ["Antes de comer, {name} junta {a} peras y luego {b} ciruelas. ¿Cuántas frutas son en total?"],
           ["{a} peras y {b} ciruelas son {c} frutas.", "La suma de {a} y {b} es {c}.\n#### {c}"]),
    "zh": ("{name}饭前摘了{a}个梨，饭后摘了{b}个李子。{name}一共摘了多少个水果？", "{name}摘了{a}个梨和{b}个李子，{a} + {b} = {c}。答案是{c}。",
           ["吃饭以前{name}采了{a}个梨，饭后又采了{b}个李子，水果总数是多少？"], ["{a}个梨加上{b}个李子是{c}个水果。", "{a}与{b}相加得{c}。\n#### {c}"]),
    "ru": ("До обеда {name} срывает {a} груш, а после обеда {b} слив. Сколько фруктов срывает {name}?", "{name} срывает {a} груш и {b} слив, то есть {a} + {b} = {c} фруктов. Ответ: {c}.",
           ["Сначала, до обеда, {name} собирает {a} груш, а после обеда {b} слив. Сколько всего фруктов?"], ["{a} груш и {b} слив — это {c} фруктов.", "Сумма {a} и {b} равна {c}.\n#### {c}"]),
}  # fmt: skip
ADDED: dict[str, list[str]] = {
    "en": ["{q} A friend brings {n} more.", "{q} Note that {n} of them are bad."],
    "de": ["{q} Ein Freund bringt noch {n}.", "{q} Davon sind {n} faul."],
    "fr": ["{q} Un ami en apporte encore {n}.", "{q} Parmi eux, {n} sont gâtés."],
    "es": ["{q} Un amigo trae {n} más.", "{q} De ellas, {n} están podridas."],
    "zh": ["{q}朋友又带来{n}个。", "{q}其中{n}个是坏的。"],
    "ru": ["{q} Друг приносит ещё {n}.", "{q} Из них {n} испорчены."],
}  # fmt: skip

# short answers and their translations: by language, the same meaning in each place; the second list contradicts the first
SHORT: list[tuple[dict[str, str], dict[str, str], dict[str, str]]] = [
    ({"en": "Is a whale a fish?", "de": "Ist ein Wal ein Fisch?", "fr": "La baleine est-elle un poisson ?", "es": "¿Es la ballena un pez?", "zh": "鲸鱼是鱼吗？", "ru": "Кит — это рыба?"},
     {"en": "The answer is no.", "de": "Die Antwort ist nein.", "fr": "La réponse est non.", "es": "La respuesta es no.", "zh": "答案是：不是。", "ru": "Ответ: нет."},
     {"en": "The answer is yes.", "de": "Die Antwort ist ja.", "fr": "La réponse est oui.", "es": "La respuesta es sí.", "zh": "答案是：是的。", "ru": "Ответ: да."}),
    ({"en": "Which colour has a ripe lemon?", "de": "Welche Farbe hat eine reife Zitrone?", "fr": "De quelle couleur est un citron mûr ?", "es": "¿De qué color es un limón maduro?", "zh": "成熟的柠檬是什么颜色？", "ru": "Какого цвета спелый лимон?"},
     {"en": "Yellow.", "de": "Gelb.", "fr": "Jaune.", "es": "Amarillo.", "zh": "黄色。", "ru": "Жёлтый."},
     {"en": "Blue.", "de": "Blau.", "fr": "Bleu.", "es": "Azul.", "zh": "蓝色。", "ru": "Синий."}),
    ({"en": "Which season comes before winter?", "de": "Welche Jahreszeit kommt vor dem Winter?", "fr": "Quelle saison vient avant l'hiver ?", "es": "¿Qué estación viene antes del invierno?", "zh": "冬天之前是什么季节？", "ru": "Какое время года перед зимой?"},
     {"en": "The answer is autumn.", "de": "Die Antwort ist Herbst.", "fr": "La réponse est l'automne.", "es": "La respuesta es el otoño.", "zh": "答案是秋天。", "ru": "Ответ: осень."},
     {"en": "The answer is spring.", "de": "Die Antwort ist Frühling.", "fr": "La réponse est le printemps.", "es": "La respuesta es la primavera.", "zh": "答案是春天。", "ru": "Ответ: весна."}),
    ({"en": "How many legs has a beetle?", "de": "Wie viele Beine hat ein Käfer?", "fr": "Combien de pattes a un scarabée ?", "es": "¿Cuántas patas tiene un escarabajo?", "zh": "甲虫有几条腿？", "ru": "Сколько ног у жука?"},
     {"en": "The answer is 6.", "de": "Die Antwort ist 6.", "fr": "La réponse est 6.", "es": "La respuesta es 6.", "zh": "答案是6。", "ru": "Ответ: 6."},
     {"en": "The answer is 8.", "de": "Die Antwort ist 8.", "fr": "La réponse est 8.", "es": "La respuesta es 8.", "zh": "答案是8。", "ru": "Ответ: 8."}),
    ({"en": "On which day does the market open?", "de": "An welchem Tag öffnet der Markt?", "fr": "Quel jour ouvre le marché ?", "es": "¿Qué día abre el mercado?", "zh": "集市哪一天开？", "ru": "В какой день открывается рынок?"},
     {"en": "On Friday.", "de": "Am Freitag.", "fr": "Le vendredi.", "es": "El viernes.", "zh": "星期五。", "ru": "В пятницу."},
     {"en": "On Monday.", "de": "Am Montag.", "fr": "Le lundi.", "es": "El lunes.", "zh": "星期一。", "ru": "В понедельник."}),
    ({"en": "What do bees make?", "de": "Was machen Bienen?", "fr": "Que font les abeilles ?", "es": "¿Qué hacen las abejas?", "zh": "蜜蜂做什么？", "ru": "Что делают пчёлы?"},
     {"en": "They make honey and wax.", "de": "Sie machen Honig und Wachs.", "fr": "Elles font du miel et de la cire.", "es": "Hacen miel y cera.", "zh": "它们做蜂蜜和蜂蜡。", "ru": "Они делают мёд и воск."},
     {"en": "", "de": "", "fr": "", "es": "", "zh": "", "ru": ""}),
    ({"en": "Who wrote this letter?", "de": "Wer hat diesen Brief geschrieben?", "fr": "Qui a écrit cette lettre ?", "es": "¿Quién escribió esta carta?", "zh": "这封信是谁写的？", "ru": "Кто написал это письмо?"},
     {"en": "Marta Ellingsen", "de": "Marta Ellingsen", "fr": "Marta Ellingsen", "es": "Marta Ellingsen", "zh": "玛尔塔·埃林森", "ru": "Марта Эллингсен"},
     {"en": "", "de": "", "fr": "", "es": "", "zh": "", "ru": ""}),
]  # fmt: skip
