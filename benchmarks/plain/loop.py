"""Training written out by hand: several critic updates and one editor update, with two Adams.

The same losses on the same batches and numbers as the toolkit's recipes. What the recipes save by a trick is
left as a first version has it: every network call on its own, no average of the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from faceedit_bench.train import TrainBatch

Losses = dict[str, Tensor]


class Loop:
    """A cycle is `critic_steps` updates of the critic, then one of the editor."""

    def __init__(self, generator: nn.Module, critic: nn.Module, options: Any, precision: str) -> None:
        self.generator, self.critic, self.options = generator, critic, options
        betas = (options.beta1, options.beta2)
        self.generator_adam = torch.optim.Adam(generator.parameters(), options.lr, betas)
        self.critic_adam = torch.optim.Adam(critic.parameters(), options.lr, betas)
        self.is_bf16 = precision == "bf16"

    def autocast(self, images: Tensor) -> torch.autocast:
        return torch.autocast(images.device.type, torch.bfloat16, enabled=self.is_bf16)

    def penalty(self, real: Tensor, fake: Tensor, batch: TrainBatch) -> Tensor:
        """(‖∇D‖₂ − 1)² between pictures and edits."""
        alpha = torch.rand(len(real), 1, 1, 1, generator=batch.generator).to(real.device)
        between = ((1 - alpha) * real + alpha * fake).requires_grad_(True)
        score = self.critic(between)[0]
        gradient = torch.autograd.grad(score.sum(), between, create_graph=True)[0]
        return ((gradient.view(len(real), -1).norm(dim=1) - 1) ** 2).mean()

    def step_critic(self, losses: Losses) -> Losses:
        self.critic_adam.zero_grad()
        sum(losses.values()).backward()
        self.critic_adam.step()
        return {f"critic.{name}": loss.detach() for name, loss in losses.items()}

    def step_generator(self, losses: Losses) -> Losses:
        self.generator_adam.zero_grad()
        sum(losses.values()).backward()
        self.generator_adam.step()
        return {f"editor.{name}": loss.detach() for name, loss in losses.items()}


class StarGANLoop(Loop):
    """The editor learns from the batch of the last critic step."""

    def cycle(self, draw: Callable[[], TrainBatch]) -> Losses:
        for _ in range(self.options.critic_steps):
            batch = draw()
            losses = self.update_critic(batch)
        return losses | self.update_generator(batch)

    def update_critic(self, batch: TrainBatch) -> Losses:
        x = batch.images
        with torch.no_grad(), self.autocast(x):
            y = self.generator(x, batch.target)
        y = y.float()
        real, logits = self.critic(x)
        fake, _ = self.critic(y)
        return self.step_critic(
            {
                "wasserstein": fake.mean() - real.mean(),
                "penalty": self.options.penalty * self.penalty(x, y, batch),
                "attributes": self.options.attributes_weight * self.summed(logits, batch.source),
            }
        )

    def update_generator(self, batch: TrainBatch) -> Losses:
        x = batch.images
        self.critic.requires_grad_(False)
        with self.autocast(x):
            y = self.generator(x, batch.target)
            fake, logits = self.critic(y)
            back = self.generator(y, batch.source)
            same = self.generator(x, batch.source) if self.options.identity else None
        losses = {
            "adversarial": -fake.float().mean(),
            "attributes": self.options.attributes_weight * self.summed(logits, batch.target),
            "cycle": self.options.cycle * (back.float() - x).abs().mean(),
        }
        if same is not None:
            losses["identity"] = self.options.identity * (same.float() - x).abs().mean()
        losses = self.step_generator(losses)
        self.critic.requires_grad_(True)
        return losses

    def summed(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Over attributes; mean over the batch."""
        return binary_cross_entropy_with_logits(logits.float(), labels, reduction="sum") / len(labels)


class UNetLoop(Loop):
    """AttGAN, STGAN, LSTU-Net: every update has a batch of its own.

    Edit and reconstruction go through the generator as one batch, because batch norm makes two passes give
    other losses than the recipe's.
    """

    def __init__(self, *parts: Any, is_difference: bool) -> None:
        super().__init__(*parts)
        self.is_difference = is_difference

    def told(self, source: Tensor, target: Tensor) -> Tensor:
        """STGAN and LSTU-Net are told differences, AttGAN labels as ±½."""
        return target - source if self.is_difference else (2 * target - 1) * self.options.scale

    def cycle(self, draw: Callable[[], TrainBatch]) -> Losses:
        for _ in range(self.options.critic_steps):
            losses = self.update_critic(draw())
        return losses | self.update_generator(draw())

    def update_critic(self, batch: TrainBatch) -> Losses:
        x = batch.images
        with torch.no_grad(), self.autocast(x):
            y = self.generator(x, self.told(batch.source, batch.target))
        y = y.float()
        real, logits = self.critic(x)
        fake, _ = self.critic(y)
        attributes = binary_cross_entropy_with_logits(logits, batch.source)
        return self.step_critic(
            {
                "wasserstein": fake.mean() - real.mean(),
                "penalty": self.options.penalty * self.penalty(x, y, batch),
                "attributes": self.options.critic_attributes * attributes,
            }
        )

    def update_generator(self, batch: TrainBatch) -> Losses:
        x = batch.images
        edit = self.told(batch.source, batch.target)
        nothing = self.told(batch.source, batch.source)
        self.critic.requires_grad_(False)
        with self.autocast(x):
            y, rebuilt = self.generator(torch.cat([x, x]), torch.cat([edit, nothing])).chunk(2)
            fake, logits = self.critic(y)
        attributes = binary_cross_entropy_with_logits(logits.float(), batch.target)
        losses = {
            "adversarial": -fake.float().mean(),
            "attributes": self.options.editor_attributes * attributes,
            "reconstruction": self.options.reconstruction * (rebuilt.float() - x).abs().mean(),
        }
        losses = self.step_generator(losses)
        self.critic.requires_grad_(True)
        return losses
