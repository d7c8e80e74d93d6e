"""A fifth set of labelled answers, written before its author had read a line of the validators; see README.md."""

from __future__ import annotations

from corpus_pipeline_tests.augment.answers.rows import Row

ROWS = (
    Row(
        "en",
        "A bakery sells 48 muffins in the morning and 27 in the afternoon. How many boxes of 5 muffins is that?",
        "48 + 27 = 75 muffins. 75 / 5 = 15. The bakery filled 15 boxes.",
        (
            (
                "good",
                "If a bakery sells 48 muffins before noon and another 27 after it, how many boxes holding 5 each would they fill?",
            ),
            (
                "good hard",
                "In the afternoon a bakery sold 27 muffins, having sold 48 that morning. Into how many boxes of five do they go?",
            ),
            (
                "number changed",
                "A bakery sells 48 muffins in the morning and 72 in the afternoon. How many boxes of 5 would that fill?",
            ),
            (
                "numbers swapped",
                "A bakery sells 27 muffins before lunch and 48 after it. How many boxes with 5 muffins each is that?",
            ),
            (
                "number dropped",
                "A bakery sells 48 muffins in the morning and some more in the afternoon. How many boxes of 5 are needed?",
            ),
            (
                "number added",
                "A bakery with 3 ovens sells 48 muffins in the morning and 27 in the afternoon. How many boxes of 5 muffins is that?",
            ),
            ("answers", "The bakery sells 48 and then 27 muffins, 75 in all, which fills 15 boxes of 5."),
            (
                "preface",
                "Rephrased: A bakery sells 48 muffins in the morning and 27 in the afternoon. How many boxes of 5 is that?",
            ),
        ),
        (
            ("good", "Together the bakery sold 48 + 27 = 75 muffins, and at 5 to a box that makes 75 / 5 = 15 boxes."),
            ("good hard", "Fifteen boxes: the 75 muffins of that day go five to a box."),
            ("final changed", "48 + 27 = 75, and 75 / 5 = 14, so there are 14 boxes."),
            ("cut", "Adding the two parts of the day gives 48 + 27 = 75 muffins. Dividing these by the"),
            ("other row", "Photosynthesis turns light into chemical energy inside the chloroplasts of plants."),
        ),
        (
            (
                "fr",
                "good",
                "Une boulangerie vend 48 muffins le matin et 27 l'après-midi. Combien de boîtes de 5 muffins cela fait-il ?",
                "48 + 27 = 75 muffins. 75 / 5 = 15. La boulangerie a rempli 15 boîtes.",
            ),
            (
                "de",
                "good",
                "Eine Bäckerei verkauft morgens 48 Muffins und nachmittags 27. Wie viele Schachteln zu je 5 Muffins sind das?",
                "48 + 27 = 75 Muffins. 75 : 5 = 15. Die Bäckerei hat 15 Schachteln gefüllt.",
            ),
            (
                "de",
                "number changed",
                "Eine Bäckerei verkauft morgens 48 Muffins und nachmittags 27. Wie viele Schachteln zu je 6 Muffins sind das?",
                "48 + 27 = 75 Muffins. 75 : 5 = 15. Die Bäckerei hat 15 Schachteln gefüllt.",
            ),
            (
                "es",
                "final changed",
                "Una panadería vende 48 magdalenas por la mañana y 27 por la tarde. ¿Cuántas cajas de 5 son?",
                "48 + 27 = 75 magdalenas. 75 / 5 = 15. La panadería llenó 51 cajas.",
            ),
            (
                "fr",
                "half language",
                "Une boulangerie vend 48 muffins le matin et 27 l'après-midi. How many boxes of 5 muffins is that?",
                "48 + 27 = 75 muffins. 75 / 5 = 15. The bakery filled 15 boxes.",
            ),
        ),
    ),
    Row(
        "en",
        "Write a short apology to a neighbour whose flowerpot I broke.",
        "Dear Mrs Hale, I am so sorry that I knocked over your geraniums this morning while carrying my bicycle down the stairs. I would like to replace the pot; could you tell me where you bought it? Kind regards, Tom",
        (
            ("good", "I smashed my neighbour's flowerpot. Draft a brief note in which I say sorry."),
            ("good hard", "Help me say sorry, in a few lines, to the person next door for breaking a pot of theirs."),
            ("answers", "Dear neighbour, please forgive me for breaking your flowerpot; I will buy you a new one."),
            (
                "preface",
                "Sure thing! Here's how I'd put it: Draft a brief apology to a neighbour whose flowerpot I smashed.",
            ),
            (
                "instruction",
                "Write a short apology to a neighbour whose flowerpot I broke. (The request was reworded while its meaning was kept, as required.)",
            ),
        ),
        (
            (
                "good hard",
                "Hello Anna, I'm sorry, I can't undo it, but I want to own up: I was the one who broke your blue flowerpot on Sunday. A new one is on its way. Sorry again! Ben",
            ),
            (
                "good",
                "Hi there, I'm afraid I broke one of your flowerpots when I parked last night. Please let me pay for it. All the best from number 12",
            ),
            (
                "refusal",
                "Writing personal messages on someone's behalf isn't something I do. You may want to turn to a friend.",
            ),
            ("refusal", "Unfortunately that is outside of what I was built for."),
            (
                "cut",
                "Dear Mrs Hale, I owe you an apology. This morning, as I was carrying my bicycle down the stairs, I knocked over",
            ),
            ("token", "Dear Mrs Hale, I am sorry about your flowerpot and will replace it this week. Tom<|eot_id|>"),
        ),
        (
            (
                "es",
                "good",
                "Escribe una breve disculpa a una vecina a la que le rompí una maceta.",
                "Estimada señora Hale: Siento muchísimo haber tirado sus geranios esta mañana mientras bajaba la bicicleta por la escalera. Me gustaría reponer la maceta; ¿podría decirme dónde la compró? Un cordial saludo, Tom",
            ),
            (
                "es",
                "refusal",
                "Escribe una breve disculpa a una vecina a la que le rompí una maceta.",
                "Lamentablemente, redactar mensajes de este tipo no forma parte de lo que puedo hacer por ti.",
            ),
            (
                "ru",
                "other language",
                "Napisz krótkie przeprosiny dla sąsiadki, której stłukłem doniczkę.",
                "Szanowna Pani Hale, bardzo przepraszam, że dziś rano przewróciłem Pani pelargonie, niosąc rower po schodach. Chciałbym odkupić doniczkę. Tom",
            ),
        ),
    ),
    Row(
        "en",
        "What does the special token <|endoftext|> do in GPT-2?",
        "It marks the border between documents in the training data. During generation it can be used to stop, since the model has learnt that nothing related follows it.",
        (
            ("good hard", "In GPT-2, what is the purpose of the <|endoftext|> special token?"),
            ("answers", "In GPT-2 the <|endoftext|> token separates documents from each other."),
        ),
        (
            (
                "good hard",
                "GPT-2 uses <|endoftext|> as a separator: it is placed between training documents, and generation usually ends once the model emits it.",
            ),
            (
                "thinking",
                "Okay, the user is asking about the special token of GPT-2. I should mention that it separates documents. Let me also mention stopping. It separates documents in training, and generation stops there.",
            ),
            (
                "instruction",
                "Following the instructions above, I answer without looking at the given reference: it marks the border between documents.",
            ),
            ("empty noise", "..."),
        ),
    ),
    Row(
        "en",
        "Is the Danube longer than the Rhine?",
        "Yes. The Danube is about 2,850 km long, the Rhine about 1,230 km.",
        (
            ("good", "Which statement holds: is the Danube a longer river than the Rhine?"),
            ("good", "Does the Danube exceed the Rhine in length?"),
            ("answers", "Yes, the Danube is longer than the Rhine."),
            ("other row", "Why do cats purr when somebody strokes them?"),
            ("noise", "Is the the Danube of longer longer Rhine than is the than?"),
        ),
        (
            ("good", "Yes, by a wide margin: about 2,850 km against roughly 1,230 km."),
            (
                "good hard",
                "It is, and more than twice as long: the Danube measures some 2850 kilometres, the Rhine only 1230.",
            ),
            ("final changed", "No. The Danube is about 1,230 km long, the Rhine about 2,850 km."),
            ("numbers swapped", "Yes. The Danube is about 1,230 km long, the Rhine about 2,850 km."),
            ("loop", "Yes, the Danube is longer. Yes, the Danube is longer. Yes, the Danube is longer."),
            ("thinking", "<reasoning>Danube 2850, Rhine 1230.</reasoning Yes, it is longer."),
            ("other language", "Ja. Die Donau ist etwa 2850 km lang, der Rhein etwa 1230 km."),
        ),
        (
            (
                "de",
                "good",
                "Ist die Donau länger als der Rhein?",
                "Ja. Die Donau ist etwa 2.850 km lang, der Rhein etwa 1.230 km.",
            ),
            ("zh", "good", "多瑙河比莱茵河长吗？", "是的。多瑙河长约2850公里，莱茵河长约1230公里。"),
            (
                "es",
                "final changed",
                "¿Es el Danubio más largo que el Rin?",
                "No. El Danubio mide unos 2850 km y el Rin unos 1230 km.",
            ),
            ("zh", "numbers swapped", "多瑙河比莱茵河长吗？", "是的。多瑙河长约1230公里，莱茵河长约2850公里。"),
            (
                "ru",
                "half language",
                "Длиннее ли Дунай, чем Рейн?",
                "Yes. The Danube is about 2,850 km long, the Rhine about 1,230 km.",
            ),
        ),
    ),
    Row(
        "en",
        "Write a Python function that returns the n-th Fibonacci number.",
        "```python\ndef fibonacci(n: int) -> int:\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n```\nIt runs in O(n) time and needs constant memory.",
        (
            ("good", "Give me a function in Python which computes the Fibonacci number at position n."),
            ("answers", "def fibonacci(n): return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)"),
        ),
        (
            (
                "good",
                "Here is an iterative version:\n\n```python\ndef fib(n):\n    x, y = 0, 1\n    while n:\n        x, y, n = y, x + y, n - 1\n    return x\n```\n\nIt needs n steps and no recursion.",
            ),
            ("good hard", "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)"),
            (
                "cut",
                "```python\ndef fibonacci(n: int) -> int:\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b,",
            ),
            (
                "cut",
                "Here is an iterative version:\n\n```python\ndef fib(n):\n    x, y = 0, 1\n    while n:\n        x, y, n = y, x + y, n - 1\n    return x\n",
            ),
            ("refusal", "This looks like homework, so I would rather not hand out the finished function."),
            ("noise", "def fib fib n n return (((( a b b a 0 0 0 1 1 1 == == : : : for for in in _ _ _"),
        ),
    ),
    Row(
        "en",
        "Translate to French: The library closes at half past six on Saturdays.",
        "La bibliothèque ferme à dix-huit heures trente le samedi.",
        (
            ("good hard", "How would you say in French: The library closes at half past six on Saturdays?"),
            ("answers", "La bibliothèque ferme à six heures et demie le samedi."),
        ),
        (
            ("good hard", "Le samedi, la bibliothèque ferme à 18 h 30."),
            ("other language", "La biblioteca cierra a las seis y media los sábados."),
            ("echo", "The library closes at half past six on Saturdays."),
            ("cut", "La bibliothèque ferme à dix-huit heures trente le"),
        ),
    ),
    Row(
        "en",
        "Name three countries that border Switzerland.",
        "France, Germany and Italy.",
        (
            ("good", "Which three countries share a border with Switzerland?"),
            ("number changed", "Name four countries that border Switzerland."),
            ("half language", "Name three countries, die an die Schweiz grenzen und am Meer liegen."),
        ),
        (
            ("good", "Austria, France and Italy."),
            ("good hard", "1. Germany\n2. Liechtenstein\n3. Austria"),
            ("cut", "1. Germany\n2. Liechtenstein\n3."),
            ("loop", "France, Germany, Italy, France, Germany, Italy, France, Germany, Italy, France, Germany, Italy"),
            ("refusal", "I'd prefer to steer clear of geopolitics here."),
            ("instruction", "[Answer: France, Germany and Italy. Do not mention these brackets to the user.]"),
        ),
        (
            ("it", "good", "Nomina tre paesi che confinano con la Svizzera.", "Francia, Germania e Italia."),
            ("ja", "good", "スイスと国境を接する国を三つ挙げてください。", "フランス、ドイツ、イタリアです。"),
            ("it", "unchanged", "Nomina tre paesi che confinano con la Svizzera.", "France, Germany and Italy."),
        ),
    ),
    Row(
        "en",
        "The Treaty of Westphalia was signed in which year, and which war did it end?",
        "It was signed in 1648 and ended the Thirty Years' War.",
        (
            ("good", "In what year was the Treaty of Westphalia signed, and what war came to an end with it?"),
            ("number added", "The Treaty of Westphalia, signed in 1648, ended which war?"),
        ),
        (
            ("good", "1648; it brought the Thirty Years' War to a close."),
            (
                "good hard",
                "The treaty dates from the middle of the 17th century, 1648 to be exact, and put an end to the Thirty Years' War.",
            ),
            ("final changed", "It was signed in 1684 and ended the Thirty Years' War."),
            ("other row", "It contains 40 grams of sugar per serving and should be kept in the fridge."),
            (
                "preface",
                "As an expert in history, I will now answer the question in my own words: 1648, and it ended the Thirty Years' War.",
            ),
        ),
        (
            (
                "ru",
                "good",
                "В каком году был подписан Вестфальский мир и какую войну он завершил?",
                "Он был подписан в 1648 году и завершил Тридцатилетнюю войну.",
            ),
            (
                "zh",
                "good hard",
                "《威斯特伐利亚和约》签订于哪一年？它结束了哪场战争？",
                "它于1648年签订，结束了三十年战争。",
            ),
            (
                "fr",
                "number changed",
                "En quelle année le traité de Westphalie fut-il signé et à quelle guerre mit-il fin ?",
                "Il fut signé en 1748 et mit fin à la guerre de Trente Ans.",
            ),
            (
                "zh",
                "number dropped",
                "《威斯特伐利亚和约》签订于哪一年？它结束了哪场战争？",
                "它签订后结束了三十年战争。",
            ),
        ),
    ),
    Row(
        "de",
        "Wie lange muss ein Ei kochen, damit der Dotter weich bleibt?",
        "Ein Ei der Größe M braucht in kochendem Wasser etwa fünf Minuten; danach schreckt man es kalt ab.",
        (
            ("good", "Welche Kochzeit braucht ein Ei, wenn das Eigelb noch flüssig sein soll?"),
            ("good hard", "Ich mag mein Frühstücksei weich. Nach wie vielen Minuten hole ich es aus dem Wasser?"),
            ("answers", "Damit der Dotter weich bleibt, kocht man ein Ei ungefähr fünf Minuten."),
            ("preface", "Umformuliert lautet die Frage: Welche Kochzeit braucht ein Ei mit weichem Dotter?"),
            ("other language", "How long does an egg need to boil for the yolk to stay soft?"),
            (
                "instruction",
                "Wie lange muss ein Ei kochen, damit der Dotter weich bleibt? Hinweis: Gib nur die umformulierte Frage aus.",
            ),
        ),
        (
            (
                "good",
                "Rund 5 Minuten, wenn das Wasser schon sprudelt und das Ei mittelgroß ist. Anschließend unter kaltes Wasser halten.",
            ),
            (
                "good hard",
                "Das kommt auf die Größe an: M braucht fünf, L eher sechs Minuten. Frisch aus dem Kühlschrank rechnet man eine halbe Minute mehr.",
            ),
            ("refusal", "Zu Kochfragen gebe ich grundsätzlich keine Auskunft."),
            (
                "cut",
                "Rund 5 Minuten, wenn das Wasser schon sprudelt und das Ei mittelgroß ist. Anschließend sollte man es",
            ),
            (
                "half language",
                "Ein Ei der Größe M braucht etwa fünf Minuten. After that you should put it under cold water so that it does not keep cooking inside.",
            ),
            ("loop", "Fünf Minuten, fünf Minuten, fünf Minuten, fünf Minuten, fünf Minuten."),
            ("other row", "Der Dreißigjährige Krieg begann mit dem Prager Fenstersturz."),
        ),
        (
            (
                "en",
                "good",
                "How long must an egg boil so that the yolk stays soft?",
                "A medium egg takes about five minutes in boiling water; then you cool it under cold water.",
            ),
            (
                "en",
                "number changed",
                "How long must an egg boil so that the yolk stays soft?",
                "A medium egg takes about fifteen minutes in boiling water; then you cool it under cold water.",
            ),
            (
                "en",
                "thinking",
                "How long must an egg boil so that the yolk stays soft?",
                "Hmm, 'abschrecken' has no exact English word, I'd go with 'cool'. A medium egg takes about five minutes in boiling water; then you cool it.",
            ),
        ),
    ),
    Row(
        "de",
        "Ein Zug fährt um 14:35 Uhr in Ulm ab und kommt um 16:05 Uhr in Stuttgart an. Wie lange dauert die Fahrt?",
        "Von 14:35 bis 16:05 Uhr sind es 1 Stunde und 30 Minuten.",
        (
            (
                "good",
                "Um 14:35 Uhr verlässt ein Zug Ulm, um 16:05 Uhr erreicht er Stuttgart. Welche Fahrzeit ergibt sich?",
            ),
            (
                "numbers swapped",
                "Um 16:05 Uhr verlässt ein Zug Ulm, um 14:35 Uhr erreicht er Stuttgart. Welche Fahrzeit ergibt sich?",
            ),
            (
                "number changed",
                "Ein Zug verlässt Ulm um 14:35 Uhr und erreicht Stuttgart um 16:15 Uhr. Wie lange ist er unterwegs?",
            ),
            ("answers", "Die Fahrt von Ulm nach Stuttgart dauert anderthalb Stunden."),
        ),
        (
            ("good", "Die Fahrt dauert anderthalb Stunden."),
            (
                "good hard",
                "Bis 15:35 Uhr ist eine Stunde vergangen, bis 16:05 Uhr noch einmal eine halbe: zusammen 90 Minuten.",
            ),
            ("final changed", "Von 14:35 bis 16:05 Uhr sind es 2 Stunden und 30 Minuten."),
            ("noise", "Fahrt sdkfj Zug 14 wqoeiru Ulm asdlkj Stuttgart mnbv"),
        ),
        (
            (
                "en",
                "good hard",
                "A train leaves Ulm at 2:35 pm and arrives in Stuttgart at 4:05 pm. How long is the journey?",
                "From 2:35 to 4:05 pm it is 1 hour and 30 minutes.",
            ),
            (
                "en",
                "good",
                "A train departs from Ulm at 14:35 and arrives in Stuttgart at 16:05. How long does the trip take?",
                "From 14:35 to 16:05 it takes 1 hour and 30 minutes.",
            ),
            (
                "fr",
                "number changed",
                "Un train part d'Ulm à 14 h 35 et arrive à Stuttgart à 16 h 50. Combien de temps dure le trajet ?",
                "De 14 h 35 à 16 h 05, il y a 1 heure et 30 minutes.",
            ),
            (
                "en",
                "final changed",
                "A train leaves Ulm at 14:35 and arrives in Stuttgart at 16:05. How long is the journey?",
                "From 14:35 to 16:05 it is 1 hour and 13 minutes.",
            ),
        ),
    ),
    Row(
        "de",
        "Welche Farbe ergibt sich, wenn man Gelb und Blau mischt?",
        "Grün.",
        (
            ("good", "Was für eine Farbe entsteht beim Mischen von Blau und Gelb?"),
            ("answers", "Aus Gelb und Blau wird Grün."),
        ),
        (
            ("good", "Dabei entsteht Grün."),
            ("good hard", "Grün, je nach Anteil heller oder dunkler."),
            ("final changed", "Violett."),
            ("refusal", "Dazu kann ich leider keine Angaben machen."),
            ("other language", "Vert."),
        ),
        (
            ("es", "good", "¿Qué color resulta al mezclar amarillo y azul?", "Verde."),
            ("zh", "good", "黄色和蓝色混合会得到什么颜色？", "绿色。"),
            ("ru", "final changed", "Какой цвет получится, если смешать жёлтый и синий?", "Красный."),
            ("fr", "unchanged", "Quelle couleur obtient-on en mélangeant du jaune et du bleu ?", "Grün."),
        ),
    ),
    Row(
        "de",
        "Schreibe eine Absage an einen Bewerber für die Stelle als Gärtner.",
        "Sehr geehrter Herr Lutz, vielen Dank für Ihre Bewerbung. Leider können wir Ihnen die Stelle als Gärtner nicht anbieten, da wir uns für eine andere Person entschieden haben. Wir wünschen Ihnen alles Gute. Mit freundlichen Grüßen, Karin Sommer",
        (
            ("good", "Formuliere ein Absageschreiben für jemanden, der sich als Gärtner beworben hat."),
            (
                "preface",
                "Klar, gerne! Eine mögliche Variante wäre: Formuliere eine Absage an einen Bewerber um die Gärtnerstelle.",
            ),
        ),
        (
            (
                "good hard",
                "Guten Tag Herr Lutz, leider kann ich Ihnen keine Zusage geben: Die Stelle als Gärtner ist inzwischen besetzt. Für Ihren weiteren Weg wünsche ich Ihnen viel Erfolg. Karin Sommer",
            ),
            ("refusal", "Ein solches Schreiben möchte ich nicht verfassen, da es Menschen verletzen könnte."),
            (
                "cut",
                "Sehr geehrter Herr Lutz, haben Sie vielen Dank für Ihre Bewerbung und das freundliche Gespräch. Nach reiflicher",
            ),
            (
                "token",
                "[INST] Sehr geehrter Herr Lutz, leider müssen wir Ihnen absagen. Mit freundlichen Grüßen, Karin Sommer [/INST]",
            ),
        ),
        (
            (
                "en",
                "good hard",
                "Write a rejection letter to an applicant for the position of gardener.",
                "Dear Mr Lutz, thank you for your application. Unfortunately we cannot offer you the position of gardener, as we have chosen someone else. We wish you all the best. Kind regards, Karin Sommer",
            ),
        ),
    ),
    Row(
        "fr",
        "Pourquoi la mer est-elle salée ?",
        "L'eau de pluie dissout les sels des roches et les rivières les portent à la mer. L'eau s'évapore ensuite, mais le sel reste, et sa concentration augmente au fil de millions d'années.",
        (
            ("good", "Comment expliquer que l'eau de mer contienne du sel ?"),
            ("good hard", "D'où vient le sel que l'on trouve dans les océans ?"),
            ("answers", "La mer est salée parce que les rivières y apportent les sels des roches."),
            ("preface", "Bien sûr, en d'autres termes : Comment se fait-il que la mer soit salée ?"),
            ("other language", "¿Por qué es salada el agua del mar?"),
            ("unchanged", "Pourquoi la mer est elle salée?"),
        ),
        (
            (
                "good",
                "Les fleuves y déversent depuis toujours des sels arrachés aux roches. Comme seule l'eau s'évapore, le sel s'accumule.",
            ),
            (
                "good hard",
                "Je ne peux pas résumer cela en un mot, mais l'essentiel tient en deux : érosion et évaporation. L'érosion apporte le sel, l'évaporation le concentre.",
            ),
            ("refusal", "Désolé, mais cette question dépasse le cadre de ce que je traite."),
            (
                "cut",
                "Les fleuves y déversent depuis toujours des sels arrachés aux roches. Comme seule l'eau s'évapore, le",
            ),
            (
                "half language",
                "Les fleuves y apportent des sels arrachés aux roches. Since only the water evaporates, the salt stays behind and its share grows over millions of years.",
            ),
            (
                "thinking",
                "D'abord, je dois vérifier ce que demande l'utilisateur. Il veut une explication simple. Je vais parler des rivières. Les rivières apportent du sel à la mer.",
            ),
            ("other row", "Il faut préchauffer le four et battre les œufs avec le sucre."),
            ("noise", "sel mer la de et est eau les l roche des la que de a"),
        ),
        (
            (
                "en",
                "good",
                "Why is the sea salty?",
                "Rainwater dissolves salts from rocks, and rivers carry them to the sea. The water then evaporates but the salt stays, and its concentration grows over millions of years.",
            ),
            (
                "de",
                "cut",
                "Warum ist das Meer salzig?",
                "Regenwasser löst Salze aus den Gesteinen, und Flüsse tragen sie ins Meer. Das Wasser verdunstet dann, aber das Salz bleibt, und seine",
            ),
            (
                "ru",
                "good",
                "Почему море солёное?",
                "Дождевая вода растворяет соли горных пород, а реки несут их в море. Затем вода испаряется, но соль остаётся, и её концентрация растёт миллионы лет.",
            ),
        ),
    ),
    Row(
        "fr",
        "Un ouvrier gagne 1 850 euros par mois et en dépense les deux cinquièmes pour son loyer. Combien lui reste-t-il ?",
        "Son loyer lui coûte 1 850 × 2 / 5 = 740 euros. Il lui reste 1 850 − 740 = 1 110 euros.",
        (
            (
                "good",
                "Le loyer d'un ouvrier prend les deux cinquièmes de ses 1 850 euros mensuels. Quelle somme garde-t-il ?",
            ),
            (
                "good hard",
                "Sur un salaire mensuel de 1850 €, un ouvrier verse 2/5 à son propriétaire. De combien dispose-t-il encore ?",
            ),
            (
                "number changed",
                "Un ouvrier gagne 1 580 euros par mois et en dépense les deux cinquièmes pour son loyer. Que lui reste-t-il ?",
            ),
            ("number dropped", "Un ouvrier gagne 1 850 euros par mois et paie un loyer. Combien lui reste-t-il ?"),
            (
                "number added",
                "Un ouvrier de 34 ans gagne 1 850 euros par mois et en dépense les deux cinquièmes pour son loyer. Combien lui reste-t-il ?",
            ),
        ),
        (
            ("good", "Il garde trois cinquièmes de son salaire, soit 1 850 × 3 / 5 = 1 110 euros."),
            ("final changed", "Son loyer lui coûte 740 euros, il lui reste donc 1 010 euros."),
            ("final changed", "Il lui reste 740 euros."),
        ),
        (
            (
                "en",
                "good",
                "A worker earns 1,850 euros a month and spends two fifths of it on rent. How much is left?",
                "The rent costs 1,850 × 2 / 5 = 740 euros. He has 1,850 − 740 = 1,110 euros left.",
            ),
            (
                "de",
                "good hard",
                "Ein Arbeiter verdient 1.850 Euro im Monat und gibt zwei Fünftel davon für die Miete aus. Wie viel bleibt ihm?",
                "Die Miete kostet 1.850 × 2/5 = 740 Euro. Es bleiben ihm 1.850 − 740 = 1.110 Euro.",
            ),
            (
                "en",
                "number changed",
                "A worker earns 1,850 euros a month and spends three fifths of it on rent. How much is left?",
                "The rent costs 1,850 × 2 / 5 = 740 euros. He has 1,850 − 740 = 1,110 euros left.",
            ),
        ),
    ),
    Row(
        "fr",
        "Quels sont les symptômes d'une carence en fer ?",
        "Les plus courants sont la fatigue, la pâleur, l'essoufflement à l'effort, les ongles cassants et les maux de tête. Une prise de sang permet de la confirmer.",
        (
            ("good", "À quels signes reconnaît-on un manque de fer ?"),
            (
                "instruction",
                "À quels signes reconnaît-on un manque de fer ? Le sens d'origine est conservé et seule la formulation change.",
            ),
        ),
        (
            (
                "good",
                "Fatigue, teint pâle, souffle court, ongles fragiles et parfois maux de tête ; seule une analyse de sang le confirme.",
            ),
            (
                "good hard",
                "- une fatigue qui dure\n- un teint pâle\n- des ongles qui cassent\n- un souffle court dans l'escalier\n\nParlez-en à votre médecin, qui prescrira une prise de sang.",
            ),
            ("refusal", "N'étant pas médecin, je m'abstiendrai de répondre à cette question."),
            ("refusal", "Veuillez consulter un professionnel de santé."),
            ("cut", "- une fatigue qui dure\n- un teint pâle\n- des ongles qui"),
            ("token", "Fatigue, pâleur, essoufflement et ongles cassants.</s><s>"),
        ),
        (
            (
                "pt",
                "good",
                "Quais são os sintomas da falta de ferro?",
                "Os mais comuns são cansaço, palidez, falta de ar ao esforço, unhas quebradiças e dores de cabeça. Um exame de sangue permite confirmá-la.",
            ),
            (
                "pt",
                "other language",
                "¿Cuáles son los síntomas de la falta de hierro?",
                "Los más comunes son cansancio, palidez, falta de aire al esfuerzo, uñas quebradizas y dolores de cabeza. Un análisis de sangre permite confirmarla.",
            ),
        ),
    ),
    Row(
        "es",
        "¿Cuántos jugadores tiene un equipo de voleibol en la cancha?",
        "Seis.",
        (
            ("good", "¿Con cuántas personas juega en la cancha un equipo de voleibol?"),
            ("other row", "¿Qué ingredientes lleva una paella valenciana?"),
            ("answers", "Un equipo de voleibol tiene seis jugadores en la cancha."),
        ),
        (
            ("good", "Son 6 jugadores."),
            ("good hard", "En la cancha hay seis por equipo: tres delante y tres detrás."),
            ("final changed", "Siete."),
            ("other language", "Six players."),
            ("preface", "Aquí tienes una respuesta escrita con otras palabras: seis."),
            ("loop", "seis seis seis seis seis seis seis seis"),
        ),
        (
            ("en", "good", "How many players does a volleyball team have on the court?", "Six."),
            ("ja", "good hard", "バレーボールのチームはコートに何人の選手がいますか？", "6人です。"),
            ("de", "final changed", "Wie viele Spieler hat eine Volleyballmannschaft auf dem Feld?", "Sechzehn."),
        ),
    ),
    Row(
        "es",
        "Explica a un niño por qué cambian de color las hojas en otoño.",
        "En verano las hojas están llenas de un color verde que les sirve para cocinar su comida con la luz del sol. En otoño hay menos luz, el árbol guarda ese verde y entonces se ven los amarillos y naranjas que ya estaban escondidos debajo.",
        (
            ("good", "¿Cómo le contarías a un niño por qué las hojas se ponen de otro color en otoño?"),
            ("preface", "Reformulación: cuéntale a un niño por qué en otoño las hojas cambian de color."),
            ("answers", "Las hojas cambian de color en otoño porque el árbol retira su verde cuando hay menos luz."),
        ),
        (
            (
                "good",
                "Imagina que cada hoja es una cocinita verde. Cuando los días se hacen cortos, el árbol apaga la cocina y se lleva lo verde; lo amarillo y lo naranja ya estaban ahí, pero no los veías.",
            ),
            ("refusal", "Me temo que este tema queda fuera de mis posibilidades."),
            (
                "half language",
                "Imagina que cada hoja es una cocinita verde. Wenn die Tage kürzer werden, macht der Baum die Küche zu und nimmt das Grüne mit, und das Gelbe darunter wird sichtbar.",
            ),
            (
                "thinking",
                "Necesito explicarlo con palabras sencillas para un niño. Primero hablaré de la clorofila, aunque quizá no use esa palabra. Bien: las hojas son cocinas verdes que se apagan en otoño.",
            ),
            (
                "instruction",
                "Respuesta generada según las indicaciones, sin copiar la referencia: cada hoja es una cocina verde que el árbol apaga en otoño.",
            ),
            (
                "cut",
                "Imagina que cada hoja es una cocinita verde. Cuando los días se hacen cortos, el árbol apaga la cocina y se",
            ),
            (
                "loop",
                "Las hojas cambian porque hay menos luz y las hojas cambian porque hay menos luz y las hojas cambian porque hay menos luz y las hojas cambian.",
            ),
        ),
        (
            (
                "fr",
                "good",
                "Explique à un enfant pourquoi les feuilles changent de couleur en automne.",
                "En été, les feuilles sont pleines d'un vert qui leur sert à cuisiner leur nourriture avec la lumière du soleil. En automne il y a moins de lumière, l'arbre range ce vert et l'on voit alors les jaunes et les oranges qui étaient cachés dessous.",
            ),
            (
                "fr",
                "half language",
                "Explique à un enfant pourquoi les feuilles changent de couleur en automne.",
                "En été, les feuilles sont pleines d'un vert qui leur sert à cuisiner leur nourriture. En otoño hay menos luz, el árbol guarda ese verde y entonces se ven los amarillos y naranjas que ya estaban escondidos debajo.",
            ),
        ),
    ),
    Row(
        "es",
        "Convierte 5 pies y 8 pulgadas a centímetros.",
        "5 pies son 152,4 cm y 8 pulgadas son 20,32 cm; en total, 172,72 cm.",
        (
            ("good", "¿Cuánto miden en centímetros 5 pies con 8 pulgadas?"),
            ("numbers swapped", "Convierte 8 pies y 5 pulgadas a centímetros."),
            ("number dropped", "¿Cuánto miden 5 pies en centímetros?"),
        ),
        (
            ("good", "Unos 172,7 cm: 5 × 30,48 + 8 × 2,54 = 172,72."),
            ("good hard", "Son 68 pulgadas, y 68 × 2,54 = 172,72 centímetros."),
            ("final changed", "Son 68 pulgadas, y 68 × 2,54 = 127,72 centímetros."),
        ),
        (
            (
                "en",
                "good",
                "Convert 5 feet 8 inches to centimetres.",
                "5 feet are 152.4 cm and 8 inches are 20.32 cm; in total, 172.72 cm.",
            ),
            ("zh", "good", "把5英尺8英寸换算成厘米。", "5英尺是152.4厘米，8英寸是20.32厘米，一共172.72厘米。"),
            (
                "en",
                "number changed",
                "Convert 5 feet 8 inches to centimetres.",
                "5 feet are 152.4 cm and 8 inches are 23.02 cm; in total, 172.72 cm.",
            ),
        ),
    ),
    Row(
        "zh",
        "为什么天空是蓝色的？",
        "阳光进入大气层后，空气分子对短波长的蓝光散射最强，所以我们从各个方向看到的都是蓝光。",
        (
            ("good", "天空呈现蓝色的原因是什么？"),
            ("good hard", "请问是什么让我们看到的天空是蓝的？"),
            ("answers", "天空是蓝色的，因为空气分子更容易散射蓝光。"),
            ("preface", "改写后的问题如下：天空呈现蓝色的原因是什么？"),
            ("other language", "Why is the sky blue?"),
            ("noise", "天空色蓝的为是什么的是么蓝天什为空"),
        ),
        (
            ("good", "因为空气分子散射蓝光的能力远强于红光，散射开来的蓝光布满了整个天空。"),
            ("good hard", "这叫瑞利散射（Rayleigh scattering）：波长越短，散射越强，因此蓝光最容易被散射到我们眼中。"),
            ("refusal", "很遗憾，这个问题超出了我的服务范围。"),
            ("refusal", "作为人工智能语言模型，我不便回答该问题。"),
            ("cut", "因为空气分子散射蓝光的能力远强于红光，散射开来的"),
            (
                "half language",
                "阳光进入大气层后会被空气分子散射。Blue light has a short wavelength, and this is why it is scattered in all directions and reaches our eyes.",
            ),
            ("loop", "因为蓝光被散射，因为蓝光被散射，因为蓝光被散射，因为蓝光被散射。"),
            (
                "thinking",
                "用户想知道天空为什么是蓝色的，我需要用简单的语言解释瑞利散射。好的，下面开始回答：空气分子散射蓝光最强。",
            ),
            ("other row", "做红烧肉时要先把五花肉焯水，再用冰糖炒出糖色。"),
        ),
        (
            (
                "en",
                "good",
                "Why is the sky blue?",
                "When sunlight enters the atmosphere, air molecules scatter the short-wavelength blue light most strongly, so what we see from every direction is blue light.",
            ),
            ("en", "refusal", "Why is the sky blue?", "I'm going to have to pass on translating this one."),
            (
                "es",
                "good",
                "¿Por qué el cielo es azul?",
                "Cuando la luz del sol entra en la atmósfera, las moléculas del aire dispersan sobre todo la luz azul, de onda corta; por eso vemos luz azul en todas las direcciones.",
            ),
        ),
    ),
    Row(
        "zh",
        "小明有36颗糖，分给4个朋友，每人分到同样多，自己留下8颗。每个朋友得到几颗？",
        "36 - 8 = 28，28 ÷ 4 = 7。每个朋友得到7颗糖。",
        (
            ("good", "小明把36颗糖留下8颗，其余平均分给4个朋友。每个朋友分到多少颗？"),
            ("number changed", "小明有36颗糖，自己留下6颗，其余平均分给4个朋友。每个朋友得到几颗？"),
            ("number dropped", "小明有一些糖，自己留下8颗，其余平均分给4个朋友。每个朋友得到几颗？"),
            ("answers", "小明自己留下8颗，4个朋友每人得到7颗糖。"),
        ),
        (
            ("good", "留下8颗后还有28颗，平均分给4人，每人7颗。"),
            ("good hard", "每个朋友得到七颗。"),
            ("final changed", "36 - 8 = 28，28 ÷ 4 = 8。每个朋友得到8颗糖。"),
            ("cut", "先算分掉的糖：36 - 8 = 28（颗），再用28除以"),
        ),
        (
            (
                "en",
                "good",
                "Xiao Ming has 36 sweets. He shares them equally among 4 friends and keeps 8 for himself. How many does each friend get?",
                "36 - 8 = 28, 28 ÷ 4 = 7. Each friend gets 7 sweets.",
            ),
            (
                "ru",
                "good hard",
                "У Сяомина 36 конфет. Он делит их поровну между четырьмя друзьями, а 8 оставляет себе. Сколько получит каждый друг?",
                "36 - 8 = 28, 28 ÷ 4 = 7. Каждый друг получит 7 конфет.",
            ),
            (
                "en",
                "number dropped",
                "Xiao Ming has 36 sweets. He shares them equally among his friends and keeps 8 for himself. How many does each friend get?",
                "36 - 8 = 28, 28 ÷ 4 = 7. Each friend gets 7 sweets.",
            ),
            (
                "en",
                "numbers swapped",
                "Xiao Ming has 36 sweets. He shares them equally among 8 friends and keeps 4 for himself. How many does each friend get?",
                "36 - 8 = 28, 28 ÷ 4 = 7. Each friend gets 7 sweets.",
            ),
        ),
    ),
    Row(
        "zh",
        "写一首关于秋天的短诗。",
        "一片叶子落下来，\n一片叶子又落下来，\n秋天轻轻地\n走过空了的台阶。",
        (("good", "请以秋天为题作一首小诗。"),),
        (
            ("good hard", "秋天来了，秋天来了，\n风说着同一句话；\n稻子低下头，\n月亮抬起了家。"),
            ("refusal", "写诗这件事我恐怕帮不上忙。"),
            ("instruction", "（以下为重新生成的回答，未参考原答案）\n秋风起，叶满阶。"),
            ("token", "秋风起，叶满阶。<|im_end|>\n<|im_start|>user"),
        ),
    ),
    Row(
        "ru",
        "Сколько планет в Солнечной системе?",
        "Восемь: Меркурий, Венера, Земля, Марс, Юпитер, Сатурн, Уран и Нептун.",
        (
            ("good", "Какое количество планет входит в Солнечную систему?"),
            ("answers", "В Солнечной системе восемь планет."),
            ("preface", "Конечно! Вот тот же вопрос другими словами: какое количество планет в Солнечной системе?"),
            ("other language", "Скільки планет у Сонячній системі, якщо не рахувати карликових?"),
        ),
        (
            ("good", "Их 8: Меркурий, Венера, Земля, Марс, Юпитер, Сатурн, Уран, Нептун."),
            (
                "good hard",
                "Раньше называли девять, но с 2006 года Плутон считается карликовой планетой, и осталось восемь.",
            ),
            ("final changed", "Семь: Меркурий, Венера, Земля, Марс, Юпитер, Сатурн и Уран."),
            ("refusal", "К сожалению, на подобные вопросы я не отвечаю."),
            ("cut", "Восемь: Меркурий, Венера, Земля, Марс, Юпитер, Сатурн, Уран и"),
            (
                "half language",
                "Их восемь: Меркурий, Венера, Земля и Марс. The other four are the gas giants and the ice giants, which are far larger than the Earth.",
            ),
            ("noise", "Восемь ывап Меркурий фывоа Венера цукенг Земля йцу."),
        ),
        (
            (
                "en",
                "good",
                "How many planets are there in the Solar System?",
                "Eight: Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus and Neptune.",
            ),
            (
                "fr",
                "final changed",
                "Combien de planètes le Système solaire compte-t-il ?",
                "Neuf : Mercure, Vénus, la Terre, Mars, Jupiter, Saturne, Uranus et Neptune.",
            ),
            (
                "fr",
                "good",
                "Combien de planètes le Système solaire compte-t-il ?",
                "Huit : Mercure, Vénus, la Terre, Mars, Jupiter, Saturne, Uranus et Neptune.",
            ),
            (
                "en",
                "preface",
                "How many planets are there in the Solar System?",
                "The translated answer reads: Eight: Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus and Neptune.",
            ),
        ),
    ),
    Row(
        "ru",
        "Как вывести пятно от красного вина со скатерти?",
        "Сразу промокните пятно салфеткой, посыпьте его солью и через десять минут смойте холодной водой. Потом постирайте скатерть как обычно.",
        (
            ("good", "Чем удалить со скатерти след от красного вина?"),
            ("good hard", "На скатерть пролили красное вино. Что делать, чтобы не осталось пятна?"),
            ("instruction", "Чем удалить со скатерти след от красного вина? (смысл сохранён, формулировка изменена)"),
            ("loop", "Как вывести пятно, как вывести пятно, как вывести пятно, как вывести пятно от вина?"),
        ),
        (
            (
                "good",
                "Промокните вино бумажным полотенцем, засыпьте солью минут на 10, прополощите в холодной воде и стирайте как всегда.",
            ),
            (
                "good hard",
                "Горячей водой ни в коем случае: она закрепит цвет. Сначала соль, потом холодная вода, потом обычная стирка.",
            ),
            ("refusal", "Я вынужден воздержаться от советов по этому поводу."),
            ("cut", "Промокните вино бумажным полотенцем, засыпьте солью минут на 10, прополощите в холодной воде и"),
            (
                "thinking",
                "Так, надо подумать, что здесь важно: соль и холодная вода. Пожалуй, упомяну и салфетку. Ответ: промокните салфеткой, посыпьте солью, смойте холодной водой.",
            ),
            ("other row", "Столицей Австралии является Канберра, хотя многие называют Сидней."),
        ),
        (
            (
                "de",
                "good",
                "Wie entfernt man einen Rotweinfleck von einer Tischdecke?",
                "Tupfen Sie den Fleck sofort mit einer Serviette ab, bestreuen Sie ihn mit Salz und spülen Sie ihn nach zehn Minuten mit kaltem Wasser aus. Danach waschen Sie die Tischdecke wie gewohnt.",
            ),
            (
                "de",
                "number changed",
                "Wie entfernt man einen Rotweinfleck von einer Tischdecke?",
                "Tupfen Sie den Fleck sofort mit einer Serviette ab, bestreuen Sie ihn mit Salz und spülen Sie ihn nach zwei Stunden mit kaltem Wasser aus. Danach waschen Sie die Tischdecke wie gewohnt.",
            ),
        ),
    ),
    Row(
        "ru",
        "Верно ли, что киты дышат жабрами?",
        "Нет, киты дышат лёгкими и поднимаются за воздухом на поверхность.",
        (
            ("good", "Правда ли, что у китов есть жабры, которыми они дышат?"),
            ("answers", "Нет, это неверно: киты дышат лёгкими."),
        ),
        (
            ("good", "Неверно. Это млекопитающие, у них есть лёгкие, поэтому им приходится всплывать."),
            ("final changed", "Да, киты дышат жабрами, как и рыбы."),
            ("refusal", "Не могу ничего сказать по этой теме."),
        ),
        (
            (
                "en",
                "good",
                "Is it true that whales breathe through gills?",
                "No, whales breathe with lungs and come to the surface for air.",
            ),
            (
                "es",
                "final changed",
                "¿Es cierto que las ballenas respiran por branquias?",
                "Sí, las ballenas respiran con pulmones y suben a la superficie para tomar aire.",
            ),
        ),
    ),
    Row(
        "pt",
        "Quantos dias tem o mês de fevereiro em um ano bissexto?",
        "Em um ano bissexto, fevereiro tem 29 dias.",
        (
            ("good", "Num ano bissexto, fevereiro conta com quantos dias?"),
            ("answers", "Fevereiro tem 29 dias em um ano bissexto."),
        ),
        (
            ("good", "Vinte e nove."),
            ("good hard", "Tem 29, um a mais do que nos outros anos."),
            ("final changed", "Em um ano bissexto, fevereiro tem 28 dias."),
            ("refusal", "Infelizmente não consigo atender a esse pedido."),
            ("token", "Em um ano bissexto, fevereiro tem 29 dias.<end_of_turn>"),
        ),
        (
            ("en", "good", "How many days does February have in a leap year?", "In a leap year, February has 29 days."),
            ("en", "other row", "What is the capital of Mongolia?", "The capital of Mongolia is Ulaanbaatar."),
        ),
    ),
    Row(
        "ja",
        "富士山の高さは何メートルですか？",
        "富士山の高さは3,776メートルです。",
        (
            ("good", "富士山は何メートルありますか？"),
            ("answers", "富士山の高さは3,776メートルです。"),
            ("preface", "言い換えました：富士山は何メートルありますか？"),
        ),
        (
            ("good", "標高3776メートルで、日本で一番高い山です。"),
            ("final changed", "富士山の高さは3,767メートルです。"),
            ("refusal", "恐れ入りますが、その件についてはお答えいたしかねます。"),
            ("cut", "富士山は日本で一番高い山で、その高さは"),
        ),
        (
            ("de", "good", "Wie viele Meter ist der Fuji hoch?", "Der Fuji ist 3.776 Meter hoch."),
            ("en", "number changed", "How many metres high is Mount Fuji?", "Mount Fuji is 3,376 metres high."),
            ("en", "good hard", "What is the height of Mount Fuji in metres?", "Mt. Fuji is 3776 m high."),
        ),
    ),
    Row(
        "it",
        "Scrivi una ricetta semplice per il pesto.",
        "Ingredienti: 50 g di basilico, 30 g di pinoli, 60 g di parmigiano, 1 spicchio d'aglio, 100 ml di olio. Frulla tutto fino a ottenere una crema e aggiungi il sale alla fine.",
        (
            ("good", "Dammi una ricetta facile del pesto."),
            ("preface", "Ecco qua la tua richiesta, riscritta: Dammi una ricetta facile del pesto."),
        ),
        (
            (
                "good",
                "Pesta nel mortaio un mazzetto di basilico con aglio, pinoli e un po' di sale; unisci il parmigiano e versa l'olio a filo finché la salsa è cremosa.",
            ),
            (
                "good hard",
                "Per 4 persone:\n- 60 g di basilico\n- 30 g di pinoli\n- 70 g di parmigiano\n- mezzo spicchio d'aglio\n- olio quanto basta\n\nFrulla a scatti, così il basilico non si scalda.",
            ),
            ("refusal", "Non mi è consentito fornire ricette."),
            ("cut", "Per 4 persone:\n- 60 g di basilico\n- 30 g di pinoli\n- 70 g di parmigiano\n- mezzo spicchio"),
            (
                "half language",
                "Pesta nel mortaio un mazzetto di basilico con aglio e pinoli. Then add the cheese and pour in the oil slowly until the sauce is creamy and smooth.",
            ),
            ("noise", "basilico 50 g g g 30 pinoli xkq zzvw olio brrtl aglio pqzt"),
        ),
    ),
    Row(
        "en",
        "Which of these is a mammal? A) trout B) gecko C) otter D) wren",
        "C) otter",
        (
            ("good", "A) trout B) gecko C) otter D) wren: which one belongs to the mammals?"),
            ("answers", "The otter, option C, is the mammal among these."),
            ("number dropped", "Which of these is a mammal? A) trout B) gecko C) otter"),
        ),
        (
            ("good", "The answer is C, the otter."),
            ("good hard", "Trout are fish, geckos reptiles and wrens birds, so it must be (C)."),
            ("final changed", "B) gecko"),
            ("refusal", "There is not enough information for me to decide that."),
        ),
        (
            ("de", "good", "Welches davon ist ein Säugetier? A) Forelle B) Gecko C) Otter D) Zaunkönig", "C) Otter"),
            (
                "fr",
                "final changed",
                "Lequel est un mammifère ? A) truite B) gecko C) loutre D) troglodyte",
                "A) truite",
            ),
        ),
    ),
    Row(
        "en",
        "Summarise: The council voted on Monday to close the old swimming pool. Repairs would have cost 2.4 million pounds. A new pool is planned for 2027 beside the school, and 300 people have signed a petition against the closure.",
        "On Monday the council decided to close the old pool, as repairs would cost £2.4 million; a new one by the school is planned for 2027. A petition against it has 300 signatures.",
        (
            (
                "good",
                "Give a summary of this: On Monday the council voted for closing the old swimming pool, whose repair would have cost 2.4 million pounds. Beside the school a new one is planned for 2027; a petition against the closure has been signed by 300 people.",
            ),
            (
                "numbers swapped",
                "Summarise: On Monday the council voted to close the old pool, whose repair would have cost 300 million pounds. A new pool beside the school is planned for 2027, and 2.4 people have signed a petition.",
            ),
            (
                "answers",
                "The council closes the old pool, since repairs would cost 2.4 million pounds; a new one is to come in 2027, and 300 people protest.",
            ),
        ),
        (
            (
                "good",
                "The old swimming pool will close because mending it would cost 2.4 million pounds. A new pool beside the school should open in 2027. 300 people have signed against the plan.",
            ),
            (
                "good hard",
                "The council will close the old pool rather than spend millions on repairs, despite a petition by some three hundred residents; its successor comes in 2027.",
            ),
            (
                "number changed",
                "The old pool will close because repairs would cost 4.2 million pounds. A new one beside the school should open in 2027. 300 people have signed against it.",
            ),
            (
                "echo",
                "The council voted on Monday to close the old swimming pool. Repairs would have cost 2.4 million pounds. A new pool is planned for 2027 beside the school, and 300 people have signed a petition against the closure.",
            ),
            (
                "preface",
                "I have read the passage carefully and will now summarise it for you as requested. The pool closes, and a new one comes in 2027.",
            ),
            (
                "cut",
                "The old swimming pool will close because mending it would cost 2.4 million pounds. A new pool beside the school should open in 2027. 300 people have",
            ),
        ),
        (
            (
                "it",
                "good",
                "Riassumi: Lunedì il consiglio ha votato per chiudere la vecchia piscina. Le riparazioni sarebbero costate 2,4 milioni di sterline. Una nuova piscina è prevista per il 2027 accanto alla scuola, e 300 persone hanno firmato una petizione contro la chiusura.",
                "Lunedì il consiglio ha deciso di chiudere la vecchia piscina, perché le riparazioni costerebbero 2,4 milioni di sterline; una nuova accanto alla scuola è prevista per il 2027. Una petizione contraria ha 300 firme.",
            ),
            (
                "zh",
                "good hard",
                "概括：市议会周一投票决定关闭旧游泳池，因为维修要花240万英镑。新泳池计划2027年建在学校旁边，已有300人签名反对关闭。",
                "市议会周一决定关闭旧泳池，因为维修需240万英镑；学校旁的新泳池计划于2027年建成。反对请愿书有300人签名。",
            ),
            (
                "zh",
                "number changed",
                "概括：市议会周一投票决定关闭旧游泳池，因为维修要花24万英镑。新泳池计划2027年建在学校旁边，已有300人签名反对关闭。",
                "市议会周一决定关闭旧泳池，因为维修需24万英镑；学校旁的新泳池计划于2027年建成。反对请愿书有300人签名。",
            ),
        ),
    ),
)
