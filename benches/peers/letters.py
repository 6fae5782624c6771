"""Makes letters of invented people, a PDF each, with the programs that senders use.

    letters.py mixed FOLDER N         1 to 4 pages each, by six producers, some rewritten by qpdf
    letters.py one-sender FOLDER N    1 to 3 pages each, by one, with the same logo and font subset

The same N gives the same letters, but for what producers put in of their own (dates, ids). An
address stands in the window of each, nothing in the margins: all of them can be printed.
"""

import io
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path

FONT = "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf"
FAMILY = "Liberation Sans"
MM = 72 / 25.4
LINES_A_PAGE = 34
WORDS = (
    "päätös asia hakemus maksu eräpäivä palvelu kunta viranomainen muutoksenhaku liite ohje osoite "
    "kokous lautakunta esitys lasku summa viite tieto rekisteri käsittely vastaus selvitys määräaika"
).split()


@dataclass
class Letter:
    """What every producer sets in its own way."""

    number: int
    address: list[str]
    pages: list[list[str]]


def letter(number: int, most_pages: int) -> Letter:
    chance = random.Random(number)

    def line() -> str:
        return " ".join(chance.choices(WORDS, k=10)).capitalize() + "."

    address = [
        f"{chance.choice(['Maija', 'Matti', 'Aino', 'Eero'])} Mallikas",
        f"Mallikatu {chance.randint(1, 99)} A {chance.randint(1, 60)}",
        f"{chance.choice(['00100', '20100', '33100', '90100'])} MALLILA",
    ]
    count = chance.randint(1, most_pages)
    pages = [[line() for _ in range(chance.randint(12, LINES_A_PAGE))] for _ in range(count)]
    return Letter(number, address, pages)


def logo() -> bytes:
    """A JPEG that compresses as badly as a photograph does."""
    from PIL import Image, ImageFilter

    noise = Image.effect_noise((420, 160), 90).filter(ImageFilter.GaussianBlur(1))
    noise = Image.merge("RGB", [noise, noise.rotate(180), noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=90)
    return out.getvalue()


def place(page: int, letter: Letter):
    """Where each line of a page stands: millimetres from the left and from the top, and the text."""
    if page == 0:
        for row, text in enumerate(letter.address):
            yield 24, 62 + 6 * row, text
    top = 100 if page == 0 else 30
    for row, text in enumerate(letter.pages[page]):
        yield 21, top + 5 * row, text


def by_reportlab(letter: Letter, path: Path, logo: Path, characters: str = "") -> None:
    from reportlab.pdfbase import pdfmetrics, ttfonts
    from reportlab.pdfgen.canvas import Canvas

    # A font of its own, or each letter would hold the glyphs of those before it.
    font = ttfonts.TTFont(FAMILY, FONT)
    pdfmetrics.registerFont(font)
    canvas = Canvas(str(path), pagesize=(210 * MM, 297 * MM))
    for page in range(len(letter.pages)):
        canvas.drawImage(str(logo), 140 * MM, 267 * MM, 50 * MM, 19 * MM)
        text = canvas.beginText()
        text.setFont(FAMILY, 10)
        if characters:
            # The subset's glyphs are numbered as they come: invisibly, all in the same order.
            text.setTextRenderMode(3)
            text.setTextOrigin(21 * MM, 280 * MM)
            text.textOut(characters)
            text.setTextRenderMode(0)
        for x, y, line in place(page, letter):
            text.setTextOrigin(x * MM, (297 - y) * MM)
            text.textOut(line)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()


def by_fpdf2(letter: Letter, path: Path, logo: Path) -> None:
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.add_font(FAMILY, fname=FONT)
    for page in range(len(letter.pages)):
        pdf.add_page()
        pdf.image(str(logo), 140, 11, 50, 19)
        pdf.set_font(FAMILY, size=10)
        for x, y, line in place(page, letter):
            pdf.text(x, y, line)
    pdf.output(str(path))


def by_cairo(letter: Letter, path: Path, logo: Path) -> None:
    import cairocffi

    from PIL import Image

    picture = io.BytesIO()
    Image.open(logo).save(picture, "PNG")
    surface = cairocffi.PDFSurface(str(path), 210 * MM, 297 * MM)
    context = cairocffi.Context(surface)
    picture = cairocffi.ImageSurface.create_from_png(io.BytesIO(picture.getvalue()))
    for page in range(len(letter.pages)):
        context.save()
        context.translate(140 * MM, 11 * MM)
        context.scale(50 * MM / picture.get_width())
        context.set_source_surface(picture)
        context.paint()
        context.restore()
        context.set_source_rgb(0, 0, 0)
        context.select_font_face(FAMILY)
        context.set_font_size(10)
        for x, y, line in place(page, letter):
            context.move_to(x * MM, y * MM)
            context.show_text(line)
        context.show_page()
    surface.finish()


def html(letter: Letter, logo: Path) -> str:
    pages = []
    for page in range(len(letter.pages)):
        lines = "".join(
            f'<p style="left:{x}mm;top:{y}mm">{escape(line)}</p>' for x, y, line in place(page, letter)
        )
        pages.append(f'<div><img src="{logo.as_uri()}">{lines}</div>')
    return f"""<!doctype html><meta charset="utf-8"><style>
        @page {{ size: A4; margin: 0 }} body {{ margin: 0; font: 10pt "{FAMILY}" }}
        div {{ position: relative; width: 210mm; height: 296.9mm; break-after: page; overflow: hidden }}
        div:last-child {{ break-after: auto }} p {{ position: absolute; margin: 0; white-space: nowrap }}
        img {{ position: absolute; left: 140mm; top: 11mm; width: 50mm }}</style>{"".join(pages)}"""


def by_weasyprint(letter: Letter, path: Path, logo: Path) -> None:
    from weasyprint import HTML

    HTML(string=html(letter, logo)).write_pdf(path)


def by_chromium(letter: Letter, path: Path, logo: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        page = Path(home, "letter.html")
        page.write_text(html(letter, logo), encoding="utf-8")
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        command += [f"--user-data-dir={home}", f"--print-to-pdf={path}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


FODT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.text">
<office:automatic-styles><style:page-layout style:name="a4"><style:page-layout-properties fo:page-width="210mm"
 fo:page-height="297mm" fo:margin-top="{top}mm" fo:margin-bottom="15mm" fo:margin-left="24mm" fo:margin-right="15mm"/>
</style:page-layout>{styles}</office:automatic-styles><office:master-styles>
<style:master-page style:name="Standard" style:page-layout-name="a4"/></office:master-styles>
<office:body><office:text>{body}</office:text></office:body></office:document>"""


def fodt(letter: Letter) -> str:
    def style(name: str, inside: str) -> str:
        font = f'<style:text-properties fo:font-family="{FAMILY}" fo:font-size="9pt"/>'
        return f'<style:style style:name="{name}" style:family="paragraph">{inside}{font}</style:style>'

    def paragraph(name: str, line: str) -> str:
        return f'<text:p text:style-name="{name}">{escape(line)}</text:p>'

    styles = (
        style("line", "")
        + style("body", '<style:paragraph-properties fo:margin-top="20mm"/>')
        + style("page", '<style:paragraph-properties fo:break-before="page"/>')
    )
    lines = [("line", line) for line in letter.address]
    for page in range(len(letter.pages)):
        opening = "page" if page else "body"
        for row, line in enumerate(letter.pages[page]):
            lines.append((opening if row == 0 else "line", line[:90]))
    return FODT.format(top=58, styles=styles, body="".join(paragraph(*line) for line in lines))


def by_libreoffice(letters: list[Letter], folder: Path) -> None:
    """All in one run: it takes seconds to start."""
    with tempfile.TemporaryDirectory() as home:
        sources = []
        for letter in letters:
            sources.append(Path(home, f"{letter.number:05}.fodt"))
            sources[-1].write_text(fodt(letter), encoding="utf-8")
        command = ["soffice", f"-env:UserInstallation={Path(home, 'profile').as_uri()}", "--headless"]
        command += ["--convert-to", "pdf", "--outdir", str(folder), *map(str, sources)]
        subprocess.run(command, check=True, capture_output=True)


PRODUCERS = [by_reportlab, by_fpdf2, by_cairo, by_weasyprint, by_chromium]


def producer(number: int):
    """Of 20 letters, 7 by reportlab, 4 by fpdf2, 3 each by cairo and weasyprint, 1 by Chromium, 2 by
    LibreOffice (`None`), which makes them all at once."""
    return [*[by_reportlab] * 7, *[by_fpdf2] * 4, *[by_cairo] * 3, *[by_weasyprint] * 3, by_chromium, None, None][number % 20]


def rewrite(path: Path, number: int) -> None:
    """As qpdf writes: of 20 letters, one with object streams and one linearised."""
    import pikepdf

    if number % 20 not in (0, 1):
        return
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        if number % 20 == 0:
            pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        else:
            pdf.save(path, linearize=True)


def make_mixed(number: int, folder: Path, logo: Path) -> None:
    path = folder / f"{number:05}.pdf"
    producer(number)(letter(number, 4), path, logo)
    rewrite(path, number)


def mixed(folder: Path, count: int, logo: Path, pool: ProcessPoolExecutor) -> None:
    made = [
        pool.submit(make_mixed, number, folder, logo)
        for number in range(1, count + 1)
        if producer(number)
    ]
    by_libreoffice([letter(n, 4) for n in range(1, count + 1) if not producer(n)], folder)
    for one in made:
        one.result()


def make_alike(number: int, folder: Path, logo: Path) -> None:
    characters = "".join(chr(code) for code in [*range(32, 127), *map(ord, "ÄÅÖäåö")])
    by_reportlab(letter(number, 3), folder / f"{number:05}.pdf", logo, characters)


def one_sender(folder: Path, count: int, logo: Path, pool: ProcessPoolExecutor) -> None:
    for one in [pool.submit(make_alike, number, folder, logo) for number in range(1, count + 1)]:
        one.result()


def main() -> None:
    kind, folder, count = sys.argv[1], Path(sys.argv[2]).resolve(), int(sys.argv[3])
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as home, ProcessPoolExecutor() as pool:
        picture = Path(home, "logo.jpg")
        picture.write_bytes(logo())
        {"mixed": mixed, "one-sender": one_sender}[kind](folder, count, picture, pool)
    found = len(list(folder.glob("*.pdf")))
    if found != count:
        sys.exit(f"{found} letters were made of {count}")


if __name__ == "__main__":
    main()
