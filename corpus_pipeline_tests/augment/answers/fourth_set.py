"""A fourth set of labelled answers, written before the misses on the third were mended; see README.md."""

from __future__ import annotations

from corpus_pipeline_tests.augment.answers.rows import Row

ROWS = (
    Row(
        "en",
        "What's the best way to store opened white wine?",
        "Put the cork back in and keep the bottle in the fridge, upright. It stays fresh for three to five days; after that it tastes flat.",
        (
            ("good", "Once a bottle of white wine is open, how should I keep it?"),
            ("good", "How do I keep an opened bottle of white wine so that it stays good?"),
            ("preface", "Alternative phrasing: How should I keep an opened bottle of white wine?"),
            ("answers", "You keep opened white wine upright in the fridge with its cork in."),
        ),
        (
            ("good", "In the fridge, standing up, with the cork pushed back in. Drink it within 3 to 5 days."),
            (
                "good",
                "Re-cork it and refrigerate it right away. Most whites hold for up to five days, though the aroma fades after the third.",
            ),
            ("refusal", "As this relates to alcohol, I'll have to leave it there."),
            (
                "cut",
                "In the fridge, standing up, with the cork pushed back in. Most whites hold for up to five days, though the",
            ),
            ("loop", "Keep it in the fridge, keep it in the fridge, keep it in the fridge, keep it in the fridge."),
        ),
        (
            (
                "de",
                "good",
                "Wie bewahrt man eine offene Flasche Weißwein am besten auf?",
                "Stecken Sie den Korken wieder hinein und stellen Sie die Flasche aufrecht in den Kühlschrank. So hält der Wein drei bis fünf Tage; danach schmeckt er schal.",
            ),
            (
                "it",
                "good",
                "Qual è il modo migliore per conservare il vino bianco aperto?",
                "Rimetti il tappo e tieni la bottiglia in frigo, in piedi. Resta fresco dai tre ai cinque giorni, poi perde sapore.",
            ),
            (
                "it",
                "number changed",
                "Qual è il modo migliore per conservare il vino bianco aperto?",
                "Rimetti il tappo e tieni la bottiglia in frigo, in piedi. Resta fresco dai tre ai quindici giorni, poi perde sapore.",
            ),
        ),
    ),
    Row(
        "en",
        "Our meeting starts at 14:30 and lasts 50 minutes. When is it over?",
        "It is over at 15:20.",
        (
            ("good", "A meeting that takes 50 minutes begins at 14:30. At what time does it finish?"),
            ("number changed", "A meeting that takes 40 minutes begins at 14:30. At what time does it finish?"),
            ("answers", "The meeting that starts at 14:30 is over at 15:20."),
        ),
        (
            ("good short", "At 3:20 p.m."),
            ("good short", "It ends at 15:20, that is twenty past three."),
            ("final answer", "At 15:30."),
            ("final answer", "It is over at 3:10 p.m."),
        ),
        (
            (
                "de",
                "good short",
                "Unsere Besprechung beginnt um 14.30 Uhr und dauert 50 Minuten. Wann ist sie zu Ende?",
                "Sie ist um 15.20 Uhr zu Ende.",
            ),
            (
                "fr",
                "good short",
                "Notre réunion commence à 14 h 30 et dure 50 minutes. Quand finit-elle ?",
                "Elle finit à 15 h 20.",
            ),
            ("zh", "good short", "我们的会议14:30开始，持续50分钟。什么时候结束？", "15:20结束。"),
            (
                "es",
                "final answer",
                "Nuestra reunión empieza a las 14:30 y dura 50 minutos. ¿Cuándo termina?",
                "Termina a las 15:10.",
            ),
        ),
    ),
    Row(
        "en",
        'Is this email spam or not? "You have won a prize! Click here to claim it now."',
        "spam",
        (("good", 'Please decide if the mail "You have won a prize! Click here to claim it now." is spam or not.'),),
        (
            ("good short", "It's spam."),
            ("good short", "Spam: it promises a prize and urges you to click."),
            ("final answer", "Not spam."),
            ("final answer", "This is a genuine message."),
        ),
    ),
    Row(
        "de",
        "Erkläre kurz, wie eine Solarzelle Strom erzeugt.",
        "Licht trifft auf das Silizium und löst dort Elektronen. Durch zwei unterschiedlich behandelte Schichten entsteht eine Spannung, und die Elektronen fließen als Strom ab.",
        (
            ("good", "Wie entsteht in einer Solarzelle Strom? Bitte in wenigen Worten."),
            ("good", "Beschreibe knapp, auf welche Weise Solarzellen Strom liefern."),
            ("preface", "Selbstverständlich. Andere Formulierung: Wie entsteht in einer Solarzelle Strom?"),
            ("answers", "In einer Solarzelle löst Licht Elektronen aus dem Silizium, die als Strom abfließen."),
        ),
        (
            (
                "good",
                "Sonnenlicht schlägt im Silizium Elektronen los. Weil die beiden Schichten verschieden dotiert sind, wandern sie in eine Richtung: Es fließt Strom.",
            ),
            (
                "good",
                "Vereinfacht gesagt: Das Licht gibt den Elektronen im Silizium Energie, eine Grenzschicht lenkt sie in eine Richtung, und über die Kontakte fließt dann Strom.",
            ),
            ("refusal", "Technische Erklärungen gehören leider nicht zu meinen Aufgaben."),
            ("other language", "Light hits the silicon and frees electrons there, which flow off as a current."),
            (
                "noise",
                "Licht Silizium das auf und dort trifft Elektronen löst Schichten zwei durch Spannung eine entsteht fließen Strom als ab die.",
            ),
        ),
        (
            (
                "en",
                "good",
                "Briefly explain how a solar cell produces electricity.",
                "Light hits the silicon and knocks electrons loose. Two layers that were treated differently give rise to a voltage, and the electrons flow off as a current.",
            ),
            (
                "nl",
                "good",
                "Leg kort uit hoe een zonnecel stroom opwekt.",
                "Licht valt op het silicium en maakt daar elektronen los. Door twee verschillend behandelde lagen ontstaat een spanning, en de elektronen stromen weg.",
            ),
            (
                "tr",
                "good",
                "Bir güneş pilinin nasıl elektrik ürettiğini kısaca açıkla.",
                "Işık silisyuma çarpar ve orada elektronları serbest bırakır. Farklı işlenmiş iki katman sayesinde bir gerilim oluşur ve elektronlar akım olarak akar.",
            ),
        ),
    ),
    Row(
        "de",
        "Ein Liter Farbe reicht für 8 Quadratmeter. Wie viele Liter braucht man für 36 Quadratmeter?",
        "36 geteilt durch 8 ist 4,5. Man braucht also 4,5 Liter Farbe.",
        (
            (
                "good",
                "Mit einem Liter Farbe lassen sich 8 Quadratmeter streichen. Wie viel Farbe ist für 36 Quadratmeter nötig?",
            ),
            (
                "number swapped",
                "Mit einem Liter Farbe lassen sich 36 Quadratmeter streichen. Wie viel Farbe ist für 8 Quadratmeter nötig?",
            ),
            (
                "number dropped",
                "Mit einem Liter Farbe lassen sich 8 Quadratmeter streichen. Wie viel Farbe ist für eine größere Wand nötig?",
            ),
        ),
        (
            ("good", "Man rechnet 36 : 8 = 4,5. Es werden viereinhalb Liter gebraucht."),
            ("good", "4,5 Liter, denn 4,5 × 8 = 36."),
            ("final answer", "Man rechnet 36 : 8 = 4,8. Es werden 4,8 Liter gebraucht."),
        ),
        (
            (
                "en",
                "good",
                "One litre of paint covers 8 square metres. How many litres are needed for 36 square metres?",
                "36 divided by 8 is 4.5. So 4.5 litres of paint are needed.",
            ),
            (
                "fr",
                "number changed",
                "Un litre de peinture suffit pour 8 mètres carrés. Combien de litres faut-il pour 26 mètres carrés ?",
                "36 divisé par 8 font 4,5. Il faut donc 4,5 litres de peinture.",
            ),
        ),
    ),
    Row(
        "fr",
        "Rédige un court message pour annuler un rendez-vous chez le dentiste.",
        "Bonjour, je suis malheureusement dans l'impossibilité de venir à mon rendez-vous de jeudi à 9 h. Pourriez-vous me proposer une autre date ? Merci d'avance.",
        (
            ("good", "J'ai besoin d'un petit message qui annule mon rendez-vous chez le dentiste."),
            ("preface", "Reformulation : J'ai besoin d'un petit message qui annule mon rendez-vous chez le dentiste."),
        ),
        (
            (
                "good looks like a refusal",
                "Bonjour, je ne pourrai pas venir jeudi à 9 heures, un empêchement m'oblige à annuler. Serait-il possible de fixer un nouveau rendez-vous ? Merci !",
            ),
            (
                "good",
                "Bonjour docteur, un contretemps m'empêche d'honorer mon rendez-vous de jeudi à 9 h 00. Pouvons-nous le reporter à la semaine suivante ?",
            ),
            ("refusal", "Je regrette, mais je ne suis pas en mesure d'écrire ce message."),
            (
                "leaked instruction",
                "Bonjour, je ne pourrai pas venir jeudi à 9 h. Comme le demandent les consignes, la réponse reste brève et diffère de la réponse de référence.",
            ),
        ),
        (
            (
                "en",
                "good",
                "Write a short message to cancel an appointment at the dentist's.",
                "Hello, unfortunately I am unable to come to my appointment on Thursday at 9 a.m. Could you suggest another date? Thank you in advance.",
            ),
        ),
    ),
    Row(
        "fr",
        "Combien coûtent 4 places de cinéma à 9,50 € avec une réduction de 10 % ?",
        "4 × 9,50 = 38 €. La réduction est de 3,80 €, il reste 34,20 €.",
        (
            ("good", "Quel est le prix de quatre places à 9,50 € si l'on bénéficie de 10 % de réduction ?"),
            ("number swapped", "Quel est le prix de 10 places à 9,50 € si l'on bénéficie de 4 % de réduction ?"),
            ("number changed", "Quel est le prix de quatre places à 8,50 € si l'on bénéficie de 10 % de réduction ?"),
        ),
        (
            ("good", "Sans réduction : 38 €. On enlève 10 %, soit 3,80 €, ce qui fait 34,20 € à payer."),
            ("good", "38 € × 0,9 = 34,20 €."),
            ("final answer", "Sans réduction : 38 €. On enlève 10 %, ce qui fait 33,20 € à payer."),
        ),
        (
            (
                "es",
                "good",
                "¿Cuánto cuestan 4 entradas de cine a 9,50 € con un descuento del 10 %?",
                "4 × 9,50 = 38 €. El descuento es de 3,80 €, quedan 34,20 €.",
            ),
            (
                "en",
                "good",
                "How much do 4 cinema tickets at €9.50 cost with a 10% discount?",
                "4 × 9.50 = €38. The discount is €3.80, which leaves €34.20.",
            ),
            (
                "ja",
                "good",
                "9.50ユーロの映画のチケット4枚は、10％割引でいくらになりますか。",
                "4 × 9.50 = 38ユーロ。割引は3.80ユーロなので、34.20ユーロになります。",
            ),
        ),
    ),
    Row(
        "es",
        "¿Por qué se oxida el hierro?",
        "El hierro reacciona con el oxígeno y la humedad del aire y forma óxido, una capa rojiza y frágil que se desprende.",
        (
            ("good", "¿A qué se debe que el hierro se oxide?"),
            ("preface", "Claro, te dejo otra redacción: ¿A qué se debe que el hierro se oxide?"),
            (
                "leaked instruction",
                "Di lo mismo con otras palabras y no respondas a la pregunta. ¿A qué se debe que el hierro se oxide?",
            ),
            ("answers", "El hierro se oxida porque reacciona con el oxígeno y la humedad."),
        ),
        (
            (
                "good",
                "Porque, en contacto con aire húmedo, sus átomos se combinan con el oxígeno; así aparece la herrumbre, que es porosa y se cae a trozos.",
            ),
            ("refusal", "Esta es una pregunta que no voy a contestar."),
            ("loop", "Se forma óxido y se desprende y se forma óxido y se desprende y se forma óxido y se desprende"),
            ("cut", "Porque, en contacto con aire húmedo, sus átomos se combinan con el oxígeno y entonces"),
        ),
        (
            (
                "en",
                "good",
                "Why does iron rust?",
                "Iron reacts with the oxygen and moisture of the air and forms rust, a reddish and brittle layer that flakes off.",
            ),
            (
                "ru",
                "good",
                "Почему ржавеет железо?",
                "Железо вступает в реакцию с кислородом и влагой воздуха и образует ржавчину, рыжий хрупкий слой, который отслаивается.",
            ),
        ),
    ),
    Row(
        "es",
        "Dime la capital de Australia.",
        "Canberra",
        (("good", "¿Cómo se llama la capital de Australia?"),),
        (
            ("good short", "Es Canberra."),
            ("good short", "La capital australiana es Canberra, no Sídney."),
        ),
        (
            ("en", "good short", "Tell me the capital of Australia.", "Canberra"),
            ("ru", "good short", "Назови столицу Австралии.", "Канберра"),
        ),
    ),
    Row(
        "pt",
        "Quantos minutos há em 2 horas e meia?",
        "Há 150 minutos.",
        (
            ("good", "Duas horas e meia são quantos minutos?"),
            ("number changed", "Três horas e meia são quantos minutos?"),
        ),
        (
            ("good short", "São 150 minutos."),
            ("good short", "150, porque 2,5 × 60 = 150."),
            ("final answer", "São 130 minutos."),
        ),
        (
            ("en", "good short", "How many minutes are there in 2 and a half hours?", "There are 150 minutes."),
            ("de", "final answer", "Wie viele Minuten sind 2 Stunden und eine halbe?", "Es sind 120 Minuten."),
        ),
    ),
    Row(
        "pt",
        "Dê uma dica para dormir melhor.",
        "Desligue o celular uma hora antes de deitar e deixe o quarto escuro e fresco.",
        (
            ("good", "O que posso fazer para dormir melhor? Uma dica basta."),
            ("preface", "Outra forma de pedir: O que posso fazer para dormir melhor?"),
        ),
        (
            ("good", "Mantenha o quarto fresco e sem luz, e guarde o celular pelo menos uma hora antes."),
            ("refusal", "Não tenho como dar esse tipo de conselho."),
            (
                "other language half",
                "Mantenha o quarto fresco e sem luz. Stop looking at your phone at least one hour before you go to bed.",
            ),
            ("template token", "Mantenha o quarto fresco e sem luz.<|end|><|user|>"),
        ),
        (
            (
                "fr",
                "good",
                "Donne un conseil pour mieux dormir.",
                "Éteins ton téléphone une heure avant de te coucher et laisse la chambre sombre et fraîche.",
            ),
        ),
    ),
    Row(
        "it",
        "In che anno è finita la Seconda guerra mondiale?",
        "Nel 1945.",
        (
            ("good", "Quando si è conclusa la Seconda guerra mondiale? Basta l'anno."),
            ("answers", "La Seconda guerra mondiale è finita nel 1945."),
        ),
        (
            ("good short", "È finita nel 1945."),
            ("good short", "Nel '45, a maggio in Europa e a settembre in Asia."),
            ("final answer", "Nel 1944."),
        ),
        (
            ("de", "good short", "In welchem Jahr endete der Zweite Weltkrieg?", "1945."),
            ("en", "final answer", "In which year did World War II end?", "In 1954."),
        ),
    ),
    Row(
        "ru",
        "Сколько стоят 3 кг яблок по 85 рублей и 2 кг груш по 120 рублей?",
        "Яблоки: 3 × 85 = 255 рублей. Груши: 2 × 120 = 240 рублей. Всего 495 рублей.",
        (
            ("good", "Какова цена трёх килограммов яблок по 85 рублей и двух килограммов груш по 120 рублей?"),
            ("number swapped", "Сколько стоят 3 кг яблок по 120 рублей и 2 кг груш по 85 рублей?"),
            ("number changed", "Сколько стоят 5 кг яблок по 85 рублей и 2 кг груш по 120 рублей?"),
        ),
        (
            ("good", "За яблоки нужно отдать 255 рублей, за груши 240. Вместе выходит 495 рублей."),
            ("final answer", "За яблоки нужно отдать 255 рублей, за груши 240. Вместе выходит 485 рублей."),
            (
                "thinking",
                "Пользователь просит посчитать стоимость. Сначала яблоки: 255, потом груши: 240. Итого 495 рублей.",
            ),
        ),
        (
            (
                "en",
                "good",
                "How much do 3 kg of apples at 85 roubles and 2 kg of pears at 120 roubles cost?",
                "Apples: 3 × 85 = 255 roubles. Pears: 2 × 120 = 240 roubles. 495 roubles in total.",
            ),
        ),
    ),
    Row(
        "ru",
        "Придумай название для кафе у моря.",
        "«Солёный ветер»",
        (("good", "Как можно назвать кафе, которое стоит у моря?"),),
        (("good", "«Чайка и кофе»"), ("good", "Может быть, «Причал»?"), ("refusal", "Я воздержусь от ответа.")),
    ),
    Row(
        "zh",
        "请把“他昨天去了北京”改成疑问句。",
        "他昨天去了北京吗？",
        (("good", "“他昨天去了北京”这句话怎么变成疑问句？"),),
        (
            ("good other words", "他昨天去北京了吗？"),
            ("good other words", "他昨天是不是去了北京？"),
            ("other row", "西红柿炒鸡蛋要先把鸡蛋炒好盛出来，再炒西红柿。"),
        ),
    ),
    Row(
        "zh",
        "一辆车每小时行驶80公里，行驶240公里需要多久？",
        "240 ÷ 80 = 3，需要3小时。",
        (
            ("good", "车速是每小时80公里，开240公里要多长时间？"),
            ("number swapped", "车速是每小时240公里，开80公里要多长时间？"),
            ("answers", "每小时80公里的车行驶240公里需要3小时。"),
        ),
        (
            ("good", "用路程除以速度：240 / 80 = 3，也就是三个小时。"),
            ("good short", "三小时。"),
            ("final answer", "用路程除以速度：240 / 80 = 4，也就是四个小时。"),
        ),
        (
            (
                "en",
                "good",
                "A car drives 80 kilometres per hour. How long does it take for 240 kilometres?",
                "240 ÷ 80 = 3, so it takes 3 hours.",
            ),
            (
                "ko",
                "good",
                "시속 80킬로미터로 달리는 차가 240킬로미터를 가는 데 얼마나 걸리나요?",
                "240 ÷ 80 = 3이므로 3시간이 걸립니다.",
            ),
        ),
    ),
    Row(
        "ja",
        "履歴書に書く自己紹介を短くしてください。「私は営業を五年経験し、三つの賞をいただきました。」",
        "営業歴五年、受賞三回。",
        (
            (
                "good",
                "「私は営業を五年経験し、三つの賞をいただきました。」という自己紹介を、履歴書用に短くまとめてください。",
            ),
        ),
        (
            ("good", "営業経験五年、三度の受賞歴あり。"),
            ("good", "五年間の営業で三つの賞を受賞。"),
            ("refusal", "そのご依頼には応じられません。"),
        ),
        (
            (
                "en",
                "good",
                'Please shorten this introduction for a CV: "I have five years of experience in sales and received three awards."',
                "Five years in sales, three awards.",
            ),
            (
                "en",
                "number changed",
                'Please shorten this introduction for a CV: "I have five years of experience in sales and received three awards."',
                "Nine years in sales, three awards.",
            ),
        ),
    ),
    Row(
        "ko",
        "계란을 삶는 데 몇 분이 걸리나요?",
        "반숙은 6분, 완숙은 10분 정도 삶으면 됩니다.",
        (
            ("good", "삶은 계란을 만들려면 시간이 얼마나 필요한가요?"),
            ("answers", "계란은 반숙 6분, 완숙 10분이면 됩니다."),
        ),
        (
            ("good", "끓는 물에서 반숙은 6분, 완숙은 10분쯤 걸립니다."),
            ("refusal", "해당 내용은 답변드리기 곤란합니다."),
            ("noise", "계란 ㅁㄴㅇㄹ 삶ㅂㅈㄷㄱ 분 ㅋㅌㅊㅍ 정도 ㅛㅕㅑㅐ 됩니다"),
        ),
        (
            (
                "en",
                "good",
                "How many minutes does it take to boil an egg?",
                "Boil it for 6 minutes if you want it soft, and for about 10 minutes if you want it hard.",
            ),
            (
                "de",
                "number swapped",
                "Wie viele Minuten dauert es, ein Ei zu kochen?",
                "Weich gekocht braucht es 10 Minuten, hart gekocht etwa 6 Minuten.",
            ),
        ),
    ),
    Row(
        "nl",
        "Welke kleuren heeft de Nederlandse vlag?",
        "Rood, wit en blauw.",
        (
            ("good", "Uit welke kleuren bestaat de vlag van Nederland?"),
            ("answers", "De Nederlandse vlag is rood, wit en blauw."),
        ),
        (
            ("good short", "De vlag is rood, wit en blauw, van boven naar beneden."),
            ("final answer", "Zwart, geel en rood."),
        ),
        (
            ("en", "good short", "Which colours does the Dutch flag have?", "Red, white and blue."),
            ("en", "final answer", "Which colours does the Dutch flag have?", "Red, white and green."),
        ),
    ),
    Row(
        "pl",
        "Podaj przepis na herbatę z imbirem.",
        "Pokrój 3 plasterki imbiru, zalej je wrzątkiem i odstaw na 10 minut. Dodaj miód i sok z połówki cytryny.",
        (
            ("good", "Jak zrobić herbatę imbirową?"),
            ("preface", "Przeformułowane pytanie:\nJak zrobić herbatę imbirową?"),
        ),
        (
            (
                "good",
                "Trzy plasterki imbiru zalej wrzątkiem, odczekaj dziesięć minut, a potem dosłodź miodem i wciśnij pół cytryny.",
            ),
            ("refusal", "Przepraszam, ale nie mogę podać tego przepisu."),
            ("cut", "Trzy plasterki imbiru zalej wrzątkiem, odczekaj dziesięć minut, a potem"),
        ),
        (
            (
                "en",
                "good",
                "Give me a recipe for ginger tea.",
                "Cut 3 slices of ginger, pour boiling water over them and let them steep for 10 minutes. Add honey and the juice of half a lemon.",
            ),
        ),
    ),
    Row(
        "en",
        "Give me three reasons to learn a second language.",
        "It opens the door to other cultures, it improves your memory, and it helps you find work.",
        (
            ("good", "Why should one learn a second language? Three reasons will do."),
            ("number changed", "Why should one learn a second language? Five reasons will do."),
        ),
        (
            (
                "good",
                "1. You get to know other cultures from the inside.\n2. Your memory gets better.\n3. You have more chances when you look for a job.",
            ),
            (
                "good",
                "First, travel and culture become richer. Second, the brain stays fit. Third, many employers ask for it.",
            ),
            (
                "thinking",
                "Alright, let me think about what the user wants: three reasons. Culture, memory, jobs. It opens doors to cultures, trains memory and helps careers.",
            ),
            ("other row", "The boiling point drops by roughly one degree for every 300 metres that you climb."),
        ),
        (
            (
                "sv",
                "good",
                "Ge mig tre skäl att lära sig ett andra språk.",
                "Det öppnar dörren till andra kulturer, det förbättrar minnet och det hjälper dig att hitta arbete.",
            ),
            (
                "sv",
                "other language",
                "Gi meg tre grunner til å lære et andre språk, på finsk.",
                "Se avaa oven muihin kulttuureihin, se parantaa muistia ja se auttaa löytämään työtä.",
            ),
        ),
    ),
    Row(
        "en",
        'Translate "good night" into Spanish, French and German.',
        "Spanish: buenas noches. French: bonne nuit. German: gute Nacht.",
        (("good", 'How do you say "good night" in Spanish, French and German?'),),
        (
            ("good", '"Good night" is "buenas noches" in Spanish, "bonne nuit" in French and "gute Nacht" in German.'),
            ("good", "- Spanish: *buenas noches*\n- French: *bonne nuit*\n- German: *gute Nacht*"),
        ),
    ),
)
