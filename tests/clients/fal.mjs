// @fal-ai/client by its proxy form (it has no other address to set), and @ai-sdk/fal.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createFal } from "@ai-sdk/fal";
import { ApiError, createFalClient, ValidationError } from "@fal-ai/client";
import { generateImage } from "ai";

const [server, file] = process.argv.slice(2);
const fal = createFalClient({ credentials: "k", proxyUrl: { url: `${server}/fal/proxy`, when: "always" } });
const app = "fal-ai/flux/schnell";
const input = { prompt: "a lake", image_size: { width: 256, height: 128 }, num_images: 1, sync_mode: false };

const seen = [];
const made = await fal.subscribe(app, { input, logs: true, pollInterval: 20, onQueueUpdate: (update) => seen.push(update.status) });
assert.deepEqual([made.data.images[0].width, made.data.images[0].height], [256, 128]);
assert.equal(seen.at(-1), "COMPLETED");
assert.ok((await (await fetch(made.data.images[0].url)).arrayBuffer()).byteLength > 100);
const streamed = await fal.subscribe(app, { input, mode: "streaming" });
assert.equal(streamed.data.images.length, 1);
assert.equal((await fal.run(app, { input })).data.prompt, "a lake");

const { request_id: requestId } = await fal.queue.submit(app, { input: { ...input, prompt: "sleep 30" } });
assert.match((await fal.queue.status(app, { requestId })).status, /^IN_/);
await assert.rejects(fal.queue.result(app, { requestId }), (error) => error instanceof ApiError && /in progress/.test(error.body.detail));
await fal.queue.cancel(app, { requestId });

const url = await fal.storage.upload(new File([readFileSync(file)], "a.png", { type: "image/png" }));
const after = await fal.subscribe("fal-ai/flux/dev/image-to-image", { input: { prompt: "at night", image_url: url }, pollInterval: 20 });
assert.equal(after.data.images.length, 1);
// more than 90 MB go in parts: it is told so of a small file, whose later parts are empty
const large = Object.defineProperty(new File([readFileSync(file)], "a.png", { type: "image/png" }), "size", { value: 91 * 2 ** 20 });
assert.deepEqual(Buffer.from(await (await fetch(await fal.storage.upload(large))).arrayBuffer()), readFileSync(file));
// files in an input are uploaded by the client itself
const blob = new Blob([readFileSync(file)], { type: "image/png" });
const cut = await fal.subscribe("fal-ai/birefnet", { input: { image_url: blob }, pollInterval: 20 });
assert.match(cut.data.image.url, /^http/);
await assert.rejects(fal.run(app, { input: {} }), (error) => error instanceof ValidationError && error.fieldErrors.length > 0);

const provider = createFal({ apiKey: "k", baseURL: `${server}/fal/run`, fetch: (url, options) => fetch(url, options) });
const { image } = await generateImage({ model: provider.image(app), prompt: "a lake", maxRetries: 0 });
assert.match(image.mediaType, /^image\//);
