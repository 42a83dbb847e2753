"""A training as a film: how its digits, its latents and its clusters became what they are.

`file`: how a film is written, as it grows, and read.
"""

from vaegmm.film.file import Film, FilmError, FilmWriter, Frame, film_from_bytes, read_film

__all__ = ["Film", "FilmError", "FilmWriter", "Frame", "film_from_bytes", "read_film"]
