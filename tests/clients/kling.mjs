// kling-api, which takes addresses with https only, and a key in two halves.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { KlingAPI, KlingAPIError } from "kling-api";

const [server, file, accessKey, secretKey] = process.argv.slice(2);
const kling = new KlingAPI({ baseUrl: server, accessKey, secretKey });
const quick = { interval: 50, pollInterval: 50, showSpinner: false };
const picture = readFileSync(file).toString("base64");

const clip = await made(await kling.textToVideo({ model_name: "kling-v1-6", prompt: "a lake", duration: "5", mode: "std", aspect_ratio: "16:9" }), "queryTextToVideoTask");
assert.match(clip.videos[0].url, /^https:/);
assert.ok((await (await fetch(clip.videos[0].url)).arrayBuffer()).byteLength > 1000);
assert.ok((await made(await kling.imageToVideo({ model_name: "kling-v1-6", image: picture, prompt: "it moves", duration: "5" }), "queryImageToVideoTask")).videos[0].duration);
assert.equal((await made(await kling.generateImage({ model_name: "kling-v1", prompt: "a lake", n: 2, aspect_ratio: "1:1" }), "queryImageGenTask")).images.length, 2);
assert.equal((await made(await kling.extendVideo({ video_id: clip.videos[0].id, prompt: "further" }), "queryExtendVideoTask")).videos.length, 1);
const several = await kling.multiImageToVideo({ image_list: [{ image: picture }, { image: picture }], prompt: "they meet" });
assert.equal((await made(several, "queryMultiImageToVideoTask")).videos.length, 1);
const failing = await kling.textToVideo({ model_name: "kling-v1-6", prompt: "fail refused no", duration: "5" });
await assert.rejects(made(failing, "queryTextToVideoTask"), KlingAPIError);
// what is not made is refused by name
await assert.rejects(kling.expandImage({ image: picture, up_expansion_ratio: 0.1, down_expansion_ratio: 0.1,
  left_expansion_ratio: 0.1, right_expansion_ratio: 0.1 }), (error) => error instanceof KlingAPIError && error.code === 1201);
assert.ok(await kling.healthCheck());
const wrong = new KlingAPI({ baseUrl: server, accessKey, secretKey: "another" });
await assert.rejects(wrong.queryTextToVideoTask("1"), (error) => error instanceof KlingAPIError && error.httpStatus === 401);

async function made(created, read) {
  assert.equal(created.code, 0);
  const done = await kling.waitForVideoResult(created.data.task_id, kling[read].bind(kling), quick);
  return done.data?.task_result ?? done.task_result ?? done;
}
