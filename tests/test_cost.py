"""Cost against hand counts: operations, living memory, parameters; and a clock that is not fooled."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from faceedit_bench import cost
from faceedit_bench.contracts import EditBatch


class Wrapped:
    """An editor that holds its networks as careless people do: in a list in a dictionary."""

    def __init__(self, *networks: nn.Module) -> None:
        self.parts = {"networks": list(networks)}

    def edit(self, batch: EditBatch) -> Tensor:
        images = batch.images
        for network in self.parts["networks"]:
            images = network(images)
        return images


def macs(network: nn.Module, *inputs: Tensor) -> int:
    return cost.count_flops(lambda: network(*inputs)) // 2


# ---- operations -----------------------------------------------------------------------------------


def test_convolutions_and_products_equal_hand_counts() -> None:
    image = torch.zeros(1, 8, 10, 12)
    assert macs(nn.Conv2d(8, 16, 3, padding=1), image) == 10 * 12 * 16 * 8 * 9
    assert macs(nn.Conv2d(8, 16, 3, stride=2, padding=1), image) == 5 * 6 * 16 * 8 * 9
    assert macs(nn.Conv2d(8, 16, 3, padding=1, groups=4), image) == 10 * 12 * 16 * 2 * 9
    assert macs(nn.Linear(12, 7), torch.zeros(5, 12)) == 5 * 12 * 7


def test_a_transposed_convolution_is_not_counted_by_its_output_area() -> None:
    # by hand: each of the 10·12 inputs meets 8·16·16 weights; thop and torchinfo say four times as much
    assert (
        macs(nn.ConvTranspose2d(8, 16, 4, stride=2, padding=1), torch.zeros(1, 8, 10, 12))
        == 10 * 12 * 8 * 16 * 16
    )


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_fused_attention_is_counted(mode: type) -> None:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True).eval().requires_grad_(False)
    tokens, width, hidden = 9, 32, 64
    projections = 4 * tokens * width * width + 2 * tokens * width * hidden
    products = 2 * tokens * tokens * width  # queries with keys, weights with values

    def run() -> None:
        with mode():
            layer(torch.zeros(1, tokens, width))

    assert cost.count_flops(run) // 2 == projections + products
    assert torch.backends.mha.get_fastpath_enabled()  # put back


# ---- memory ---------------------------------------------------------------------------------------


def test_peak_is_the_most_that_lives_at_once() -> None:
    def run() -> None:
        a = torch.ones(1000)  # 4000 bytes
        b = a + 1  # 8000
        del a
        c = b * 2  # 8000 again
        del b, c
        torch.ones(500)

    assert cost.peak_activation_bytes(run) == 8000


def test_views_and_changes_in_place_add_nothing() -> None:
    def run() -> None:
        a = torch.ones(10, 100)
        a.view(-1).add_(1).relu_()[5:].unsqueeze(0).expand(7, -1)

    assert cost.peak_activation_bytes(run) == 4000


def test_views_of_weights_are_not_activations() -> None:
    weight = nn.Parameter(torch.ones(100, 100))
    assert cost.peak_activation_bytes(lambda: weight.t()[:50].detach(), known=[weight]) == 0


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_convolutional_chain_peaks_at_its_two_largest_neighbours(mode: type) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 16, 1), nn.Conv2d(16, 3, 1)).requires_grad_(
        False
    )
    image = torch.zeros(1, 3, 20, 20)

    def run() -> None:
        with mode():
            network(image)

    assert cost.peak_activation_bytes(run, cost.reachable_tensors(network)) == 20 * 20 * 4 * (8 + 16)


# ---- weights --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slotted:
    network: nn.Module


def test_networks_are_found_wherever_the_editor_keeps_them() -> None:
    def layer() -> nn.Module:
        return nn.Linear(3, 2)  # 8 numbers

    class Editor:
        def __init__(self) -> None:
            hidden = layer()
            self.plain, self.listed, self.slotted = layer(), [layer(), {"deep": (layer(),)}], Slotted(layer())
            self.partial = functools.partial(functional.linear, weight=nn.Parameter(torch.ones(8)))
            self.closure = lambda images: hidden(images)
            self.bound = layer().forward
            self.direction = torch.ones(5)

    counts = cost.weight_counts(cost.reachable_tensors(Editor()))
    assert counts == {"parameters": 7 * 8, "buffers": 5, "weights_bytes": 4 * (7 * 8 + 5)}


def test_tied_weights_and_views_are_counted_once() -> None:
    first, second = nn.Linear(10, 10, bias=False), nn.Linear(10, 10, bias=False)
    second.weight = first.weight
    third = nn.Linear(10, 10, bias=False)
    third.weight = nn.Parameter(first.weight.data)  # another parameter over the same memory
    counts = cost.weight_counts(cost.reachable_tensors(Wrapped(first, second, third)))
    assert counts == {"parameters": 100, "buffers": 0, "weights_bytes": 400}


def test_an_editor_that_holds_itself_does_not_loop() -> None:
    editor = Wrapped(nn.Linear(1, 1))
    editor.parts["self"] = editor
    assert len(cost.reachable_tensors(editor)) == 2


# ---- time -----------------------------------------------------------------------------------------


def test_latency_stops_at_its_count_and_orders_its_percentiles() -> None:
    found = cost.latency(lambda: torch.ones(10).sum(), "cpu", seconds=5, iterations=30)
    assert (found["n"], len(found["seconds"])) == (30, 30)
    assert 10 <= found["warm_up"] <= 100
    assert (
        0
        < found["min"]
        <= found["p5"]
        <= found["median"]
        <= found["p90"]
        <= found["p95"]
        <= max(found["seconds"])
    )


def test_latency_of_a_slow_method_is_bounded_by_its_budget() -> None:
    found = cost.latency(lambda: time.sleep(0.01), "cpu", seconds=0.1)
    assert 5 <= found["n"] <= 10
    assert found["warm_up"] >= 10
    assert found["min"] >= 0.01
    assert found["cpu_mean"] < found["mean"]  # sleeping is not computing


def test_percentiles_equal_numpys() -> None:
    values = sorted(torch.rand(17, generator=torch.Generator().manual_seed(0)).tolist())
    expected = torch.quantile(torch.tensor(values, dtype=torch.float64), 0.9).item()
    assert cost.percentile(values, 90) == pytest.approx(expected)


# ---- everything -----------------------------------------------------------------------------------


def test_measuring_an_editor_gives_every_figure_in_plain_values() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)).requires_grad_(
        False
    )
    found = cost.measure(Wrapped(network), 16, ("Bald", "Male"), seconds=0.2, iterations=20)
    assert found["macs"] == 2 * 16 * 16 * 3 * 8 * 9
    assert found["flops"] == 2 * found["macs"]
    assert found["parameters"] == 2 * 3 * 8 * 9 + 8 + 3
    assert found["weights_bytes"] == 4 * found["parameters"]
    assert found["peak_activation_bytes"] == 4 * 16 * 16 * (3 + 8 + 3)  # the input lives throughout
    assert (found["resolution"], found["threads"]) == (16, torch.get_num_threads())
    assert found["latency"]["n"] >= 5
    assert "cuda" not in found


def test_a_method_without_network_costs_no_weights_and_no_operations() -> None:
    found = cost.measure(Wrapped(), 16, (), seconds=0.05, iterations=5)
    assert (found["parameters"], found["weights_bytes"], found["macs"]) == (0, 0, 0)
    assert found["peak_activation_bytes"] == 4 * 3 * 16 * 16  # its input


def test_the_sample_batch_is_a_picture_and_one_flip() -> None:
    batch = cost.sample_batch(8, ("Bald", "Male"), "cpu")
    assert batch.images.shape == (1, 3, 8, 8)
    assert (batch.images.min(), batch.images.max()) == (-1, 1)
    assert batch.change.tolist() == [[1, 0]]
    assert batch.edited.tolist() == [[True, False]]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_measuring_on_a_gpu_gives_its_peaks() -> None:
    network = nn.Conv2d(3, 3, 3, padding=1).requires_grad_(False).cuda()
    found = cost.measure(Wrapped(network), 64, ("Bald",), "cuda", seconds=0.5)
    assert found["device"] == torch.cuda.get_device_name()
    assert (
        found["cuda"]["peak_reserved_bytes"]
        >= found["cuda"]["peak_allocated_bytes"]
        >= found["weights_bytes"]
    )
    assert found["latency"]["median"] > 0
