"""A second set of labelled answers, written before its author had read a line of the validators; see README.md."""

from __future__ import annotations

from corpus_pipeline_tests.augment.answers.rows import Row

ROWS = (
    Row(
        "en",
        "How long can cooked rice stay in the fridge?",
        "Cooked rice keeps for four to six days in the fridge if it was cooled within an hour and is kept in a closed box.",
        (
            ("good", "For what length of time is it fine to keep boiled rice in the refrigerator?"),
            ("answers", "You can keep cooked rice in the fridge for about five days when it was cooled quickly."),
            ("preface", "Here is a rephrased version: How many days may boiled rice be left in the refrigerator?"),
        ),
        (
            ("good", "Put it in a sealed container soon after cooking, and it will be fine for 4 to 6 days."),
            (
                "refusal",
                "That's outside of what I'm able to assist with, unfortunately. Please ask a food safety professional.",
            ),
            (
                "other row",
                "The Treaty of Tordesillas divided the newly found lands between the crowns of Portugal and Castile.",
            ),
        ),
        (
            (
                "de",
                "good",
                "Wie lange hält sich gekochter Reis im Kühlschrank?",
                "Gekochter Reis hält sich im Kühlschrank vier bis sechs Tage, wenn er binnen einer Stunde abgekühlt wurde und in einer geschlossenen Dose steht.",
            ),
            (
                "de",
                "number changed",
                "Wie lange hält sich gekochter Reis im Kühlschrank?",
                "Gekochter Reis hält sich im Kühlschrank vier bis neun Tage, wenn er binnen einer Stunde abgekühlt wurde und in einer geschlossenen Dose steht.",
            ),
        ),
    ),
    Row(
        "en",
        "A shop sells pens at 3 for $2. How much do 18 pens cost?",
        "18 pens are 18 / 3 = 6 sets of three. Each set costs $2, so they cost 6 * 2 = $12.\n#### 12",
        (
            ("good", "Pens are sold in sets of 3 for $2. What is the price of 18 of them?"),
            ("number changed", "A shop sells pens at 3 for $2. What would 16 of them cost?"),
            ("number dropped", "A shop sells pens cheaply in sets of 3. What is the price of 18 of them?"),
        ),
        (
            ("good", "Three pens cost $2. 18 pens make 18 / 3 = 6 groups, and 6 * 2 = 12 dollars.\n#### 12"),
            ("final answer", "Three pens cost $2. 18 pens make 18 / 3 = 6 groups, and 6 * 3 = 18 dollars.\n#### 18"),
            ("cut", "Three pens cost $2. 18 pens make 18 / 3 = 6 groups, and each of these groups"),
            (
                "thinking",
                "<think>The user wants the price. 18/3 = 6 sets.</think>\n18 pens are 6 sets, so $12.\n#### 12 <think>",
            ),
        ),
        (
            (
                "fr",
                "good",
                "Un magasin vend 3 stylos pour 2 $. Combien coûtent 18 stylos ?",
                "18 stylos font 18 / 3 = 6 lots de trois. Chaque lot coûte 2 $, donc le prix est 6 * 2 = 12 $.\n#### 12",
            ),
            (
                "fr",
                "number swapped",
                "Un magasin vend 2 stylos pour 3 $. Combien coûtent 18 stylos ?",
                "18 stylos font 18 / 3 = 6 lots de trois. Chaque lot coûte 2 $, donc le prix est 6 * 2 = 12 $.\n#### 12",
            ),
        ),
    ),
    Row(
        "en",
        "Write a Python function that returns the larger of two numbers.",
        "```python\ndef larger(a, b):\n    return a if a > b else b\n```\nIt compares both numbers and returns the one that is greater.",
        (
            ("good", "Please give me a function in Python that takes two numbers and gives back the greater one."),
            ("answers", "def larger(a, b): return max(a, b)  # gives the greater of both numbers"),
        ),
        (
            (
                "good",
                "```python\ndef larger(a, b):\n    if a >= b:\n        return a\n    return b\n```\nThe function returns whichever number is greater.",
            ),
            ("cut", "```python\ndef larger(a, b):\n    if a >= b:\n        return a\n"),
            (
                "template token",
                "```python\ndef larger(a, b):\n    return max(a, b)\n```\n<|eot_id|><|start_header_id|>assistant",
            ),
            ("refusal", "I apologize, but writing code of this kind isn't something I can do for you."),
        ),
        (
            (
                "ja",
                "good",
                "2つの数のうち大きい方を返すPythonの関数を書いてください。",
                "```python\ndef larger(a, b):\n    return a if a > b else b\n```\n両方の数を比較し、大きい方を返します。",
            ),
        ),
    ),
    Row(
        "en",
        "Is it possible to see the Great Wall of China from the Moon with the naked eye?",
        "No. From the Moon, about 384,000 km away, the wall is far too narrow to be seen without a telescope.",
        (("good", "Could someone standing on the Moon make out the Great Wall of China without any instruments?"),),
        (
            ("good short", "No, it is much too narrow to be visible from the Moon without a telescope."),
            (
                "final answer",
                "Yes. From the Moon, about 384,000 km away, the wall can be seen without a telescope as a thin line.",
            ),
            (
                "leaked instruction",
                "No. As the reference answer says, the wall is far too narrow to be seen from the Moon without a telescope.",
            ),
        ),
        (
            (
                "es",
                "good",
                "¿Se puede ver la Gran Muralla china desde la Luna a simple vista?",
                "No. Desde la Luna, a unos 384.000 km de distancia, la muralla es demasiado estrecha para verla sin telescopio.",
            ),
            (
                "es",
                "final answer",
                "¿Se puede ver la Gran Muralla china desde la Luna a simple vista?",
                "Sí. Desde la Luna, a unos 384.000 km de distancia, la muralla se ve sin telescopio.",
            ),
            (
                "es",
                "number changed",
                "¿Se puede ver la Gran Muralla china desde la Luna a simple vista?",
                "No. Desde la Luna, a unos 38.400 km de distancia, la muralla es demasiado estrecha para verla sin telescopio.",
            ),
        ),
    ),
    Row(
        "en",
        "Give me three tips for sleeping better.",
        "1. Go to bed at the same time each evening.\n2. Keep the bedroom cool and dark.\n3. Leave your phone in another room.",
        (
            ("good", "What are three things I could do to get better sleep?"),
            ("number changed", "What are five things I could do to get better sleep?"),
            ("leaked instruction", "What are three things I could do to sleep better? [[end source_prompt 6f1c]]"),
        ),
        (
            (
                "good",
                "1. Keep regular hours, also at weekends.\n2. Make the room dark and not too warm.\n3. Put screens away an hour before bed.",
            ),
            ("noise", "1. Gsdf bvlo kqwe at rtyu.\n2. Xcvb nmlk poiu the zxqw.\n3. Hjkl fdsa wrtp zzxq."),
            (
                "other language",
                "1. Gehen Sie jeden Abend zur selben Zeit ins Bett.\n2. Halten Sie das Zimmer kühl und dunkel.\n3. Lassen Sie das Handy draußen.",
            ),
            (
                "part in another language",
                "1. Keep regular hours, also at weekends. 2. Das Zimmer soll dunkel und nicht zu warm sein, und das Bett bequem. 3. Put screens away an hour before bed.",
            ),
        ),
    ),
    Row(
        "en",
        "Who wrote the novel Frankenstein, and when was it published?",
        "Mary Shelley wrote Frankenstein. It was published anonymously in London in 1818.",
        (
            ("good", "Which author is behind the novel Frankenstein, and in what year did it come out?"),
            ("answers", "Mary Shelley is the author of the novel Frankenstein, which came out in 1818."),
        ),
        (
            ("good", "The novel is by Mary Shelley. It came out in London in 1818, at first without her name."),
            (
                "number changed",
                "The novel is by Mary Shelley. It came out in London in 1881, at first without her name.",
            ),
            ("echo", "Who wrote the novel Frankenstein, and when was it published?"),
            (
                "thinking",
                "Okay, so the user asks about Frankenstein. Let me recall: Mary Shelley, 1818. I should keep it brief. Mary Shelley wrote it, and it came out in 1818.",
            ),
        ),
        (
            (
                "zh",
                "good",
                "小说《弗兰肯斯坦》是谁写的？何时出版？",
                "《弗兰肯斯坦》由玛丽·雪莱创作，1818年在伦敦匿名出版。",
            ),
            (
                "zh",
                "other language",
                "小说《弗兰肯斯坦》是谁写的？何时出版？",
                "Mary Shelley wrote Frankenstein. It was published anonymously in London in 1818.",
            ),
        ),
    ),
    Row(
        "en",
        "Explain why leaves change colour in autumn.",
        "In autumn trees stop making chlorophyll, the green pigment. As it breaks down, yellow and orange pigments that were there all along become visible.",
        (("good", "What makes the leaves of trees turn another colour in the fall?"),),
        (
            (
                "good",
                "The green pigment, chlorophyll, is no longer renewed when days get short. Once it fades, the yellow and orange ones in the leaf show.",
            ),
            (
                "good",
                "Trees save resources before winter: they take back chlorophyll, and what remains in the leaf is yellow and orange.",
            ),
            ("refusal", "As a language model I have no way to answer questions about nature, sorry."),
            (
                "loop",
                "The leaves change colour because the leaves change colour because the leaves change colour because the leaves change colour because the leaves change colour because the leaves change colour.",
            ),
            (
                "cut",
                "The green pigment, chlorophyll, is no longer renewed when days get short. Once it fades, the yellow and",
            ),
        ),
    ),
    # German
    Row(
        "de",
        "Wie viele Bundesländer hat Deutschland, und welches ist das größte?",
        "Deutschland hat 16 Bundesländer. Das flächengrößte ist Bayern mit rund 70.500 Quadratkilometern.",
        (
            ("good", "Aus wie vielen Bundesländern besteht Deutschland, und welches davon hat die größte Fläche?"),
            ("answers", "Deutschland besteht aus 16 Bundesländern, von denen Bayern das größte ist."),
        ),
        (
            ("good", "Es sind 16 Länder; Bayern ist mit etwa 70.500 km² das größte von ihnen."),
            ("number changed", "Es sind 18 Länder; Bayern ist mit etwa 70.500 km² das größte von ihnen."),
            ("refusal", "Dazu möchte ich mich leider nicht äußern. Kann ich Ihnen bei etwas anderem behilflich sein?"),
            (
                "other language",
                "There are 16 states, and Bavaria is the largest of them with about 70,500 square kilometres.",
            ),
        ),
        (
            (
                "en",
                "good",
                "How many federal states does Germany have, and which is the largest?",
                "Germany has sixteen federal states. The largest by area is Bavaria with around 70,500 square kilometres.",
            ),
            (
                "en",
                "number changed",
                "How many federal states does Germany have, and which is the largest?",
                "Germany has 16 federal states. The largest by area is Bavaria with around 75,000 square kilometres.",
            ),
        ),
    ),
    Row(
        "de",
        "Schreibe eine kurze Absage an einen Bewerber.",
        "Sehr geehrter Herr Maier, vielen Dank für Ihre Bewerbung. Leider können wir Ihnen die Stelle nicht anbieten. Wir wünschen Ihnen alles Gute.",
        (("good", "Formuliere bitte einen knappen Brief, in dem einem Bewerber abgesagt wird."),),
        (
            (
                "good negative",
                "Guten Tag Herr Maier, danke für Ihr Interesse. Wir haben uns für jemand anderen entschieden und können Ihnen leider keine Zusage geben. Alles Gute für Ihren Weg!",
            ),
            (
                "good negative",
                "Lieber Herr Maier, leider müssen wir Ihnen absagen: Die Stelle ist inzwischen vergeben. Für Ihre weitere Suche wünschen wir Ihnen viel Erfolg.",
            ),
            ("refusal", "Tut mir leid, einen solchen Brief kann ich als KI nicht verfassen."),
            (
                "preface",
                "Gerne! Hier ist der überarbeitete Text gemäß deiner Anweisung: Guten Tag Herr Maier, danke für Ihr Interesse. Wir haben uns anders entschieden.",
            ),
        ),
        (
            (
                "fr",
                "good",
                "Rédige un bref refus adressé à un candidat.",
                "Monsieur Maier, merci pour votre candidature. Malheureusement, nous ne pouvons pas vous proposer le poste. Nous vous souhaitons bonne continuation.",
            ),
        ),
    ),
    Row(
        "de",
        "Was ist der Unterschied zwischen Wetter und Klima?",
        "Wetter ist der Zustand der Atmosphäre an einem Ort zu einer bestimmten Zeit. Klima ist der Durchschnitt des Wetters über mindestens 30 Jahre.",
        (
            ("good", "Worin unterscheiden sich Wetter und Klima voneinander?"),
            (
                "leaked instruction",
                "Worin unterscheiden sich Wetter und Klima? (Umformulierung unter Beibehaltung aller Bedingungen)",
            ),
        ),
        (
            (
                "good",
                "Das Wetter beschreibt, wie es gerade an einem Ort ist. Vom Klima spricht man, wenn man über 30 Jahre und mehr mittelt.",
            ),
            (
                "cut",
                "Das Wetter beschreibt, wie es gerade an einem Ort ist. Vom Klima spricht man, wenn man über 30 Jahre und",
            ),
            (
                "number added",
                "Das Wetter beschreibt, wie es an einem Ort in den nächsten 14 Tagen ist. Vom Klima spricht man, wenn man über 30 Jahre und mehr mittelt.",
            ),
            (
                "noise",
                "Das Wetter ist ist der Klima wenn über und von man die mit. Zustand Jahre 30 an gerade Ort mittelt spricht der es.",
            ),
        ),
        (
            (
                "en",
                "good",
                "What is the difference between weather and climate?",
                "Weather is the state of the atmosphere in one place at a particular time. Climate is the average of the weather over at least three decades.",
            ),
            (
                "en",
                "number dropped",
                "What is the difference between weather and climate?",
                "Weather is the state of the atmosphere in one place at a particular time. Climate is the average of the weather over many years.",
            ),
        ),
    ),
    Row(
        "de",
        "Ein Zug fährt um 8:15 Uhr ab und kommt um 11:45 Uhr an. Wie lange dauert die Fahrt?",
        "Von 8:15 Uhr bis 11:15 Uhr sind es 3 Stunden, bis 11:45 Uhr noch 30 Minuten. Die Fahrt dauert 3 Stunden und 30 Minuten.",
        (
            ("good", "Abfahrt eines Zuges ist um 8:15 Uhr, Ankunft um 11:45 Uhr. Welche Zeit braucht er?"),
            ("number swapped", "Abfahrt eines Zuges ist um 11:45 Uhr, Ankunft um 8:15 Uhr. Welche Zeit braucht er?"),
        ),
        (
            (
                "good",
                "Die Fahrt dauert 3 Stunden und 30 Minuten: 3 Stunden bis 11:15 Uhr, danach noch 30 Minuten bis 11:45 Uhr.",
            ),
            ("final answer", "Von 8:15 Uhr bis 11:45 Uhr sind es 4 Stunden und 30 Minuten."),
            ("template token", "Die Fahrt dauert 3 Stunden und 30 Minuten. [/INST] </s>"),
        ),
        (
            (
                "ja",
                "good",
                "列車は8時15分に出発し、11時45分に到着します。所要時間はどれくらいですか。",
                "8時15分から11時15分までは3時間、11時45分まではさらに30分です。所要時間は3時間30分です。",
            ),
            (
                "ja",
                "number changed",
                "列車は8時15分に出発し、11時50分に到着します。所要時間はどれくらいですか。",
                "8時15分から11時15分までは3時間、11時45分まではさらに30分です。所要時間は3時間30分です。",
            ),
        ),
    ),
    Row(
        "de",
        "Welche Farbe entsteht, wenn man Blau und Gelb mischt?",
        "Grün.",
        (("good", "Man mischt Gelb mit Blau: Welchen Farbton bekommt man?"),),
        (
            ("good short", "Es entsteht Grün."),
            ("refusal", "Leider darf ich darüber keine Auskunft geben."),
        ),
        (
            ("en", "good short", "Which colour do you get when you mix blue and yellow?", "Green."),
            ("en", "final answer", "Which colour do you get when you mix blue and yellow?", "Purple."),
            ("zh", "good short", "蓝色和黄色混合会变成什么颜色？", "绿色。"),
        ),
    ),
    # French
    Row(
        "fr",
        "Quelle est la capitale de l'Australie ?",
        "La capitale de l'Australie est Canberra, et non Sydney, comme on le croit souvent.",
        (
            ("good", "Comment s'appelle la ville qui est la capitale australienne ?"),
            ("answers", "C'est Canberra qui est la capitale de l'Australie, pas Sydney."),
            (
                "preface",
                "Voici une reformulation possible de la question : Comment s'appelle la capitale australienne ?",
            ),
        ),
        (
            ("good", "C'est Canberra. Beaucoup de gens pensent à tort qu'il s'agit de Sydney."),
            ("refusal", "Je suis navré, je ne suis pas en mesure de répondre à ce genre de demande."),
            (
                "other row",
                "Pour une pâte à crêpes, mélangez la farine, les œufs et le lait, puis laissez reposer le tout.",
            ),
            (
                "part in another language",
                "C'est Canberra. Many people believe that it is Sydney, but that is simply not true at all. On la fonda comme compromis.",
            ),
        ),
        (
            (
                "en",
                "good",
                "What is the capital of Australia?",
                "The capital of Australia is Canberra, and not Sydney, as people often think.",
            ),
        ),
    ),
    Row(
        "fr",
        "Combien font 15 % de 240 ?",
        "15 % de 240, c'est 240 × 0,15 = 36.",
        (
            ("good", "Quel nombre représente 15 % de 240 ?"),
            ("number changed", "Quel nombre représente 15 % de 420 ?"),
            ("number added", "Quel nombre représente 15 % de 240, arrondi à 2 décimales ?"),
        ),
        (
            ("good", "On multiplie 240 par 0,15 et on obtient 36."),
            ("final answer", "On multiplie 240 par 0,15 et on obtient 38."),
            (
                "thinking",
                "Bon, l'utilisateur veut 15 % de 240. Je dois calculer 240 × 0,15. Attends, vérifions. Oui, la réponse est 36.",
            ),
        ),
        (
            ("de", "good", "Wie viel sind 15 % von 240?", "15 % von 240 sind 240 × 0,15 = 36."),
            ("de", "final answer", "Wie viel sind 15 % von 240?", "15 % von 240 sind 240 × 0,15 = 63."),
        ),
    ),
    Row(
        "fr",
        "Donne une recette simple de vinaigrette.",
        "Mélangez une cuillère de vinaigre, une pincée de sel et une cuillère à café de moutarde, puis ajoutez trois cuillères d'huile en fouettant.",
        (("good", "Comment préparer une vinaigrette facile ?"),),
        (
            (
                "good",
                "Fouettez la moutarde, le sel et une cuillère de vinaigre, puis versez peu à peu trois cuillères d'huile.",
            ),
            (
                "cut",
                "Fouettez la moutarde, le sel et une cuillère de vinaigre, puis versez peu à peu trois cuillères d'",
            ),
            (
                "other language",
                "Whisk the mustard, the salt and a spoonful of vinegar, then pour in three spoonfuls of oil little by little.",
            ),
            ("noise", "Ffzt lkmp qsdfgh wxcvbn aze rtyuiop, mlkj hgfdsq nbvcxw. Pzoeiru tyal skdjf hgmwn xbcv."),
        ),
        (
            (
                "pt",
                "good",
                "Dê uma receita simples de vinagrete.",
                "Misture uma colher de vinagre, uma pitada de sal e uma colher de chá de mostarda, depois acrescente três colheres de azeite, batendo sempre.",
            ),
            (
                "pt",
                "number changed",
                "Dê uma receita simples de vinagrete.",
                "Misture uma colher de vinagre, uma pitada de sal e uma colher de chá de mostarda, depois acrescente cinco colheres de azeite, batendo sempre.",
            ),
        ),
    ),
    Row(
        "fr",
        "Les dauphins sont-ils des poissons ?",
        "Non, ce sont des mammifères : ils respirent de l'air et allaitent leurs petits.",
        (("good", "Peut-on dire que le dauphin est un poisson ?"),),
        (
            ("good short", "Non. Ils allaitent leurs petits et respirent à la surface : ce sont des mammifères."),
            ("final answer", "Oui, les dauphins sont des poissons : ils vivent dans la mer et ont des nageoires."),
            (
                "leaked instruction",
                "Non, ce sont des mammifères. Je n'ai pas copié les phrases de la référence, comme demandé.",
            ),
        ),
        (
            ("zh", "good", "海豚是鱼吗？", "不是，它们是哺乳动物：用肺呼吸，并给幼崽哺乳。"),
            ("zh", "final answer", "海豚是鱼吗？", "是的，它们是鱼：用鳃呼吸，并在水中产卵。"),
        ),
    ),
    Row(
        "fr",
        "Traduis « je t'aime » en italien.",
        "En italien, on dit « ti amo ».",
        (("good", "Comment dit-on « je t'aime » en langue italienne ?"),),
        (
            ("good other words", "Cela se dit « ti amo »."),
            ("template token", "Cela se dit « ti amo ».<|im_end|>\n<|im_start|>user"),
            ("refusal", "Désolé, mais la traduction ne fait pas partie de mes compétences."),
        ),
    ),
    # Chinese
    Row(
        "zh",
        "一公斤等于多少克？",
        "一公斤等于1000克。",
        (
            ("good", "请问1公斤是多少克？"),
            ("answers", "1公斤就是1000克。"),
        ),
        (
            ("good short", "1公斤是一千克，也就是1000克。"),
            ("number changed", "一公斤等于100克。"),
            ("refusal", "很遗憾，这类问题超出了我的服务范围，我没办法给出解答。"),
            ("other language", "One kilogram is equal to 1000 grams."),
        ),
        (
            ("en", "good", "How many grams are there in one kilogram?", "One kilogram equals 1,000 grams."),
            ("en", "number changed", "How many grams are there in one kilogram?", "One kilogram equals 10,000 grams."),
        ),
    ),
    Row(
        "zh",
        "请解释什么是光合作用。",
        "光合作用是植物利用阳光，把二氧化碳和水转化为有机物并释放氧气的过程。",
        (
            ("good", "光合作用指的是什么？请说明一下。"),
            ("preface", "好的，改写后的问题如下：光合作用指的是什么？"),
        ),
        (
            ("good", "植物在阳光下吸收二氧化碳和水，制造出自身需要的养分，同时放出氧气，这一过程叫做光合作用。"),
            ("cut", "植物在阳光下吸收二氧化碳和水，制造出自身需要的养分，同时放出氧气，这一过程叫做光合"),
            ("other row", "长城始建于春秋战国时期，明代的城墙保存得最为完整，是著名的旅游景点。"),
            (
                "part in another language",
                "植物在阳光下吸收二氧化碳和水。In this process the plant makes sugar and releases oxygen into the air. 这就是光合作用。",
            ),
            (
                "thinking",
                "嗯，用户想知道光合作用。我先想一下该怎么说，要简洁一点。光合作用是植物利用阳光制造养分并释放氧气的过程。",
            ),
        ),
        (
            (
                "de",
                "good",
                "Bitte erkläre, was Photosynthese ist.",
                "Photosynthese ist der Vorgang, bei dem Pflanzen mit Sonnenlicht Kohlendioxid und Wasser in organische Stoffe umwandeln und Sauerstoff abgeben.",
            ),
        ),
    ),
    Row(
        "zh",
        "小明有15个苹果，吃了4个，又买了8个，现在有多少个？",
        "15 - 4 = 11，11 + 8 = 19。小明现在有19个苹果。",
        (
            ("good", "小明原来有15个苹果，吃掉4个后又买来8个，他现在一共有几个苹果？"),
            ("number swapped", "小明原来有15个苹果，吃掉8个后又买来4个，他现在一共有几个苹果？"),
            ("number added", "小明原来有15个苹果，吃掉4个后又买来8个，再送给同学2个，他现在有几个苹果？"),
        ),
        (
            ("good", "吃掉4个后剩下11个，再加上买来的8个，一共是19个。"),
            ("final answer", "吃掉4个后剩下11个，再加上买来的8个，一共是18个。"),
            ("leaked instruction", "根据参考答案，15 - 4 = 11，11 + 8 = 19，所以现在有19个苹果。"),
        ),
        (
            (
                "en",
                "good",
                "Xiaoming has 15 apples, eats 4 and buys 8 more. How many does he have now?",
                "15 - 4 = 11 and 11 + 8 = 19. Xiaoming has 19 apples now.",
            ),
            (
                "en",
                "final answer",
                "Xiaoming has 15 apples, eats 4 and buys 8 more. How many does he have now?",
                "15 - 4 = 11 and 11 + 8 = 19. Xiaoming has 21 apples now.",
            ),
        ),
    ),
    Row(
        "zh",
        "写一句祝福新年的话。",
        "祝您新年快乐，身体健康，万事如意！",
        (("good", "请帮我写一句新年祝福语。"),),
        (
            ("good", "新的一年，愿您平安喜乐，事事顺心！"),
            ("good", "恭贺新禧，祝阖家幸福！"),
            ("noise", "祝祝祝的的了了是在不和你我他们这那就都也很到说要去会着没看好自己。"),
            ("template token", "新的一年，愿您平安喜乐！<|endoftext|>Human: 再写一句"),
        ),
        (
            (
                "ja",
                "good",
                "新年を祝う言葉を一つ書いてください。",
                "新年明けましておめでとうございます。ご健康とご多幸をお祈りいたします。",
            ),
            ("ja", "other language", "新年を祝う言葉を一つ書いてください。", "祝您新年快乐，身体健康，万事如意！"),
        ),
    ),
    Row(
        "zh",
        "鲸鱼用什么呼吸？",
        "鲸鱼用肺呼吸。",
        (("good", "鲸鱼是靠什么器官来呼吸的？"), ("echo", "鲸鱼用什么呼吸？")),
        (
            ("good short", "它们靠肺呼吸。"),
            ("refusal", "抱歉，我不能提供这方面的信息。"),
        ),
        (("pt", "good short", "Com que órgão respiram as baleias?", "As baleias respiram com os pulmões."),),
    ),
    # Japanese
    Row(
        "ja",
        "富士山の高さは何メートルですか。",
        "富士山の高さは3776メートルで、日本で一番高い山です。",
        (
            ("good", "富士山は標高何メートルの山でしょうか。"),
            ("answers", "富士山は標高3776メートルの山で、日本一の高さです。"),
        ),
        (
            ("good", "標高は3776メートルです。日本の最高峰として知られています。"),
            ("number changed", "標高は3667メートルです。日本の最高峰として知られています。"),
            ("refusal", "申し訳ございませんが、そのご質問にはお答えしかねます。"),
            ("other language", "富士山海拔3776米，是日本最高的山峰，也是著名的旅游胜地。"),
        ),
        (
            (
                "en",
                "good",
                "How many metres high is Mount Fuji?",
                "Mount Fuji is 3,776 metres high and the highest mountain in Japan.",
            ),
            (
                "en",
                "number changed",
                "How many metres high is Mount Fuji?",
                "Mount Fuji is 3,767 metres high and the highest mountain in Japan.",
            ),
        ),
    ),
    Row(
        "ja",
        "緑茶をおいしく入れる方法を教えてください。",
        "お湯を80度くらいまで冷まし、茶葉に注いで1分ほど待ちます。最後の一滴まで注ぎ切るのがコツです。",
        (("good", "おいしい緑茶の入れ方を知りたいです。どうすればよいですか。"),),
        (
            ("good", "沸かしたお湯を80度ほどに冷ましてから急須に注ぎ、1分待ってから最後まで注ぎ切りましょう。"),
            ("cut", "沸かしたお湯を80度ほどに冷ましてから急須に注ぎ、1分待ってから最後まで注ぎ切り"),
            ("other row", "この小説の主人公は港町で育ち、やがて船乗りとして世界中を旅することになります。"),
            (
                "part in another language",
                "沸かしたお湯を80度ほどに冷まします。Then pour it over the tea leaves and wait for about 1 minute before serving. 最後まで注ぎ切りましょう。",
            ),
            (
                "preface",
                "承知しました。ご指示に従って書き直した回答は次のとおりです。お湯を80度に冷まし、1分ほど待ちます。",
            ),
        ),
        (
            (
                "zh",
                "good",
                "请告诉我怎样泡出好喝的绿茶。",
                "把热水晾到80度左右，倒入茶叶中等一分钟。诀窍是要倒到最后一滴。",
            ),
        ),
    ),
    Row(
        "ja",
        "1ダースは何個ですか。",
        "12個です。",
        (("good", "1ダースとは何個のことですか。"), ("number changed", "2ダースとは何個のことですか。")),
        (
            ("good short", "1ダースは12個のことです。"),
            ("final answer", "1ダースは10個のことです。"),
        ),
        (
            ("en", "good short", "How many pieces are in one dozen?", "Twelve."),
            ("en", "final answer", "How many pieces are in one dozen?", "Twenty."),
            ("de", "good short", "Wie viele Stück hat ein Dutzend?", "12 Stück."),
        ),
    ),
    Row(
        "ja",
        "会議の日程変更をお願いするメールを書いてください。",
        "お世話になっております。来週月曜日の会議ですが、都合により水曜日に変更していただけないでしょうか。よろしくお願いいたします。",
        (("good", "会議の日を変えてほしいと頼むメールの文面を作ってください。"),),
        (
            (
                "good",
                "いつもお世話になっております。誠に恐縮ですが、月曜日に予定しておりました会議を水曜日に変更させていただけますでしょうか。",
            ),
            ("refusal", "私はAIですので、メールの作成はできません。ご了承ください。"),
            ("template token", "いつもお世話になっております。会議を水曜日に変更いただけますか。</s><s>[INST]"),
            (
                "thinking",
                "まず、ユーザーは会議の変更メールを求めている。丁寧に書く必要がある。いつもお世話になっております。会議を水曜日に変更いただけますか。",
            ),
        ),
        (
            (
                "fr",
                "good",
                "Écrivez un courriel pour demander le report d'une réunion.",
                "Bonjour, la réunion de lundi prochain pourrait-elle, pour des raisons d'agenda, être déplacée à mercredi ? Merci d'avance.",
            ),
            (
                "fr",
                "final answer",
                "Écrivez un courriel pour demander le report d'une réunion.",
                "Bonjour, la réunion de lundi prochain pourrait-elle, pour des raisons d'agenda, être déplacée à vendredi ? Merci d'avance.",
            ),
        ),
    ),
    Row(
        "ja",
        "なぜ空は青いのですか。",
        "太陽の光が空気の分子に当たると、青い光が赤い光より強く散乱されるからです。",
        (
            ("good", "空が青く見える理由は何ですか。"),
            ("leaked instruction", "空が青く見える理由は何ですか。（元の質問の意味を変えずに書き換えました）"),
        ),
        (
            ("good", "大気中の分子は波長の短い青い光をよく散乱させるため、空全体が青く見えます。"),
            ("noise", "あsdfgh じkぉp んmvcx ぜrty うqwえ ぞxcvb のkl ふghj。"),
            (
                "loop",
                "青い光が散乱されるからです。青い光が散乱されるからです。青い光が散乱されるからです。青い光が散乱されるからです。青い光が散乱されるからです。青い光が散乱されるからです。",
            ),
        ),
    ),
    # Portuguese
    Row(
        "pt",
        "Quantos jogadores tem um time de futebol em campo?",
        "Cada time tem 11 jogadores em campo, incluindo o goleiro.",
        (
            ("good", "Em uma partida de futebol, quantos jogadores cada time coloca em campo?"),
            ("answers", "Em uma partida de futebol, cada time coloca 11 jogadores em campo, com o goleiro."),
        ),
        (
            ("good", "São 11 jogadores por time, contando com o goleiro."),
            ("number changed", "São 12 jogadores por time, contando com o goleiro."),
            ("refusal", "Lamento, mas não me é possível fornecer esse tipo de informação."),
            ("other language", "Each team has 11 players on the field, including the goalkeeper."),
        ),
        (
            (
                "en",
                "good",
                "How many players does a football team have on the field?",
                "Each team has eleven players on the field, including the goalkeeper.",
            ),
            (
                "en",
                "number changed",
                "How many players does a football team have on the field?",
                "Each team has seven players on the field, including the goalkeeper.",
            ),
        ),
    ),
    Row(
        "pt",
        "Explique o que é inflação em poucas palavras.",
        "Inflação é o aumento geral dos preços, que faz o dinheiro comprar menos com o passar do tempo.",
        (
            ("good", "Em resumo, o que significa inflação?"),
            ("preface", "Aqui está a pergunta reescrita: Em resumo, o que significa inflação?"),
        ),
        (
            ("good", "É quando os preços sobem de forma generalizada e o mesmo dinheiro compra menos coisas."),
            ("cut", "É quando os preços sobem de forma generalizada e o mesmo dinheiro compra menos coisas do que"),
            ("other row", "O violão tem seis cordas e costuma ser afinado de mi a mi; comece pelas mais graves."),
            (
                "part in another language",
                "É quando os preços sobem. The same amount of money buys fewer things than it did a year before, so people lose purchasing power. Isso é a inflação.",
            ),
            (
                "leaked instruction",
                "É o aumento geral dos preços. Observação: respondi com minhas próprias palavras e mantive os fatos da referência.",
            ),
        ),
        (
            (
                "ru",
                "good",
                "Объясните в нескольких словах, что такое инфляция.",
                "Инфляция — это общий рост цен, из-за которого на те же деньги со временем можно купить меньше.",
            ),
            (
                "ru",
                "other language",
                "Объясните в нескольких словах, что такое инфляция.",
                "Inflação é o aumento geral dos preços, que faz o dinheiro comprar menos com o passar do tempo.",
            ),
        ),
    ),
    Row(
        "pt",
        "Uma caixa tem 24 latas. Quantas latas há em 5 caixas?",
        "São 24 × 5 = 120 latas.",
        (
            ("good", "Se cada caixa contém 24 latas, quantas latas existem em 5 caixas?"),
            ("number dropped", "Se cada caixa contém 24 latas, quantas latas existem em todas as caixas?"),
        ),
        (
            ("good", "Multiplicando 24 por 5, temos 120 latas."),
            ("final answer", "Multiplicando 24 por 5, temos 130 latas."),
            ("template token", "Multiplicando 24 por 5, temos 120 latas.<end_of_turn>\n<start_of_turn>user"),
        ),
        (
            ("es", "good", "Una caja tiene 24 latas. ¿Cuántas latas hay en 5 cajas?", "Son 24 × 5 = 120 latas."),
            (
                "es",
                "final answer",
                "Una caja tiene 24 latas. ¿Cuántas latas hay en 5 cajas?",
                "Son 24 × 5 = 125 latas.",
            ),
        ),
    ),
    Row(
        "pt",
        "Em que século foi construída a Torre de Belém?",
        "A Torre de Belém foi construída no século XVI.",
        (("good", "A Torre de Belém data de qual século?"),),
        (
            ("good short", "Foi erguida no século XVI, à beira do Tejo."),
            ("number changed", "Foi erguida no século XIX, à beira do Tejo."),
            (
                "thinking",
                "O usuário pergunta sobre a Torre de Belém. Preciso lembrar: foi no século XVI. Vou responder de forma direta. Foi no século XVI.",
            ),
        ),
        (
            ("en", "good", "In which century was the Belém Tower built?", "The Belém Tower was built in the 1500s."),
            (
                "en",
                "number changed",
                "In which century was the Belém Tower built?",
                "The Belém Tower was built in the 18th century.",
            ),
        ),
    ),
    Row(
        "pt",
        "Por que devemos beber água?",
        "O corpo precisa de água para regular a temperatura, transportar nutrientes e eliminar resíduos.",
        (("good", "Qual é a importância de beber água?"),),
        (
            (
                "good",
                "Sem água o organismo não consegue levar nutrientes às células, controlar a temperatura nem eliminar o que não precisa.",
            ),
            ("noise", "Gfhj ksld mnvb qpwo eiru tyzx, clkj dhfg sauy trew. Bvnm qazx swed cvfr."),
            ("refusal", "Como modelo de linguagem, não tenho permissão para dar esse tipo de orientação."),
            (
                "loop",
                "Devemos beber água porque faz bem, porque faz bem, porque faz bem, porque faz bem, porque faz bem, porque faz bem, porque faz bem, porque faz bem, porque faz bem.",
            ),
        ),
    ),
    # right answers that may look wrong
    Row(
        "en",
        "What should I say when a colleague asks me to lend him money and I do not want to?",
        "Be kind and short: \"I'm sorry, I can't lend you money, but I hope things get better soon.\"",
        (
            ("good", "A co-worker wants to borrow money from me and I would rather not. Which words should I use?"),
            ("good", "How do I tell a colleague that I will not lend him money?"),
        ),
        (
            (
                "good negative",
                'Say it in a friendly way and without long reasons: "Sorry, I can\'t help with money, but I wish you luck."',
            ),
            (
                "good negative",
                'I would keep it brief. "I\'m not able to lend money to people at work, I hope you understand."',
            ),
        ),
        (
            (
                "de",
                "good negative",
                "Was soll ich sagen, wenn ein Kollege mich um Geld bittet und ich nicht will?",
                "Sei freundlich und kurz: „Tut mir leid, ich kann dir kein Geld leihen, aber ich hoffe, dass es bald besser wird.“",
            ),
            (
                "zh",
                "good negative",
                "同事向我借钱，而我不想借，我该怎么说？",
                "态度友善，话要简短：“对不起，我不能借钱给你，但希望你的情况很快好转。”",
            ),
        ),
    ),
    Row(
        "en",
        "List the first five prime numbers.",
        "2, 3, 5, 7, 11",
        (("good", "What are the first five primes?"), ("good", "Name the five smallest prime numbers.")),
        (("good short", "2, 3, 5, 7 and 11"), ("good", "The first five primes are 2, 3, 5, 7, and 11.")),
        (("fr", "good short", "Donne les cinq premiers nombres premiers.", "2, 3, 5, 7, 11"),),
    ),
    Row(
        "de",
        "Nenne ein Synonym für „schnell“.",
        "flink",
        (("good", "Welches andere Wort bedeutet dasselbe wie „schnell“?"),),
        (("good short", "rasch"), ("good short", "Zum Beispiel: flink.")),
    ),
    Row(
        "fr",
        "Quel jour vient après mardi ?",
        "Mercredi.",
        (("good", "Le lendemain de mardi, quel jour est-ce ?"),),
        (("good short", "C'est mercredi."),),
        (
            ("en", "good short", "Which day comes after Tuesday?", "Wednesday."),
            ("ja", "good short", "火曜日の次は何曜日ですか。", "水曜日です。"),
        ),
    ),
    Row(
        "zh",
        "请用英文写出“谢谢”。",
        "Thank you.",
        (("good", "“谢谢”用英文怎么写？"),),
        (("good other words", "Thank you."), ("good other words", "英文是“Thank you”。")),
    ),
    Row(
        "ja",
        "「ありがとう」をドイツ語で何と言いますか。",
        "ドイツ語では「Danke」と言います。",
        (("good", "ドイツ語で「ありがとう」は何と言うのでしょうか。"),),
        (("good other words", "「Danke」です。"),),
    ),
    Row(
        "pt",
        "Escreva um haicai sobre o mar.",
        "Ondas vêm e vão,\na areia guarda o silêncio\ndo dia que passa.",
        (("good", "Componha um haicai que fale do mar."),),
        (
            ("good", "Vento sobre o mar,\numa gaivota descansa\nno fim da tarde."),
            ("good", "Mar de madrugada:\na espuma escreve na areia\no que a lua diz."),
        ),
    ),
)
