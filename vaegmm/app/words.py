"""How numbers and errors are said on every page: the same rounding and the same words everywhere.

The package's messages name parameters, paths and causes, for whoever calls it. A page says what
people can do, by the reason that an error carries.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from vaegmm.settings import ARCHITECTURE, SETTINGS

if TYPE_CHECKING:
    from vaegmm.reading import Reading

_NPZ = "Write it with numpy.savez('digits.npz', images=images, labels=labels)"
_CHECKPOINT = "Download it again, or save the model anew."

#: What is said for each reason; in braces the facts that its errors carry.
SENTENCES = {
    # Settings
    "setting": "{label} must {rule}.",
    "fixed setting": "{label} must stay as they are in the preset {preset}, which is the published "
    "network. Choose another preset.",
    "many components": "Clusters must not exceed the {n_images:,} training images: choose fewer.",
    "start": "No fit can begin there. Put the clusters elsewhere, or choose another start.",
    "no tensorboard": "TensorBoard is not installed here. Install it (pip install tensorboard), "
    "or go on without.",
    "nothing to export": "This training has no finished epoch yet: there is nothing to export.",
    "folder cannot be written": "That folder cannot be written. Free some space, or choose "
    "another.",
    "no such device": "This machine does not have that device. Choose the best there is.",
    # Data sets
    "no such data": "There is no file or folder {name}. Check the path, or upload the file.",
    "kind of data": "{name} is neither a .npz or .npy file nor a folder. Save the images as a "
    ".npz with an array `images`, or put them in a folder.",
    "no npz": "{name} cannot be read: it is damaged, or not a .npz file. " + _NPZ + ".",
    "pickled arrays": "{name} holds Python objects, which are not opened: they could run code. "
    + _NPZ
    + ", the images as one array of bytes (uint8).",
    "npz without images": "{name} holds no array called `images`. " + _NPZ + ".",
    "image shape": "The images of {name} must be 28 × 28 pixels, as an array of N × 28 × 28; this "
    "one is {shape}. Scale them down and save the file again.",
    "image type": "The pixels of {name} must be whole numbers from 0 to 255 (uint8) or numbers "
    "from 0 to 1. Convert them and save the file again.",
    "image range": "The pixels of {name} must lie from 0 to 1, or be bytes (uint8) from 0 to 255. "
    "Convert them and save the file again.",
    "no npy": "{name} cannot be read: it is damaged, or not a .npy file. Write it with "
    "numpy.save('digits.npy', images).",
    "stored image type": "The pixels of {name} must be bytes (uint8) from 0 to 255, image after "
    "image. Convert them with numpy.ascontiguousarray(images, numpy.uint8) and save the file "
    "again.",
    "compressed shard": "{name} is compressed: no part of it can be read by itself. Write it with "
    "numpy.savez instead of numpy.savez_compressed.",
    "images cut off": "{name} is cut off: it must hold {n_images:,} images. Copy it again.",
    "images gone": "{name} has changed or gone while it was in use. Put it back, and resume the "
    "training.",
    "labels of some": "Some files of {name} have labels and others, like {without}, have none. Add "
    "theirs, or leave all labels out.",
    "no images": "{name} holds no image. Add some and save the file again.",
    "label count": "{name} must have one label for each of its {n_images:,} images. Correct its "
    "`labels`, or leave them out.",
    "label numbers": "The labels of {name} must be whole numbers from 0 to {most}. Number them, or "
    "leave them out.",
    "label of another model": "The labels of {name} must be those of the model, from 0 to {most}. "
    "Correct them and save the file again.",
    "example weights": "The weights of {name} must be one positive number for each image. Correct "
    "them and save the file again.",
    "strokes of a file": "The strokes in {name} are damaged. Download the drawings again, or leave "
    "the strokes out.",
    "few images": "{name} holds too few images: {found}. Add some: {least} is the least.",
    "unreadable folder": "The folder {name} cannot be opened. Allow this program to read it.",
    "mixed folder": "The folder {name} holds images beside folders. Keep either: images alone, or "
    "one folder for each label.",
    "empty folder": "The folder {name} holds no image ({suffixes}) and no array of images (.npy, "
    ".npz). Choose another.",
    "damaged archives": "{title} is damaged on this machine. Delete its files ({files}); they will "
    "be unpacked or downloaded again.",
    "no download": "{title} is not on this machine and could not be downloaded. Connect to the "
    "network and start again, or choose the bundled digits.",
    "other images": "The images are others than this training began with. Start a new one.",
    # Pictures and drawings
    "no picture": "{name} cannot be opened as a picture: it is damaged, or of another kind. Choose "
    "a PNG or JPEG.",
    "large picture file": "{name} is too large: {most} MB is the most. Scale it down.",
    "large picture": "{name} has too many pixels: {most} million is the most. Scale it down.",
    "small picture": "{name} is too small to show a digit. Choose a larger one.",
    "blank picture": "There is no digit to be seen on {name}. Write darker, or come closer.",
    "box": "A box must have a width and a height. Draw it again.",
    "empty box": "There is nothing in this box. Move it to a digit.",
    "no picture pasted": "What was pasted is no picture. Copy a picture and paste it again.",
    "blank drawing": "There is nothing on the pad yet. Draw a digit.",
    "dot": "This is only a dot. Draw a line.",
    "many digits": "These are more digits than can be read at once: {most} is the most. Clear some "
    "of them.",
    "strokes": "The drawing did not arrive as it was drawn. Clear the pad and draw it again.",
    "one label": "All clusters have the same name: there is no other digit to go to.",
    "label without cluster": "No cluster is named after this digit: there is no style to tell.",
    # Clusters changed by hand
    "no change": "That change did not arrive as it was asked for. Try it again.",
    "no such cluster": "There is no such cluster any more. Choose another.",
    "no such label": "This model has no such label. Choose another.",
    "one cluster to merge": "A cluster cannot be merged with itself. Choose another one.",
    "small cluster": "This cluster has too few images to be split: {least} is the least.",
    # Checkpoints
    "no such checkpoint": "{name} is no longer there. Choose another model.",
    "damaged checkpoint": "{name} is damaged, or not a model of vaegmm's. " + _CHECKPOINT,
    "foreign checkpoint": "{name} was not written by vaegmm. Choose a file that its Download "
    "button or `model.save` wrote.",
    "newer checkpoint": "{name} was written by a newer vaegmm. Update this one to open it.",
    "large upload": "{name} has {megabytes} MB; {most} is the most that can be uploaded. {remedy}",
    "unwritable checkpoint": "The model could not be saved. Free some space on the disk, and "
    "resume the training.",
    # Trainings
    "loss not finite": "The loss stopped being a number in epoch {epoch}. Start again with a lower "
    "learning rate.",
    "process ended": "The training ended without a word: it was killed, or the machine ran out of "
    "memory or was switched off. Resume goes on from the last finished epoch.",
    "run busy": "Another process is at work on this training. Wait for it, or stop it.",
    "run exists": "There is a training of this name already. Start it again in a second.",
    "run finished": "This training is finished already. Load its model.",
    "run unwritable": "The training cannot be kept: the folder of trainings cannot be written. "
    "Free some space on the disk, or set VAEGMM_RUNS to another folder.",
    "run gone": "This training is no longer there: somebody has deleted it.",
    "result gone": "The model of this training is no longer there. Train it again, or delete it.",
    "not in the trash": "This training is no longer in the trash. It cannot be had back.",
    "damaged file": "{file} of this training is damaged: {problem}. Correct it, or delete the "
    "training.",
    "long text": "The {what} must have at most {most} characters. Shorten it.",
    "many tags": "There can be {most} tags at most. Leave some out.",
    "at once": "From 1 to {most} trainings can run at once. Choose another number.",
    "run cannot be removed": "The training could not be deleted. Allow this program to change the "
    "folder of trainings.",
    "damaged run": "The files of this training are damaged. Delete it and start a new one.",
    "no film": "There is no film of this training.",
    "small film": "The film does not fit into so few bytes.",
    "damaged film": "The film of this training is damaged. Train again to make it anew.",
    # A server for others
    "owner only": "Only the owner of this server may do this. To do it yourself, run vaegmm at "
    "home: `make app` in a clone of the project.",
    "wrong password": "This is not the owner's password. Try it again.",
    "many passwords": "There were too many wrong passwords. Wait ten minutes, or use the command "
    "line on the server.",
    "no room for uploads": "There is no room for another upload just now. Try it again in an hour.",
    "long fit": "This takes too long while others use the server, too. Choose fewer clusters, or "
    "try it again later.",
}
_NO_WORDS = "This did not work, for a reason that is foreseen nowhere. The log says more."

_LABELS = {entry.field or name: entry.label for name, entry in {**SETTINGS, **ARCHITECTURE}.items()}
_LABELS["attempts"] = "Attempts"


def share(value: float, digits: int = 1) -> str:
    """Say a share in [0, 1] in per cent: 0.7815 is "78.2 %".

    Halves are rounded up, as people and the README do; the binary number next to 0.7815 lies
    below it.
    """
    return f"{per_cent(value, digits)} %"


def per_cent(value: float, digits: int = 1) -> Decimal:
    """Return a share in [0, 1] in per cent, rounded as `share` says it."""
    exact = Decimal(repr(round(float(value), 9))) * 100
    return exact.quantize(Decimal(10) ** -digits, ROUND_HALF_UP)


def shortened(text: str, most: int) -> str:
    """Cut a text that has more characters than this in its middle: names differ at both ends."""
    if len(text) <= most:
        return text
    ahead = (most - 1) // 2
    return f"{text[:ahead].rstrip()}…{text[ahead + 1 - most :].lstrip()}"


def distinct(titles: Mapping[str, str], most: int) -> dict[str, str]:
    """Return titles, cut to some characters, of which no two are the same.

    Args:
        titles: by name, the newest first; of those that are the same the oldest stays as it is.
        most: characters of a title.
    """
    labels: dict[str, str] = {}
    taken: set[str] = set()
    for name, title in reversed(list(titles.items())):
        number, ending = 1, ""
        while (label := shortened(title, most - len(ending)) + ending) in taken:
            number += 1
            ending = f" ({number})"
        taken.add(label)
        labels[name] = label
    return {name: labels[name] for name in titles}


def plain(text: str) -> str:
    """Write what people called something such that Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()<>#+.!|$:~&-])", r"\\\1", text)


def say_verdict(reading: Reading, label_names: Sequence[str]) -> tuple[str, str, str]:
    """Say one verdict of a reading: no certainty where it is no digit.

    Returns:
        What it is, how sure that is, and a note; pieces/words.js says the same of what is drawn.
    """
    second, first = reading.probabilities.argsort()[-2:]
    name, certainty = label_names[first], share(reading.probabilities[first])
    noun = "digit" if all(name.isdigit() and len(name) == 1 for name in label_names) else "label"
    if reading.verdict == "off the pad":
        return f"{name}?", "", "It runs off the pad. Draw it smaller."
    if reading.verdict == "strange":
        return f"{name}?", "", f"This doesn't look like a {noun}."
    if reading.verdict == "unsure":
        other = f"{label_names[second]} is {share(reading.probabilities[second])}"
        return name, certainty, f"Not sure: {other}."
    note = f"more typical than {share(reading.typicality)} of what it learned from"
    return name, certainty, note


def sentence(error: Exception, name: str = "the file") -> str:
    """Say to people what is wrong and what they can do about it.

    Args:
        error: any; one without a reason is written to the log.
        name: what it is about, where the error doesn't know.
    """
    reason = getattr(error, "reason", "")
    if not reason:
        logging.getLogger(__name__).error("an error without words", exc_info=error)
    return say(reason, getattr(error, "facts", {}), name)


def say(reason: str, facts: Mapping[str, object], name: str = "the file") -> str:
    """Say what is wrong for a reason, as `sentence` does."""
    label = _LABELS.get(str(facts.get("setting")), "The setting")
    text = SENTENCES.get(reason, _NO_WORDS).format(**{"name": name, "label": label, **facts})
    if "name" in facts:
        return text  # a file's own name stays as it is
    return text[:1].upper() + text[1:]
