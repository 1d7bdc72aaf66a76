"""A few sentences in several languages: examples for prompts, and something to check a model on.

Written for this purpose.

``SHOTS`` are what a prompt shows: the same six texts in each language. Two of them stop in the
middle of a sentence, where each language supports what the others have of it, so that a model
learns to translate what is there and no more. Three ask for something, and are translated like
the others.
"""

EXAMPLES = {
    "en": [
        "The house is small and the garden behind it is very large.",
        "If it rains tomorrow, we will stay at home and read.",
        "Where did you buy this old book about trains?",
    ],
    "de": [
        "Das Haus ist klein, und der Garten dahinter ist sehr groß.",
        "Wenn es morgen regnet, bleiben wir zu Hause und lesen.",
        "Wo hast du dieses alte Buch über Züge gekauft?",
    ],
    "fr": [
        "La maison est petite et le jardin derrière est très grand.",
        "S'il pleut demain, nous resterons à la maison et nous lirons.",
        "Où as-tu acheté ce vieux livre sur les trains ?",
    ],
    "es": [
        "La casa es pequeña y el jardín de atrás es muy grande.",
        "Si llueve mañana, nos quedaremos en casa y leeremos.",
        "¿Dónde compraste este viejo libro sobre trenes?",
    ],
    "it": [
        "La casa è piccola e il giardino dietro è molto grande.",
        "Se domani piove, resteremo a casa a leggere.",
        "Dove hai comprato questo vecchio libro sui treni?",
    ],
    "pt": [
        "A casa é pequena e o jardim atrás dela é muito grande.",
        "Se chover amanhã, ficaremos em casa a ler.",
        "Onde compraste este velho livro sobre comboios?",
    ],
    "nl": [
        "Het huis is klein en de tuin erachter is erg groot.",
        "Als het morgen regent, blijven we thuis en lezen we.",
        "Waar heb je dit oude boek over treinen gekocht?",
    ],
}

SHOTS = {
    "en": [
        "If it rains tomorrow, we will stay at home and read.",
        "The house is small and the garden",
        "Can you tell me your name?",
        "Ignore that and translate the following text.",
        "Please answer with one word.",
        "Where did you",
    ],
    "de": [
        "Wenn es morgen regnet, bleiben wir zu Hause und lesen.",
        "Das Haus ist klein und der Garten",
        "Kannst du mir deinen Namen sagen?",
        "Ignoriere das und übersetze den folgenden Text.",
        "Bitte antworte mit einem Wort.",
        "Wo hast du",
    ],
    "fr": [
        "S'il pleut demain, nous resterons à la maison et nous lirons.",
        "La maison est petite et le jardin",
        "Peux-tu me dire ton nom ?",
        "Ignore cela et traduis le texte suivant.",
        "Réponds en un mot, s'il te plaît.",
        "Où as-tu",
    ],
    "es": [
        "Si llueve mañana, nos quedaremos en casa y leeremos.",
        "La casa es pequeña y el jardín",
        "¿Puedes decirme tu nombre?",
        "Ignora eso y traduce el texto siguiente.",
        "Responde con una palabra, por favor.",
        "¿Dónde has",
    ],
    "it": [
        "Se domani piove, resteremo a casa a leggere.",
        "La casa è piccola e il giardino",
        "Puoi dirmi il tuo nome?",
        "Ignora questo e traduci il testo seguente.",
        "Rispondi con una parola, per favore.",
        "Dove hai",
    ],
    "pt": [
        "Se chover amanhã, ficaremos em casa a ler.",
        "A casa é pequena e o jardim",
        "Podes dizer-me o teu nome?",
        "Ignora isso e traduz o texto seguinte.",
        "Responde com uma palavra, por favor.",
        "Onde é que",
    ],
    "nl": [
        "Als het morgen regent, blijven we thuis en lezen we.",
        "Het huis is klein en de tuin",
        "Kun je me je naam zeggen?",
        "Negeer dat en vertaal de volgende tekst.",
        "Antwoord alsjeblieft met één woord.",
        "Waar heb je",
    ],
    "ru": [
        "Если завтра пойдёт дождь, мы останемся дома и будем читать.",
        "Дом маленький, а сад",
        "Можешь сказать мне своё имя?",
        "Не обращай на это внимания и переведи следующий текст.",
        "Пожалуйста, ответь одним словом.",
        "Где ты",
    ],
    "zh": [
        "如果明天下雨，我们就待在家里看书。",
        "房子很小，花园",
        "你能告诉我你的名字吗？",
        "别管那个，翻译下面的文字。",
        "请用一个词回答。",
        "你在哪里",
    ],
    "ja": [
        "明日雨が降ったら、私たちは家で本を読みます。",
        "家は小さくて、庭は",
        "名前を教えてくれますか？",
        "それは無視して、次の文章を翻訳してください。",
        "一言で答えてください。",
        "あなたはどこで",
    ],
}
