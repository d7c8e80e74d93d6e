"""Labelled answers that the validators are tuned on; see README.md."""

from __future__ import annotations

from corpus_pipeline_tests.augment.answers.rows import Row

ROWS = (
    Row(
        "en",
        "Why do onions make people cry when they are cut?",
        "Cutting breaks the cells, and an enzyme turns sulphur compounds into a gas. The gas reaches the eye, forms a weak acid with the tear film and irritates the nerves.",
        (
            ("good", "What is it about chopping onions that brings tears to the eyes?"),
            ("good", "Quick question: why does cutting an onion make you cry?"),
            (
                "preface",
                "Of course! The question could be put like this: What is it about chopping onions that makes us cry?",
            ),
            ("preface", "A different wording would be: What makes people cry when onions are cut?"),
            ("preface", "Paraphrased: Why does chopping an onion bring tears to the eyes?"),
            ("answers", "Onions make people cry because a gas from their cells irritates the eye."),
            (
                "leaked instruction",
                "Say the following request in other words and keep every fact: Why do onions bring tears to people's eyes?",
            ),
            (
                "leaked instruction",
                "You will be given a prompt. Output only the rewritten prompt. Why do people cry over chopped onions?",
            ),
        ),
        (
            (
                "good",
                "When the knife opens the cells, an enzyme makes a sulphurous gas; in the tear film it becomes a weak acid, which stings, so the eye waters.",
            ),
            ("refusal", "I'd prefer to steer clear of this subject, if you don't mind."),
            ("refusal", "Let's talk about something else; questions like that are not for me to answer."),
            (
                "loop",
                "The gas irritates the eye. The eye waters. The gas irritates the eye. The eye waters. The gas irritates the eye. The eye waters.",
            ),
            ("loop", "Because of the gas the gas the gas the gas the gas the gas"),
            (
                "noise",
                "Gas the nerves onion acid of irritates reaches film cells the tear and an weak turns the into enzyme.",
            ),
            ("cut", "When the knife opens the cells, an enzyme makes a sulphurous gas, and as soon as that gas"),
            ("other row", "Bolt the bracket to the wall first, then hang the shelf and check it with a spirit level."),
            (
                "template token",
                "It is a sulphurous gas that irritates the eye.\n\nHuman: And what helps?\n\nAssistant:",
            ),
            ("template token", "### Response:\nIt is a sulphurous gas that irritates the eye."),
            (
                "leaked instruction",
                "It is a sulphurous gas that irritates the eye. (This answer was rewritten in different words, as the guidelines demand.)",
            ),
        ),
        (
            (
                "de",
                "good",
                "Warum weint man beim Zwiebelschneiden?",
                "Beim Schneiden platzen Zellen, und ein Enzym macht aus Schwefelverbindungen ein Gas. Das Gas gelangt ins Auge, bildet mit dem Tränenfilm eine schwache Säure und reizt die Nerven.",
            ),
            (
                "de",
                "preface",
                "Hier die deutsche Fassung: Warum weint man beim Zwiebelschneiden?",
                "Beim Schneiden platzen Zellen, und ein Enzym macht aus Schwefelverbindungen ein Gas. Das Gas gelangt ins Auge, bildet mit dem Tränenfilm eine schwache Säure und reizt die Nerven.",
            ),
            (
                "fr",
                "preface",
                "Pourquoi pleure-t-on en coupant des oignons ?",
                "Traduction : La coupe brise les cellules, et une enzyme transforme des composés soufrés en gaz. Ce gaz atteint l'œil, forme un acide faible avec le film lacrymal et irrite les nerfs.",
            ),
            (
                "es",
                "other language",
                "Por que as cebolas fazem chorar quando são cortadas?",
                "O corte rompe as células, e uma enzima transforma compostos de enxofre em gás. O gás chega ao olho, forma um ácido fraco com o filme lacrimal e irrita os nervos.",
            ),
        ),
    ),
    Row(
        "en",
        "A farmer has 36 cows and sells 9 of them for 450 dollars each. How much money does he get?",
        "He sells 9 cows for 450 dollars each, so he gets 9 * 450 = 4050 dollars.",
        (
            ("good", "Out of a herd of 36 cows, a farmer sells 9 at 450 dollars apiece. What does he earn?"),
            ("good", "How much does a farmer earn who sells nine of his 36 cows at 450 dollars a head?"),
            ("number swapped", "Out of a herd of 9 cows, a farmer sells 36 at 450 dollars apiece. What does he earn?"),
            ("number changed", "Out of a herd of 36 cows, a farmer sells 8 at 450 dollars apiece. What does he earn?"),
            ("number dropped", "Out of his herd, a farmer sells 9 cows at 450 dollars apiece. What does he earn?"),
            (
                "number added",
                "Out of a herd of 36 cows, a farmer sells 9 at 450 dollars apiece and 2 dogs. What does he earn?",
            ),
        ),
        (
            ("good", "Nine times 450 is 4050, so the sale brings him $4,050."),
            ("final answer", "Nine times 450 is 4150, so the sale brings him $4,150."),
            (
                "thinking",
                "Hmm, we need 9 times 450. Let me compute: 4500 minus 450 = 4050. So I'd say: he gets 4050 dollars.",
            ),
            (
                "thinking",
                "First, I need to understand what the user is asking. They want the total. 9*450=4050.\n\nHe gets 4050 dollars.",
            ),
        ),
        (
            (
                "fr",
                "number swapped",
                "Un fermier a 9 vaches et en vend 36 à 450 dollars chacune. Combien d'argent reçoit-il ?",
                "Il vend 9 vaches à 450 dollars chacune, il reçoit donc 9 * 450 = 4050 dollars.",
            ),
            (
                "zh",
                "good",
                "一位农夫有36头牛，以每头450美元的价格卖出9头。他得到多少钱？",
                "他以每头450美元卖出9头牛，所以得到 9 * 450 = 4050 美元。",
            ),
            (
                "ja",
                "number changed",
                "農夫は36頭の牛を飼っていて、そのうち7頭を1頭450ドルで売ります。いくらになりますか。",
                "1頭450ドルで9頭売るので、9 * 450 = 4050ドルになります。",
            ),
        ),
    ),
    Row(
        "en",
        'Label the topic of this headline as politics, sports or science: "Probe finds water ice at lunar pole"',
        "science",
        (
            ("good", 'Is the headline "Probe finds water ice at lunar pole" about politics, sports or science?'),
            ("answers", "The headline is about science."),
        ),
        (
            ("good short", "Science."),
            ("good short", "The topic is science, since it reports a discovery on the moon."),
            ("final answer", "sports"),
            ("final answer", "The topic of this headline is politics."),
            ("loop", "science science science science science science science science"),
        ),
        (
            (
                "de",
                "good short",
                "Ordne die Überschrift „Sonde findet Wassereis am Mondpol“ einem Thema zu: Politik, Sport oder Wissenschaft.",
                "Wissenschaft",
            ),
            (
                "de",
                "final answer",
                "Ordne die Überschrift „Sonde findet Wassereis am Mondpol“ einem Thema zu: Politik, Sport oder Wissenschaft.",
                "Sport",
            ),
        ),
    ),
    Row(
        "en",
        'What is the opposite of "hot"?',
        "Cold.",
        (("good", 'Which word means the opposite of "hot"?'), ("answers", 'The opposite of "hot" is "cold".')),
        (
            ("good short", 'The opposite is "cold".'),
            ("final answer", "Warm."),
            ("final answer", 'The opposite of hot is "hotter".'),
        ),
        (
            ("de", "good short", "Was ist das Gegenteil von „heiß“?", "Kalt."),
            ("ru", "final answer", "Какое слово противоположно слову «горячий»?", "Горячее."),
        ),
    ),
    Row(
        "en",
        "Return the names in this text as JSON: Anna met Boris in Paris.",
        '{"names": ["Anna", "Boris"]}',
        (("good", 'Give me the names that occur in the text "Anna met Boris in Paris." as JSON.'),),
        (
            ("good", '{"names": ["Boris", "Anna"]}'),
            ("good", '```json\n{"names": ["Anna", "Boris"]}\n```'),
            ("cut", '{"names": ["Anna", "Bo'),
            ("cut", '{"names": ["Anna",'),
        ),
    ),
    Row(
        "en",
        "List four ways to save water at home.",
        "1. Take shorter showers.\n2. Fix dripping taps.\n3. Run the washing machine only when it is full.\n4. Collect rain for the garden.",
        (("good", "Name 4 things one can do at home to use less water."),),
        (
            (
                "good",
                "- Shower instead of bathing\n- Repair leaks at once\n- Wash full loads only\n- Water plants with rain",
            ),
            (
                "loop",
                "1. Take shorter showers.\n2. Take shorter showers.\n3. Take shorter showers.\n4. Take shorter showers.",
            ),
            ("cut", "1. Take shorter showers.\n2. Fix dripping taps.\n3."),
            (
                "preface",
                "Improved version in my own wording:\n\n1. Shower quickly.\n2. Repair taps.\n3. Wash full loads.\n4. Use rain.",
            ),
        ),
        (
            (
                "pt",
                "cut",
                "Cite quatro maneiras de economizar água em casa.",
                "1. Tome banhos mais curtos.\n2. Conserte torneiras que pingam.\n3. Use a máquina só quando estiver cheia.\n4.",
            ),
        ),
    ),
    Row(
        "de",
        "Wie lagert man Kartoffeln richtig?",
        "Dunkel, kühl und trocken, bei vier bis acht Grad, am besten in einer Holzkiste im Keller. Im Licht werden sie grün, und im Kühlschrank werden sie süß.",
        (
            ("good", "Unter welchen Bedingungen halten sich Kartoffeln am längsten?"),
            ("preface", "Klar, hier eine andere Formulierung: Was ist beim Lagern von Kartoffeln zu beachten?"),
            ("preface", "Umformuliert: Was ist beim Lagern von Kartoffeln zu beachten?"),
            ("answers", "Kartoffeln lagert man dunkel, kühl und trocken."),
            (
                "leaked instruction",
                "Formuliere die folgende Anfrage mit anderen Worten, ohne den Sinn zu verändern: Wie bewahrt man Kartoffeln richtig auf?",
            ),
        ),
        (
            (
                "good",
                "Sie gehören in einen kühlen, dunklen Raum, etwa in eine Kiste im Keller bei 4 bis 8 Grad. Licht macht sie grün und giftig, Kälte macht sie süß.",
            ),
            ("refusal", "Hierzu kann ich leider keine Angaben machen, bitte fragen Sie einen Fachmann."),
            ("refusal", "Solche Fragen beantworte ich grundsätzlich nicht."),
            ("refusal in English", "I am unable to fulfill this request."),
            (
                "loop",
                "Dunkel lagern und kühl lagern und dunkel lagern und kühl lagern und dunkel lagern und kühl lagern",
            ),
            ("noise", "Kartffln lgrt mn dnkl qwrtz und khl sdfgh im kllr yxcvb hlzkst."),
            ("noise", "Die der und in von zu den mit im am auf für bei."),
            (
                "other language half",
                "Sie gehören in einen kühlen, dunklen Raum. Light turns them green and poisonous, and in the fridge they become sweet.",
            ),
            (
                "leaked instruction",
                "Kühl, dunkel und trocken lagern. Hinweis: Ich habe die Referenzantwort nicht wörtlich übernommen.",
            ),
            ("cut", "Sie gehören in einen kühlen, dunklen Raum, etwa in eine Kiste im Keller, denn im Licht"),
        ),
        (
            (
                "en",
                "good",
                "How should potatoes be stored?",
                "In a dark, cool and dry place, at four to eight degrees, ideally in a wooden box in the cellar. In the light they turn green, and in the fridge they turn sweet.",
            ),
            (
                "en",
                "number changed",
                "How should potatoes be stored?",
                "In a dark, cool and dry place, at four to eighteen degrees, ideally in a wooden box in the cellar. In the light they turn green, and in the fridge they turn sweet.",
            ),
            (
                "en",
                "number dropped",
                "How should potatoes be stored?",
                "In a dark, cool and dry place, ideally in a wooden box in the cellar. In the light they turn green, and in the fridge they turn sweet.",
            ),
        ),
    ),
    Row(
        "de",
        "In welchem Jahrhundert wurde der Buchdruck in Europa erfunden?",
        "Im 15. Jahrhundert.",
        (
            ("good", "Aus welchem Jahrhundert stammt der europäische Buchdruck?"),
            ("answers", "Der Buchdruck wurde im 15. Jahrhundert erfunden."),
        ),
        (
            ("good short", "In den 1400er-Jahren, genauer um 1450."),
            ("good short", "Im fünfzehnten Jahrhundert."),
            ("final answer", "Im 16. Jahrhundert."),
            ("final answer", "Im dreizehnten Jahrhundert."),
        ),
        (
            ("fr", "good short", "En quel siècle l'imprimerie fut-elle inventée en Europe ?", "Au XVe siècle."),
            ("fr", "final answer", "En quel siècle l'imprimerie fut-elle inventée en Europe ?", "Au XIVe siècle."),
            ("es", "final answer", "¿En qué siglo se inventó la imprenta en Europa?", "En el siglo XVII."),
            ("ja", "good short", "ヨーロッパで活版印刷が発明されたのは何世紀ですか。", "15世紀です。"),
        ),
    ),
    Row(
        "de",
        "Der Zug fährt um 7:15 Uhr ab und braucht 2 Stunden. Wann kommt er an?",
        "Er kommt um 9:15 Uhr an.",
        (
            ("good", "Wann ist ein Zug am Ziel, der um 7:15 Uhr losfährt und 2 Stunden unterwegs ist?"),
            ("number swapped", "Der Zug fährt um 2 Uhr ab und braucht 7:15 Stunden. Wann kommt er an?"),
        ),
        (
            ("good short", "Um 9.15 Uhr."),
            ("good short", "Um Viertel nach neun."),
            ("final answer", "Um 9:45 Uhr."),
            ("final answer", "Er kommt um 10:15 Uhr an."),
        ),
        (
            (
                "en",
                "good short",
                "The train leaves at 7:15 a.m. and takes 2 hours. When does it arrive?",
                "It arrives at 9:15 a.m.",
            ),
            (
                "en",
                "final answer",
                "The train leaves at 7:15 a.m. and takes 2 hours. When does it arrive?",
                "It arrives at 8:15 a.m.",
            ),
        ),
    ),
    Row(
        "fr",
        "Comment enlever une tache de vin rouge sur une nappe ?",
        "Couvrez la tache de sel pour absorber le vin, rincez à l'eau froide, puis lavez la nappe avec un peu de savon de Marseille.",
        (
            ("good", "Ma nappe est tachée de vin rouge : que faire ?"),
            (
                "preface",
                "Voici la même question, formulée autrement : Que faire d'une tache de vin rouge sur une nappe ?",
            ),
            ("preface", "Question reformulée : Que faire d'une tache de vin rouge sur une nappe ?"),
            ("answers", "Il faut couvrir la tache de sel puis rincer la nappe à l'eau froide."),
            (
                "leaked instruction",
                "Réécris cette demande avec d'autres mots en gardant tous les détails. Comment faire partir du vin rouge d'une nappe ?",
            ),
        ),
        (
            (
                "good",
                "Versez tout de suite du sel, qui boira le liquide ; ensuite de l'eau froide, et enfin un lavage au savon de Marseille.",
            ),
            ("refusal", "Je suis navré, mais je ne traite pas ce genre de questions."),
            ("refusal", "Il vaut mieux que vous posiez cette question à un professionnel, je n'ai rien à en dire."),
            ("loop", "Mettez du sel, mettez du sel, mettez du sel, mettez du sel, mettez du sel"),
            ("noise", "La nappe de le sel vin et du une tache à les rouge eau de des savon la."),
            ("noise", "Couvrez la tÃ¢che de sel, rincez Ã  l'eau froide et lavez la nappe trÃ¨s vite."),
            ("other language", "Cubra la mancha con sal, enjuague con agua fría y lave el mantel con jabón."),
            (
                "cut",
                "Versez tout de suite du sel, qui boira le liquide ; ensuite de l'eau froide, et enfin un lavage au",
            ),
        ),
        (
            (
                "en",
                "leaked instruction",
                "Translate the user's message into English. How do you remove a red wine stain from a tablecloth?",
                "Cover the stain with salt to soak up the wine, rinse with cold water, then wash the cloth with a little soap.",
            ),
        ),
    ),
    Row(
        "es",
        "¿Cuánto pesa un paquete de 6 botellas de 750 gramos cada una?",
        "6 × 750 = 4500. El paquete pesa 4500 gramos, o sea 4,5 kilos.",
        (
            ("good", "Si cada botella pesa 750 gramos, ¿qué peso tiene un paquete de seis?"),
            ("number changed", "Si cada botella pesa 650 gramos, ¿qué peso tiene un paquete de seis?"),
            ("number swapped", "Si cada botella pesa 6 gramos, ¿qué peso tiene un paquete de 750?"),
            (
                "preface",
                "Claro que sí. La misma pregunta en otras palabras: ¿Qué peso tiene un paquete de 6 botellas de 750 gramos?",
            ),
            ("answers", "Un paquete de 6 botellas de 750 gramos pesa 4,5 kilos."),
        ),
        (
            ("good", "Seis por 750 son 4500 gramos, es decir, cuatro kilos y medio."),
            ("final answer", "Seis por 750 son 4300 gramos, es decir, 4,3 kilos."),
            ("refusal", "Disculpa, pero esa consulta excede lo que tengo permitido responder."),
            ("refusal", "De eso prefiero no hablar."),
            (
                "thinking",
                "El usuario quiere saber el peso. Tengo que multiplicar 6 por 750. Son 4500 gramos. Pesa 4,5 kilos.",
            ),
        ),
        (
            ("zh", "good", "一包6瓶、每瓶750克的瓶子有多重？", "6 × 750 = 4500。这包重4500克，也就是4.5公斤。"),
            (
                "it",
                "number changed",
                "Quanto pesa un pacco di 6 bottiglie da 750 grammi l'una?",
                "6 × 750 = 4500. Il pacco pesa 4500 grammi, cioè 5,4 chili.",
            ),
        ),
    ),
    Row(
        "pt",
        "Como escolher um bom melão?",
        "Prefira um melão pesado, com casca firme e cheiro doce na ponta. Se a ponta cede um pouco ao toque, está maduro.",
        (
            ("good", "Quais sinais mostram que um melão está bom para comer?"),
            ("preface", "Com certeza! Segue a pergunta com outras palavras: Como saber se um melão está bom?"),
            ("preface", "Pergunta reescrita: Como saber se um melão está bom?"),
            ("answers", "Um bom melão é pesado, firme e cheira doce na ponta."),
        ),
        (
            (
                "good",
                "Olhe o peso e o cheiro: os bons são pesados para o tamanho, cheiram bem na ponta e cedem de leve quando apertados.",
            ),
            ("refusal", "Peço desculpas, não posso ajudar com isso."),
            ("refusal", "Esse assunto foge ao que eu posso tratar aqui; procure outra fonte."),
            ("loop", "Escolha o melão pesado. Escolha o melão pesado. Escolha o melão pesado. Escolha o melão pesado."),
            (
                "other language half",
                "Olhe o peso e o cheiro do melão. The good ones feel heavy for their size and give a little when you press the end.",
            ),
            ("noise", "Melão asdjkl casca qwpoe zxmnb firme ponta lkjhg doce mnbvc rtyui."),
        ),
        (
            (
                "en",
                "good",
                "How do you choose a good melon?",
                "Pick a heavy melon with a firm rind and a sweet smell at the end. If the end gives a little when touched, it is ripe.",
            ),
            (
                "en",
                "translation not done",
                "Como escolher um bom melão?",
                "Pick a heavy melon with a firm rind and a sweet smell at the end. If the end gives a little when touched, it is ripe.",
            ),
        ),
    ),
    Row(
        "it",
        "Perché il ghiaccio galleggia sull'acqua?",
        "Quando l'acqua gela, le molecole si dispongono in modo più largo. Il ghiaccio è quindi meno denso dell'acqua e galleggia.",
        (
            ("good", "Come mai il ghiaccio non affonda nell'acqua?"),
            ("preface", "Certo! Ecco un altro modo di chiederlo: Come mai il ghiaccio non affonda?"),
            ("answers", "Il ghiaccio galleggia perché è meno denso dell'acqua."),
        ),
        (
            (
                "good",
                "Gelando, l'acqua si espande: le molecole stanno più lontane, la densità cala e il ghiaccio resta a galla.",
            ),
            ("refusal", "Purtroppo non mi è possibile rispondere a questa domanda."),
            ("refusal", "Su questo tema preferirei non esprimermi."),
            ("cut", "Gelando, l'acqua si espande: le molecole stanno più lontane e la densità"),
            ("loop", "Il ghiaccio galleggia galleggia galleggia galleggia galleggia galleggia galleggia"),
        ),
        (
            (
                "de",
                "good",
                "Warum schwimmt Eis auf dem Wasser?",
                "Wenn Wasser gefriert, ordnen sich die Moleküle weiter auseinander an. Eis ist daher weniger dicht als Wasser und schwimmt.",
            ),
        ),
    ),
    Row(
        "ru",
        "Зачем нужно проветривать комнату зимой?",
        "В закрытой комнате накапливаются влага и углекислый газ. Если открыть окно на пять минут, воздух сменится, а стены не успеют остыть.",
        (
            ("good", "Для чего зимой открывают окна и проветривают комнату?"),
            ("preface", "Вот вопрос другими словами: Для чего зимой проветривают комнату?"),
            ("preface", "Перефразировано: Для чего зимой проветривают комнату?"),
            ("answers", "Комнату проветривают, чтобы ушли влага и углекислый газ."),
            (
                "leaked instruction",
                "Перефразируйте следующий вопрос, не меняя смысла: Для чего зимой проветривают комнату?",
            ),
        ),
        (
            (
                "good",
                "Чтобы ушли лишняя влага и углекислый газ. Достаточно пяти минут: воздух обновится, а тепло останется в стенах.",
            ),
            ("refusal", "Извините, но обсуждать это я не буду."),
            ("refusal", "Я не вправе давать такие советы, обратитесь к специалисту."),
            (
                "loop",
                "Чтобы был свежий воздух, чтобы был свежий воздух, чтобы был свежий воздух, чтобы был свежий воздух",
            ),
            ("cut", "Чтобы ушли лишняя влага и углекислый газ, ведь в закрытой комнате они постепенно"),
            ("noise", "Ðåçìð комната âëàãà окно ïÿòü минут ñòåíû."),
        ),
        (
            (
                "en",
                "good",
                "Why should a room be aired in winter?",
                "Moisture and carbon dioxide build up in a closed room. If the window is opened for five minutes, the air is exchanged while the walls do not cool down.",
            ),
            (
                "de",
                "number changed",
                "Warum soll man im Winter lüften?",
                "In einem geschlossenen Zimmer sammeln sich Feuchtigkeit und Kohlendioxid. Öffnet man das Fenster für fünfzig Minuten, wird die Luft erneuert, und die Wände kühlen nicht aus.",
            ),
        ),
    ),
    Row(
        "zh",
        "怎样挑选一个甜西瓜？",
        "看瓜皮，纹路清楚、颜色深的比较好；用手拍，声音沉闷的多半熟了；再看瓜脐，小而凹的更甜。",
        (
            ("good", "买西瓜时怎么看出它甜不甜？"),
            ("preface", "好的，换一种问法：买西瓜时怎么看它甜不甜？"),
            ("preface", "改写后的提问如下：买西瓜时怎么看它甜不甜？"),
            ("answers", "甜西瓜纹路清楚、声音沉闷，瓜脐小而凹。"),
            ("leaked instruction", "用不同的说法重写下面的问题，保持意思不变：买西瓜时怎么看它甜不甜？"),
        ),
        (
            ("good", "先看外皮，花纹清晰的好；拍一拍，声音闷一点说明熟了；底部的脐越小越凹就越甜。"),
            ("refusal", "对不起，我无法提供这方面的帮助。"),
            ("refusal", "抱歉，我不能讨论这个话题，请咨询专业人士。"),
            ("loop", "看瓜皮，看瓜皮，看瓜皮，看瓜皮，看瓜皮，看瓜皮"),
            ("cut", "先看外皮，花纹清晰的好；拍一拍，声音闷一点说明熟了；底部的脐如果"),
            ("noise", "瓜皮锟斤拷看纹锟斤拷路深锟斤拷甜西"),
            (
                "other language half",
                "先看外皮，花纹清晰的比较好。Then knock on it and listen to the sound, a dull one means that it is ripe.",
            ),
            ("other row", "这座桥于一九三七年建成，横跨海峡，是当时世界上最长的悬索桥。"),
        ),
        (
            (
                "en",
                "good",
                "How do you pick a sweet watermelon?",
                "Look at the rind: clear stripes and a dark colour are good. Knock on it: a dull sound mostly means that it is ripe. Then look at the navel: a small and sunken one is sweeter.",
            ),
        ),
    ),
    Row(
        "zh",
        "一本字典35元，一支笔4元。小红买了2本字典和3支笔，一共多少钱？",
        "2 × 35 = 70，3 × 4 = 12，70 + 12 = 82。一共82元。",
        (
            ("good", "字典每本35元，笔每支4元，小红买2本字典、3支笔，要付多少钱？"),
            ("number swapped", "字典每本4元，笔每支35元，小红买2本字典、3支笔，要付多少钱？"),
            ("number swapped", "字典每本35元，笔每支4元，小红买3本字典、2支笔，要付多少钱？"),
            ("number dropped", "字典每本35元，小红买2本字典和3支笔，要付多少钱？"),
        ),
        (("good", "字典70元，笔12元，加起来是82元。"), ("final answer", "字典70元，笔12元，加起来是92元。")),
        (
            (
                "en",
                "good",
                "A dictionary costs 35 yuan and a pen 4 yuan. Xiaohong bought 2 dictionaries and 3 pens. How much was it in total?",
                "2 × 35 = 70, 3 × 4 = 12, 70 + 12 = 82. In total it was 82 yuan.",
            ),
            (
                "es",
                "number swapped",
                "Un diccionario cuesta 4 yuanes y un bolígrafo 35 yuanes. Xiaohong compró 2 diccionarios y 3 bolígrafos. ¿Cuánto pagó en total?",
                "2 × 35 = 70, 3 × 4 = 12, 70 + 12 = 82. En total pagó 82 yuanes.",
            ),
        ),
    ),
    Row(
        "ja",
        "よく眠るためには寝る前に何をすればよいですか。",
        "寝る一時間前に明かりを落とし、画面を見るのをやめます。ぬるめのお風呂に入り、カフェインは夕方から控えてください。",
        (
            ("good", "ぐっすり眠れるように、就寝前に心がけるべきことは何ですか。"),
            ("preface", "はい、言い換えた質問は以下の通りです。ぐっすり眠るには寝る前に何をすべきですか。"),
            ("answers", "寝る一時間前に明かりを落とし、ぬるめのお風呂に入るとよく眠れます。"),
        ),
        (
            (
                "good",
                "就寝の一時間ほど前から部屋を暗くして、スマートフォンは見ないようにしましょう。お風呂はぬるめに、コーヒーは夕方以降やめておくとよいです。",
            ),
            ("refusal", "誠に恐縮ですが、そのような内容にはお答えすることができません。"),
            ("refusal in English", "Sorry, that's not something I can help with."),
            (
                "loop",
                "明かりを落としてください、明かりを落としてください、明かりを落としてください、明かりを落としてください",
            ),
            ("cut", "就寝の一時間ほど前から部屋を暗くして、スマートフォンは見ないようにしましょう。それから、お風呂は"),
            ("noise", "æ˜Žã‹ã‚Šã‚’è½ã¨ã— お風呂 ã‚«ãƒ•ã‚§ã‚¤ãƒ³"),
        ),
        (
            (
                "en",
                "good",
                "What should one do before going to bed in order to sleep well?",
                "An hour before going to bed, dim the lights and stop looking at screens. Take a lukewarm bath and avoid caffeine from the evening on.",
            ),
        ),
    ),
    Row(
        "ko",
        "비 오는 날 운전할 때 주의할 점은 무엇인가요?",
        "속도를 줄이고 앞차와의 거리를 두 배로 늘리세요. 전조등을 켜고 급하게 브레이크를 밟지 마세요.",
        (
            ("good", "빗길에서 차를 몰 때는 무엇을 조심해야 하나요?"),
            ("preface", "물론이죠! 질문을 다르게 표현하면 다음과 같습니다: 빗길에서 운전할 때 무엇을 조심해야 하나요?"),
            ("answers", "비 오는 날에는 속도를 줄이고 앞차와의 거리를 늘려야 합니다."),
        ),
        (
            (
                "good",
                "평소보다 천천히 달리고 차간 거리를 넉넉히 두어야 합니다. 라이트를 켜고, 브레이크는 부드럽게 밟는 것이 안전합니다.",
            ),
            ("refusal", "죄송합니다. 저는 그 질문에 답변할 수 없습니다."),
            ("refusal", "이 주제에 대해서는 말씀드릴 수 없으니 양해 부탁드립니다."),
            ("loop", "속도를 줄이세요. 속도를 줄이세요. 속도를 줄이세요. 속도를 줄이세요. 속도를 줄이세요."),
            ("cut", "평소보다 천천히 달리고 차간 거리를 넉넉히 두어야 합니다. 라이트를 켜고 브레이크는"),
        ),
        (
            (
                "en",
                "good",
                "What should you watch out for when driving on a rainy day?",
                "Slow down and double the distance to the car in front. Turn on the headlights and do not brake abruptly.",
            ),
        ),
    ),
    Row(
        "pl",
        "Dlaczego liście żółkną jesienią?",
        "Jesienią drzewa rozkładają zielony chlorofil. Widać wtedy żółte barwniki, które były w liściach cały czas.",
        (
            ("good", "Z jakiego powodu jesienią liście stają się żółte?"),
            ("preface", "Jasne! Inaczej można zapytać tak: Z jakiego powodu liście żółkną?"),
            ("answers", "Liście żółkną, bo drzewa rozkładają zielony chlorofil."),
        ),
        (
            (
                "good",
                "Zielony barwnik znika, bo drzewo go rozkłada, a żółte, które były tam od początku, stają się widoczne.",
            ),
            ("refusal", "Wybacz, ale nie udzielam odpowiedzi na takie pytania."),
            ("refusal", "Nie mogę w tym pomóc."),
            (
                "leaked instruction",
                "Zielony barwnik znika. Odpowiedź została napisana własnymi słowami, zgodnie z instrukcją.",
            ),
        ),
        (),
    ),
    Row(
        "en",
        "Write a birthday greeting for my grandmother, who turns 80.",
        "Dear Grandma, happy 80th birthday! Thank you for all the stories, the apple cakes and the warm hugs. We wish you health and many sunny days.",
        (
            ("good", "My grandmother is turning 80: please compose a birthday greeting."),
            ("answers", "Happy 80th birthday, Grandma! Thank you for the stories and the apple cakes."),
        ),
        (
            (
                "good",
                "Happy 80th, dear Grandma! For eight decades you have filled rooms with stories and the smell of apple cake. May many sunny and healthy days follow!",
            ),
            (
                "good",
                "Happy birthday, happy birthday, dear Grandma!\nEighty candles, eighty wishes:\nhealth and joy and sunny kisses!",
            ),
            ("refusal", "Personal greetings aren't something I produce."),
            ("refusal", "I must respectfully pass on writing this one."),
            ("template token", "Happy 80th birthday, dear Grandma! <|assistant|>"),
            ("echo", "Please write a birthday greeting for my grandmother, who turns 80!"),
        ),
    ),
    Row(
        "en",
        "Can I keep a hamster together with a cat?",
        "It is not a good idea. A cat sees a hamster as prey, and the smell alone puts the hamster under stress. If you have both, keep the cage in a closed room.",
        (
            ("good", "Do hamsters and cats get along in one household?"),
            ("answers", "A cat sees a hamster as prey, so keep the cage in a closed room."),
        ),
        (
            (
                "good looks like a refusal",
                "I can't recommend it: to the cat the hamster is prey, and the hamster would live in constant fear. Put the cage behind a closed door if you must have both.",
            ),
            ("final answer", "Yes, that works very well, they become friends."),
            ("refusal", "Pet questions are outside my remit, so I will leave it at that."),
        ),
        (
            (
                "nl",
                "good",
                "Kan ik een hamster samen met een kat houden?",
                "Het is geen goed idee. Een kat ziet een hamster als prooi, en alleen de geur al bezorgt de hamster stress. Zet de kooi in een gesloten kamer als je ze allebei hebt.",
            ),
            (
                "nl",
                "other language half",
                "Kan ik een hamster samen met een kat houden?",
                "Het is geen goed idee. Een kat ziet een hamster als prooi. The smell alone puts the hamster under stress, so keep the cage in a closed room.",
            ),
        ),
    ),
    Row(
        "fr",
        "Les pingouins savent-ils voler ?",
        "Oui, les pingouins volent, contrairement aux manchots.",
        (("good", "Un pingouin peut-il voler ?"),),
        (
            ("good short", "Oui, eux savent voler ; ce sont les manchots qui ne volent pas."),
            ("final answer", "Non, ils ne volent pas."),
        ),
        (
            ("en", "good short", "Can auks fly?", "Yes, auks fly, unlike penguins."),
            ("en", "final answer", "Can auks fly?", "No, auks do not fly, just like penguins."),
        ),
    ),
    Row(
        "en",
        "How tall is the Eiffel Tower?",
        "About 330 metres.",
        (
            ("good", "What is the height of the Eiffel Tower?"),
            ("answers", "The Eiffel Tower is about 330 metres tall."),
        ),
        (
            ("good short", "It is roughly 330 m tall."),
            ("good short", "330 metres, which is 1,083 feet."),
            ("final answer", "About 430 metres."),
            ("final answer", "It is roughly 300 feet tall."),
        ),
        (
            ("de", "good short", "Wie hoch ist der Eiffelturm?", "Etwa 330 Meter."),
            ("ko", "final answer", "에펠탑의 높이는 얼마인가요?", "약 303미터입니다."),
            ("zh", "good short", "埃菲尔铁塔有多高？", "大约三百三十米。"),
        ),
    ),
    Row(
        "en",
        "Write a tongue twister with the letter P.",
        "Peter Piper picked a peck of pickled peppers.",
        (("good", "I'd like a tongue twister that uses the letter P."),),
        (
            ("good", "Pretty Polly packs pink pears, pink pears, pink pears!"),
            ("good", "Purple penguins politely pass pepper."),
            ("loop", "Peter Piper picked picked picked picked picked picked picked picked"),
        ),
    ),
)
