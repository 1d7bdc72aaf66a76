"""Languages: their codes, their names, what NLLB calls them, and what users do."""

import re

# code: (name, NLLB's code)
LANGUAGES = {
    "am": ("Amharic", "amh_Ethi"),
    "ar": ("Arabic", "arb_Arab"),
    "bg": ("Bulgarian", "bul_Cyrl"),
    "bn": ("Bengali", "ben_Beng"),
    "ca": ("Catalan", "cat_Latn"),
    "cs": ("Czech", "ces_Latn"),
    "da": ("Danish", "dan_Latn"),
    "de": ("German", "deu_Latn"),
    "el": ("Greek", "ell_Grek"),
    "en": ("English", "eng_Latn"),
    "es": ("Spanish", "spa_Latn"),
    "et": ("Estonian", "est_Latn"),
    "fa": ("Persian", "pes_Arab"),
    "fi": ("Finnish", "fin_Latn"),
    "fr": ("French", "fra_Latn"),
    "he": ("Hebrew", "heb_Hebr"),
    "hi": ("Hindi", "hin_Deva"),
    "hr": ("Croatian", "hrv_Latn"),
    "hu": ("Hungarian", "hun_Latn"),
    "hy": ("Armenian", "hye_Armn"),
    "id": ("Indonesian", "ind_Latn"),
    "it": ("Italian", "ita_Latn"),
    "ja": ("Japanese", "jpn_Jpan"),
    "ka": ("Georgian", "kat_Geor"),
    "km": ("Khmer", "khm_Khmr"),
    "ko": ("Korean", "kor_Hang"),
    "lo": ("Lao", "lao_Laoo"),
    "lt": ("Lithuanian", "lit_Latn"),
    "lv": ("Latvian", "lvs_Latn"),
    "mr": ("Marathi", "mar_Deva"),
    "my": ("Burmese", "mya_Mymr"),
    "nl": ("Dutch", "nld_Latn"),
    "no": ("Norwegian", "nob_Latn"),
    "pl": ("Polish", "pol_Latn"),
    "pt": ("Portuguese", "por_Latn"),
    "ro": ("Romanian", "ron_Latn"),
    "ru": ("Russian", "rus_Cyrl"),
    "sk": ("Slovak", "slk_Latn"),
    "sl": ("Slovenian", "slv_Latn"),
    "sr": ("Serbian", "srp_Cyrl"),
    "sv": ("Swedish", "swe_Latn"),
    "sw": ("Swahili", "swh_Latn"),
    "ta": ("Tamil", "tam_Taml"),
    "te": ("Telugu", "tel_Telu"),
    "th": ("Thai", "tha_Thai"),
    "tr": ("Turkish", "tur_Latn"),
    "uk": ("Ukrainian", "ukr_Cyrl"),
    "ur": ("Urdu", "urd_Arab"),
    "vi": ("Vietnamese", "vie_Latn"),
    "yue": ("Cantonese", "yue_Hant"),
    "zh": ("Chinese", "zho_Hans"),
}
NAMES = {code: name for code, (name, _) in LANGUAGES.items()}
NLLB = {code: nllb for code, (_, nllb) in LANGUAGES.items()}
# Written without spaces between words; JOINED also between sentences.
UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my"})
JOINED = frozenset({"zh", "yue", "ja"})
OWN_NAMES = {
    "العربية": "ar",
    "български": "bg",
    "čeština": "cs",
    "dansk": "da",
    "deutsch": "de",
    "ελληνικά": "el",
    "español": "es",
    "castellano": "es",
    "suomi": "fi",
    "français": "fr",
    "francais": "fr",
    "espanol": "es",
    "हिन्दी": "hi",
    "magyar": "hu",
    "italiano": "it",
    "日本語": "ja",
    "한국어": "ko",
    "nederlands": "nl",
    "norsk": "no",
    "polski": "pl",
    "português": "pt",
    "română": "ro",
    "русский": "ru",
    "svenska": "sv",
    "türkçe": "tr",
    "українська": "uk",
    "中文": "zh",
}
# ISO 639-2 where it does not begin as NLLB's codes do.
OTHER_CODES = {
    "ger": "de",
    "fre": "fr",
    "gre": "el",
    "dut": "nl",
    "cze": "cs",
    "rum": "ro",
    "slo": "sk",
    "chi": "zh",
    "per": "fa",
    "fas": "fa",
    "ara": "ar",
    "nb": "no",
    "nn": "no",
    "nor": "no",
    "lav": "lv",
    "swa": "sw",
    "iw": "he",
}
_BY_NAME = (
    {name.casefold(): code for code, name in NAMES.items()}
    | {nllb[:3]: code for code, nllb in NLLB.items()}
    | OWN_NAMES
    | OTHER_CODES
)


def latin(language: str) -> bool:
    """Whether a language is written in Latin letters, as far as is known.

    >>> [latin(each) for each in ("de", "hi", "zh", "xx")]
    [True, False, False, True]
    """
    return NLLB.get(language, "_Latn").endswith("_Latn")


def code(text: str) -> str:
    """The code of a language that is given by its code, a locale, or its name; else the text.

    >>> [code(text) for text in ("DE", "de_DE.UTF-8", "pt-BR", "german", "Deutsch", "ger", "xx")]
    ['de', 'de', 'pt', 'de', 'de', 'de', 'xx']
    """
    first = re.split(r"[-_.@]", text.strip(), maxsplit=1)[0].casefold()
    found = _BY_NAME.get(first, first)
    return found if re.fullmatch(r"[a-z]{2,3}", found) else text
