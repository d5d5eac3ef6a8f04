"""Names resolve lazily; a wrong one gets a sentence that fixes it."""

import pytest

from seg_jax.registry import UnknownNameError, resolve

TABLE = {"deeplab_v3": "collections:OrderedDict", "broken": "no.such.module:Thing"}


def test_resolves_without_importing_the_neighbours():
    import collections

    assert (
        resolve("deeplab_v3", TABLE, kind="model", field="config.model.name")
        is collections.OrderedDict
    )


def test_a_near_miss_is_named_with_all_names_and_the_field():
    with pytest.raises(UnknownNameError) as error:
        resolve("deeplabv3", TABLE, kind="model", field="config.model.name")
    assert str(error.value) == (
        "Unknown model 'deeplabv3'. Did you mean 'deeplab_v3'? Known: broken, deeplab_v3. "
        "Set config.model.name to one of these."
    )
