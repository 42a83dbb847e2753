"""The rooms of the page Train: a new training, the one that is watched, and all there are."""
