"""Which pictures a bundle holds: the bytes of its rows decide, so nobody can choose.

Whoever changes a row changes which pictures are wanted, and learns it only afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

PER_EDIT = 3  # pictures


def chosen(rows: bytes, faces: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """(edit, face) pairs: of every edit the faces with the smallest sha256 of rows' hash, edit and face.

    `rows` are the bytes of the rows' file, `faces` the faces that were scored under each edit.
    """
    committed = hashlib.sha256(rows).hexdigest()

    def drawn(pair: tuple[str, str]) -> bytes:
        return hashlib.sha256("\n".join((committed, *pair)).encode()).digest()

    return [
        pair
        for edit, names in faces.items()
        for pair in sorted(((edit, face) for face in names), key=drawn)[:PER_EDIT]
    ]
