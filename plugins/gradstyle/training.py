"""Training of the modules; generator and encoder are frozen (GradStyle, section 3.4; build sheet, section 5).

    reconstruction   ‖X_r − X‖² + 0.001 · softplus(−D(X_r)) + 0.01 · Σ ‖g ⊙ F‖₁     moves GRMs and gates
    editing          ‖X_e − X‖² + 0.001 · softplus(−D(X_e)) + 0.1 · Σ ‖F' − F‖₁     moves aligners

Both streams have the codes of the picture itself. Residuals reach the editing stream warped and cut off from
their modules; aligners learn to undo the warp. All norms are means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss, softplus

from faceedit_bench.api import EditBatch
from faceedit_bench.train import Phase, Recipe, TrainBatch

from ..e4e.editor import inverter, parts, seen
from ..e4e.training import pooled
from ..stylegan2.training import R1_EVERY, Critic, gradient_energy
from . import Options
from .editor import GradStyle
from .streams import Refinement, Stream, sha256
from .warp import homographies, warp

BETAS = (0.9, 0.999)  # of Adam

Networks = Mapping[str, nn.Module]
Terms = dict[str, Tensor]


def stage(options: Options) -> Recipe:
    networks = {**parts(options), "gradstyle": Refinement(options)}
    made = Made()
    refine, rates = partial(refine_step, options=options, made=made), {"lr": options.lr, "betas": BETAS}
    phases = [Phase("gradstyle", "gradstyle", refine, lookahead=options.lookahead, **rates)]
    if options.adversarial > 0:
        networks["critic"] = Critic(options.generator_sizes)
        criticise = partial(critic_step, options=options, made=made)
        phases.append(Phase("critic", "critic", criticise, fresh=False, lr=options.critic_lr, betas=BETAS))
    return Recipe(
        name="gradstyle",
        networks=networks,
        phases=tuple(phases),
        exported=("gradstyle",),
        given=("stylegan2", "encoder"),
        labels="unused",
        preview=partial(preview, options=options),
        steps=options.steps,
        batch_size=options.batch_size,
    )


@dataclass
class Made:
    """Pictures of a step, which its first phase makes and the critic's is shown."""

    pictures: tuple[Tensor, ...] = ()  # X_r and X_e, (B, 3, size, size) each


# ---- both streams ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Streams:
    """Of one batch."""

    reconstruction: Stream
    editing: Stream


def streams(networks: Networks, batch: TrainBatch, options: Options) -> Streams:
    stylegan2, encoder, refinement = (networks[name] for name in ("stylegan2", "encoder", "gradstyle"))
    with torch.no_grad():
        pyramid = encoder.features(seen(batch.images, options.encoder_size))
        codes = encoder.codes(pyramid) + stylegan2.latent_avg
    reconstruction = refinement.reconstruct(stylegan2.generator, codes, refinement.encoded(pyramid))
    residuals = [residual.detach() for residual in reconstruction.residuals]
    if options.gam:  # otherwise nothing would undo the warp
        homography = homographies(len(codes), options.distortion, options.warped, batch.generator)
        residuals = [warp(residual, homography) for residual in residuals]
    editing = refinement.edit(
        stylegan2.generator, codes, residuals, are_gates_frozen=not options.gate_grad_from_edit
    )
    return Streams(reconstruction, editing)


def refine_step(networks: Networks, batch: TrainBatch, options: Options, made: Made) -> Terms:
    if batch.step == 1:
        remember_base(networks)
    found = streams(networks, batch, options)
    made.pictures = tuple(stream.picture.detach().float() for stream in (found.reconstruction, found.editing))
    critic = networks.get("critic")
    return {
        **reconstruction_terms(found, batch.images, critic, options),
        **editing_terms(found, batch.images, critic, options),
    }


def reconstruction_terms(found: Streams, images: Tensor, critic: nn.Module | None, options: Options) -> Terms:
    stream = found.reconstruction
    added = torch.stack([refined.added.float().abs().mean() for refined in stream.refined])
    return {
        **picture_terms("reconstruction", stream.picture, images, critic, options),
        "residual": options.residual * added.sum(),
    }


def editing_terms(found: Streams, images: Tensor, critic: nn.Module | None, options: Options) -> Terms:
    terms = picture_terms("editing", found.editing.picture, images, critic, options)
    if not options.gam:
        return terms
    pairs = zip(found.editing.residuals, found.reconstruction.residuals, strict=True)
    apart = torch.stack([l1_loss(aligned.float(), residual.detach().float()) for aligned, residual in pairs])
    return {**terms, "alignment": options.alignment * apart.sum()}


def picture_terms(
    name: str, picture: Tensor, images: Tensor, critic: nn.Module | None, options: Options
) -> Terms:
    side = options.loss_size
    terms = {f"{name}_l2": options.l2 * mse_loss(pooled(picture.float(), side), seen(images, side))}
    if critic is not None:
        terms[f"{name}_adversarial"] = options.adversarial * softplus(-critic(picture)).mean()
    return terms


def critic_step(networks: Networks, batch: TrainBatch, options: Options, made: Made) -> Terms:
    """Logistic loss on the pictures of both streams, R1 at intervals."""
    critic, real = networks["critic"], seen(batch.images, options.size)
    fakes = [critic(picture) for picture in made.pictures]
    terms = {
        "fake": torch.stack([softplus(scores).mean() for scores in fakes]).mean(),
        "real": softplus(-critic(real)).mean(),
    }
    if options.r1 > 0 and batch.step % R1_EVERY == 0:
        with torch.autocast(real.device.type, enabled=False):  # second derivatives want float32
            terms["r1"] = R1_EVERY * options.r1 / 2 * gradient_energy(critic, real)
    return terms


@torch.no_grad()
def remember_base(networks: Networks) -> None:
    """The modules carry the hashes of the generator and encoder they belong to."""
    refinement = networks["gradstyle"]
    refinement.generator_sha256.copy_(sha256(networks["stylegan2"]))
    refinement.encoder_sha256.copy_(sha256(networks["encoder"]))


def preview(networks: Networks, batch: EditBatch, options: Options) -> Tensor:
    """Edits where directions were given with the weights, else reconstructions; for sample sheets."""
    refinement = networks["gradstyle"]
    assert isinstance(refinement, Refinement)
    base = inverter(options, nn.ModuleDict({name: networks[name] for name in parts(options)}), "gradstyle")
    editor = GradStyle(base, refinement, remembered=0)
    return editor.edit(batch) if base.moves else editor.reconstruction(batch.images).clamp(-1, 1)
