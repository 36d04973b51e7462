// @ai-sdk/black-forest-labs: pictures, one filled under a mask, one after another, a clip.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createBlackForestLabs } from "@ai-sdk/black-forest-labs";
import { experimental_generateVideo as generateVideo, generateImage } from "ai";

const [server, file] = process.argv.slice(2);
const picture = readFileSync(file);
// its own download of clips refuses loopback
const download = async ({ url }) => ({ data: new Uint8Array(await (await fetch(url)).arrayBuffer()), mediaType: "video/mp4" });
globalThis.AI_SDK_LOG_WARNINGS = false; // of sizes that are told as shapes, too
const maxRetries = 0, providerOptions = { blackForestLabs: { pollIntervalMillis: 20 } };
const made = (at, model, prompt, more = {}) =>
  generateImage({ model: at.image(model), prompt, maxRetries, providerOptions, ...more });
const relay = createBlackForestLabs({ baseURL: `${server}/bfl/v1`, apiKey: "k" });
const bfl = createBlackForestLabs({ baseURL: `${server}/v1`, apiKey: "k" });
for (const at of [relay, bfl]) {
  const plain = await made(at, "flux-pro-1.1", "a lake", { size: "512x256", seed: 7 });
  assert.match(plain.image.mediaType, /^image\/(jpeg|png)$/);
  assert.equal(plain.providerMetadata.blackForestLabs.images[0].seed, 7);
}
const images = [picture];
assert.ok((await made(bfl, "flux-kontext-pro", { text: "at night", images })).image.uint8Array.length > 100);
assert.ok((await made(bfl, "flux-pro-1.0-fill", { text: "a boat", images, mask: picture })).image.uint8Array.length > 100);
await assert.rejects(made(bfl, "flux-pro-1.1", "a lake", { headers: { "x-mutoscope-rehearse": "invalid" } }));
const clip = await generateVideo({ model: bfl.video("flux-3-video"), prompt: "a lake", maxRetries, providerOptions, download });
assert.equal(Buffer.from(clip.video.uint8Array).subarray(4, 8).toString(), "ftyp");
