// @anthropic-ai/sdk: messages whole and in pieces, tools, counts, models.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";

const [server] = process.argv.slice(2);
const client = new Anthropic({ baseURL: server, apiKey: "k", maxRetries: 0 });
const asked = { model: "claude-sonnet-4-6", max_tokens: 1024, messages: [{ role: "user", content: "Say this is a test" }] };
const whole = await client.messages.create(asked);
const stream = client.messages.stream(asked);
assert.equal(await stream.finalText(), whole.content[0].text);
assert.equal((await stream.finalMessage()).usage.output_tokens, whole.usage.output_tokens);
const tools = [{ name: "f", input_schema: { type: "object", properties: { a: { const: 1 } } } }];
const called = await client.messages.stream({ ...asked, tools, tool_choice: { type: "any" } }).finalMessage();
assert.deepEqual(called.content[0].input, { a: 1 });
const counted = await client.messages.countTokens({ model: asked.model, messages: asked.messages });
assert.equal(counted.input_tokens, whole.usage.input_tokens);
const names = [];
for await (const model of client.models.list({ limit: 2 })) names.push(model.id);
assert.ok(names.includes("claude-sonnet-4-6"));
await assert.rejects(client.messages.create({ ...asked, messages: [] }), Anthropic.BadRequestError);
