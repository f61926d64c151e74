"""What the tests of this folder share. A file whose tests need another stack has a `stack` of its own."""

import pytest
from api import Api
from stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=1, models=("passthrough",)) as running:
        yield running


@pytest.fixture(scope="module")
def api(stack):
    with Api(stack) as client:
        yield client
