"""Makes the image fixtures beside this script (needs Pillow; seen with 13.0).

Each NAME.jpg or NAME.png lies beside NAME.rgb: its width and height as little-endian 32-bit numbers,
then the red, green and blue bytes that Pillow's convert("RGB") gives (deep.rgb: 16 bits scaled to 8
with rounding). resize-WxH.rgb is photo.png after resize((W, H), BILINEAR).

    python make.py [FOLDER]
"""
import random
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent


def picture(width, height, seed):
    """A smooth gradient with some noise and a hard edge."""
    draw = random.Random(seed)
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            edge = 90 if x * 2 > width + y else 0
            image.putpixel((x, y), tuple(
                max(0, min(255, base + edge + draw.randrange(-20, 21)))
                for base in (x * 160 // width, y * 160 // height, (x + y) * 80 // (width + height))))
    return image


def expected(name, image):
    rgb = image.convert("RGB")
    (folder / f"{name}.rgb").write_bytes(struct.pack("<II", *rgb.size) + rgb.tobytes())


def save(name, image, **options):
    image.save(folder / name, **options)
    with Image.open(folder / name) as loaded:
        expected(name.split(".")[0], loaded)


def write_png(name, width, height, depth, interlace, rows):
    """A PNG of colour type RGB from rows that are already encoded, filter byte 0 each."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    (folder / name).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


photo = picture(23, 17, 1)
save("photo.png", photo)
save("baseline.jpg", photo, quality=90)
save("progressive.jpg", photo, quality=80, progressive=True)
save("grey-jpeg.jpg", photo.convert("L"), quality=90)
save("cmyk.jpg", photo.convert("CMYK"), quality=90)
save("grey.png", photo.convert("L"))
save("bilevel.png", photo.convert("1"))
save("palette.png", photo.quantize(7), transparency=2)
save("alpha.png", Image.merge("RGBA", (*photo.split(), photo.split()[0])))
save("grey-alpha.png", Image.merge("LA", (photo.split()[0], photo.split()[1])))

# Adam7: (first column, first row, column step, row step) of the seven passes.
passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
write_png("interlaced.png", *photo.size, 8, 1, [
    b"".join(bytes(photo.getpixel((x, y))) for x in range(left, photo.width, across))
    for left, top, across, down in passes for y in range(top, photo.height, down)])
with Image.open(folder / "interlaced.png") as loaded:
    expected("interlaced", loaded)

draw = random.Random(2)
deep = [[draw.randrange(65536) for _ in range(9 * 3)] for _ in range(5)]
write_png("deep.png", 9, 5, 16, 0, [struct.pack(">27H", *row) for row in deep])
(folder / "deep.rgb").write_bytes(
    struct.pack("<II", 9, 5) + bytes((value * 255 + 32767) // 65535 for row in deep for value in row))

for width, height in ((8, 8), (32, 32), (23, 5), (7, 17), (1, 1), (46, 9)):
    expected(f"resize-{width}x{height}", photo.resize((width, height), Image.Resampling.BILINEAR))
