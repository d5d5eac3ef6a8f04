"""What must be known of a published network to load it."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from seg_jax.preprocess import IMAGENET, Preprocessing
from seg_jax.weights.names import Names

Tensors = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Reference:
    """A published network in our terms.

    Attributes:
        section: the section `model` of a config that builds the same network.
        names: module of ours -> module of the reference.
        preprocessing: input statistics it was trained with.
        optional: prefix of keys -> what the section has besides where the state dict holds
            such keys: auxiliary heads are often left out.
        dropped: prefixes of keys that belong to no part of the network.
        epsilons: path of a part of ours -> the epsilon of its norms, where it is not the one
            that the section gives.
        input_size: (height, width) of the only input the network was made for, if there is one.
        prepare: turns tensors of another form into a state dict of PyTorch's form.
    """

    section: Mapping[str, Any]
    names: Names
    preprocessing: Preprocessing = IMAGENET
    optional: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    epsilons: Mapping[str, float] = dataclasses.field(default_factory=dict)
    input_size: tuple[int, int] | None = None
    prepare: Callable[[Tensors], Tensors] | None = None
