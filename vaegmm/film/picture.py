"""One moment of a film as a picture for a talk: samples, map, losses, clusters, latents in use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vaegmm.colours import colour_of
from vaegmm.errors import InputError
from vaegmm.film.file import Film, Frame

WIDTH, HEIGHT = 1280, 720

_INK, _PAPER, _QUIET, _LINE = (25, 28, 33), (252, 251, 248), (112, 116, 122), (222, 220, 214)
_TILE_INK, _TILE_PAPER = np.array([25, 28, 33.0]), np.array([243, 242, 238.0])
_ACCENT = (63, 144, 218)
_SIDE = 28
_SCALE = 2  # drawn twice as large, so that edges are smooth

_SAMPLES = (40, 112)  # left, top
_COLUMNS, _TILE = 6, 52
_MAP = (400, 112, 500)  # left, top, side
_RIGHT, _RIGHT_WIDTH = 940, 300
_CURVE_TOP, _CURVE_HEIGHT = 136, 150
_CLUSTERS_TOP, _LATENTS_TOP = 352, 560
_BAR = 664  # top of the line that fills as the film runs
_APART = 22  # two names are, at least
_SURE = 0.995  # of the points lie within the map


@dataclass(frozen=True)
class _Moment:
    """A frame with all that is shown, also where it comes from a frame before."""

    header: dict[str, object]
    reconstructions: np.ndarray  # (S, 784), 0 to 255
    points: np.ndarray  # (M, 2), in units of the map's half side
    component_images: np.ndarray | None  # (K, 784)
    component_labels: np.ndarray | None
    starts: list[float]


class Projector:
    """Draws pictures of a film at any place between its first and its last frame.

    Args:
        film: with one frame at least.
        title: what stands above it; the film's own if empty.

    Raises:
        InputError: if the film has no frame yet.
    """

    def __init__(self, film: Film, title: str = "") -> None:
        self._opening = film.opening
        self._title = title or str(film.opening.header["title"])
        self._moments = _moments(film.frames)
        if not self._moments:
            raise InputError("film must have a frame; this one has none yet.", reason="no film")
        self._losses = [_loss(moment.header) for moment in self._moments]
        # Of the first steps' KL some is far beyond: it goes out of the picture.
        self._kl_at_most = 1.2 * np.max(np.array(self._moments[-1].header["kl_per_latent"]))
        labels = film.opening.arrays.get("labels")
        self._labels = labels
        n_points = len(self._moments[0].points)
        self._colours = [
            _rgb(colour_of(int(label))) if labels is not None else _ACCENT
            for label in (labels if labels is not None else np.zeros(n_points, int))
        ]

    @property
    def n_frames(self) -> int:
        """How many frames the film has."""
        return len(self._moments)

    def picture(self, place: float) -> Image.Image:
        """Draw the film at a place from 0 to `n_frames` - 1; between frames, things are between."""
        index = min(int(place), self.n_frames - 1)
        one = self._moments[index]
        other = self._moments[min(index + 1, self.n_frames - 1)]
        share = _eased(place - index)
        canvas = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _PAPER)
        draw = ImageDraw.Draw(canvas)
        self._draw_heading(draw, one if share < 0.5 else other)
        self._draw_samples(
            canvas, draw, _between(one.reconstructions, other.reconstructions, share)
        )
        self._draw_map(draw, _between(one.points, other.points, share))
        self._draw_curve(draw, place)
        self._draw_clusters(canvas, draw, one if share < 0.5 else other)
        self._draw_latents(draw, one, other, share)
        self._draw_place(draw, place)
        return canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def _draw_heading(self, draw: ImageDraw.ImageDraw, moment: _Moment) -> None:
        header, opening = moment.header, self._opening.header
        _text(draw, (40, 36), self._title, 34)
        what = f"epoch {header['epoch']} of {opening['epochs']}"
        if header["kind"] == "step":
            step = int(str(header["step"]))
            what = f"step {step}" if step else "before the first step"
        elif header["kind"] == "start":
            what = f"start {len(moment.starts)} of the clusters"
        _text(draw, (WIDTH - 40, 36), what, 34, anchor="rt")

    def _draw_samples(
        self, canvas: Image.Image, draw: ImageDraw.ImageDraw, reconstructions: np.ndarray
    ) -> None:
        left, top = _SAMPLES
        inputs = self._opening.arrays["images"]
        for number, (image, copy) in enumerate(zip(inputs, reconstructions, strict=True)):
            x = left + number % _COLUMNS * (_TILE + 4)
            y = top + number // _COLUMNS * (2 * _TILE + 14)
            _paste(canvas, image, x, y, _TILE)
            _paste(canvas, copy, x, y + _TILE + 2, _TILE)
        rows = -(-len(inputs) // _COLUMNS)
        _text(
            draw,
            (left, top + rows * (2 * _TILE + 14) + 2),
            "above what goes in, below what comes out",
            17,
            _QUIET,
        )

    def _draw_map(self, draw: ImageDraw.ImageDraw, points: np.ndarray) -> None:
        left, top, side = _MAP
        box = [value * _SCALE for value in (left, top, left + side, top + side)]
        draw.rounded_rectangle(box, 8 * _SCALE, fill=(246, 245, 241))
        radius = _SCALE * (2.2 if len(points) > 600 else 3.4)
        centre = np.array([left + side / 2, top + side / 2]) * _SCALE
        places = centre + points * [1, -1] * (side / 2 - 10) * _SCALE
        is_inside = (np.abs(points) <= 1).all(1)
        for (x, y), colour, is_shown in zip(places, self._colours, is_inside, strict=True):
            if is_shown:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        if self._labels is None:
            return
        names = self._opening.header["label_names"]
        font = _font((24 if max(map(len, names)) < 3 else 16) * _SCALE)
        written: list[np.ndarray] = []
        for label in np.unique(self._labels):
            of_label = self._labels == label
            x, y = middle = np.median(places[of_label], 0)
            if any(np.hypot(*(middle - other)) < _APART * _SCALE for other in written):
                continue  # two names in one place can't be read
            written.append(middle)
            draw.text(
                (x, y),
                str(names[label]),
                _INK,
                font,
                "mm",
                stroke_width=3 * _SCALE,
                stroke_fill=_PAPER,
            )

    def _draw_curve(self, draw: ImageDraw.ImageDraw, place: float) -> None:
        index = min(round(place), self.n_frames - 1)
        left, top, width, height = _RIGHT, _CURVE_TOP, _RIGHT_WIDTH, _CURVE_HEIGHT
        now = self._losses[index]
        _text(draw, (left, top - 24), "nats an image", 17, _QUIET)
        _text(draw, (left + width, top - 24), f"{now:.1f}", 17, anchor="rt")
        low, high = math.log(min(self._losses)), math.log(max(self._losses))
        spread = max(high - low, 1e-6)
        last = max(self.n_frames - 1, 1)

        def at(number: float, loss: float) -> tuple[float, float]:
            x = left + width * number / last
            return x * _SCALE, (top + height * (high - math.log(loss)) / spread) * _SCALE

        bottom = (top + height + 6) * _SCALE
        draw.line((left * _SCALE, bottom, (left + width) * _SCALE, bottom), _LINE, _SCALE)
        line = [at(number, loss) for number, loss in enumerate(self._losses)]
        if len(line) > 1:
            draw.line(line, _LINE, 2 * _SCALE, joint="curve")
        if index:
            draw.line(line[: index + 1], _ACCENT, 3 * _SCALE, joint="curve")
        (x, y), radius = line[index], 5 * _SCALE
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_ACCENT)

    def _draw_clusters(
        self, canvas: Image.Image, draw: ImageDraw.ImageDraw, moment: _Moment
    ) -> None:
        if moment.component_images is None:
            return
        what = "centres of the clusters"
        if moment.starts and moment.header["kind"] == "start":
            what = f"best start of {len(moment.starts)}: {max(moment.starts):.2f} nats"
        _text(draw, (_RIGHT, _CLUSTERS_TOP - 26), what, 17, _QUIET)
        columns = max(5, math.ceil(math.sqrt(2 * len(moment.component_images))))
        tile = min(_TILE, _RIGHT_WIDTH // columns - 8)
        for number, image in enumerate(moment.component_images):
            x = _RIGHT + number % columns * (tile + 8)
            y = _CLUSTERS_TOP + number // columns * (tile + 16)
            _paste(canvas, image, x, y, tile)
            if moment.component_labels is not None:
                colour = _rgb(colour_of(int(moment.component_labels[number])))
                box = [value * _SCALE for value in (x, y + tile + 3, x + tile, y + tile + 8)]
                draw.rectangle(box, fill=colour)

    def _draw_latents(
        self, draw: ImageDraw.ImageDraw, one: _Moment, other: _Moment, share: float
    ) -> None:
        before, after = (np.array(moment.header["kl_per_latent"]) for moment in (one, other))
        kl = _between(before, after, share)
        in_use = other.header["in_use"] if share >= 0.5 else one.header["in_use"]
        assert isinstance(in_use, list)
        words = f"{sum(in_use)} of {len(in_use)} latents in use · KL of each"
        _text(draw, (_RIGHT, _LATENTS_TOP - 26), words, 17, _QUIET)
        most = max(self._kl_at_most, 1e-9)
        width = _RIGHT_WIDTH / len(kl)
        for number, (value, is_used) in enumerate(zip(kl, in_use, strict=True)):
            x, height = _RIGHT + number * width, min(60.0, max(2.0, 52 * value / most))
            y = _LATENTS_TOP + 52
            box = (x, y - height, x + max(1, width - min(8, width / 3)), y)
            draw.rectangle([v * _SCALE for v in box], fill=_ACCENT if is_used else _LINE)

    def _draw_place(self, draw: ImageDraw.ImageDraw, place: float) -> None:
        left, right, y = 40 * _SCALE, (WIDTH - 40) * _SCALE, _BAR * _SCALE
        there = left + (right - left) * place / max(self.n_frames - 1, 1)
        draw.rounded_rectangle((left, y, right, y + 6 * _SCALE), 3 * _SCALE, fill=_LINE)
        draw.rounded_rectangle(
            (left, y, max(there, left + 6 * _SCALE), y + 6 * _SCALE), 3 * _SCALE, fill=_ACCENT
        )


def _moments(frames: list[Frame]) -> list[_Moment]:
    """Complete each frame by what it shares with the one before, on a map of fitting extent."""
    moments: list[_Moment] = []
    arrays: dict[str, np.ndarray] = {}
    for frame in frames:
        is_new = frame.kind != "start" and "component_images" not in frame.arrays
        if is_new:  # before the joint stage, or of an attempt that begins again
            arrays = {}
        arrays = arrays | frame.arrays
        if "latents" not in arrays:
            continue  # the film begins with a start
        latents = arrays["latents"].astype(np.float32)
        points = (latents - arrays["centre"]) @ arrays["axes"].T
        extent = max(float(np.quantile(np.abs(points), _SURE)), 1e-6) * 1.1
        moments.append(
            _Moment(
                frame.header,
                arrays["reconstructions"].astype(np.float32),
                points / extent,
                arrays.get("component_images"),
                arrays.get("component_labels"),
                list(frame.header.get("starts", [])),
            )
        )
    return moments


def _loss(header: dict[str, object]) -> float:
    return max(float(str(header["cross_entropy"])) + float(str(header["kl"])), 1e-3)


def _between(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return one + (other - one) * share


def _eased(share: float) -> float:
    """Begin and end slowly."""
    return share * share * (3 - 2 * share)


def _paste(canvas: Image.Image, pixels: np.ndarray, x: float, y: float, side: int) -> None:
    strength = np.asarray(pixels, np.float32).reshape(_SIDE, _SIDE, 1) / 255
    colours = _TILE_PAPER + strength * (_TILE_INK - _TILE_PAPER)
    tile = Image.fromarray(np.rint(colours).astype(np.uint8))
    tile = tile.resize((side * _SCALE, side * _SCALE), Image.Resampling.BICUBIC)
    canvas.paste(tile, (round(x * _SCALE), round(y * _SCALE)))


def _text(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    colour: tuple[int, int, int] = _INK,
    anchor: str = "lt",
) -> None:
    x, y = place
    draw.text((x * _SCALE, y * _SCALE), text, colour, _font(size * _SCALE), anchor)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@cache
def _rgb(colour: str) -> tuple[int, int, int]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))  # type: ignore[return-value]
