"""A training as a film: how its digits, its latents and its clusters became what they are.

`file`: how a film is written, as it grows, and read. `camera`: a training's state as a frame.
`recording`: the film of a training that goes on. `thinning`: a smaller film of a large one.
"""

from vaegmm.film.camera import Camera
from vaegmm.film.file import Film, FilmError, FilmWriter, Frame, film_from_bytes, read_film
from vaegmm.film.recording import Recorder
from vaegmm.film.thinning import thin

__all__ = [
    "Camera",
    "Film",
    "FilmError",
    "FilmWriter",
    "Frame",
    "Recorder",
    "film_from_bytes",
    "read_film",
    "thin",
]
