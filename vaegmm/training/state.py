"""What a training changes, and all that a resumed one needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vaegmm.config import TrainConfig
from vaegmm.prior import Prior
from vaegmm.training.joint import TrainedPrior
from vaegmm.vae import VAE, Posterior


@dataclass(frozen=True)
class EpochLoss:
    """The mean losses of one epoch, in nats an image."""

    epoch: int  # counted from 1
    cross_entropy: float
    kl: float  # from the prior, summed over the latent dimensions, without the weight
    kl_weight: float  # the weight at the end of the epoch
    validation_cross_entropy: float | None = None
    validation_kl: float | None = None
    # Of training since the start, over all resumes; no part of what a training comes to.
    seconds: float | None = field(default=None, compare=False)


@dataclass
class TrainState:
    """Everything that a training changes: weights, Adam's moments, prior, and epochs finished.

    The random numbers of an epoch depend on the seed, the restarts and the epoch alone, so this is
    all that an interrupted training needs to end with the weights of an uninterrupted one.
    """

    vae: VAE
    optimizer: torch.optim.Adam
    history: list[EpochLoss] = field(default_factory=list)
    prior: TrainedPrior | None = None  # of the joint stage, once it has begun
    restarts: int = 0  # how often it has begun again
    # For whoever watches: q(z | x) of the validation images after the last epoch; and before the
    # joint stage, how good each start tried so far is (see `start.Start`), and the best.
    held_out: Posterior | None = None
    starts: list[float] = field(default_factory=list)
    best_start: Prior | None = None

    @classmethod
    def start(cls, config: TrainConfig, device: torch.device | str = "cpu") -> TrainState:
        """Initialise the autoencoder from the configuration's seed."""
        with torch.random.fork_rng(devices=[]):
            # Drawn on the CPU, so that every device starts from the same weights.
            torch.manual_seed(config.seed)
            vae = VAE(config.vae)
        vae = vae.to(device)
        return cls(vae, _adam(vae, config.learning_rate))

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.history)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All that the optimizer changes: the network's, then the prior's."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def begin_joint_stage(self, n_components: int) -> TrainedPrior:
        """Let the optimizer train a prior too, and return it."""
        self.prior = TrainedPrior(n_components, self.vae.config.latent_dim).to(self.vae.device)
        self.optimizer.add_param_group({"params": list(self.prior.parameters())})
        return self.prior

    def begin_again(self, config: TrainConfig) -> None:
        """Forget all epochs, and begin from this configuration's seed."""
        self.restarts += 1
        fresh = TrainState.start(config)
        self.vae.load_state_dict(fresh.vae.state_dict())
        self.optimizer = _adam(self.vae, config.learning_rate)
        self.prior, self.history = None, []

    def tensors(self) -> dict[str, Tensor]:
        """Return all but the history by name, for `restore`.

        Training changes weights and moments in place.
        """
        tensors = {f"vae.{name}": value for name, value in self.vae.state_dict().items()}
        tensors["restarts"] = torch.tensor(self.restarts)
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in moments.items()}
        if self.prior is not None:
            tensors |= {f"prior.{name}": value for name, value in self.prior.state_dict().items()}
        return tensors

    def restore(self, tensors: dict[str, Tensor], history: list[EpochLoss]) -> None:
        """Go back to the state whose `tensors` and `history` these are.

        Raises:
            ValueError: if the tensors belong to an autoencoder of another shape.
        """
        parts: dict[str, dict[str, Tensor]] = {"vae": {}, "prior": {}}
        moments: dict[int, dict[str, Tensor]] = {}
        restored = TrainState(self.vae, _adam(self.vae, self.optimizer.defaults["lr"]))
        try:
            for name, value in tensors.items():
                kind, _, rest = name.partition(".")
                if kind == "restarts":
                    restored.restarts = int(value)
                elif kind in parts:
                    parts[kind][rest] = value
                else:
                    index, _, moment = rest.partition(".")
                    # A copy: Adam would go on in the caller's tensor.
                    moments.setdefault(int(index), {})[moment] = value.clone()
            if parts["prior"]:
                prior = restored.begin_joint_stage(len(parts["prior"].get("logits", ())))
                prior.load_state_dict(parts["prior"])
            _check_moments(moments, restored.parameters, bool(history))
            self.vae.load_state_dict(parts["vae"])
        except (RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"the saved state does not fit the autoencoder: {error}") from error
        groups = restored.optimizer.state_dict()["param_groups"]
        restored.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.optimizer, self.prior = restored.optimizer, restored.prior
        self.history, self.restarts = list(history), restored.restarts


def _adam(vae: VAE, learning_rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(vae.parameters(), lr=learning_rate, fused=True)


def _check_moments(
    moments: dict[int, dict[str, Tensor]], parameters: list[nn.Parameter], has_trained: bool
) -> None:
    """Refuse moments that Adam would take without a word, and stumble over later or never."""
    expected = {
        index: {"step": torch.Size(), "exp_avg": p.shape, "exp_avg_sq": p.shape}
        for index, p in enumerate(parameters)
        if has_trained
    }
    found = {i: {name: value.shape for name, value in m.items()} for i, m in moments.items()}
    if found != expected:
        raise ValueError("Adam's moments are those of other weights.")
