"""What a hand teaches in the page is what it teaches in Python."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from modules import Modules
from playwright.sync_api import Error

import vaegmm
from vaegmm import VAEGMM, data
from vaegmm.adaptation import learn, views_of, worth
from vaegmm.browser.blob import to_blob
from vaegmm.data import Dataset
from vaegmm.preprocess import digit_from_strokes
from vaegmm.reading import read_strokes

pytestmark = pytest.mark.browser

CHECKPOINTS = Path(vaegmm.__file__).parents[1] / "checkpoints"
ONE = [[[0.4, 0.35], [0.52, 0.2], [0.5, 0.5], [0.5, 0.8]], [[0.35, 0.8], [0.66, 0.81]]]
SEVEN = [[[0.2, 0.2], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]], [[0.4, 0.5], [0.7, 0.5]]]
NINE = [[[0.6, 0.3], [0.4, 0.25], [0.35, 0.45], [0.6, 0.4], [0.6, 0.8], [0.4, 0.85]]]


def hands() -> tuple[list, list[int]]:
    """Seven drawings of three digits, no two alike."""
    drawings, labels = [], []
    for i, (strokes, label) in enumerate([(ONE, 1), (SEVEN, 7), (NINE, 9), (ONE, 1)] * 2):
        lean = 0.05 * i
        drawings.append([[[x + lean * y, y] for x, y in stroke] for stroke in strokes])
        labels.append(label)
    return drawings[:7], labels[:7]


@pytest.fixture(scope="module")
def shipped() -> VAEGMM:
    return vaegmm.load(CHECKPOINTS / "mnist.safetensors")


ADAPT = """
async ({ blob, adapted, images, labels, weights, asked, drawings, drawn }) => {
  const { Model } = await import("/model/model.js");
  const { Hand } = await import("/model/hand.js");
  const { readStrokes } = await import("/model/reading.js");
  const model = Model.from(blob);
  const before = model.look(asked);
  const learned = model.adapt(images, labels, weights);
  const stored = Model.from(adapted);
  const hand = new Hand(model);
  drawings.forEach((strokes, i) => hand.learn({ strokes, label: drawn[i] }));
  const { z } = before;
  return {
    before, unchanged: model.look(asked), learned: learned.look(asked), stored: stored.look(asked),
    counts: [model.examples, learned.examples.count, stored.examples.count],
    prints: [model.fingerprint, learned.fingerprint, hand.model.fingerprint],
    votes: learned.votes(z),
    scores: learned.scoreLatents(0, 3000).label,
    readings: drawings.map((strokes) => readStrokes(hand.model, strokes)),
    worth: hand.worth(),
  };
}
"""


def test_an_adapted_model_says_the_same(modules: Modules, shipped: VAEGMM, digits: Dataset) -> None:
    drawings, labels = hands()
    views = [views_of(shipped, drawing) for drawing in drawings]
    images = np.concatenate([each for each, _ in views])
    owners = np.repeat(labels, [len(each) for each, _ in views])
    weights = np.concatenate([each for _, each in views])
    adapted = shipped.adapt(images, owners, weights)
    asked = np.concatenate([images[::7], digits.test.images[:50]])
    theirs = modules.run(
        ADAPT,
        blob=to_blob(shipped, "float32"),
        adapted=to_blob(adapted, "float32"),
        images=images,
        labels=owners.astype(np.int32),
        weights=weights,
        asked=asked,
        drawings=drawings,
        drawn=labels,
    )
    for name, array in theirs["before"].items():
        np.testing.assert_array_equal(theirs["unchanged"][name], array)
    inference = adapted.infer(asked)
    assert (inference.votes.max(1) > 0.9).any() and (inference.votes.sum(1) == 0).any()
    for look in (theirs["learned"], theirs["stored"]):
        for name, ours in (
            ("votes", inference.votes),
            ("probabilities", inference.label_probabilities),
            ("responsibilities", inference.responsibilities),
        ):
            np.testing.assert_allclose(look[name], ours.ravel(), atol=1e-4, err_msg=name)
    assert theirs["counts"] == [None, 7, 7]
    own, learned, taught = theirs["prints"]
    assert own not in {learned, taught}
    z = shipped.encode(asked)
    votes = adapted.examples.votes(z, shipped.mixture.score_samples(z), 10)
    np.testing.assert_allclose(theirs["votes"], votes.ravel(), atol=1e-4)
    said = adapted.label_probabilities(adapted.latents[:3000])
    moved = np.abs(said - shipped.label_probabilities(shipped.latents[:3000])).max()
    assert moved > 1e-4, "some lie near what was learned"
    close = np.diff(np.sort(said)[:, -2:])[:, 0] < 1e-3
    assert ((theirs["scores"] == said.argmax(1)) | close).all()

    ours = learn(shipped, drawings, labels)
    for reading, drawing in zip(theirs["readings"], drawings, strict=True):
        mine = read_strokes(ours, drawing)
        assert reading["label"] == mine.label
        np.testing.assert_allclose(reading["probabilities"], mine.probabilities, atol=5e-4)
        for view, my_view in zip(reading["views"], mine.views, strict=True):
            np.testing.assert_allclose(view["votes"], my_view.votes, atol=1e-3)
    value = worth(shipped, drawings, labels)
    assert value is not None
    assert theirs["worth"] == {
        "before": pytest.approx(value.before),
        "after": pytest.approx(value.after),
        "of": 7,
    }


HAND = """
async ({ blob, drawings, labels, python, image }) => {
  const { Model } = await import("/model/model.js");
  const { Hand } = await import("/model/hand.js");
  const model = Model.from(blob);
  const hand = new Hand(model);
  const empty = [hand.size, hand.model === model, hand.worth(), hand.undo(), hand.drawings];
  drawings.forEach((strokes, i) => hand.learn({ strokes, label: labels[i] }));
  hand.learn({ image, label: 4 });
  const print = hand.model.fingerprint;
  const file = hand.toNpz();
  const [fromFile, fromPython] = [new Hand(model), new Hand(model)];
  const counts = [fromFile.addNpz(file), fromPython.addNpz(python)];
  const copies = [fromFile, fromPython, Hand.fromJson(model, hand.toJson())];
  const last = hand.undo();
  hand.remove(0);
  const after = { size: hand.size, labels: hand.drawings.map(({ label }) => label) };
  const other = hand.model.fingerprint;
  hand.forget();
  return {
    empty, print, file, counts, copies: copies.map(({ model }) => model.fingerprint), after, other,
    last: [last.label, last.strokes, last.image], forgotten: [hand.size, hand.model === model],
    strokes: fromPython.drawings.map(({ strokes }) => strokes),
  };
}
"""


def test_a_hand_is_kept_undone_and_brought_back(
    modules: Modules, small_model: VAEGMM, digits: Dataset
) -> None:
    drawings, labels = hands()
    image = digits.test.images[0]
    images = np.stack([*(digit_from_strokes(drawing) for drawing in drawings), image])
    python = data.as_npz(images, np.array([*labels, 4]), [*drawings, []])
    theirs = modules.run(
        HAND,
        blob=to_blob(small_model),
        drawings=drawings,
        labels=labels,
        python=python,
        image=image,
    )
    assert theirs["empty"] == [0, True, None, None, []]
    assert theirs["counts"] == [8, 8]
    assert theirs["strokes"] == [*drawings, None]
    assert set(theirs["copies"]) == {theirs["print"]} != {theirs["other"]}
    assert theirs["last"][:2] == [4, None]
    np.testing.assert_array_equal(theirs["last"][2], image.ravel())
    assert theirs["after"] == {"size": 6, "labels": labels[1:]}
    assert theirs["forgotten"] == [0, True]
    # Python reads the page's file.
    with io.BytesIO(theirs["file"].tobytes()) as file:
        ours, mine = np.load(file), np.load(io.BytesIO(python))
        assert set(ours.files) == set(mine.files)
        for name in mine.files:
            np.testing.assert_array_equal(ours[name], mine[name])


ADD = """
async ({ blob, file }) => {
  const [{ Model }, { Hand }] = await Promise.all(
    [import("/model/model.js"), import("/model/hand.js")]);
  return new Hand(Model.from(blob)).addNpz(file);
}
"""


def test_what_is_no_file_of_drawings_is_refused_in_a_sentence(
    modules: Modules, small_model: VAEGMM, digits: Dataset
) -> None:
    def saved(write=np.savez, **arrays) -> bytes:
        buffer = io.BytesIO()
        write(buffer, **arrays)
        return buffer.getvalue()

    good = {"images": digits.test.images[:3], "labels": np.array([1, 2, 3])}
    strokes = dict(np.load(io.BytesIO(data.as_npz(*good.values(), [ONE, [], SEVEN]))))
    whole = saved(**good)
    flipped = bytearray(whole)
    flipped[600] ^= 1
    refused = {
        b"": "must be a .npz; got another kind",
        b"PK\3\4" + bytes(100): "must be a .npz; got another kind",
        saved(np.savez_compressed, **good): "images.npy is compressed or encrypted",
        whole[:600] + whole[-22:]: "cannot be read",
        bytes(flipped): "images.npy has another checksum",
        saved(**good | {"labels": np.array(["a", "b", "c"])}): "holds no numbers of a common type",
        saved(**good | {"labels": np.array([1, 2, None])}): "holds no numbers of a common type",
        saved(images=good["images"]): "images and labels",
        saved(**good | {"labels": np.array([1, 2])}): "images of 28×28 bytes, and one label",
        saved(**good | {"images": good["images"] / 255}): "images of 28×28 bytes",
        saved(**good | {"images": np.asfortranarray(good["images"])}): "lies column by column",
        saved(**good | {"labels": np.array([1, 2.5, 3])}): "whole numbers from 0",
        saved(**good | {"labels": np.array([1, 2, 10])}): "whole number from 0 to 9; got 10",
        saved(**strokes | {"stroke_ends": np.array([2, 1, 3])}): "where each stroke",
        saved(**strokes | {"drawing_ends": np.array([2, 2, 5])}): "where each stroke",
        saved(**strokes | {"stroke_points": np.full((100, 2), np.nan)}): "where each stroke",
        saved(**{k: v for k, v in strokes.items() if k != "stroke_ends"}): "where each stroke",
        saved(**strokes | {"stroke_points": strokes["stroke_points"] * np.nan}): "NaN, infinity",
    }
    blob = to_blob(small_model)
    assert modules.run(ADD, blob=blob, file=saved(**strokes)) == 3
    for file, sentence in refused.items():
        with pytest.raises(Error, match=sentence):
            modules.run(ADD, blob=blob, file=file)
