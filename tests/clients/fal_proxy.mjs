// @fal-ai/server-proxy between @fal-ai/client and us, as an app's own server has it: it adds the key to what a browser
// asks for. It goes to fal's hosts alone, so that its fetch is led here, as a proxy on the way would do.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createFalClient } from "@fal-ai/client";

const [server] = process.argv.slice(2);
process.env.FAL_KEY = "id:secret"; // read when it is loaded
const { handleRequest } = await import("@fal-ai/server-proxy");

const plain = globalThis.fetch;
const sent = [];
globalThis.fetch = (url, options) => {
  if (!/^https:\/\/([a-z]+\.)*fal\.(run|ai)\//.test(String(url))) return plain(url, options);
  sent.push([String(url), options.headers.authorization]);
  return plain(`${server}/fal/proxy`, options);
};

const app = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  await handleRequest({
    id: "test",
    method: request.method,
    getHeaders: () => request.headers,
    getHeader: (name) => request.headers[name],
    getRequestBody: async () => Buffer.concat(parts).toString(),
    sendHeader: (name, value) => response.setHeader(name, value),
    respondWith: (status, told) => response.writeHead(status).end(JSON.stringify(told)),
    sendResponse: async (answer) => response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer())),
  });
}).listen(0, "127.0.0.1");
await new Promise((ready) => app.once("listening", ready));

const url = `http://127.0.0.1:${app.address().port}/api/fal/proxy`;
const fal = createFalClient({ proxyUrl: { url, when: "always" } });
const input = { prompt: "a lake", image_size: { width: 256, height: 128 } };
const made = await fal.subscribe("fal-ai/flux/schnell", { input, logs: true, pollInterval: 20 });
assert.deepEqual([made.data.images[0].width, made.data.images[0].height], [256, 128]);
assert.equal((await fal.run("fal-ai/flux/schnell", { input })).data.prompt, "a lake");
assert.ok(sent.length >= 4 && sent.every(([address, key]) => /fal\.run/.test(address) && key === "Key id:secret"));
await assert.rejects(fal.run("fal-ai/flux/schnell", { input: {} }), (error) => error.status === 422);
const elsewhere = await plain(url, { headers: { "x-fal-target-url": "https://example.com/a" } });
assert.equal(elsewhere.status, 400);
app.close();
app.closeAllConnections();
