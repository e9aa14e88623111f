"""The fonts of printed reports, put into every file: Bitstream Vera, and Noto Sans for what Vera lacks.

Writing that must be joined, reordered or set from right to left (Arabic, Hebrew, the scripts of India) would come out
wrong without a shaping engine; it is named instead, and the report's page has it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import groupby

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD, WIDER = "Vera", "VeraBd", "NotoSans"
_LETTERS = files("manimgx_fonts")
_EAST_ASIA = files("justmytype_intl_cjk") / "fonts" / "ofl"
_FILES: dict[str, Traversable | str] = {
    PLAIN: "Vera.ttf",
    BOLD: "VeraBd.ttf",
    WIDER: files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf",
    **{name: _LETTERS / f"{name}[wght].ttf" for name in ("NotoSansSymbols", "NotoEmoji")},
    "NotoSansSC": _EAST_ASIA / "notosanssc" / "NotoSansSC[wght].ttf",
    "NotoSansKR": _EAST_ASIA / "notosanskr" / "NotoSansKR[wght].ttf",
}
#: Fonts of one script, by the first word of the names of its characters.
_SCRIPTS = {"HANGUL": "NotoSansKR"}
for _script in ("Armenian", "Ethiopic", "Georgian", "Lao", "Thai"):
    _SCRIPTS[_script.upper()] = f"NotoSans{_script}"
    _FILES[f"NotoSans{_script}"] = _LETTERS / f"NotoSans{_script}[wght].ttf"
#: What is tried for everything else, in this order.
_OTHERS = (PLAIN, WIDER, "NotoSansSC", "NotoSansSymbols", "NotoEmoji")

#: Scripts whose letters are joined or reordered: some of them are in the fonts, but set one by one they mean nothing.
_SHAPED = frozenset({"ARABIC", "BENGALI", "DEVANAGARI", "HEBREW", "KHMER", "MYANMAR", "TAMIL", "TELUGU"})
#: Stands for a character in a text of one font when another font is needed for it.
MISSING = "?"

rl_config.warnOnMissingFontGlyphs = False


@cache
def drawable(font: str) -> frozenset[int]:
    """Code points that a font can draw; asking makes the font known to the PDF library, so each is read when needed."""
    read = TTFont(font, str(_FILES[font]))
    pdfmetrics.registerFont(read)
    pdfmetrics.registerFontFamily(font, normal=font, bold=font, italic=font, boldItalic=font)
    return frozenset(read.face.charToGlyph)


@cache
def font_of(character: str) -> str | None:
    """The font that draws a character; None where none here does."""
    if character.isspace():
        return PLAIN
    script = unicodedata.name(character, "").partition(" ")[0]
    if script in _SHAPED:
        return None
    for font in (_SCRIPTS[script],) if script in _SCRIPTS else _OTHERS:
        if ord(character) in drawable(font):
            return font
    return None


def runs(text: str) -> list[tuple[str, str]]:
    """The text in runs of one font each; what no font draws stands there by the name of its script, as [Arabic]."""
    if not _strange(text):
        return [(font or PLAIN, "".join(run)) for font, run in groupby(_seen(text), font_of)]
    said = "".join(
        "".join(run) if font else f"[{'/'.join(left_out(run))}]" for font, run in groupby(_seen(text), font_of)
    )
    return runs(re.sub(r"(\[[\w/]+\])(\s+\1)+", r"\1", said))


def left_out(texts: Iterable[str]) -> list[str]:
    """Names of the scripts in `texts` that no font here draws, in alphabetical order."""
    names = {unicodedata.name(one, "unknown").partition(" ")[0].partition("-")[0] for one in _strange("".join(texts))}
    return sorted(name if name == "CJK" else name.capitalize() for name in names)


def printable(text: str) -> str:
    """The text as it can be drawn."""
    return "".join(run for _, run in runs(text))


def in_one_font(text: str) -> tuple[str, str]:
    """A font for a text that is drawn in one piece, and the text with what that font lacks taken out."""
    shown = printable(text)

    def drawn(font: str) -> str:
        return "".join(one if one.isspace() or ord(one) in drawable(font) else MISSING for one in shown)

    fonts = dict.fromkeys([PLAIN, *(font for font, _ in runs(text))])
    best = min(fonts, key=lambda font: drawn(font).count(MISSING))
    return best, drawn(best)


def _strange(text: str) -> set[str]:
    return {one for one in set(_seen(text)) if font_of(one) is None}


def _seen(text: str) -> str:
    """The text without what is never seen: signs that only steer how their neighbours are joined or coloured."""
    return "".join(one for one in text if unicodedata.category(one) != "Cf" and not "\ufe00" <= one <= "\ufe0f")
