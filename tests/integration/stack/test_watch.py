"""Watching: many at once, from any point, over restarts, and for as long as it takes."""

import os
import signal
import time

import grpc
import pytest
from stack import Stack, noise
from supervisor import await_that, figure

WATCHERS = 500
CHANNELS = 5


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=0, models=("passthrough",)) as running:
        yield running


@pytest.fixture
def waiting(stack, api, tmp_path):
    """A separation that waits for a worker for ever."""
    noise(tmp_path / "song.wav", 2_000_000 + time.monotonic_ns() % 100_000)
    name = api.create(api.upload((tmp_path / "song.wav").read_bytes()).name, model="passthrough").name
    await_that(lambda: "no worker for model passthrough is connected" in api.get(name).progress.waiting_for, "it waits")
    yield name
    api.delete(name)


def test_five_hundred_watchers_cost_one_subscription_and_all_see_the_end(stack, api, waiting):
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.insecure_channel(stack.environment["UNBRAID_GATEWAY"], options) for _ in range(CHANNELS)]
    calls = [api.watch(waiting, channel=channels[i % CHANNELS]) for i in range(WATCHERS)]
    versions = [next(call).separation.version for call in calls]
    await_that(lambda: figure(stack, "gateway", "unbraid_gateway_watchers") == WATCHERS, "all take part")
    assert figure(stack, "gateway", "unbraid_gateway_watch_streams") == 1
    await_that(lambda: figure(stack, "assembler", "unbraid_assembler_watchers") == 1, "the assembler has one")
    for call in calls[:250]:
        call.cancel()
    await_that(lambda: figure(stack, "gateway", "unbraid_gateway_watchers") == WATCHERS - 250, "they have left")
    assert figure(stack, "assembler", "unbraid_assembler_watchers") == 1
    api.cancel(waiting)
    for call, version in list(zip(calls, versions))[250:]:
        for news in call:
            assert news.separation.version >= version
            version = news.separation.version
        assert api.state(news.separation) == "CANCELLED"
        assert call.code().name == "OK"
    await_that(lambda: figure(stack, "assembler", "unbraid_assembler_watchers") == 0, "the subscription has ended")
    for channel in channels:
        channel.close()


def test_a_watcher_hears_something_every_fifteen_seconds(api, waiting):
    watch = api.watch(waiting)
    first = next(watch).separation
    begin = time.monotonic()
    again = next(watch).separation
    assert time.monotonic() - begin <= 16
    assert again.version >= first.version
    watch.cancel()


def test_versions_never_go_back_over_restarts_and_new_attachments(stack, api, waiting):
    version = 0
    for victim in (None, "gateway", None, "assembler", None):
        if victim is not None:
            os.kill(stack.pids()[victim], signal.SIGKILL)
            stack.script("restart", victim)
        # What any other call has told is not older either.
        version = max(version, await_that(lambda: getattr(api.get(waiting), "version", 0), "somebody answers"))
        for _ in range(10):
            watch = api.watch(waiting)
            seen = next(watch).separation.version
            watch.cancel()
            assert seen >= version
            version = seen


def test_the_gateway_bounds_the_life_of_a_stream_and_the_command_attaches_again(stack, api, waiting):
    stack.environment["UNBRAID_MAX_STREAM_AGE"] = "1s"
    stack.script("restart", "gateway")
    ended = 'unbraid_gateway_calls_total{code="UNAVAILABLE",method="WatchSeparation"}'
    client = stack.start("watch", waiting)
    await_that(lambda: figure(stack, "gateway", ended) >= 3, "three streams have ended")
    assert client.poll() is None
    api.cancel(waiting)
    assert client.wait(timeout=30) == 130
    del stack.environment["UNBRAID_MAX_STREAM_AGE"]
    stack.script("restart", "gateway")
