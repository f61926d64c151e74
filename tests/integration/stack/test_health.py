"""What probes, GetServerInfo and the command say while something is missing: the truth, and at once."""

import subprocess

from stack import interrupt, noise
from supervisor import await_that, http

SERVICES = ("gateway", "splitter", "assembler", "worker-1")


def ready(stack, part):
    return http(stack, part, "/readyz")[0] == 200


def waits_with(stack, tmp_path, sentence, frames):
    """`separate` tells the sentence; then it is cancelled."""
    noise(tmp_path / "song.wav", frames)
    client = stack.start("separate", str(tmp_path / "song.wav"), "-o", str(tmp_path / "out"), "--model", "passthrough")
    assert any(sentence in line for line in client.stdout)
    assert interrupt(client) == 130


def told_to_people(stack):
    return subprocess.run(["unbraid", "info"], env=stack.environment, capture_output=True, text=True, timeout=60).stdout


def test_no_worker_is_told_everywhere(stack, api, tmp_path):
    stack.script("stop", "worker-1")
    await_that(lambda: any(q.workers == 0 for q in api.info().queues if q.model == "passthrough"), "it is gone")
    assert "model passthrough: no worker for this model is connected" in told_to_people(stack)
    waits_with(stack, tmp_path, "no worker for model passthrough is connected", 500_000)
    # Everybody can do their own work.
    assert all(ready(stack, part) for part in SERVICES[:3])
    stack.script("restart", "worker-1")
    await_that(lambda: any(q.workers == 1 for q in api.info().queues if q.model == "passthrough"), "it is back")


def test_without_the_broker_nobody_is_ready_and_all_live(stack, api, tmp_path):
    stack.script("stop", "rabbitmq")
    for part in SERVICES:
        await_that(lambda: not ready(stack, part), f"{part} is not ready")
        assert http(stack, part, "/healthz")[0] == 200, part
    broker = await_that(lambda: next((b for b in [api.info().broker] if not b.connected), None), "it is told")
    assert broker.message.startswith("the message broker cannot be reached"), broker
    assert "the message broker cannot be reached" in told_to_people(stack)
    waits_with(stack, tmp_path, "the message broker cannot be reached", 500_001)
    stack.script("restart", "rabbitmq")
    for part in SERVICES:
        await_that(lambda: ready(stack, part), f"{part} is ready again")


def test_a_broker_that_takes_nothing_is_told_even_while_nothing_is_sent(stack, api, tmp_path):
    """A memory alarm."""
    stack.script("ctl", "set_vm_memory_high_watermark", "0.000001")
    await_that(lambda: not ready(stack, "splitter"), "the splitter is not ready")
    assert "the broker takes no messages" in http(stack, "splitter", "/readyz")[1]
    assert all(http(stack, part, "/healthz")[0] == 200 for part in SERVICES)
    broker = api.info().broker
    assert broker.connected and broker.blocked and broker.message.startswith("the message broker takes no messages"), broker
    waits_with(stack, tmp_path, "the message broker takes no messages", 500_002)
    stack.script("ctl", "set_vm_memory_high_watermark", "0.6")
    await_that(lambda: ready(stack, "splitter"), "the splitter is ready again")
    stack.separate(tmp_path / "song.wav", tmp_path / "out", "--model", "passthrough")
