"""The fonts of printed reports, put into every file: Bitstream Vera, and Noto Sans for letters that Vera lacks."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import groupby

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD, WIDER = "Vera", "VeraBd", "NotoSans"
NOTO = files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
#: Stands for a character that no font here can draw, such as those of Chinese.
MISSING = "?"

rl_config.warnOnMissingFontGlyphs = False


@cache
def drawable() -> dict[str, frozenset[int]]:
    """Code points that each font can draw; asking makes the fonts known to the PDF library."""
    fonts = [TTFont(PLAIN, "Vera.ttf"), TTFont(BOLD, "VeraBd.ttf"), TTFont(WIDER, str(NOTO))]
    for font in fonts:
        name = font.fontName
        pdfmetrics.registerFont(font)
        pdfmetrics.registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)
    return {font.fontName: frozenset(font.face.charToGlyph) for font in fonts}


def runs(text: str) -> list[tuple[bool, str]]:
    """The text in runs of one font: whether it needs the wider one, and the run with what no font has replaced."""
    known = drawable()

    def needs_wider(character: str) -> bool:
        return not character.isspace() and ord(character) not in known[PLAIN] and ord(character) in known[WIDER]

    return [
        (wider, "".join(one if wider or one.isspace() or ord(one) in known[PLAIN] else MISSING for one in run))
        for wider, run in groupby(text, needs_wider)
    ]


def printable(text: str) -> str:
    """The text as it can be drawn."""
    return "".join(run for _, run in runs(text))


def font_for(text: str) -> str:
    """The font for a text that is drawn in one piece."""
    return WIDER if any(wider for wider, _ in runs(text)) else PLAIN
