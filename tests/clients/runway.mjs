// @runwayml/sdk: a picture, a clip after it, an upload, a refusal.
import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import RunwayML, { TaskFailedError } from "@runwayml/sdk";

const [server, file] = process.argv.slice(2);
const client = new RunwayML({ baseURL: server, apiKey: "k", maxRetries: 0 });
const picture = `data:image/png;base64,${readFileSync(file).toString("base64")}`;
const upload = await client.uploads.createEphemeral({ file: createReadStream(file) });
for (const promptImage of [picture, upload.uri]) {
  const task = await client.imageToVideo.create({ model: "gen4_turbo", promptImage, promptText: "it moves", ratio: "1280:720", duration: 5 });
  assert.equal((await client.tasks.retrieve(task.id)).id, task.id);
  await client.tasks.delete(task.id);
}
const asked = { model: "gen4_image", ratio: "720:720" };
const made = await ended(await client.textToImage.create({ ...asked, promptText: "a lake" }));
assert.match((await made.waitForTaskOutput()).output[0], /^http/);
const refused = await ended(await client.textToImage.create({ ...asked, promptText: "fail refused no" }));
await assert.rejects(refused.waitForTaskOutput(), TaskFailedError);
await assert.rejects(client.textToImage.create({ ...asked, promptText: "a", ratio: "1:7" }), RunwayML.BadRequestError);
assert.ok((await client.organization.retrieve()).creditBalance > 0);

// its own waiting begins with six seconds of sleep, but for a task that is read first
async function ended({ id }) {
  while (["PENDING", "RUNNING", "THROTTLED"].includes((await client.tasks.retrieve(id)).status)) await setTimeout(50);
  return { waitForTaskOutput: () => client.tasks.retrieve(id).waitForTaskOutput() };
}
