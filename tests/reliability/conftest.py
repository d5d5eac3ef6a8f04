"""How long these tests go on; docs/reliability.md holds the commands and what they found.

A plain run of the tests takes the short forms. The options are known where pytest is given this
folder: `python -m pytest tests/reliability -s --kills=100 --flips=100 --stride=1`.
"""

import pytest


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=3, help="kills of a running `launch.py train`")
    parser.addoption("--flips", type=int, default=5, help="bits flipped in a checkpoint")
    parser.addoption("--stride", type=int, default=9, help="a kill at every STRIDE-th operation")


@pytest.fixture
def kills(request):
    return request.config.getoption("--kills", 3)


@pytest.fixture
def flips(request):
    return request.config.getoption("--flips", 5)


@pytest.fixture
def stride(request):
    return request.config.getoption("--stride", 9)


@pytest.fixture
def tell():
    """Says what was counted, to whoever runs pytest with -s."""
    return print
