"""Names of Europe in the encodings of Windows and old Macs: none is doubted read right, nearly all are read wrong."""

import random

import pytest

from lifecycle.feed.decoding import codec_of
from lifecycle.feed.misread import doubted, oddities

NAMES = """
Jörg Müller|Jürgen Groß|Käthe Schäfer|Günther Weiß|Björn Köhler|Änne Özil|Übel Öhler|Größe Straße|Anja Hüls|Dörte
Jäger|Rüdiger Hoß|Björk Ströbel|Ümit Yıl

José García|María Núñez|Raúl Ibáñez|Ángel Muñoz|Íñigo Peña|Begoña López|Óscar Martínez|Úrsula Gómez|Andrés
Rodríguez|Mónica Álvarez|Iñaki Sánchez|Sofía Jiménez|Julián Ramírez|Lucía Fernández|Martín Pérez|Víctor Hernández|Mª
José Díaz|Adrián Güell|Concepción Argüelles|Jesús Ávila|Nicolás Piñeiro

João Gonçalves|Conceição Araújo|Simão Guimarães|António Magalhães|Inês Simões|Luís Brandão|Álvaro Leitão|Mário
Antunes|Márcia Tomé|Estevão Frazão|Sérgio Patrício|Ângela Conceição|Émerson Luís|Zélia Falcão|Fátima Brás|Cláudia
Calçada

François Lefèvre|Zoë Béranger|Hélène Crête|Benoît Lemaître|Noël Gérôme|Anaïs Rüegg|Émilie Dupré|Étienne Châtelain|Loïc
Hénaff|Maëlle Guérin|Françoise Cœur|Jérôme Bœuf|Gaëlle Prévôt|Renée Côté|Cédric Géraud|Aurélie Bézier|Agnès
Lacôte|Raphaël Müntz|Célia Forêt|Solène Gâtine|Théo Aïssa|D’Hérouville Éloi|O’Brien Zoé|Ève Brûlé|Åke L’Hôte

Søren Kjær|Åsa Öberg|Bjørn Ødegård|Håkan Sjögren|Pär Göransson|Kåre Bråthen|Jørgen Grønbæk|Ærø Sælen|Øyvind
Hågensen|Märta Åström|Linnéa Lindström|Torbjørn Vågen|Aðalsteinn Þórsson|Sigríður Jónsdóttir|Þóra Ægisdóttir|Guðrún
Ýr|Ólafur Arnórsson|Björgólfur Hjálmarsson|Väinö Hämäläinen|Päivi Mäkelä|Jyrki Räikkönen|Äijö Yrjölä|Sébastien
Ångström|Öznur Øre|Bård Fjær|Frøya Sørlie

Niccolò Pèrez|Mosè D’Alò|Nicolò Cantù|Noè Forlì|Giosuè Bernabò|Libertà Pagò|Zoë van der Meër|Daniël Coenraad|Loïs
Geürts|Ilse Müßig|Renée Thoë|Chloë Breukelaär

Jõgi Rääk|Tõnu Õunapuu|Ülle Kõiv|Jüri Mäesalu|Maarja Põder|Kristjan Järvi

Dušan Šarić|Tomáš Novák|Žiga Košir|Lukáš Tóth|Jiří Šimánek|Božena Žižková|Štefan Máté|Miloš Kováč|Šárka Veselá|Aleš
Ždanov|Zoltán Bánffy|Kovács Éva|Ödön Fülöp|Győző Nagy|Ágnes Szűcs|Béla Tóth|Gáspár Ürményi|Csaba
Hódmezővásárhely|Márton Íjász

Seán Ó Súilleabháin|Máire Ní Bhriain|Caoimhín Ó Raghallaigh|Bríd Mac Gabhann|Siân Gwynedd|Dafydd Tŷ|Niamh Uí
Chonaill|Éamon de Búrca

Elliott Van‑Dyck|Anne–Marie Sjöö|Paul·la Güell|Jean‑Noël Hémon|Gül Çelik|Çağla Öztürk|Özgür Ünal|İbrahim Gökçe|Türkan
Şen|Çetin Güneş|Hüseyin Doğan|Ömer Çakır
"""
"""Parted by bars; a block for those who would be in one file."""
TEXTS = (
    "Développeur·euse H/F", "Anne–Marie Sjöö", "O’Neil, D´Angelo", "Straße 5½, 10 €/h, 120 m²", "Müller® und Söhne™",
    "n°5, Mª José, 1º", "„Zitat“ und «Çà et là»", "¿Qué? ¡Olé!", "Support—Tier 1: Käufer…", "©2026 Grün†, ±5 µm",
    "Großmann GROßMANN Weiß", "Chargé d’études—cœur", "Crème brûlée 5×3",
)  # fmt: skip
FAMILIES = ("windows-1252", "mac-roman")


def files() -> list[list[str]]:
    """Names of people who would be in one file, as they are and in capitals."""
    blocks = [block.replace("\n", " ").split("|") for block in NAMES.strip().split("\n\n")]
    return [*blocks, *([name.upper() for name in block if "ß" not in name and "ı" not in name] for block in blocks)]


def written(texts: list[str], encoding: str) -> list[bytes]:
    """Those of *texts* that have accents, all of which the encoding knows."""
    known = []
    for text in texts:
        try:
            known.append(text.encode(codec_of(encoding)))
        except UnicodeEncodeError:
            continue
    return [octets for octets in known if not octets.isascii()]


def readings(octets: bytes) -> dict[str, str]:
    """What could be read, as a first look finds it."""
    found = {}
    for encoding in (*FAMILIES, "iso-8859-1"):
        try:
            found[encoding] = octets.decode(codec_of(encoding))
        except UnicodeDecodeError:
            continue
    return found


def is_asked(octets: bytes, encoding: str) -> bool:
    """Whether a file of a profile with *encoding* would be asked about."""
    found = readings(octets)
    return encoding not in found or encoding in doubted(found)


@pytest.mark.parametrize("right", FAMILIES)
def test_what_is_read_right_is_never_doubted(right: str) -> None:
    alone = [octets for texts in (*files(), list(TEXTS)) for octets in written(texts, right)]
    assert len(alone) > 250
    assert [octets.decode(codec_of(right)) for octets in alone if is_asked(octets, right)] == []
    assert not is_asked(b"\n".join(alone), right)


@pytest.mark.parametrize(("right", "wrong"), [FAMILIES, FAMILIES[::-1]])
def test_what_is_read_wrong_is_nearly_always_doubted(right: str, wrong: str) -> None:
    chance, made, missed = random.Random(26), 0, 0
    for texts in files():
        known = written(texts, right)
        for _ in range(100):
            made += 1
            missed += not is_asked(b"\n".join(chance.sample(known, min(8, len(known)))), wrong)
    assert made == 2000
    assert missed / made < 0.01


def test_a_stray_oddity_in_a_file_that_is_right_is_not_doubted() -> None:
    names = "Aodhán MacÉoin\nZoë Müller\nJosé García\n"
    assert oddities(names) == 1
    assert doubted(readings(names.encode("cp1252"))) == {"mac-roman"}


def test_nothing_is_doubted_where_nothing_tells() -> None:
    assert doubted({}) == doubted(readings(b"Zoe")) == frozenset()
    assert not is_asked("Jörg".encode("mac_roman"), "windows-1252"), "Jšrg might be a name"
