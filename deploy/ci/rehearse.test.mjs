// A test of a client of Runway's API against a mutoscope that rehearses: Node's own test runner, and no package of ours.
// node --test rehearse.test.mjs, with `mutoscope` on the PATH or its command in MUTOSCOPE.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

let server, url, receiver;
const webhooks = [];
const rehearsal = async (method, path, body) =>
  (await fetch(`${url}/rehearsal/${path}`, { method, body: body && JSON.stringify(body) })).json();
const fail = (wire, what, more = {}) => rehearsal("POST", "faults", { wire, what, ...more });

before(async () => {
  const [command, ...words] = (process.env.MUTOSCOPE ?? "mutoscope").split(" ");
  const data = mkdtempSync(join(tmpdir(), "mutoscope-"));
  const { MUTOSCOPE, RUNWAYML_API_SECRET, ...env } = process.env; // no vendor's key: it can pay nobody
  const options = ["serve", "--rehearse", "--allow-private", "--port", "0", "--data", data];
  server = spawn(command, [...words, ...options], { env, cwd: data, stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((found, lost) => {
    server.stdout.on("data", (said) => /serves on http/.test(said) && found(/serves on (\S+)/.exec(said)[1]));
    server.on("exit", (code) => lost(new Error(`mutoscope ended with ${code}`)));
  });
  process.env.RUNWAYML_BASE_URL = `${url}/runway`; // @runwayml/sdk finds it here; mutoscope env lists the others
  receiver = createServer(async (request, response) => {
    webhooks.push(JSON.parse(Buffer.concat(await request.toArray())));
    response.writeHead(204).end();
  }).listen(0, "127.0.0.1");
});
after(() => (server.kill(), receiver.close(), receiver.closeAllConnections()));
beforeEach(() => rehearsal("DELETE", "faults"));

const headers = { "x-runway-version": "2024-11-06", authorization: "Bearer any", "content-type": "application/json" };
const create = (more = {}) =>
  fetch(`${process.env.RUNWAYML_BASE_URL}/v1/text_to_image`, {
    method: "POST", headers: { ...headers, ...more },
    body: JSON.stringify({ model: "gen4_image", promptText: "a lake", ratio: "1920:1080" }),
  });

test("a busy vendor is met with another try", async () => {
  await fail("runway", 429);
  assert.deepEqual([(await create()).status, (await create()).status], [429, 200]);
  const { jobs } = await rehearsal("GET", "jobs");
  assert.equal(JSON.parse(jobs.at(-1).body).promptText, "a lake");
});

test("the end of a job is told to a webhook", async () => {
  const { port } = receiver.address();
  const { id } = await (await create({ "x-mutoscope-webhook": `http://127.0.0.1:${port}/` })).json();
  while (!webhooks.some((each) => each.id === id && each.status === "SUCCEEDED")) await sleep(20);
});
