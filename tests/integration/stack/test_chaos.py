"""Every kind of fault once: no song is lost, no byte is wrong, nobody has to help. bench/soak.sh does it a thousand times."""

import pytest
from chaos_more_faults import FAULTS
from chaos_run import draw, run
from chaos_scene import Scene, until

# Songs that are stuck are waited for before the fault, at some faults while it lasts, and after it.
pytestmark = pytest.mark.seconds(600)

# One part is enough to see what standing still does, for it takes long; the soak freezes all of them.
LATE_KINDS = ["kill assembler", "kill splitter", "disk full assembler"]
KINDS = [name for name in FAULTS if not name.startswith("freeze") or name == "freeze assembler"]
SEED = 7
LATE_SEED = 88  # strikes when the chunks are done


# What can hurt audio that lies beside the messages, with seeds that strike while chunks are on their way; all others meet messages of
# either kind alike.
BESIDE = [("none", 9), ("kill assembler", 9), ("kill splitter", 9), ("kill worker-1", 9), ("term worker-1", 9), ("cut settling", 3),
          ("cut all", 4), ("queue purged", 4), ("results doubled", 4), ("results reordered", 3)]


@pytest.fixture(scope="module")
def scene():
    with Scene(workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def scene_beside():
    with Scene(workers=2, beside=True) as running:
        yield running


@pytest.mark.parametrize("name,seed", [(name, SEED) for name in KINDS] + [(name, LATE_SEED) for name in LATE_KINDS])
def test_nothing_is_lost(scene, name, seed):
    outcome = run(scene, seed, name)
    assert outcome.fine(), outcome
    assert outcome.struck, outcome
    assert not outcome.notes, outcome


def test_no_message_is_left(scene):
    until(lambda: not scene.left_messages(), 60, "no message left")


@pytest.mark.parametrize("name,seed", BESIDE)
def test_nothing_is_lost_beside_messages(scene_beside, name, seed):
    outcome = run(scene_beside, seed, name)
    assert "amqp" in outcome.moment, outcome
    assert outcome.fine(), outcome
    assert outcome.struck, outcome
    assert not outcome.notes, outcome


def test_a_queue_that_is_deleted_and_declared_at_once_is_consumed(scene_beside):
    """So fast that the broker does not tell its consumer: only small messages are."""
    outcome = run(scene_beside, 2002)
    assert outcome.text.startswith("queue deleted: results"), outcome
    assert outcome.fine() and outcome.struck and not outcome.notes, outcome


def test_nothing_is_left_beside_messages(scene_beside):
    until(lambda: not scene_beside.left_messages(), 60, "no message left")
    until(lambda: not scene_beside.left_objects(), 120, "no audio left")


def test_a_seed_decides_everything():
    for seed in range(200):
        (fault, songs), (again, same) = draw(seed), draw(seed)
        assert (fault.name, fault.text, fault.moment, songs) == (again.name, again.text, again.moment, same)


def test_every_fault_is_drawn():
    assert {draw(seed)[0].name for seed in range(2000)} == set(FAULTS)
