// The AI SDK: @ai-sdk/openai and @ai-sdk/anthropic, whole, in pieces, as an object, with tools.
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, embedMany, generateImage, generateObject, generateSpeech, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const [server] = process.argv.slice(2);
const openai = createOpenAI({ baseURL: `${server}/v1`, apiKey: "k" });
const anthropic = createAnthropic({ baseURL: `${server}/v1`, apiKey: "k" });
const prompt = "Say this is a test", maxRetries = 0;
const weather = tool({
  description: "The weather of a city",
  inputSchema: z.object({ city: z.enum(["Oslo", "Rome"]) }),
  execute: async ({ city }) => `It rains in ${city}`,
});
const schema = z.object({ name: z.string(), steps: z.array(z.object({ minutes: z.number().int() })).min(1) });

for (const model of [openai("gpt-5.4"), openai.chat("gpt-4o"), anthropic("claude-sonnet-4-6")]) {
  const whole = await generateText({ model, prompt, maxRetries });
  assert.match(whole.text, /Say this is a test/);
  assert.equal(whole.finishReason, "stop");
  assert.ok(whole.usage.inputTokens > 0 && whole.usage.outputTokens > 0);
  const stream = streamText({ model, prompt, maxRetries });
  let said = "";
  for await (const piece of stream.textStream) said += piece;
  assert.equal(said, whole.text);
  assert.equal((await stream.usage).outputTokens, whole.usage.outputTokens);
  const { object } = await generateObject({ model, schema, prompt, maxRetries });
  assert.ok(Number.isInteger(object.steps[0].minutes));
  // a tool is called, run here, and its result goes back
  const steps = await generateText({
    model, prompt, maxRetries, tools: { weather }, stopWhen: stepCountIs(2),
    prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "none" }),
  });
  assert.match(steps.steps[0].toolResults[0].output, /It rains in/);
  assert.equal(steps.finishReason, "stop");
  const tools = streamText({ model, prompt, maxRetries, tools: { weather }, toolChoice: { type: "tool", toolName: "weather" } });
  assert.deepEqual((await tools.toolCalls).map((call) => call.toolName), ["weather"]);
}

const { embeddings } = await embedMany({ model: openai.embedding("text-embedding-3-small"), values: ["a", "b"], maxRetries });
assert.deepEqual(embeddings.map((each) => each.length), [1536, 1536]);
const { image } = await generateImage({ model: openai.image("gpt-image-1"), prompt: "a lake", size: "1024x1024", maxRetries });
assert.equal(image.mediaType, "image/png");
const { audio } = await generateSpeech({ model: openai.speech("tts-1"), text: "Hello", outputFormat: "wav", maxRetries });
assert.equal(Buffer.from(audio.uint8Array).subarray(0, 4).toString(), "RIFF");
const refused = generateText({ model: openai("gpt-5.4"), prompt, maxRetries, headers: { "x-mutoscope-rehearse": "rate_limited" } });
await assert.rejects(refused, (error) => APICallError.isInstance(error) && error.statusCode === 429 && error.isRetryable);
