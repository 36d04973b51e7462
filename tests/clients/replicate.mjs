// replicate: run, a prediction that is waited for, a cancel, a file.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import Replicate from "replicate";

const [server, file] = process.argv.slice(2);
const replicate = new Replicate({ auth: "k", baseUrl: `${server}/v1` });
const schnell = "black-forest-labs/flux-schnell";
// with https it makes a stream of what is at the address, and leaves it as it is here
const [output] = await replicate.run(schnell, { input: { prompt: "a lake" } });
assert.ok((await (await fetch(output)).arrayBuffer()).byteLength > 100);
const image = new Blob([readFileSync(file)], { type: "image/png" });
const clip = await replicate.run("wan-video/wan-2.2-i2v-fast", { input: { image, prompt: "it moves" }, wait: { mode: "poll", interval: 50 } });
assert.match(String(clip), /^http/);
const long = await replicate.predictions.create({ model: schnell, input: { prompt: "sleep 30" } });
assert.match((await replicate.predictions.cancel(long.id)).status, /cancel/);
assert.ok((await replicate.predictions.list()).results.length >= 3);
assert.equal((await replicate.models.get("black-forest-labs", "flux-schnell")).name, "flux-schnell");
await assert.rejects(replicate.run(schnell, { input: {} }), /422/);
