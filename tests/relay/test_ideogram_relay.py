"""Ideogram with a second mutoscope as the vendor: forms over a socket, and words."""

from typing import Any

from mutoscope.model.job import Operation, Role

Worlds = Any


async def test_a_picture_and_its_mask_reach_the_vendor_in_a_form(world: Worlds, picture: bytes) -> None:
    async with world("ideogram") as it:
        file = ("a.png", picture, "image/png")
        form = {"prompt": (None, "a lake"), "num_images": (None, "2"), "image": file, "mask": file}
        answer = await it.client.post("/v1/ideogram-v3/edit", files=form)
        assert answer.status_code == 200, answer.text
        assert [each["is_image_safe"] for each in answer.json()["data"]] == [True, True]
        [job] = await it.submissions()
        assert (job.generation.operation, job.generation.model) == (Operation.IMAGE_INPAINT, "ideogram-v3")
        assert [each.role for each in job.generation.inputs] == [Role.IMAGE, Role.MASK]
        assert all(each.asset for each in job.generation.inputs)
        assert job.generation.extra["mask_polarity"] == "black"


async def test_a_description_comes_back_in_words_and_the_fourth_version_is_polled(
    world: Worlds, picture: bytes
) -> None:
    async with world("ideogram") as it:
        words = await it.client.post("/describe", files={"image_file": ("a.png", picture, "image/png")})
        assert words.json()["descriptions"][0]["text"]
        drawn = await it.client.post("/v1/ideogram-v4/generate", json={"text_prompt": "a lake"})
        assert drawn.status_code == 200, drawn.text
        stories = [await it.story(job.id) for job in await it.app.store.recent(limit=9)]
        assert len(stories) == 2
        bodies = [job.body for job in await it.submissions()]
        assert any(b"text_prompt" in body for body in bodies)
