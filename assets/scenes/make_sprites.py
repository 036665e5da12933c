"""Cuts the sprites of the scenes out of npm's @lobehub/fluent-emoji-3d 1.1.0: python make_sprites.py PACKAGE/assets

Each file holds one object, cropped, twice: its colours above, its opacity as grey below (a decoder without alpha
suffices). Colours run on under the transparent part so that no fringe appears at the border. Needs Pillow and NumPy.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

# name: code point, degrees counter-clockwise that make the object stand or lie
SPRITES = {
    "dog": ("1f415", 0), "cat": ("1f408", 0), "horse": ("1f40e", 0), "cow": ("1f404", 0), "pig": ("1f416", 0),
    "sheep": ("1f411", 0), "rabbit": ("1f407", 0), "elephant": ("1f418", 0), "tiger": ("1f405", 0),
    "giraffe": ("1f992", 0), "zebra": ("1f993", 0), "monkey": ("1f412", 0), "camel": ("1f42a", 0),
    "deer": ("1f98c", 0), "hedgehog": ("1f994", 0), "turtle": ("1f422", 0), "snail": ("1f40c", 0), "crab": ("1f980", 0),
    "dinosaur": ("1f996", 0),
    "duck": ("1f986", 0), "rooster": ("1f413", 0), "penguin": ("1f427", 0), "owl": ("1f989", 0),
    "flamingo": ("1f9a9", 0), "parrot": ("1f99c", 0), "chick": ("1f424", 0), "swan": ("1f9a2", 0),
    "apple": ("1f34e", 0), "orange": ("1f34a", 0), "lemon": ("1f34b", 0), "pear": ("1f350", 0),
    "pineapple": ("1f34d", -38), "strawberry": ("1f353", 0), "peach": ("1f351", 0), "banana": ("1f34c", 0),
    "watermelon": ("1f349", 45),
    "carrot": ("1f955", 45), "corn cob": ("1f33d", 40), "tomato": ("1f345", 0), "mushroom": ("1f344", 0),
    "eggplant": ("1f346", 20), "bell pepper": ("1fad1", 0), "potato": ("1f954", 0), "onion": ("1f9c5", 0),
    "burger": ("1f354", 0), "pizza slice": ("1f355", 0), "hot dog": ("1f32d", -40), "donut": ("1f369", 0),
    "cupcake": ("1f9c1", 0), "cake": ("1f382", 0), "cookie": ("1f36a", 0), "sandwich": ("1f96a", 0),
    "croissant": ("1f950", 0),
    "mug": ("2615", 0), "teapot": ("1fad6", 0), "bowl": ("1f963", 0), "bucket": ("1faa3", 0), "basket": ("1f9fa", 0),
    "vase": ("1f3fa", 0), "soda": ("1f964", 0),
    "chair": ("1fa91", 0), "bed": ("1f6cf-fe0f", 0), "bathtub": ("1f6c1", 0), "candle": ("1f56f-fe0f", 0),
    "alarm clock": ("23f0", 0), "suitcase": ("1f9f3", 0),
    "gift": ("1f381", 0), "teddy bear": ("1f9f8", 0), "die": ("1f3b2", 0), "robot": ("1f916", 0),
    "nesting doll": ("1fa86", 0), "book": ("1f4d5", 0),
    "car": ("1f697", 0), "taxi": ("1f695", 0), "bus": ("1f68c", 0), "truck": ("1f69b", 0), "fire truck": ("1f692", 0),
    "tractor": ("1f69c", 0), "bicycle": ("1f6b2", 0), "scooter": ("1f6f5", 0), "motorcycle": ("1f3cd-fe0f", 0),
    "helicopter": ("1f681", 0), "van": ("1f690", 0),
    "soccer ball": ("26bd", 0), "basketball": ("1f3c0", 0), "volleyball": ("1f3d0", 0), "baseball": ("26be", 0),
    "boxing glove": ("1f94a", 0), "roller skate": ("1f6fc", 0), "trophy": ("1f3c6", 0),
    "toolbox": ("1f9f0", 0), "ladder": ("1fa9c", 0), "hammer": ("1f528", 45), 
    "magnet": ("1f9f2", 0), "fire extinguisher": ("1f9ef", 0),
    "boot": ("1f97e", 0), "high heel": ("1f460", 0), "sneaker": ("1f45f", 40), "top hat": ("1f3a9", 0),
    "cap": ("1f9e2", 0), "backpack": ("1f392", 0), "handbag": ("1f45c", 0), "umbrella": ("2602-fe0f", 0),
    "guitar": ("1f3b8", 40), "violin": ("1f3bb", 40), "drum": ("1f941", 0), "saxophone": ("1f3b7", 0),
    "trumpet": ("1f3ba", -35), "accordion": ("1fa97", 0),
    "cactus": ("1f335", 0), "tulip": ("1f337", 0), "sunflower": ("1f33b", 0),
    "potted plant": ("1fab4", 0), "pine tree": ("1f332", 0), "palm tree": ("1f334", 0),
    "laptop": ("1f4bb", 0), "tv": ("1f4fa", 0), "radio": ("1f4fb", 0), "camera": ("1f4f7", 0),
    "cell phone": ("1f4f1", 0), "telephone": ("260e-fe0f", 0), "printer": ("1f5a8-fe0f", 0),
}
LONGEST_SIDE = 224
QUALITY = 88


def main(source: Path, target: Path) -> None:
    total = 0
    for name, (code, degrees) in SPRITES.items():
        path = target / f"{name.replace(' ', '-')}.webp"
        stacked(Image.open(source / f"{code}.webp").convert("RGBA"), degrees).save(path, quality=QUALITY, method=6)
        total += path.stat().st_size
    print(f"{len(SPRITES)} sprites, {total} bytes")


def stacked(image: Image.Image, degrees: float) -> Image.Image:
    rgba = np.asarray(image).astype(np.float64)
    alpha = rgba[..., 3:] / 255
    filled = np.concatenate([bled(rgba[..., :3], alpha), rgba[..., 3:]], axis=2)
    image = Image.fromarray(np.clip(filled.round(), 0, 255).astype(np.uint8))
    if degrees:
        padded = Image.new("RGBA", (400, 400))
        padded.paste(image, (72, 72))
        # Opacity and colour turn apart, so that no black runs in from the transparent part.
        colour = Image.fromarray(np.asarray(padded)[..., :3]).rotate(degrees, Image.BICUBIC)
        opacity = padded.getchannel("A").rotate(degrees, Image.BICUBIC)
        alpha = np.asarray(opacity).astype(np.float64)[..., None] / 255
        inner = (alpha > 0.98).astype(np.float64)
        whole = np.where(inner > 0, np.asarray(colour).astype(np.float64), 0)
        rgb = np.where(inner > 0, whole, bled(whole, inner))
        image = Image.fromarray(np.concatenate([np.clip(rgb, 0, 255), alpha * 255], axis=2).astype(np.uint8))
    solid = np.asarray(image)[..., 3] >= 24
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    image = image.crop((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    scale = LONGEST_SIDE / max(image.size)
    if scale < 1:
        size = tuple(max(1, round(side * scale)) for side in image.size)
        rgb = Image.fromarray(np.asarray(image)[..., :3]).resize(size, Image.LANCZOS)
        opacity = image.getchannel("A").resize(size, Image.LANCZOS)
    else:
        rgb, opacity = Image.fromarray(np.asarray(image)[..., :3]), image.getchannel("A")
    both = Image.new("RGB", (rgb.width, 2 * rgb.height))
    both.paste(rgb, (0, 0))
    both.paste(Image.merge("RGB", [opacity] * 3), (0, rgb.height))
    return both


def bled(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours, continued into the transparent part by averages over ever wider neighbourhoods."""
    known = (alpha > 0.5).astype(np.float64)
    out, weight = rgb * known, known.copy()
    for _ in range(40):
        spread_colour, spread_weight = np.zeros_like(out), np.zeros_like(weight)
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            spread_colour += np.roll(out * (weight > 0), (dy, dx), (0, 1))
            spread_weight += np.roll((weight > 0).astype(np.float64), (dy, dx), (0, 1))
        grow = (weight == 0) & (spread_weight > 0)
        out = np.where(grow, spread_colour / np.maximum(spread_weight, 1), out)
        weight = np.where(grow, 1, weight)
    return np.where(known > 0, rgb, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
