// @aigne/ideogram: generate, several, and remix of a picture.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { IdeogramImageModel } from "@aigne/ideogram";

const [server, file] = process.argv.slice(2);
const model = new IdeogramImageModel({ baseURL: server, apiKey: "k" });
const made = await model.process({ prompt: "a lake", n: 2, seed: 7, modelOptions: { aspectRatio: "16x9", renderingSpeed: "TURBO" } }, {});
assert.equal(made.images.length, 2);
assert.ok((await (await fetch(made.images[0].url)).arrayBuffer()).byteLength > 100);
const image = [{ type: "file", data: readFileSync(file).toString("base64"), mimeType: "image/png" }];
assert.equal((await model.process({ prompt: "at night", image }, {})).images.length, 1);
assert.equal((await model.invoke({ prompt: "a lake" })).images.length, 1);
