"""The autoencoder: its size, its loss against torch.distributions, its activations' gradients."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaegmm.config import PRESETS, VAEConfig
from vaegmm.vae import N_PIXELS, VAE, Posterior, _Bounded

RELU = PRESETS["reference"].vae


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def make_vae(config: VAEConfig, seed: int = 0) -> VAE:
    torch.manual_seed(seed)
    return VAE(config).double()


def random_images(n: int, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(n, N_PIXELS, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("config", [VAEConfig(), RELU])
def test_it_has_the_published_number_of_parameters(config):
    assert VAE(config).n_parameters == 1_426_700


def test_it_has_ten_layers_of_the_published_sizes():
    layers = [m for m in VAE().modules() if isinstance(m, torch.nn.Linear)]
    assert [layer.out_features for layer in layers] == [784, 392, 196, 98, 8, 8, 98, 196, 392, 784]


def test_every_layer_of_the_reference_ends_in_a_relu(generator):
    vae = make_vae(RELU)
    posterior = vae.posterior(random_images(50, generator))
    assert posterior.mean.min() == 0
    assert posterior.std.min() == RELU.std_floor
    pixels = vae.decode(torch.randn(50, 8, generator=generator, dtype=torch.float64))
    assert pixels.min() == RELU.pixel_margin
    # Seven modules, and the three bounds above: ten layers.
    assert sum(isinstance(m, torch.nn.ReLU) for m in vae.modules()) == 7


@pytest.mark.parametrize("hidden_units", [(), (20,), (30, 20, 10)])
def test_other_sizes_encode_and_decode(hidden_units, generator):
    vae = make_vae(VAEConfig(latent_dim=3, hidden_units=hidden_units))
    posterior = vae.posterior(random_images(4, generator))
    assert posterior.mean.shape == posterior.std.shape == (4, 3)
    assert vae.decode(posterior.mean).shape == (4, N_PIXELS)


@pytest.mark.parametrize("config", [VAEConfig(), RELU], ids=["default", "reference"])
def test_elbo_is_log_likelihood_less_divergence(config, generator):
    vae, images = make_vae(config), random_images(6, generator)
    noise = torch.randn(6, 8, generator=generator, dtype=torch.float64)
    posterior = vae.posterior(images)
    q = Normal(posterior.mean, posterior.std)
    z = posterior.mean + posterior.std * noise
    likelihood = Bernoulli(vae.decode(z), validate_args=False).log_prob(images).sum(-1)
    divergence = kl_divergence(q, Normal(torch.zeros_like(z), 1.0))

    parts = vae.loss_parts(images, noise)
    torch.testing.assert_close(parts.cross_entropy, -likelihood)
    torch.testing.assert_close(parts.kl, divergence)
    torch.testing.assert_close(vae.elbo(images, noise), likelihood - divergence.sum(-1))
    torch.testing.assert_close(
        vae.elbo(images, noise, kl_weight=3), likelihood - 3 * divergence.sum(-1)
    )


def test_elbo_draws_its_own_noise(generator):
    vae, images = VAE(), random_images(3, generator).float()
    torch.manual_seed(1)
    noise = torch.randn(3, 8)
    torch.manual_seed(1)
    assert torch.equal(vae.elbo(images), vae.elbo(images, noise))


def test_the_encoder_may_see_another_view_than_is_reconstructed(generator):
    vae, images, views = make_vae(VAEConfig()), *random_images(2, generator).split(1)
    noise = torch.zeros(1, 8, dtype=torch.float64)
    parts = vae.loss_parts(images, noise, encoder_images=views)
    torch.testing.assert_close(parts.kl, vae.loss_parts(views, noise).kl)
    expected = vae.cross_entropy(vae.posterior(views).mean, images)
    torch.testing.assert_close(parts.cross_entropy, expected)


@pytest.mark.parametrize("config", [VAEConfig(), RELU], ids=["default", "reference"])
def test_extreme_inputs_have_a_finite_loss_and_gradients(config):
    vae = VAE(config)
    images = torch.stack([torch.zeros(N_PIXELS), torch.ones(N_PIXELS)])
    loss = -vae.elbo(images, torch.full((2, 8), 6.0)).mean()
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad.isfinite().all() for parameter in vae.parameters())


def test_reparameterized_samples_have_the_posteriors_moments(generator):
    n = 100_000
    posterior = Posterior(torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, 3.0]]))
    z = posterior.sample(torch.randn(n, 2, generator=generator))
    for dimension in range(2):
        mean, std = posterior.mean[0, dimension].item(), posterior.std[0, dimension].item()
        assert z[:, dimension].mean().item() == pytest.approx(mean, abs=5 * std / n**0.5)
        assert z[:, dimension].std().item() == pytest.approx(std, rel=0.02)


def test_reparameterization_lets_gradients_through_to_mean_and_std():
    mean = torch.tensor([[1.0, 2.0]], requires_grad=True)
    std = torch.tensor([[3.0, 4.0]], requires_grad=True)
    noise = torch.tensor([[0.5, -2.0]])
    Posterior(mean, std).sample(noise).sum().backward()
    assert torch.equal(mean.grad, torch.ones(1, 2))
    assert torch.equal(std.grad, noise)


@pytest.mark.parametrize(
    ("x", "value", "passes_up", "passes_down"),
    [
        (-1.0, 0.0, True, False),  # below: only a step that raises x
        (0.0, 0.0, True, False),
        (0.4, 0.4, True, True),
        (1.0, 1.0, False, True),
        (2.0, 1.0, False, True),  # above: only a step that lowers x
    ],
)
def test_a_bound_lets_gradients_pass_that_point_back_inside(x, value, passes_up, passes_down):
    for gradient, passes in ((-3.0, passes_up), (3.0, passes_down)):
        # Descent raises x where the gradient is negative.
        point = torch.tensor(x, requires_grad=True)
        bounded = _Bounded.apply(point, 0.0, 1.0)
        assert bounded.item() == pytest.approx(value)
        (gradient * bounded).backward()
        assert point.grad.item() == (gradient if passes else 0.0)


def test_without_rescue_a_bound_stops_every_gradient(generator):
    images = random_images(20, generator)
    gradients = []
    for rescue in (True, False):
        vae = make_vae(VAEConfig(output_activation="relu", rescue_gradients=rescue))
        torch.nn.init.constant_(vae.output.bias, -100.0)  # every output dead
        vae.cross_entropy(torch.zeros(20, 8, dtype=torch.float64), images).sum().backward()
        gradients.append(vae.output.bias.grad)
    assert (gradients[0] < 0).all()  # descent raises the bias: back to life
    assert (gradients[1] == 0).all()


@pytest.mark.parametrize("config", [VAEConfig(), RELU], ids=["default", "reference"])
def test_decoded_pixels_lie_in_the_unit_interval(config, generator):
    pixels = VAE(config).decode(torch.randn(50, 8, generator=generator) * 100)
    assert pixels.min() >= 0
    assert pixels.max() <= 1


def test_stds_stay_above_their_floor(generator):
    for activation in ("softplus", "relu"):
        vae = make_vae(VAEConfig(std_activation=activation, std_floor=0.25))
        torch.nn.init.constant_(vae.std.bias, -1000.0)
        assert (vae.posterior(random_images(5, generator)).std >= 0.25).all()
