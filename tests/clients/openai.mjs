// openai: words, and Recraft's pictures by another base URL, as the vendor's own examples have it.
import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import OpenAI from "openai";

const [server, picture] = process.argv.slice(2);
const openai = new OpenAI({ baseURL: `${server}/v1`, apiKey: "k", maxRetries: 0 });
const messages = [{ role: "user", content: "Say this is a test" }];
const whole = await openai.chat.completions.create({ model: "gpt-4o", messages });
let said = "";
for await (const chunk of await openai.chat.completions.create({ model: "gpt-4o", messages, stream: true }))
  said += chunk.choices[0]?.delta.content ?? "";
assert.equal(said, whole.choices[0].message.content);
assert.ok(whole._request_id);
const response = await openai.responses.create({ model: "gpt-5.4", input: "Say this is a test" });
assert.match(response.output_text, /Say this is a test/);
const vectors = await openai.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"] });
assert.equal(vectors.data[0].embedding.length, 1536);
const kept = await openai.files.create({ file: createReadStream(picture), purpose: "vision" });
assert.ok((await openai.files.delete(kept.id)).deleted);
const video = await openai.videos.create({ model: "sora-2", prompt: "a lake", seconds: "4", size: "720x1280" });
assert.equal((await openai.videos.retrieve(video.id)).id, video.id);
await assert.rejects(openai.chat.completions.create({ model: "gpt-4o", messages, temperature: 3 }), OpenAI.BadRequestError);

const asked = { model: "recraftv3", prompt: "a lake" };
for (const base of [`${server}/v1`, `${server}/recraft/v1`]) {
  const recraft = new OpenAI({ baseURL: base, apiKey: "k", maxRetries: 0 });
  assert.match((await recraft.images.generate({ ...asked, style: "realistic_image" })).data[0].url, /^http/);
  await assert.rejects(recraft.images.generate({ ...asked, n: 7 }), OpenAI.BadRequestError);
  const file = new File([readFileSync(picture)], "a.png", { type: "image/png" });
  const vector = await recraft.post("/images/vectorize", { body: form({ file }) });
  assert.match(vector.image.url, /^http/);
}
function form(parts) {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) form.append(name, part);
  return form;
}
