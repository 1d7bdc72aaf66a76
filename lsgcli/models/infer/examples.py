"""A few sentences in several languages: examples for prompts, and something to check a model on.

Written for this purpose.
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
