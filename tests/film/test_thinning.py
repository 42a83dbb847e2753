"""A smaller film: fewer epochs, with all that happens fast."""

import pytest
from made_film import made_film

from vaegmm.errors import InputError
from vaegmm.film import Film, Frame, thin


def _places(film, kind):
    return [f.header["epoch"] for f in film.frames if f.kind == kind]


@pytest.fixture(scope="module")
def film():
    return made_film(epochs=40, n_points=100)


def test_a_film_with_room_stays_whole(film):
    assert thin(film, len(film.to_bytes())).frames == film.frames


@pytest.mark.parametrize("share", [0.9, 0.6, 0.4])
def test_epochs_give_way_evenly(film, share):
    most = int(share * len(film.to_bytes()))
    thinned = thin(film, most)
    assert len(thinned.to_bytes()) <= most
    epochs = _places(thinned, "epoch")
    assert {1, 21, 40} <= set(epochs) and len(epochs) < 40
    assert _places(thinned, "step") == _places(film, "step")
    assert _places(thinned, "start") == _places(film, "start")
    assert thinned.opening is film.opening


def test_in_the_smallest_film_one_start_stands_for_all(film):
    with pytest.raises(InputError, match="at least") as caught:
        thin(film, 1000)
    least = int(str(caught.value).split("at least ")[1].split()[0])
    smallest = thin(film, least)
    assert _places(smallest, "epoch") == [1, 21, 40]
    assert [f.header["starts"] for f in smallest.frames if f.kind == "start"] == [
        [1.4, 1.9, 1.7, 2.1]
    ]
    with pytest.raises(InputError):
        thin(film, least - 1)


def test_of_an_attempt_that_was_given_up_only_epochs_stay(film):
    again = [Frame({**f.header, "restarts": 1}, f.arrays) for f in film.frames]
    whole = Film(film.opening, film.frames + again)
    thinned = thin(whole, len(whole.to_bytes()))
    assert {f.kind for f in thinned.frames if f.header["restarts"] == 0} == {"epoch"}
    assert [f for f in thinned.frames if f.header["restarts"]] == again
