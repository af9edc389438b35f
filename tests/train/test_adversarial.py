"""Wasserstein losses against cases worked by hand."""

import pytest
import torch

from faceedit_bench.train import critic_loss, editor_loss, gradient_penalty


def pictures(seed, count=5):
    return torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("length", [0.5, 1.0, 3.0])
def test_a_linear_critic_is_penalised_by_its_constant_slope(length):
    weight = pictures(1, 1)[0]
    weight = length * weight / weight.norm()
    penalty = gradient_penalty(
        lambda images: (images * weight).sum(dim=(1, 2, 3)), pictures(2), pictures(3), torch.Generator()
    )
    assert penalty.item() == pytest.approx((length - 1) ** 2, abs=1e-5)  # float32 sums of 48 products


def test_a_quadratic_critic_is_asked_between_real_and_fake():
    """For D(x) = ‖x‖²/2 the slope is x itself, so the penalty tells where it was taken."""
    real, fake = torch.zeros(4, 1), torch.full((4, 1), 2.0)
    weight = torch.rand((4, 1), generator=torch.Generator().manual_seed(7))
    penalty = gradient_penalty(
        lambda x: x.square().sum(dim=1) / 2, real, fake, torch.Generator().manual_seed(7)
    )
    assert penalty.item() == pytest.approx((2 * weight - 1).square().mean().item(), rel=1e-5)


def test_the_penalty_teaches_the_critic_and_not_the_editor():
    critic = torch.nn.Linear(48, 1)
    fake = pictures(3).requires_grad_()
    gradient_penalty(lambda x: critic(x.flatten(1)), pictures(2), fake, torch.Generator()).backward()
    assert critic.weight.grad is not None and critic.weight.grad.abs().sum() > 0
    assert fake.grad is None


def test_the_same_generator_state_gives_the_same_penalty():
    critic = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(48, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
    )
    first, second = (
        gradient_penalty(critic, pictures(2), pictures(3), torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_critic_and_editor_pull_the_score_of_fakes_in_opposite_directions():
    real, fake = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0])
    assert critic_loss(real, fake).item() == 1.5 - 4.0
    assert editor_loss(fake).item() == -1.5
