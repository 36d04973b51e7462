"""Who is woken by what."""

import asyncio

from mutoscope.service.signals import Bell, Signals


async def rung(bell: Bell) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await bell.wait(60)
    except TimeoutError:
        return False
    return True


async def test_a_bell_that_rang_before_is_heard_once() -> None:
    bell = Bell()
    bell.ring()
    assert [await rung(bell), await rung(bell)] == [True, False]


async def test_nobody_waits_longer_than_they_said() -> None:
    async with asyncio.timeout(5):
        await Bell().wait(0.01)


async def test_the_worker_is_not_woken_for_an_engine_without_room_but_remembers_it() -> None:
    signals = Signals()
    signals.full("studio")
    signals.wake("studio")
    assert not await rung(signals.worker)
    signals.freed("studio")
    assert await rung(signals.worker)
    assert (signals.wanted(), signals.wanted()) == ({"studio"}, set())


async def test_each_loop_has_a_bell_of_its_own() -> None:
    signals = Signals()
    signals.delivery_pending()
    assert [await rung(bell) for bell in (signals.worker, signals.poller, signals.deliverer)] == [False, False, True]
