"""A variational autoencoder whose latent space is clustered by a Gaussian mixture."""

from vaegmm.checkpoint import CheckpointError
from vaegmm.config import (
    PRESETS,
    AugmentationConfig,
    JointConfig,
    MixtureConfig,
    TrainConfig,
    VAEConfig,
)
from vaegmm.data import DataError
from vaegmm.mixture import GaussianMixture
from vaegmm.model import VAEGMM, load
from vaegmm.training import NonFiniteLossError, Progress
from vaegmm.vae import VAE

__version__ = "0.1.0"
__all__ = [
    "PRESETS",
    "VAE",
    "VAEGMM",
    "AugmentationConfig",
    "CheckpointError",
    "DataError",
    "GaussianMixture",
    "JointConfig",
    "MixtureConfig",
    "NonFiniteLossError",
    "Progress",
    "TrainConfig",
    "VAEConfig",
    "load",
]
