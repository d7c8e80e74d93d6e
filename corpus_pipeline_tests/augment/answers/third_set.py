"""A third set of labelled answers: held out, written before the validators were changed again; see README.md."""

from __future__ import annotations

from corpus_pipeline_tests.augment.answers.rows import Row

ROWS = (
    # ---- English
    Row(
        "en",
        "My tomatoes have black spots at the bottom. What is wrong with them?",
        "That is blossom end rot. The fruit gets too little calcium because the soil dries out between waterings. Water evenly, mulch the bed and take off the spoiled fruit.",
        (
            ("good", "There are dark patches on the underside of my tomatoes. What could be the cause?"),
            ("answers", "Black spots at the bottom of tomatoes are blossom end rot, which comes from uneven watering."),
            (
                "preface",
                "Sure! Here's another way to ask that: What causes the black spots on the bottom of my tomatoes?",
            ),
            (
                "leaked instruction",
                "Rewrite the user's message in different words without changing its meaning. My tomatoes have black spots at the bottom. What is the problem?",
            ),
        ),
        (
            (
                "good",
                "It sounds like blossom end rot, a lack of calcium in the growing fruit. Keep the soil moist all the time, cover it with straw, and pick the bad tomatoes so that the plant puts its strength into the others.",
            ),
            (
                "refusal",
                "I'm really not in a position to diagnose plant diseases, so I'd rather leave this one to an expert at your garden centre.",
            ),
            (
                "loop",
                "It is blossom end rot. Water evenly. It is blossom end rot. Water evenly. It is blossom end rot. Water evenly. It is blossom end rot. Water evenly.",
            ),
            (
                "cut",
                "It sounds like blossom end rot. The fruit lacks calcium, which usually happens when the soil is allowed to",
            ),
            (
                "noise",
                "Tomato the rot calcium of end mulch soil soil evenly take blossom waterings between fruit off the out and.",
            ),
        ),
        (
            (
                "es",
                "good",
                "Mis tomates tienen manchas negras en la parte de abajo. ¿Qué les pasa?",
                "Es la podredumbre apical. Al fruto le falta calcio porque la tierra se seca entre riego y riego. Riega de forma regular, pon acolchado y quita los frutos dañados.",
            ),
            (
                "es",
                "translation not done",
                "My tomatoes have black spots at the bottom. What is wrong with them?",
                "Es la podredumbre apical. Al fruto le falta calcio porque la tierra se seca entre riego y riego. Riega de forma regular, pon acolchado y quita los frutos dañados.",
            ),
            (
                "pl",
                "good",
                "Moje pomidory mają czarne plamy na spodzie. Co im dolega?",
                "To sucha zgnilizna wierzchołkowa. Owoce dostają za mało wapnia, bo ziemia przesycha między podlewaniami. Podlewaj równomiernie, wyściółkuj grządkę i usuń zepsute owoce.",
            ),
        ),
    ),
    Row(
        "en",
        "A train leaves at 9:40 and arrives at 13:05. How long is the journey?",
        "From 9:40 to 12:40 are 3 hours, and from 12:40 to 13:05 another 25 minutes. The journey takes 3 hours and 25 minutes.",
        (
            ("good", "If a train sets off at 9:40 and gets in at 13:05, what is the duration of the trip?"),
            ("number changed", "If a train sets off at 9:45 and gets in at 13:05, what is the duration of the trip?"),
            ("number swapped", "A train leaves at 13:05 and arrives at 9:40. How long is it on its way?"),
            ("number dropped", "A train leaves in the morning and arrives at 13:05. How long is the journey?"),
        ),
        (
            (
                "good",
                "Count the hours first: 9:40 to 12:40 makes 3 hours. Then add 25 minutes until 13:05. So it takes 3 h 25 min.",
            ),
            (
                "final answer",
                "Count the hours first: 9:40 to 13:40 makes 4 hours. Take away 25 minutes, so the journey takes 3 hours and 35 minutes.",
            ),
            ("template token", "It takes 3 hours and 25 minutes.<|im_end|>\n<|im_start|>user\nThanks!"),
            (
                "thinking",
                "Okay, the user wants to know the duration of a train trip. Let me compute this. 13:05 minus 9:40... that's 3 hours 25. I should answer briefly. The journey takes 3 hours and 25 minutes.",
            ),
        ),
        (
            (
                "de",
                "good",
                "Ein Zug fährt um 9.40 Uhr ab und kommt um 13.05 Uhr an. Wie lange dauert die Fahrt?",
                "Von 9.40 Uhr bis 12.40 Uhr sind es 3 Stunden, und von 12.40 Uhr bis 13.05 Uhr noch einmal 25 Minuten. Die Fahrt dauert 3 Stunden und 25 Minuten.",
            ),
            (
                "fr",
                "good",
                "Un train part à 9 h 40 et arrive à 13 h 05. Combien de temps dure le trajet ?",
                "De 9 h 40 à 12 h 40, il y a 3 heures, et de 12 h 40 à 13 h 05 encore 25 minutes. Le trajet dure 3 heures et 25 minutes.",
            ),
            (
                "fr",
                "number changed",
                "Un train part à 9 h 40 et arrive à 13 h 05. Combien de temps dure le trajet ?",
                "De 9 h 40 à 12 h 40, il y a 3 heures, et de 12 h 40 à 13 h 05 encore 35 minutes. Le trajet dure 3 heures et 35 minutes.",
            ),
        ),
    ),
    Row(
        "en",
        "Is it true that bulls get angry at the color red?",
        "No. Bulls cannot tell red from other colors very well; it is the movement of the cloth that makes them charge.",
        (
            ("good", "People say red makes bulls furious. Is there anything to it?"),
            ("answers", "No, bulls do not react to red; they react to movement."),
            ("other language", "¿Es verdad que a los toros les enfurece el color rojo?"),
        ),
        (
            (
                "good",
                "No, that's a myth: what sets them off is the waving of the cloth, and they hardly see red at all.",
            ),
            (
                "final answer",
                "Yes, the color red makes bulls angry, and that is why the cloth of the bullfighter is red.",
            ),
            (
                "other row",
                "Whisk the egg whites with the sugar until stiff peaks form, then bake the meringues at low heat for ninety minutes.",
            ),
            ("echo", "Is it true that bulls get angry at the color red?"),
        ),
        (
            (
                "it",
                "good",
                "È vero che i tori si arrabbiano quando vedono il colore rosso?",
                "No. I tori distinguono male il rosso dagli altri colori; è il movimento del drappo che li fa caricare.",
            ),
            (
                "it",
                "final answer",
                "È vero che i tori si arrabbiano quando vedono il colore rosso?",
                "Sì. I tori distinguono male il rosso dagli altri colori; è il movimento del drappo che li fa caricare.",
            ),
            (
                "ja",
                "good",
                "牛は赤い色を見ると怒るというのは本当ですか。",
                "いいえ。牛は赤を他の色とあまり区別できません。突進するのは布の動きのせいです。",
            ),
        ),
    ),
    Row(
        "en",
        "Write a short out-of-office message for next week.",
        "Hello, thank you for your message. I am out of the office from Monday to Friday and cannot read my mail. In urgent cases please write to my colleague Tessa. I will answer when I am back.",
        (
            ("good", "Please draft a brief automatic reply saying that I'm away from the office next week."),
            ("answers", "Thank you for writing. I'm out of office all next week and will reply when I return."),
            ("preface", "Rephrased prompt: Draft a brief automatic reply that says I will be away next week."),
        ),
        (
            (
                "good looks like a refusal",
                "Thanks for your mail! Unfortunately I can't help you this week, as I'm away until Friday. My colleague Tessa will gladly take over if it can't wait.",
            ),
            (
                "good",
                "I'm out of office Monday through Friday next week with no access to email. For anything urgent, contact Tessa; otherwise I'll reply the week after.",
            ),
            (
                "leaked instruction",
                "Hello, thank you for your message. I am away from Monday to Friday. (As instructed, I kept the answer short and did not mention that it is based on a reference.)",
            ),
            ("noise", "Hxllo thnk yu fr yr mssg xqz wplk brtn mndy kfjd sldkfj owieru vnmx qpwoe."),
        ),
        (
            (
                "nl",
                "good",
                "Schrijf een kort afwezigheidsbericht voor volgende week.",
                "Hallo, bedankt voor je bericht. Ik ben van maandag tot en met vrijdag niet op kantoor en kan mijn mail niet lezen. Schrijf in dringende gevallen naar mijn collega Tessa. Ik antwoord zodra ik terug ben.",
            ),
            (
                "nl",
                "other language half",
                "Schrijf een kort afwezigheidsbericht voor volgende week.",
                "Hallo, bedankt voor je bericht. Ik ben van maandag tot en met vrijdag niet op kantoor. In urgent cases please write to my colleague Tessa. I will answer when I am back.",
            ),
        ),
    ),
    Row(
        "en",
        "Give me the SQL for the five customers with the highest total of orders.",
        "```sql\nSELECT customer_id, SUM(total) AS spent\nFROM orders\nGROUP BY customer_id\nORDER BY spent DESC\nLIMIT 5;\n```\nIt sums the orders of each customer and keeps the five largest sums.",
        (
            ("good", "What SQL query returns the 5 customers who have spent the most on orders?"),
            ("number changed", "What SQL query returns the ten customers who have spent the most on orders?"),
            (
                "number added",
                "What SQL query returns the five customers with the highest total of orders above 300 dollars?",
            ),
        ),
        (
            (
                "good",
                "```sql\nSELECT c.id, c.name, SUM(o.total) AS spent\nFROM customers c JOIN orders o ON o.customer_id = c.id\nGROUP BY c.id, c.name\nORDER BY spent DESC\nFETCH FIRST 5 ROWS ONLY;\n```",
            ),
            ("cut", "```sql\nSELECT customer_id, SUM(total) AS spent\nFROM orders\nGROUP BY customer_id\nORDER BY"),
            (
                "cut",
                "Group the orders by customer, sum the totals (the column may have another name in your database, so check the schema before you run it and",
            ),
            ("refusal", "Sorry, generating database queries falls outside what I can provide here."),
        ),
        (
            (
                "ko",
                "good",
                "주문 총액이 가장 높은 고객 다섯 명을 구하는 SQL을 알려 주세요.",
                "```sql\nSELECT customer_id, SUM(total) AS spent\nFROM orders\nGROUP BY customer_id\nORDER BY spent DESC\nLIMIT 5;\n```\n고객별 주문 금액을 합산하여 가장 큰 다섯 개의 합계만 남깁니다.",
            ),
            (
                "ru",
                "good",
                "Дай SQL-запрос, который находит пять клиентов с наибольшей суммой заказов.",
                "```sql\nSELECT customer_id, SUM(total) AS spent\nFROM orders\nGROUP BY customer_id\nORDER BY spent DESC\nLIMIT 5;\n```\nЗапрос складывает заказы каждого клиента и оставляет пять наибольших сумм.",
            ),
        ),
    ),
    Row(
        "en",
        'Classify the sentiment of this review as positive, negative or neutral: "The battery died after two days and nobody answers the phone."',
        "negative",
        (
            (
                "good",
                'Here is a review: "The battery died after two days and nobody answers the phone." Does it sound positive, negative or neutral?',
            ),
            ("answers", "The review is negative."),
        ),
        (
            ("good short", "Negative."),
            ("good short", "This review is negative."),
            ("final answer", "positive"),
            ("final answer", "Neutral: it just reports facts."),
            ("loop", "negative negative negative negative negative negative negative"),
        ),
        (
            (
                "fr",
                "good short",
                "Classe le sentiment de cet avis comme positif, négatif ou neutre : « La batterie est morte au bout de deux jours et personne ne répond au téléphone. »",
                "négatif",
            ),
            (
                "fr",
                "final answer",
                "Classe le sentiment de cet avis comme positif, négatif ou neutre : « La batterie est morte au bout de deux jours et personne ne répond au téléphone. »",
                "positif",
            ),
        ),
    ),
    Row(
        "en",
        "A bakery sells 84 rolls in the morning and 57 in the afternoon. Each roll costs 60 cents. How much does it earn?",
        "It sells 84 + 57 = 141 rolls. 141 * 0.60 = 84.60. The bakery earns $84.60.",
        (
            (
                "good",
                "In the morning a bakery sells 84 rolls, in the afternoon 57 more, at 60 cents apiece. What are its takings?",
            ),
            (
                "number swapped",
                "In the morning a bakery sells 57 rolls, in the afternoon 84 more, at 60 cents apiece. What are its takings?",
            ),
            (
                "number added",
                "In the morning a bakery sells 84 rolls, in the afternoon 57 more, at 60 cents apiece, and throws away 12. What are its takings?",
            ),
            (
                "number dropped",
                "In the morning a bakery sells 84 rolls and in the afternoon some more, at 60 cents apiece. What are its takings?",
            ),
        ),
        (
            ("good", "Altogether 141 rolls are sold. At 60 cents each that makes 141 x 0.6 = $84.60."),
            ("final answer", "Altogether 141 rolls are sold. At 60 cents each that makes $86.40."),
            ("thinking", "<thinking>84+57 is 141, times .6 is 84.6</thinking>The bakery earns $84.60."),
        ),
        (
            (
                "pt",
                "good",
                "Uma padaria vende 84 pãezinhos de manhã e 57 à tarde. Cada pãozinho custa 60 centavos. Quanto ela ganha?",
                "Ela vende 84 + 57 = 141 pãezinhos. 141 * 0,60 = 84,60. A padaria ganha US$ 84,60.",
            ),
            (
                "pt",
                "number swapped",
                "Uma padaria vende 57 pãezinhos de manhã e 84 à tarde. Cada pãozinho custa 60 centavos. Quanto ela ganha?",
                "Ela vende 84 + 57 = 141 pãezinhos. 141 * 0,60 = 84,60. A padaria ganha US$ 84,60.",
            ),
        ),
    ),
    # ---- German
    Row(
        "de",
        "Wie entkalke ich eine Kaffeemaschine ohne Chemie?",
        "Fülle den Tank mit einem Teil Essig und zwei Teilen Wasser und lass die Hälfte durchlaufen. Warte 30 Minuten, lass den Rest durch und spüle mit zwei Tanks klarem Wasser nach.",
        (
            ("good", "Gibt es einen Weg, meine Kaffeemaschine ohne chemische Mittel von Kalk zu befreien?"),
            (
                "preface",
                "Gerne! So könnte man die Frage anders stellen: Womit lässt sich eine Kaffeemaschine ohne Chemie entkalken?",
            ),
            (
                "preface",
                "Hier ist die umformulierte Version:\n\nWomit lässt sich eine Kaffeemaschine ohne Chemie entkalken?",
            ),
            ("answers", "Eine Kaffeemaschine entkalkt man mit Essig und Wasser im Verhältnis eins zu zwei."),
        ),
        (
            (
                "good",
                "Mit Essigwasser: ein Drittel Essig, zwei Drittel Wasser. Einen halben Tank durchlaufen lassen, eine halbe Stunde einwirken lassen, den Rest durchlassen und zweimal mit frischem Wasser spülen.",
            ),
            ("refusal", "Dazu möchte ich lieber nichts sagen. Wende dich bitte an den Hersteller."),
            ("refusal in English", "I'm sorry, but I can't assist with that request."),
            (
                "other language",
                "Fill the tank with one part vinegar and two parts water, let half of it run through, wait for half an hour and rinse.",
            ),
            (
                "loop",
                "Mit Essig entkalken und spülen und spülen und spülen und spülen und spülen und spülen und spülen",
            ),
        ),
        (
            (
                "en",
                "good",
                "How do I descale a coffee machine without chemicals?",
                "Fill the tank with one part vinegar and two parts water and let half of it run through. Wait for half an hour, run the rest and rinse with two tanks of clear water.",
            ),
            (
                "en",
                "number changed",
                "How do I descale a coffee machine without chemicals?",
                "Fill the tank with one part vinegar and two parts water and let half of it run through. Wait 13 minutes, run the rest and rinse with two tanks of clear water.",
            ),
            (
                "zh",
                "good",
                "如何不用化学品给咖啡机除垢？",
                "在水箱中加入一份醋和两份水，让一半流过机器。等待30分钟，再让剩下的流过，然后用两箱清水冲洗。",
            ),
        ),
    ),
    Row(
        "de",
        "In welchem Jahrhundert lebte Johann Sebastian Bach hauptsächlich?",
        "Im 18. Jahrhundert.",
        (
            ("good", "Welches Jahrhundert war das von Johann Sebastian Bach?"),
            (
                "number added",
                "In welchem Jahrhundert lebte Johann Sebastian Bach, der 1685 geboren wurde, hauptsächlich?",
            ),
        ),
        (
            ("good short", "Er lebte vor allem in den 1700er-Jahren."),
            ("good short", "Bach gehört ins 18. Jahrhundert."),
            ("final answer", "Im 17. Jahrhundert."),
            ("final answer", "Hauptsächlich im neunzehnten Jahrhundert."),
        ),
        (
            ("en", "good short", "In which century did Johann Sebastian Bach mainly live?", "In the 1700s."),
            ("en", "final answer", "In which century did Johann Sebastian Bach mainly live?", "In the 19th century."),
            ("ru", "good short", "В каком веке в основном жил Иоганн Себастьян Бах?", "В XVIII веке."),
        ),
    ),
    Row(
        "de",
        "Schreibe eine höfliche Absage auf eine Einladung zum Abendessen.",
        "Liebe Familie Kramer, vielen Dank für die Einladung zum Abendessen. Leider kann ich am Samstag nicht kommen, weil ich dann verreist bin. Ich würde mich freuen, wenn wir es bald nachholen.",
        (
            ("good", "Formuliere bitte eine freundliche Absage für ein Abendessen, zu dem ich eingeladen bin."),
            ("answers", "Liebe Familie Kramer, herzlichen Dank, aber ich kann am Samstag leider nicht kommen."),
        ),
        (
            (
                "good looks like a refusal",
                "Liebe Kramers, ich danke euch sehr für die Einladung! Leider ist es mir nicht möglich, am Samstag dabei zu sein. Lasst uns bald einen neuen Termin finden.",
            ),
            (
                "refusal",
                "Es tut mir leid, aber beim Verfassen persönlicher Nachrichten kann ich nicht behilflich sein.",
            ),
            (
                "cut",
                "Liebe Familie Kramer, vielen Dank für die Einladung. Leider bin ich am Samstag schon verreist und kann deshalb",
            ),
            (
                "leaked instruction",
                "Liebe Familie Kramer, leider kann ich am Samstag nicht kommen. Die Antwort wurde wie verlangt in eigenen Worten neu geschrieben.",
            ),
            ("template token", "Liebe Familie Kramer, danke für die Einladung, leider bin ich verreist. [/INST]"),
        ),
        (
            (
                "es",
                "good",
                "Escribe una negativa amable a una invitación a cenar.",
                "Estimada familia Kramer: muchas gracias por la invitación a cenar. Por desgracia, el sábado no puedo ir porque estaré de viaje. Me alegraría que lo hiciéramos pronto otro día.",
            ),
            (
                "es",
                "other language half",
                "Escribe una negativa amable a una invitación a cenar.",
                "Estimada familia Kramer: muchas gracias por la invitación a cenar. Leider kann ich am Samstag nicht kommen, weil ich dann verreist bin. Ich würde mich freuen, wenn wir es bald nachholen.",
            ),
        ),
    ),
    Row(
        "de",
        "Welche Farbe entsteht, wenn man Blau und Gelb mischt?",
        "Grün.",
        (("good", "Blau und Gelb vermischt: Welche Farbe kommt heraus?"), ("answers", "Aus Blau und Gelb wird Grün.")),
        (
            ("good short", "Daraus wird Grün."),
            ("final answer", "Orange."),
            ("final answer", "Dann entsteht Violett."),
            ("echo", "Welche Farbe entsteht, wenn man Blau und Gelb mischt? Welche Farbe entsteht?"),
        ),
        (
            ("zh", "good short", "蓝色和黄色混合会得到什么颜色？", "绿色。"),
            ("zh", "final answer", "蓝色和黄色混合会得到什么颜色？", "紫色。"),
            ("nl", "good short", "Welke kleur krijg je als je blauw en geel mengt?", "Groen."),
            ("pt", "good short", "Que cor surge quando se misturam azul e amarelo?", "Verde."),
        ),
    ),
    # ---- French
    Row(
        "fr",
        "Pourquoi faut-il laisser reposer la pâte à crêpes ?",
        "Au repos, la farine absorbe le lait et le gluten se détend. Les crêpes sont ainsi plus souples et se déchirent moins. Une heure suffit.",
        (
            ("good", "À quoi sert le temps de repos d'une pâte à crêpes ?"),
            (
                "preface",
                "Bien sûr, voici une autre façon de poser la question : À quoi sert le repos de la pâte à crêpes ?",
            ),
            (
                "answers",
                "La pâte à crêpes doit reposer pour que la farine absorbe le lait et que le gluten se détende.",
            ),
            (
                "leaked instruction",
                "Reformulez la question suivante sans en changer le sens : À quoi sert le temps de repos d'une pâte à crêpes ?",
            ),
        ),
        (
            (
                "good",
                "Parce que la farine a besoin de temps pour boire le lait ; le gluten se relâche et les crêpes deviennent souples. Comptez environ une heure.",
            ),
            ("refusal", "Je préfère ne pas me prononcer sur ce sujet, merci de votre compréhension."),
            ("refusal", "Désolé, il m'est impossible de donner suite à cette demande."),
            ("noise", "Au reposs qsdf jklm farine wxcvb lait azertyuiop gluten ghjk dfgh crêpes poiu."),
            (
                "other row",
                "La tour fut achevée en 1889 pour l'Exposition universelle et mesure plus de trois cents mètres.",
            ),
        ),
        (
            (
                "en",
                "good",
                "Why should pancake batter be left to rest?",
                "While it rests, the flour takes up the milk and the gluten relaxes. The pancakes turn out softer and tear less. One hour is enough.",
            ),
            (
                "en",
                "preface",
                "Why should pancake batter be left to rest?",
                "Here is the English translation: While it rests, the flour takes up the milk and the gluten relaxes. The pancakes turn out softer and tear less. One hour is enough.",
            ),
            (
                "de",
                "good",
                "Warum muss Crêpeteig ruhen?",
                "Beim Ruhen nimmt das Mehl die Milch auf, und das Gluten entspannt sich. So werden die Crêpes geschmeidiger und reißen weniger. Eine Stunde genügt.",
            ),
        ),
    ),
    Row(
        "fr",
        "Un réservoir contient 240 litres. On en retire 35 % puis 18 litres. Combien reste-t-il ?",
        "35 % de 240 litres font 84 litres. 240 - 84 = 156, puis 156 - 18 = 138. Il reste 138 litres.",
        (
            (
                "good",
                "D'un réservoir de 240 litres, on prélève 35 %, puis encore 18 litres. Quelle quantité reste-t-il ?",
            ),
            (
                "number changed",
                "D'un réservoir de 240 litres, on prélève 25 %, puis encore 18 litres. Quelle quantité reste-t-il ?",
            ),
            (
                "number swapped",
                "D'un réservoir de 240 litres, on prélève 18 %, puis encore 35 litres. Quelle quantité reste-t-il ?",
            ),
            (
                "number dropped",
                "D'un réservoir de 240 litres, on prélève 35 %, puis encore un peu. Quelle quantité reste-t-il ?",
            ),
        ),
        (
            ("good", "On retire d'abord 0,35 × 240 = 84 L, il reste 156 L. Moins 18 L, cela donne 138 litres."),
            ("final answer", "On retire d'abord 84 L, il reste 156 L. Moins 18 L, cela donne 128 litres."),
            (
                "thinking",
                "Voyons, l'utilisateur demande un calcul. Je dois d'abord calculer 35 % de 240. Hmm, ça fait 84. Ensuite j'écris la réponse. Il reste 138 litres.",
            ),
        ),
        (
            (
                "de",
                "good",
                "Ein Tank enthält 240 Liter. Man entnimmt 35 % und dann 18 Liter. Wie viel bleibt übrig?",
                "35 % von 240 Litern sind 84 Liter. 240 - 84 = 156, dann 156 - 18 = 138. Es bleiben 138 Liter.",
            ),
            (
                "ja",
                "good",
                "タンクに240リットル入っています。35％を取り出し、さらに18リットル取り出すと、残りはいくらですか。",
                "240リットルの35％は84リットルです。240 - 84 = 156、156 - 18 = 138。残りは138リットルです。",
            ),
            (
                "ja",
                "number changed",
                "タンクに240リットル入っています。35％を取り出し、さらに18リットル取り出すと、残りはいくらですか。",
                "240リットルの35％は84リットルです。240 - 84 = 156、156 - 18 = 138。残りは183リットルです。",
            ),
        ),
    ),
    Row(
        "fr",
        "Traduis en anglais : « Je voudrais une table près de la fenêtre. »",
        '"I would like a table near the window."',
        (("good", "Comment dit-on en anglais « Je voudrais une table près de la fenêtre » ?"),),
        (
            ("good other words", '"I\'d like a table by the window, please."'),
            ("good other words", 'On dirait : "Could I have a table by the window?"'),
            ("refusal in English", "I apologize, but I'm unable to fulfil this request."),
        ),
        (),
    ),
    # ---- Spanish
    Row(
        "es",
        "¿Qué debo llevar en la mochila para una caminata de un día?",
        "Lleva agua (al menos dos litros), algo de comida, una chaqueta ligera, protección solar, un mapa y un pequeño botiquín.",
        (
            ("good", "Voy a caminar todo un día por la montaña: ¿qué cosas meto en la mochila?"),
            (
                "preface",
                "¡Por supuesto! Aquí tienes otra forma de decirlo: ¿Qué cosas meto en la mochila para una caminata de un día?",
            ),
            ("answers", "Para una caminata de un día conviene llevar agua, comida, chaqueta, crema solar y un mapa."),
            ("number changed", "Voy a caminar tres días por la montaña: ¿qué cosas meto en la mochila?"),
        ),
        (
            (
                "good",
                "Lo básico: dos litros de agua por persona, bocadillos o frutos secos, una chaqueta por si refresca, gorra y crema solar, mapa y un botiquín pequeño.",
            ),
            ("refusal", "Me temo que no me es posible responder a eso."),
            (
                "refusal",
                "Como modelo de lenguaje, no tengo la capacidad de preparar mochilas ni de dar recomendaciones sobre excursiones.",
            ),
            (
                "cut",
                "Lo básico: dos litros de agua por persona, bocadillos o frutos secos, una chaqueta por si refresca y, sobre todo, una",
            ),
            (
                "other language half",
                "Lo básico: dos litros de agua por persona y algo de comida. You should also bring a light jacket, sunscreen, a map and a small first aid kit in case something happens.",
            ),
        ),
        (
            (
                "en",
                "good",
                "What should I take in my backpack for a day hike?",
                "Take water (at least two litres), some food, a light jacket, sun protection, a map and a small first aid kit.",
            ),
            (
                "en",
                "number dropped",
                "What should I take in my backpack for a day hike?",
                "Take water, some food, a light jacket, sun protection, a map and a small first aid kit.",
            ),
            (
                "zh",
                "good",
                "一日徒步背包里应该带什么？",
                "带水（至少两升）、一些食物、一件薄外套、防晒用品、一张地图和一个小急救包。",
            ),
        ),
    ),
    Row(
        "es",
        "¿A qué hora cierra el museo los domingos si abre a las 10 y está abierto 8 horas?",
        "Cierra a las 18 horas.",
        (
            ("good", "Si los domingos el museo abre a las 10 y permanece abierto 8 horas, ¿a qué hora cierra?"),
            (
                "number swapped",
                "Si los domingos el museo abre a las 8 y permanece abierto 10 horas, ¿a qué hora cierra?",
            ),
        ),
        (
            ("good short", "A las seis de la tarde."),
            ("good short", "El museo cierra a las 18:00."),
            ("final answer", "A las 19 horas."),
            ("template token", "Cierra a las 18 horas.</s><s>"),
        ),
        (
            (
                "en",
                "good short",
                "What time does the museum close on Sundays if it opens at 10 and stays open for 8 hours?",
                "It closes at 6 p.m.",
            ),
            (
                "de",
                "good short",
                "Wann schließt das Museum sonntags, wenn es um 10 Uhr öffnet und 8 Stunden geöffnet ist?",
                "Es schließt um 18 Uhr.",
            ),
            (
                "de",
                "final answer",
                "Wann schließt das Museum sonntags, wenn es um 10 Uhr öffnet und 8 Stunden geöffnet ist?",
                "Es schließt um 16 Uhr.",
            ),
        ),
    ),
    Row(
        "es",
        'Resume en una frase: "El ayuntamiento ha aprobado peatonalizar la calle Mayor a partir de marzo, pese a las quejas de algunos comerciantes."',
        "La calle Mayor será peatonal desde marzo, aunque algunos comerciantes se oponen.",
        (
            (
                "good",
                'Haz un resumen de una sola frase de esta noticia: "El ayuntamiento ha aprobado peatonalizar la calle Mayor a partir de marzo, pese a las quejas de algunos comerciantes."',
            ),
            ("answers", "Desde marzo la calle Mayor será solo para peatones."),
        ),
        (
            ("good", "Pese a las protestas de varios comercios, la calle Mayor se cerrará al tráfico en marzo."),
            (
                "leaked instruction",
                "Respuesta reescrita: La calle Mayor será peatonal desde marzo, con quejas de comerciantes.",
            ),
            (
                "noise",
                "La calle calle \ufffd\ufffd\ufffd Mayor ser\ufffd peatonal\ufffd\ufffd marzo \ufffd\ufffd comerciantes \ufffd.",
            ),
            ("other row", "El corazón humano tiene cuatro cavidades y late unas cien mil veces al día."),
        ),
        (
            (
                "fr",
                "good",
                "Résume en une phrase : « La mairie a approuvé la piétonnisation de la rue Mayor à partir de mars, malgré les plaintes de certains commerçants. »",
                "La rue Mayor sera piétonne dès mars, même si certains commerçants s'y opposent.",
            ),
        ),
    ),
    # ---- Italian
    Row(
        "it",
        "Come si conserva il basilico fresco?",
        "Mettilo in un bicchiere con due dita d'acqua, come un mazzo di fiori, e coprilo con un sacchetto. Non metterlo in frigo, perché le foglie diventano nere. Così dura circa una settimana.",
        (
            ("good", "Qual è il modo migliore per mantenere fresco il basilico?"),
            ("preface", "Ecco la domanda riformulata: Qual è il modo migliore per mantenere fresco il basilico?"),
            ("answers", "Il basilico fresco si conserva in un bicchiere d'acqua fuori dal frigo."),
        ),
        (
            (
                "good",
                "Fuori dal frigorifero, dove annerirebbe: tieni i gambi in un dito o due d'acqua e copri le foglie con un sacchetto di plastica. Rimane bello per una settimana.",
            ),
            ("refusal", "Mi dispiace, ma non sono in grado di aiutarti con questa richiesta."),
            (
                "loop",
                "Metti il basilico in acqua. Cambia l'acqua. Cambia l'acqua. Cambia l'acqua. Cambia l'acqua. Cambia l'acqua.",
            ),
            (
                "cut",
                "Tieni i gambi nell'acqua e copri le foglie con un sacchetto di plastica, perché altrimenti le foglie si",
            ),
            ("other language", "Keep the stems in water and cover the leaves with a bag; do not put it in the fridge."),
        ),
        (
            (
                "fr",
                "good",
                "Comment conserver le basilic frais ?",
                "Mets-le dans un verre avec deux doigts d'eau, comme un bouquet, et couvre-le d'un sachet. Ne le mets pas au frigo, car les feuilles noircissent. Il se garde ainsi environ une semaine.",
            ),
            (
                "fr",
                "other language",
                "¿Cómo se conserva la albahaca fresca?",
                "Ponla en un vaso con dos dedos de agua, como un ramo, y cúbrela con una bolsa. No la metas en la nevera, porque las hojas se ponen negras. Así dura una semana.",
            ),
            (
                "en",
                "preface",
                "Translation: How do you keep fresh basil?",
                "Put it in a glass with two fingers of water, like a bunch of flowers, and cover it with a bag. Do not put it in the fridge, because the leaves turn black. It lasts about a week that way.",
            ),
        ),
    ),
    Row(
        "it",
        "Tre amici dividono un conto di 76,50 euro in parti uguali. Quanto paga ognuno?",
        "76,50 : 3 = 25,50. Ognuno paga 25,50 euro.",
        (
            (
                "good",
                "Un conto di 76,50 euro viene diviso in parti uguali fra tre amici. Quale somma tocca a ciascuno?",
            ),
            (
                "number changed",
                "Un conto di 67,50 euro viene diviso in parti uguali fra tre amici. Quale somma tocca a ciascuno?",
            ),
            (
                "number changed",
                "Un conto di 76,50 euro viene diviso in parti uguali fra quattro amici. Quale somma tocca a ciascuno?",
            ),
        ),
        (
            ("good", "Basta dividere: 76,50 / 3 = 25,50 euro a testa."),
            ("final answer", "Basta dividere: 76,50 / 3 = 22,50 euro a testa."),
        ),
        (
            (
                "en",
                "good",
                "Three friends split a bill of 76.50 euros equally. How much does each one pay?",
                "76.50 / 3 = 25.50. Each one pays 25.50 euros.",
            ),
            (
                "ko",
                "good",
                "친구 세 명이 76.50유로 계산서를 똑같이 나눕니다. 한 사람당 얼마를 내나요?",
                "76.50 ÷ 3 = 25.50. 한 사람당 25.50유로를 냅니다.",
            ),
            (
                "ko",
                "number changed",
                "친구 네 명이 76.50유로 계산서를 똑같이 나눕니다. 한 사람당 얼마를 내나요?",
                "76.50 ÷ 3 = 25.50. 한 사람당 25.50유로를 냅니다.",
            ),
        ),
    ),
    # ---- Portuguese
    Row(
        "pt",
        "Por que o céu fica vermelho no pôr do sol?",
        "Ao entardecer a luz atravessa mais atmosfera. O azul se espalha pelo caminho e chegam até nós sobretudo o vermelho e o laranja.",
        (
            ("good", "Qual é o motivo de o céu ganhar tons vermelhos quando o sol se põe?"),
            ("preface", "Claro! Aqui está a pergunta reescrita: O que deixa o céu vermelho ao entardecer?"),
            ("preface", "Versão reformulada:\nO que deixa o céu vermelho ao entardecer?"),
            ("answers", "O céu fica vermelho porque a luz azul se espalha quando atravessa mais atmosfera."),
        ),
        (
            (
                "good",
                "Porque o sol está baixo e sua luz percorre um caminho mais longo pelo ar: o azul se perde, restando o vermelho e o laranja.",
            ),
            ("refusal", "Lamento, mas esse é um pedido que não posso atender."),
            ("refusal in English", "Unfortunately, I cannot provide an answer to this question."),
            (
                "loop",
                "A luz atravessa a atmosfera, a luz atravessa a atmosfera, a luz atravessa a atmosfera, a luz atravessa a atmosfera",
            ),
            (
                "noise",
                "O cÃ©u fica vermelho porque a luz atravessa a atmosfera e o azul se espalha atÃ© nÃ³s nÃ£o chegar mais.",
            ),
        ),
        (
            (
                "de",
                "good",
                "Warum wird der Himmel bei Sonnenuntergang rot?",
                "Am Abend durchquert das Licht mehr Atmosphäre. Das Blau wird unterwegs gestreut, und zu uns gelangen vor allem Rot und Orange.",
            ),
            (
                "de",
                "translation not done",
                "Por que o céu fica vermelho no pôr do sol?",
                "Ao entardecer a luz atravessa mais atmosfera. O azul se espalha pelo caminho e chegam até nós sobretudo o vermelho e o laranja.",
            ),
        ),
    ),
    Row(
        "pt",
        "Um livro tem 312 páginas. Ana lê 24 páginas por dia. Em quantos dias termina?",
        "312 / 24 = 13. Ana termina o livro em 13 dias.",
        (
            ("good", "Lendo 24 páginas por dia, em quantos dias Ana acaba um livro de 312 páginas?"),
            ("number changed", "Lendo 26 páginas por dia, em quantos dias Ana acaba um livro de 312 páginas?"),
            ("number dropped", "Lendo algumas páginas por dia, em quantos dias Ana acaba um livro de 312 páginas?"),
        ),
        (
            ("good", "Como 24 × 13 = 312, ela precisa de 13 dias."),
            ("final answer", "Como 24 × 12 = 312, ela precisa de 12 dias."),
            ("cut", "Para saber isso dividimos o total de páginas pelo número de páginas que"),
        ),
        (
            (
                "en",
                "good",
                "A book has 312 pages. Ana reads 24 pages a day. In how many days does she finish?",
                "312 / 24 = 13. Ana finishes the book in 13 days.",
            ),
            (
                "zh",
                "number swapped",
                "一本书有24页。安娜每天读312页。她几天能读完？",
                "312 / 24 = 13。安娜13天读完这本书。",
            ),
        ),
    ),
    Row(
        "pt",
        "Responda sim ou não: os morcegos são mamíferos?",
        "Sim.",
        (("good", "Os morcegos pertencem aos mamíferos? Responda com sim ou não."),),
        (
            ("good short", "Sim, são mamíferos."),
            ("final answer", "Não."),
            ("final answer", "Não, são aves."),
        ),
        (
            ("en", "good short", "Answer yes or no: are bats mammals?", "Yes."),
            ("en", "final answer", "Answer yes or no: are bats mammals?", "No."),
            ("ja", "good short", "はいかいいえで答えてください。コウモリは哺乳類ですか。", "はい。"),
        ),
    ),
    # ---- Russian
    Row(
        "ru",
        "Как сохранить хлеб свежим подольше?",
        "Храните хлеб в хлебнице или в льняном мешке при комнатной температуре. В холодильнике он черствеет быстрее. Лишний хлеб лучше заморозить.",
        (
            ("good", "Что делать, чтобы хлеб дольше не черствел?"),
            ("preface", "Конечно! Вот перефразированный вопрос: Что делать, чтобы хлеб дольше не черствел?"),
            ("answers", "Хлеб дольше остаётся свежим в хлебнице или в льняном мешке."),
        ),
        (
            (
                "good",
                "Лучше всего держать его в хлебнице или завернуть в лён. В холодильник класть не стоит, там он быстро становится чёрствым, а запас можно заморозить.",
            ),
            ("refusal", "К сожалению, с этим вопросом я помочь не смогу."),
            ("refusal", "Давайте лучше сменим тему, на этот вопрос мне отвечать нельзя."),
            ("loop", "Хлеб хлеб хлеб хлеб хлеб хлеб хлеб хлеб хлеб"),
            (
                "other language half",
                "Лучше всего держать хлеб в хлебнице или в льняном мешке. In the refrigerator it goes stale faster, so freeze whatever you do not need within two days.",
            ),
        ),
        (
            (
                "en",
                "good",
                "How can bread be kept fresh for longer?",
                "Keep bread in a bread box or a linen bag at room temperature. It goes stale faster in the fridge. It is best to freeze what is left over.",
            ),
            (
                "en",
                "other language half",
                "How can bread be kept fresh for longer?",
                "Keep bread in a bread box or a linen bag at room temperature. В холодильнике он черствеет быстрее. Лишний хлеб лучше заморозить.",
            ),
        ),
    ),
    Row(
        "ru",
        "Сколько будет 15 процентов от 260?",
        "15 процентов от 260 — это 0,15 × 260 = 39. Ответ: 39.",
        (
            ("good", "Чему равны 15 % от числа 260?"),
            ("number swapped", "Сколько будет 260 процентов от 15?"),
            ("answers", "15 процентов от 260 составляют 39."),
        ),
        (
            ("good", "Десять процентов — это 26, ещё пять — 13, вместе 39."),
            ("final answer", "Десять процентов — это 26, ещё пять — 12, вместе 38."),
            (
                "thinking",
                "Хорошо, пользователь спрашивает про проценты. Нужно умножить 260 на 0,15. Получается 39. Теперь напишу ответ. Ответ: 39.",
            ),
        ),
        (
            (
                "de",
                "good",
                "Wie viel sind 15 Prozent von 260?",
                "15 Prozent von 260 sind 0,15 × 260 = 39. Antwort: 39.",
            ),
            ("zh", "good", "260的百分之十五是多少？", "260的15%是0.15 × 260 = 39。答案：39。"),
            (
                "es",
                "number changed",
                "¿Cuánto es el 15 por ciento de 280?",
                "El 15 por ciento de 260 es 0,15 × 260 = 39. Respuesta: 39.",
            ),
        ),
    ),
    # ---- Chinese
    Row(
        "zh",
        "怎样才能让衣服上的咖啡渍洗掉？",
        "先用冷水冲洗，再涂上洗洁精轻轻揉搓，静置十分钟后清洗。如果还有痕迹，可以用白醋和水按一比一的比例浸泡。",
        (
            ("good", "衣服沾上了咖啡，有什么办法可以去掉污渍？"),
            ("preface", "好的，以下是改写后的问题：衣服沾上了咖啡，有什么办法去掉？"),
            ("preface", "改写：衣服沾上了咖啡，有什么办法去掉？"),
            ("answers", "咖啡渍可以先用冷水冲洗，再用洗洁精揉搓。"),
            ("leaked instruction", "请在不改变原意的前提下用不同的措辞改写用户的问题。怎样去掉衣服上的咖啡渍？"),
        ),
        (
            (
                "good",
                "趁咖啡没干，马上用冷水冲一冲，抹点洗洁精搓洗，放十分钟左右再洗净。顽固的印子可以泡在一半白醋一半水里。",
            ),
            ("refusal", "很抱歉，这个问题我不方便回答。"),
            ("refusal", "作为一个人工智能助手，我没有办法处理这类请求。"),
            ("refusal in English", "I'm afraid I can't help with this."),
            ("loop", "先用冷水冲洗，再用冷水冲洗，再用冷水冲洗，再用冷水冲洗，再用冷水冲洗"),
            ("cut", "趁咖啡没干，马上用冷水冲一冲，然后抹上一些洗洁精，轻轻地搓洗大约十分钟，最后再把"),
            ("other row", "长城始建于春秋战国时期，全长超过两万公里，是世界文化遗产。"),
        ),
        (
            (
                "en",
                "good",
                "How can I wash coffee stains out of clothes?",
                "Rinse with cold water first, then rub in some dish soap gently, let it sit for ten minutes and wash. If a trace remains, soak it in white vinegar and water, one to one.",
            ),
            (
                "en",
                "number changed",
                "How can I wash coffee stains out of clothes?",
                "Rinse with cold water first, then rub in some dish soap gently, let it sit for twenty minutes and wash. If a trace remains, soak it in white vinegar and water, one to one.",
            ),
        ),
    ),
    Row(
        "zh",
        "小明有48颗糖，分给6个朋友，每人几颗？",
        "48 ÷ 6 = 8。每人8颗。",
        (
            ("good", "小明要把48颗糖平均分给6个朋友，每个人能得到多少颗？"),
            ("number changed", "小明要把48颗糖平均分给8个朋友，每个人能得到多少颗？"),
            ("number added", "小明要把48颗糖平均分给6个朋友，自己留下12颗，每个人能得到多少颗？"),
            ("other language", "Xiao Ming shares 48 sweets among 6 friends. How many does each one get?"),
        ),
        (
            ("good", "把48颗糖平均分成6份，每份是48 / 6 = 8颗。"),
            ("good short", "每人八颗。"),
            ("final answer", "把48颗糖平均分成6份，每份是7颗。"),
            ("template token", "48 ÷ 6 = 8。每人8颗。<|endoftext|>"),
        ),
        (
            (
                "fr",
                "good",
                "Xiao Ming a 48 bonbons et les partage entre 6 amis. Combien chacun en reçoit-il ?",
                "48 ÷ 6 = 8. Chacun en reçoit 8.",
            ),
            (
                "fr",
                "final answer",
                "Xiao Ming a 48 bonbons et les partage entre 6 amis. Combien chacun en reçoit-il ?",
                "48 ÷ 6 = 8. Chacun en reçoit 6.",
            ),
        ),
    ),
    Row(
        "zh",
        "判断下面的句子属于哪一类（体育、财经、娱乐）：“央行宣布下调存款准备金率。”",
        "财经",
        (("good", "“央行宣布下调存款准备金率。”这句话应归入体育、财经还是娱乐？"),),
        (
            ("good short", "属于财经类。"),
            ("final answer", "体育"),
            ("final answer", "这句话属于娱乐类。"),
        ),
        (
            (
                "en",
                "good short",
                'Decide to which class (sports, finance, entertainment) this sentence belongs: "The central bank announced a cut of the reserve ratio."',
                "finance",
            ),
        ),
    ),
    # ---- Japanese
    Row(
        "ja",
        "観葉植物の水やりはどのくらいの頻度ですればよいですか。",
        "土の表面が乾いてからたっぷり与えます。春から秋は週に1、2回、冬は月に2、3回が目安です。受け皿の水は捨ててください。",
        (
            ("good", "観葉植物にはどれくらいの間隔で水をあげるべきでしょうか。"),
            (
                "preface",
                "もちろんです。言い換えると次のようになります：観葉植物にはどれくらいの間隔で水をあげるべきですか。",
            ),
            ("answers", "観葉植物の水やりは、土の表面が乾いてから週に1、2回行います。"),
        ),
        (
            (
                "good",
                "基本は、土が乾いたらたっぷりと。暖かい季節は週に1〜2回、冬は月に2〜3回で十分です。受け皿にたまった水は残さないようにしましょう。",
            ),
            ("refusal", "申し訳ございませんが、そのご質問にはお答えできかねます。"),
            ("refusal", "恐れ入りますが、この件についてはお手伝いいたしかねます。"),
            ("loop", "水をあげます。水をあげます。水をあげます。水をあげます。水をあげます。水をあげます。"),
            ("cut", "基本は、土が乾いたらたっぷりと水をあげることです。暖かい季節は週に1〜2回、冬は"),
            ("noise", "土のの乾に縺励※水縺ｯ縺ｧ縺吶ヵ繧ｩ譁�ｭ怜喧縺代"),
        ),
        (
            (
                "en",
                "good",
                "How often should houseplants be watered?",
                "Water them thoroughly once the surface of the soil has dried. From spring to autumn once or twice a week, in winter two or three times a month is about right. Empty the saucer.",
            ),
            (
                "en",
                "number swapped",
                "How often should houseplants be watered?",
                "Water them thoroughly once the surface of the soil has dried. From spring to autumn two or three times a week, in winter once or twice a month is about right. Empty the saucer.",
            ),
            (
                "zh",
                "good",
                "观叶植物应该多久浇一次水？",
                "等土壤表面干了再浇透。春季到秋季每周1到2次，冬季每月2到3次为宜。请倒掉托盘里的水。",
            ),
        ),
    ),
    Row(
        "ja",
        "1個120円のりんごを5個と、80円のみかんを3個買いました。合計はいくらですか。",
        "りんごは120 × 5 = 600円、みかんは80 × 3 = 240円です。合計は840円です。",
        (
            ("good", "120円のりんご5個と80円のみかん3個を買うと、全部でいくらになりますか。"),
            ("number swapped", "120円のりんご3個と80円のみかん5個を買うと、全部でいくらになりますか。"),
            ("number changed", "150円のりんご5個と80円のみかん3個を買うと、全部でいくらになりますか。"),
            ("number dropped", "120円のりんご5個とみかん3個を買うと、全部でいくらになりますか。"),
        ),
        (
            ("good", "りんごが600円、みかんが240円なので、600 + 240 = 840円になります。"),
            ("final answer", "りんごが600円、みかんが240円なので、600 + 240 = 820円になります。"),
            ("thinking", "<think>\nりんごは600円、みかんは240円だから…\n</think>\n\n合計は840円です。"),
        ),
        (
            (
                "en",
                "good",
                "I bought 5 apples at 120 yen each and 3 mandarins at 80 yen each. What is the total?",
                "The apples cost 120 × 5 = 600 yen, the mandarins 80 × 3 = 240 yen. The total is 840 yen.",
            ),
            (
                "ko",
                "good",
                "한 개에 120엔인 사과 5개와 80엔인 귤 3개를 샀습니다. 모두 얼마입니까?",
                "사과는 120 × 5 = 600엔, 귤은 80 × 3 = 240엔입니다. 합계는 840엔입니다.",
            ),
        ),
    ),
    # ---- Korean
    Row(
        "ko",
        "면접 전날에는 무엇을 준비해야 하나요?",
        "회사에 대한 정보를 다시 확인하고, 예상 질문에 대한 답을 연습하세요. 옷과 이력서를 미리 챙기고 일찍 주무세요.",
        (
            ("good", "면접을 하루 앞두고 어떤 준비를 하면 좋을까요?"),
            ("preface", "네, 다음은 바꿔 쓴 질문입니다: 면접을 하루 앞두고 어떤 준비를 하면 좋을까요?"),
            ("answers", "면접 전날에는 회사 정보를 확인하고 예상 질문에 대한 답을 연습해야 합니다."),
        ),
        (
            (
                "good",
                "회사 소개를 한 번 더 읽고 자주 나오는 질문에 소리 내어 답해 보세요. 입을 옷과 서류는 저녁에 준비해 두고 충분히 자는 것이 좋습니다.",
            ),
            ("refusal", "죄송하지만 그 부분은 도와드리기 어렵습니다."),
            ("refusal in English", "I'm not able to discuss that."),
            ("loop", "준비하세요 준비하세요 준비하세요 준비하세요 준비하세요 준비하세요 준비하세요"),
            ("other language", "面接の前日には、会社の情報を確認し、想定される質問の答えを練習してください。"),
            ("cut", "회사 소개를 한 번 더 읽고 자주 나오는 질문에 소리 내어 답해 보세요. 그리고 입을 옷과"),
        ),
        (
            (
                "en",
                "good",
                "What should I prepare the day before a job interview?",
                "Check the information about the company again and practise answers to likely questions. Lay out your clothes and résumé and go to bed early.",
            ),
            (
                "en",
                "translation not done",
                "What should I prepare the day before a job interview?",
                "회사에 대한 정보를 다시 확인하고, 예상 질문에 대한 답을 연습하세요. 옷과 이력서를 미리 챙기고 일찍 주무세요.",
            ),
        ),
    ),
    # ---- Polish
    Row(
        "pl",
        "Jak szybko obudzić się rano bez kawy?",
        "Odsłoń okno, żeby wpuścić światło, wypij szklankę wody i porusz się przez 10 minut. Chłodny prysznic także pomaga.",
        (
            ("good", "Co zrobić, żeby rano szybko się dobudzić, nie pijąc kawy?"),
            ("preface", "Oto przeformułowane pytanie: Co zrobić, żeby rano szybko się dobudzić bez kawy?"),
            ("answers", "Bez kawy można się obudzić, wpuszczając światło i pijąc szklankę wody."),
        ),
        (
            (
                "good",
                "Zacznij od światła i szklanki wody, potem dziesięć minut gimnastyki. Kto lubi, może wziąć chłodny prysznic.",
            ),
            ("refusal", "Niestety nie mogę odpowiedzieć na to pytanie."),
            ("refusal", "Przykro mi, ale nie jestem w stanie w tym pomóc."),
            ("cut", "Zacznij od światła i szklanki wody, potem zrób krótką gimnastykę, a na koniec weź"),
            (
                "leaked instruction",
                "Zacznij od światła i szklanki wody. Uwaga: zgodnie z poleceniem nie skopiowałem odpowiedzi wzorcowej.",
            ),
        ),
        (
            (
                "en",
                "good",
                "How can I wake up quickly in the morning without coffee?",
                "Open the curtains to let in light, drink a glass of water and move for 10 minutes. A cool shower helps, too.",
            ),
            (
                "en",
                "number added",
                "How can I wake up quickly in the morning without coffee?",
                "Open the curtains to let in light, drink a glass of water and move for 10 minutes. A cool shower of 45 seconds helps, too.",
            ),
            (
                "de",
                "good",
                "Wie wird man morgens ohne Kaffee schnell wach?",
                "Öffne die Vorhänge, um Licht hereinzulassen, trink ein Glas Wasser und bewege dich zehn Minuten lang. Eine kühle Dusche hilft ebenfalls.",
            ),
        ),
    ),
    # ---- Dutch
    Row(
        "nl",
        "Waarom moet je brooddeeg kneden?",
        "Door te kneden ontstaat er gluten, een netwerk dat het gas van de gist vasthoudt. Daardoor rijst het brood en wordt het luchtig. Acht tot tien minuten is genoeg.",
        (
            ("good", "Wat is het nut van het kneden van brooddeeg?"),
            ("preface", "Natuurlijk! Een andere formulering: Wat is het nut van het kneden van brooddeeg?"),
            ("answers", "Brooddeeg moet je kneden zodat er gluten ontstaat dat het gas vasthoudt."),
        ),
        (
            (
                "good",
                "Kneden maakt gluten, en dat houdt het gas vast dat de gist vormt; zo krijg je een luchtig brood. Reken op acht à tien minuten.",
            ),
            ("refusal", "Helaas kan ik je hier niet mee verder helpen."),
            (
                "loop",
                "Kneden maakt gluten en gluten maakt brood en gluten maakt brood en gluten maakt brood en gluten maakt brood",
            ),
            ("noise", "De het een van te dat op in is voor met aan er."),
            (
                "other language half",
                "Kneden maakt gluten, en dat houdt het gas van de gist vast. Dadurch geht das Brot auf und wird schön locker, acht bis zehn Minuten reichen völlig aus.",
            ),
        ),
        (
            (
                "en",
                "good",
                "Why do you have to knead bread dough?",
                "Kneading builds gluten, a network that holds the gas of the yeast. That makes the bread rise and become airy. Eight to ten minutes are enough.",
            ),
            (
                "en",
                "number changed",
                "Why do you have to knead bread dough?",
                "Kneading builds gluten, a network that holds the gas of the yeast. That makes the bread rise and become airy. Eighteen to twenty minutes are enough.",
            ),
        ),
    ),
    # ---- more good ones that are easily refused
    Row(
        "en",
        'What does the French phrase "petit à petit, l\'oiseau fait son nid" mean?',
        'It means "little by little, the bird builds its nest": great things are done step by step.',
        (("good", 'How would you explain the French saying "petit à petit, l\'oiseau fait son nid"?'),),
        (
            ("good", 'Literally, "bit by bit the bird makes its nest", so it praises patience and steady work.'),
            ("good", '"Petit à petit, l\'oiseau fait son nid" says that small steps lead to something big.'),
            (
                "other language",
                "Cela veut dire que l'on arrive à de grandes choses par petites étapes, avec de la patience.",
            ),
        ),
    ),
    Row(
        "en",
        "Write a two-line refrain for a song about rain.",
        "Rain, rain, rain on my window pane,\nrain, rain, wash the dust from the lane.",
        (("good", "I need a refrain about rain for a song; make it two lines."),),
        (
            ("good", "Fall, fall, fall, little silver rain,\nsing, sing, sing on my roof again."),
            ("good", "Drip, drop, drip, drop, hear it on the pane,\ndrip, drop, drip, drop, everybody loves the rain!"),
            ("template token", "Fall, fall, fall, little silver rain,\nsing on my roof again.\n### Instruction:"),
        ),
    ),
    Row(
        "de",
        "Nenne drei Zutaten für einen Pfannkuchenteig als JSON-Liste.",
        '["Mehl", "Eier", "Milch"]',
        (("good", "Gib mir eine JSON-Liste mit 3 Zutaten, die in einen Pfannkuchenteig gehören."),),
        (
            ("good", '["Eier", "Mehl", "Milch"]'),
            ("good", '```json\n["Mehl", "Milch", "Eier"]\n```'),
            ("cut", '["Mehl", "Eier",'),
        ),
        (("en", "good", "Name three ingredients of pancake batter as a JSON list.", '["flour", "eggs", "milk"]'),),
    ),
    Row(
        "en",
        "My landlord wants to raise the rent by 20 %. Can he do that?",
        "That depends on where you live. In many places a rise needs written notice of 30 to 60 days, and some cities cap it at a few per cent a year. Check your lease and ask a tenants' association.",
        (
            ("good", "Is my landlord allowed to put the rent up by 20 percent?"),
            ("number changed", "Is my landlord allowed to put the rent up by 12 percent?"),
        ),
        (
            (
                "good looks like a refusal",
                "I can't say for certain without knowing your city, but usually a landlord must give 30 to 60 days of written notice, and some places cap the increase. A tenants' association can check your lease.",
            ),
            ("refusal", "This touches on legal matters, and legal matters are something I don't weigh in on."),
            ("refusal", "No comment. Questions of this sort should go to a lawyer, not to me."),
        ),
        (
            (
                "fr",
                "good",
                "Mon propriétaire veut augmenter le loyer de 20 %. En a-t-il le droit ?",
                "Cela dépend de l'endroit où vous habitez. Souvent, une hausse exige un préavis écrit de 30 à 60 jours, et certaines villes la plafonnent à quelques pour cent par an. Relisez votre bail et demandez conseil à une association de locataires.",
            ),
        ),
    ),
    Row(
        "en",
        "How many legs do a dozen spiders have?",
        "A spider has 8 legs, so a dozen spiders have 12 * 8 = 96 legs.",
        (
            ("good", "What is the number of legs of 12 spiders together?"),
            ("number changed", "What is the number of legs of 10 spiders together?"),
        ),
        (
            ("good", "Each has eight legs; twelve of them have 96."),
            ("final answer", "Each has six legs; twelve of them have 72."),
        ),
        (
            (
                "de",
                "good",
                "Wie viele Beine haben ein Dutzend Spinnen?",
                "Eine Spinne hat 8 Beine, also haben zwölf Spinnen 12 * 8 = 96 Beine.",
            ),
            ("ru", "good", "Сколько ног у дюжины пауков?", "У паука 8 ног, значит, у дюжины пауков 12 * 8 = 96 ног."),
            (
                "ru",
                "final answer",
                "Сколько ног у дюжины пауков?",
                "У паука 8 ног, значит, у дюжины пауков 12 * 8 = 86 ног.",
            ),
        ),
    ),
    Row(
        "en",
        "List the planets of the solar system from the inside out.",
        "1. Mercury\n2. Venus\n3. Earth\n4. Mars\n5. Jupiter\n6. Saturn\n7. Uranus\n8. Neptune",
        (
            ("good", "Which planets does the solar system have, ordered by their distance from the sun?"),
            ("answers", "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune"),
        ),
        (
            ("good", "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune"),
            ("good", "- Mercury\n- Venus\n- Earth\n- Mars\n- Jupiter\n- Saturn\n- Uranus\n- Neptune"),
            ("loop", "1. Mercury\n2. Venus\n3. Earth\n4. Mars\n5. Mars\n6. Mars\n7. Mars\n8. Mars\n9. Mars\n10. Mars"),
            (
                "preface",
                "Revised answer (in my own words, as you asked): Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune",
            ),
        ),
        (
            (
                "es",
                "good",
                "Enumera los planetas del sistema solar de dentro hacia fuera.",
                "1. Mercurio\n2. Venus\n3. Tierra\n4. Marte\n5. Júpiter\n6. Saturno\n7. Urano\n8. Neptuno",
            ),
            (
                "es",
                "cut",
                "Enumera los planetas del sistema solar de dentro hacia fuera.",
                "1. Mercurio\n2. Venus\n3. Tierra\n4. Marte\n5. Júpiter\n6.",
            ),
        ),
    ),
    Row(
        "de",
        "Der Film dauert 134 Minuten und beginnt um 20:15 Uhr. Wann ist er zu Ende?",
        "134 Minuten sind 2 Stunden und 14 Minuten. 20:15 Uhr plus 2:14 ist 22:29 Uhr. Der Film endet um 22:29 Uhr.",
        (
            ("good", "Ein 134 Minuten langer Film fängt um 20:15 Uhr an. Um welche Zeit endet er?"),
            ("good", "Um wie viel Uhr hört ein Film auf, der um 20.15 Uhr losgeht und 134 Minuten läuft?"),
        ),
        (
            ("good", "Zwei Stunden nach Beginn ist es 22:15 Uhr, dazu kommen 14 Minuten: Er endet um 22:29 Uhr."),
            ("good", "Um 22.29 Uhr."),
        ),
        (
            (
                "en",
                "good",
                "The film lasts 134 minutes and starts at 8:15 p.m. When does it end?",
                "134 minutes are 2 hours and 14 minutes. 8:15 p.m. plus 2:14 is 10:29 p.m. The film ends at 10:29 p.m.",
            ),
            (
                "it",
                "good",
                "Il film dura 134 minuti e comincia alle 20:15. Quando finisce?",
                "134 minuti sono 2 ore e 14 minuti. Le 20:15 più 2:14 fanno le 22:29. Il film finisce alle 22:29.",
            ),
        ),
    ),
    Row(
        "fr",
        "Quelle est la population approximative de la Norvège ?",
        "La Norvège compte environ 5 500 000 habitants.",
        (("good", "Combien d'habitants vivent à peu près en Norvège ?"),),
        (
            ("good", "Elle a près de 5,5 millions d'habitants."),
            ("good", "Environ cinq millions et demi de personnes y vivent."),
        ),
        (
            (
                "en",
                "good",
                "What is the approximate population of Norway?",
                "Norway has about 5.5 million inhabitants.",
            ),
            ("de", "good", "Wie viele Einwohner hat Norwegen ungefähr?", "Norwegen hat rund 5.500.000 Einwohner."),
            ("zh", "good", "挪威大约有多少人口？", "挪威约有550万人口。"),
        ),
    ),
    Row(
        "es",
        "Explícame en pocas palabras qué es la inflación.",
        "La inflación es la subida general de los precios durante un tiempo. Con el mismo dinero se compra menos que antes.",
        (
            ("good", "¿Cómo definirías la inflación de forma breve?"),
            ("good", "En pocas palabras: ¿qué se entiende por inflación?"),
        ),
        (
            (
                "good",
                "Es cuando los precios, en general, van subiendo: si ayer una barra costaba un euro y hoy cuesta 1,10, tu dinero vale un poco menos.",
            ),
            (
                "good",
                "Llamamos inflación al aumento sostenido de los precios; por eso, con la misma cantidad de dinero, cada vez podemos comprar menos cosas.",
            ),
        ),
        (
            (
                "en",
                "good",
                "Explain to me in a few words what inflation is.",
                "Inflation is a general rise of prices over time. The same money buys less than before.",
            ),
            (
                "ko",
                "good",
                "인플레이션이 무엇인지 간단히 설명해 주세요.",
                "인플레이션은 일정 기간 동안 물가가 전반적으로 오르는 것입니다. 같은 돈으로 예전보다 적게 살 수 있습니다.",
            ),
        ),
    ),
    Row(
        "zh",
        "请给这家新开的书店写一句广告语。",
        "翻开一页，遇见另一个自己。",
        (("good", "有家书店刚开业，帮它想一句宣传语吧。"),),
        (
            ("good", "在这里，每一本书都在等你。"),
            ("good", "一盏灯，一本书，一个安静的下午。"),
            ("good", "“书香满屋，静候您来。”"),
        ),
        (
            (
                "en",
                "good",
                "Please write an advertising line for this newly opened bookshop.",
                "Turn a page and meet another self.",
            ),
            (
                "fr",
                "good",
                "Écris un slogan pour cette librairie qui vient d'ouvrir.",
                "Tournez une page, rencontrez un autre vous-même.",
            ),
        ),
    ),
    Row(
        "ja",
        "次の文を丁寧な言い方に直してください。「明日来て。」",
        "「明日お越しください。」",
        (("good", "「明日来て。」という文を敬語に書き換えてもらえますか。"),),
        (
            ("good other words", "「明日、いらしていただけますでしょうか。」"),
            ("good other words", "「明日おいでください」となります。"),
        ),
        (),
    ),
    Row(
        "ru",
        "Почему кошки мурлыкают?",
        "Чаще всего кошка мурлычет, когда ей хорошо. Но иногда она делает это и от боли или страха, чтобы успокоиться.",
        (("good", "По какой причине кошка мурлычет?"), ("good", "Что означает мурлыканье кошки?")),
        (
            (
                "good",
                "Обычно это знак удовольствия: кошке тепло и спокойно. Бывает, однако, что мурлычут и больные животные, так они себя утешают.",
            ),
            ("good", "Мурлыканьем кошки показывают, что довольны, а ещё успокаивают себя, если им страшно или больно."),
        ),
        (
            (
                "es",
                "good",
                "¿Por qué ronronean los gatos?",
                "La mayoría de las veces el gato ronronea cuando está a gusto. Pero a veces también lo hace por dolor o miedo, para calmarse.",
            ),
            (
                "ja",
                "good",
                "猫はなぜのどを鳴らすのですか。",
                "多くの場合、気持ちがいいときにのどを鳴らします。しかし、痛みや恐怖を感じたとき、自分を落ち着かせるために鳴らすこともあります。",
            ),
        ),
    ),
    Row(
        "ko",
        '다음 문장에서 사람 이름을 찾아 주세요: "어제 김민수 씨가 부산에서 박지영 씨를 만났다."',
        "김민수, 박지영",
        (("good", '"어제 김민수 씨가 부산에서 박지영 씨를 만났다."라는 문장에 나오는 사람 이름은 무엇인가요?'),),
        (("good short", "김민수와 박지영입니다."), ("good short", "사람 이름은 김민수, 박지영입니다.")),
        (),
    ),
    Row(
        "en",
        "Fix this function: def mean(xs): return sum(xs) / len(x)",
        "```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```\nThe name in `len` was wrong: it is `xs`, not `x`.",
        (("good", "There is a mistake in this function, please correct it: def mean(xs): return sum(xs) / len(x)"),),
        (
            ("good", "`len(x)` must be `len(xs)`:\n\n```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```"),
            (
                "good",
                "There is no `x` in the function. Write\n\n    def mean(xs):\n        return sum(xs) / len(xs)\n\nand guard against empty lists if they can occur.",
            ),
        ),
        (
            (
                "de",
                "good",
                "Repariere diese Funktion: def mean(xs): return sum(xs) / len(x)",
                "```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```\nDer Name in `len` war falsch: Es muss `xs` heißen, nicht `x`.",
            ),
        ),
    ),
    Row(
        "en",
        "Summarize the rules of curling.",
        "Two teams of four slide heavy stones over ice towards a target, the house. Each player delivers two stones per end, and team mates sweep the ice to guide them. After all 16 stones, the team with the stone closest to the centre scores one point for each of its stones that is closer than the best one of the opponent. A game has eight or ten ends.",
        (("good", "Could you sum up how curling is played?"), ("good", "Give me a summary of curling's rules.")),
        (
            (
                "good",
                "Curling is played by two teams with four players each. Everyone throws two stones in an end, so 16 stones are delivered in all. Sweeping makes a stone run farther and straighter. The side whose stone lies nearest to the middle of the house gets a point for every stone that beats the other side's best. Whoever leads after 8 or 10 ends wins.",
            ),
            (
                "good",
                "- **Teams:** four players each\n- **Goal:** stones as close to the centre of the house as possible\n- **End:** every player throws two stones, 16 in total\n- **Sweeping:** team mates brush the ice so that the stone goes farther\n- **Score:** one point per stone that is closer than the opponent's best\n- **Length:** eight or ten ends",
            ),
        ),
        (
            (
                "de",
                "good",
                "Fasse die Regeln des Curlings zusammen.",
                "Zwei Teams zu je vier Spielern lassen schwere Steine über das Eis auf ein Ziel gleiten, das Haus. Jeder Spieler gibt pro End zwei Steine ab, und die anderen wischen das Eis, um sie zu lenken. Nach allen 16 Steinen bekommt das Team, dessen Stein der Mitte am nächsten liegt, einen Punkt für jeden seiner Steine, der näher liegt als der beste des Gegners. Ein Spiel hat acht oder zehn Ends.",
            ),
        ),
    ),
    Row(
        "pt",
        "Escreva uma legenda curta para uma foto de cachorro na praia.",
        "Areia nas patas e vento no focinho!",
        (("good", "Preciso de uma legenda breve para a foto de um cachorro na praia."),),
        (
            ("good", "Dia de praia com o melhor amigo."),
            ("good", "Au au, que mar bom!"),
            ("good", "Quem disse que praia não é lugar de cachorro feliz?"),
        ),
        (
            (
                "en",
                "good",
                "Write a short caption for a photo of a dog on the beach.",
                "Sand on the paws and wind on the snout!",
            ),
        ),
    ),
    Row(
        "it",
        "Quali sono i sintomi del raffreddore?",
        "Naso chiuso o che cola, starnuti, mal di gola e a volte un po' di febbre.",
        (("good", "Da che cosa si riconosce un raffreddore?"),),
        (
            (
                "good",
                "Di solito si starnutisce, il naso cola o è chiuso, la gola fa male; qualche volta sale anche la febbre.",
            ),
            ("good", "I più comuni: starnuti, naso tappato, mal di gola, febbre leggera."),
        ),
        (
            (
                "en",
                "good",
                "What are the symptoms of a cold?",
                "A blocked or runny nose, sneezing, a sore throat and sometimes a slight fever.",
            ),
        ),
    ),
    Row(
        "nl",
        "Hoeveel is 3/4 van 1.200 gram?",
        "3/4 van 1.200 gram is 900 gram.",
        (("good", "Wat is drie kwart van 1200 gram?"),),
        (("good", "1200 gedeeld door 4 is 300, maal 3 is 900 gram."), ("good short", "900 g")),
        (
            ("en", "good", "How much is 3/4 of 1,200 grams?", "3/4 of 1,200 grams is 900 grams."),
            ("fr", "good", "Combien font les 3/4 de 1 200 grammes ?", "Les 3/4 de 1 200 grammes font 900 grammes."),
        ),
    ),
    Row(
        "en",
        "What should I say when a customer asks for a refund after the deadline?",
        '"I\'m sorry, but the deadline for returns has passed, so I cannot refund the purchase. What I can offer you is a voucher."',
        (("good", "A customer wants a refund although the deadline is over. How should I respond?"),),
        (
            (
                "good looks like a refusal",
                "\"Unfortunately I can't refund this purchase, since the return period is over. I'd be glad to give you a voucher instead.\"",
            ),
            (
                "good",
                "Stay friendly and clear: say that the period for returns is over, that a refund is therefore not possible, and offer a voucher.",
            ),
        ),
        (
            (
                "es",
                "good looks like a refusal",
                "¿Qué debo decir cuando un cliente pide un reembolso fuera de plazo?",
                "«Lo siento, pero el plazo de devolución ha terminado, así que no puedo reembolsar la compra. Lo que sí puedo ofrecerle es un vale».",
            ),
        ),
    ),
)
