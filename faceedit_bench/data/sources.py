"""Where data sets come from, under which terms, and how they must lie. Nothing here downloads anything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """How to obtain a data set that the toolkit reads."""

    name: str
    what: str
    obtain: str
    licence: str
    layout: str


_CELEBA = """One of (DIR is what --data or --root names):
  all in one folder           DIR/img_align_celeba/000001.jpg …
                              DIR/list_attr_celeba.txt
  as torchvision keeps it     DIR/celeba/img_align_celeba/ …
                              DIR/celeba/list_attr_celeba.txt
  as published                DIR/Img/img_align_celeba/ …
                              DIR/Anno/list_attr_celeba.txt
Read where they are there, beside the list, in Anno/ or in Eval/:
  identity_CelebA.txt              splits people-train and people-test
  list_eval_partition.txt          checked against the split by number
  list_landmarks_align_celeba.txt  five points of every face
Unpack the archives first."""

_HQ = """DIR/CelebA-HQ-img/0.jpg … 29999.jpg, or named as in CelebA (000004.jpg …),
  or DIR itself holds them
DIR/CelebAMask-HQ-attribute-anno.txt
  or list_attr_celeba.txt with DIR/CelebA-HQ-to-CelebA-mapping.txt"""

SOURCES: tuple[Source, ...] = (
    Source(
        name="celeba",
        what="202,599 aligned faces of 10,177 people, 178×218, 40 labels (Liu et al., 2015). celeba-170 is "
        "the same set with AttGAN's and STGAN's crop",
        obtain="mmlab.ie.cuhk.edu.hk/projects/CelebA.html: 'Align&Cropped Images', Anno and Eval",
        licence="non-commercial research only; no redistribution of any part",
        layout=_CELEBA,
    ),
    Source(
        name="celebahq",
        what="30,000 faces of CelebA at 1024×1024 (Karras et al., 2018)",
        obtain="github.com/switchablenorms/CelebAMask-HQ: the archive has pictures, labels and mapping",
        licence="non-commercial research and education only; CelebA's terms hold for the pictures",
        layout=_HQ,
    ),
    Source(
        name="celebamask-hq",
        what="CelebA-HQ with masks of 18 parts of the face at 512×512 (Lee et al., 2020), read as 12 regions",
        obtain="github.com/switchablenorms/CelebAMask-HQ",
        licence="non-commercial research and education only; CelebA's terms hold for the pictures",
        layout=_HQ + "\nDIR/CelebAMask-HQ-mask-anno/0/00000_skin.png … 14/29999_hair.png",
    ),
    Source(
        name="lfw",
        what="13,233 photographs of 5,749 people, 250×250 (Huang et al., 2007)",
        obtain="vis-www.cs.umass.edu/lfw: lfw, lfw-funneled or lfw-deepfunneled, and pairs.txt; "
        "lfw_attributes.txt from www.cs.columbia.edu/CAVE/databases/pubfig",
        licence="no licence is stated; news photographs of public figures, for research",
        layout="""DIR/lfw/Name_Surname/Name_Surname_0001.jpg (or lfw_funneled, lfw-deepfunneled)
DIR/lfw_attributes.txt   labels: the sign of 73 values that a classifier gave
DIR/pairs.txt            if there: split `pairs`, the ten folds of verification""",
    ),
    Source(
        name="ffhq",
        what="70,000 faces at 1024×1024, without labels (Karras et al., 2019)",
        obtain="github.com/NVlabs/ffhq-dataset",
        licence="CC BY-NC-SA 4.0; each photograph has a licence of its own",
        layout="""DIR/images1024x1024/00000/00000.png …
  or DIR/thumbnails128x128/00000/00000.png …
ffhq-dataset-v2.json is not needed: splits go by number, as its categories do""",
    ),
    Source(
        name="folder",
        what="pictures of yours, without labels",
        obtain="any folder; pictures in folders below it count too",
        licence="yours to know",
        layout="DIR/*.jpg, .png, .webp, .bmp, .gif, .ppm, .tif",
    ),
    Source(
        name="folder-csv",
        what="pictures of yours, with labels",
        obtain="any folder with one CSV file in it (or one named labels.csv)",
        licence="yours to know",
        layout="""DIR/labels.csv: a column id (the picture's path below DIR, its suffix may be
left away), and a column with 0 or 1 (or -1 or 1) for each attribute, named as
in CelebA; `identity` may say who it is""",
    ),
    Source(
        name="imagefolder",
        what="a data set saved in the imagefolder layout of Hugging Face's `datasets`",
        obtain="any such folder on disk; the package `datasets` is not needed",
        licence="as the data set's own page says",
        layout="""DIR/{train,validation,test}/metadata.csv or metadata.jsonl, or one in DIR:
file_name, and a column with 0 or 1 (or -1 or 1) for each attribute; text,
caption and prompt are passed over""",
    ),
    Source(
        name="drawn-faces",
        what="faces drawn from numbers, with the exact picture of every edit",
        obtain="comes with the package; drawn once into the cache",
        licence="MIT, as the package",
        layout="nothing to lay out: leave --data away",
    ),
)
