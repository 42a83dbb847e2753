"""`vaegmm classify`: what a model reads in image files."""

from __future__ import annotations

import argparse
import json
from typing import Any

from vaegmm.cli.options import add_checkpoint, load_model


def add(commands: Any) -> None:
    """Add `classify` to the command line."""
    command = commands.add_parser("classify", help="read the digits in image files")
    add_checkpoint(command)
    command.add_argument("images", nargs="+", metavar="IMAGE", help="pictures of one digit each")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read images."""
    import numpy as np

    from vaegmm.data import read_image

    model = load_model(options)
    if model.names is None:
        raise ValueError(
            f"checkpoint must have named components to classify; {options.checkpoint} was trained "
            "without labels. Train on images that have some."
        )
    images = np.stack([read_image(path) for path in options.images])
    probabilities = model.predict_proba(images)
    typicality = model.typicality(images)
    answers = [
        {
            "image": path,
            "label": model.label_names[int(row.argmax())],
            "probability": round(float(row.max()), 4),
            "typicality": round(float(typical), 4),
            "probabilities": {
                name: round(float(p), 4) for name, p in zip(model.label_names, row, strict=True)
            },
        }
        for path, row, typical in zip(options.images, probabilities, typicality, strict=True)
    ]
    if options.json:
        print(json.dumps(answers, indent=1))
        return
    for answer in answers:
        print(
            f"{answer['image']}: {answer['label']}  "
            f"(p = {answer['probability']:.3f}, typicality {answer['typicality']:.3f})"
        )
