"""The prompts and strings of make_golden.py."""

LOGITS_PROMPT = ("Il était une fois, dans une petite ville de province, une jeune fille qui regardait par la fenêtre. "
                 "The old man looked at her and said that the night was coming.")

# More than are kept: make_golden.py takes the first ten of each language that stay clear of ties.
GREEDY_PROMPTS = {
    'fr': [
        'Il était une fois', 'La jeune fille regarda', 'Le vieux comte se leva et', "C'était par une belle matinée de printemps",
        'Les soldats marchaient depuis', "Monsieur, lui dit-il d'une voix", 'La marquise tenait à la main', 'Au fond de la forêt',
        "Le lendemain, vers dix heures du matin,", 'Elle ne répondit pas, mais', 'Le curé du village', "L'enfant se mit à pleurer",
        'Dans le salon, on entendait', 'Paris, à cette époque,', "Le capitaine donna l'ordre", 'Mon père était un homme',
        "Au bout d'un instant, la porte", 'Le roi avait', 'Jamais il ne', 'La mer était calme et', 'Je vous aime, dit-elle',
        'Quand la nuit fut venue', "Il y avait dans cette maison", 'Le docteur entra', 'La vieille femme', "Tout à coup,",
        'Pendant ce temps, le baron', 'Les yeux de la comtesse', "Vers le soir, les deux voyageurs", "Ah ! s'écria",
    ],
    'en': [
        'Once upon a time', 'The young lady looked at', 'It was a dark and stormy night', 'My dear sir, said the',
        'The old house stood', 'She did not answer, but', 'The captain of the ship', 'In the month of June',
        'There was a knock at the door', 'The children were playing', 'London, at that time,', 'I was born in the year',
        'The doctor shook his head', '"What do you mean?" asked', 'His father had been', 'The squire and his wife',
        'Never in all her life', 'When the morning came', 'The letter was written', 'A servant entered with', 'The king was',
        'He took her hand', 'The sea was', 'At the end of the street', 'Miss Mary was', 'The soldiers', 'Upon my word',
        'The two gentlemen', 'As the evening', 'By the fire',
    ],
}

TOKENIZER_STRINGS = [
    # Plain text and space.
    '', ' ', '  ', '   leading', 'trailing   ', '\n', '\r\n', '\t\ttabs\tbetween', 'a  b   c    d', ' \n \n ', 'no\u00a0break\u202fspaces\u2009thin', '\u3000ideographic\u3000space',
    'Hello, world!', 'Il était une fois une jeune fille.', 'It was the best of times, it was the worst of times.',
    # Apostrophes and contractions, straight and curly.
    "I'm you're he's we'll they've I'd don't", "I\u2019m you\u2019re he\u2019s we\u2019ll they\u2019ve I\u2019d don\u2019t", "I'M YOU'RE HE'S", "l'été d'aujourd'hui qu'elle s'en aille", "'s 't 're ''", '\u00ab Ah ! \u00bb dit-il\u2026 \u2014 Non ?',
    # Accents, composed and decomposed; ligatures, case.
    'éèêëàâäùûüôöîïçœæ ÉÈÊËÀÂÄÙÛÜÔÖÎÏÇŒÆ', 'e\u0301e\u0300c\u0327 decomposed', 'ﬁn ﬂeur œuvre', 'STRASSE Straße ẞ', 'İstanbul ıssız', 'Ångström ﬀ Å Å',
    # Digits and signs.
    '1234567890', '3.14159 1,000,000 1e-5 0x1F', '½ ² ³ ① Ⅳ ٣٤٥ १२३', '€ £ ¥ © ® ™ § ¶ † ‡', '!@#$%^&*()_+-=[]{}|;:,.<>/?`~\\"',
    'x=y+z', '----====____****', '...!!!???',
    # Emoji: single, modifiers, joined, flags, keycaps, variation selectors.
    '😀', '👍🏽', '👨‍👩‍👧‍👦 family', '🇫🇷🇬🇧', '1️⃣ ☎️ ❤️', 'text😀text 😀 text', '🏴󠁧󠁢󠁳󠁣󠁴󠁿',
    # Other scripts.
    '漢字かなカナ', '你好，世界！', '안녕하세요 세계', 'Привет, мир', 'Γειά σου Κόσμε', 'नमस्ते दुनिया', 'สวัสดีชาวโลก', '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝒎𝒂𝒕𝒉', '𐍈𠜎',
    # Right to left, marks, directions.
    'שלום עולם', 'مرحبا بالعالم', 'שָׁלוֹם \u200fmixed\u200e abc', '\u202eoverride\u202c', 'السَّلَامُ',
    # Invisible and control characters.
    'a\u0000b', '\u0000', '\u0001\u0002\u001f\u007f', 'zero\u200bwidth\u200djoiner\ufeffbom', '\ufeffstart', 'line\u2028separator\u2029paragraph', '\u0085next\u000bvertical\u000cfeed', '\u001c\u001d\u001e separators', '\ufffd \ufffe \U0010ffff',
    # Code and markup.
    'def f(x):\n    return x ** 2\n', 'const f = (x) => { return `${x}` ?? null; };\n', '<html><body class="a">&amp;</body></html>', 'SELECT * FROM t WHERE a = \'b\';', 'https://example.org/a?b=c&d=%20#e', '{"key": [1, 2.5, null, true]}', '\\n \\t \\u0041', '# Title\n\n- item\n  - nested\n\n```sh\nls -la\n```\n',
    # Special tokens as text.
    '<s>', '</s>', '<s>Il était</s>', 'a<s>b </s> c', '<|doc|>', '<s', '< s >', '<s><s>', '<unk> <pad> [INST] x [/INST]',
    # Long.
    'a' * 300, ' ' * 100, 'anticonstitutionnellement' * 12, 'The quick brown fox jumps over the lazy dog. ' * 20, 'é' * 120, '😀' * 40, '\n' * 50, ('word ' * 50).strip(),
    'La marquise sortit à cinq heures ; il pleuvait. ' * 10,
]
