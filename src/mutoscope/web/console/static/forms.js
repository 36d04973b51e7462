// Forms that make a call of the admin API of what is in them, and show what it answers.

import { call } from "./console.js";

const READ = {
  integer: (text) => Number.parseInt(text, 10),
  number: Number,
  days: (text) => Number(text) * 86400,
  hours: (text) => Number(text) * 3600,
};

function body(form) {
  const told = JSON.parse(form.dataset.fixed ?? "{}");
  for (const each of form.elements) {
    if (!each.name) continue;
    if (each.type === "checkbox") {
      told[each.name] = each.checked;
      continue;
    }
    if (each.value === "" && !("empty" in each.dataset)) continue;
    told[each.name] = each.dataset.as in READ ? READ[each.dataset.as](each.value) : each.value;
  }
  if (form.dataset.shows === "key" && told.budget === undefined) delete told.budget_period;
  return told;
}

function say(form, text, good) {
  const output = form.querySelector("output");
  if (!output) return;
  output.hidden = false;
  output.className = `notice ${good ? "good" : "bad"}`;
  output.textContent = text;
}

function told(answer) {
  if (typeof answer.told === "string") return answer.told;
  return Object.entries(answer)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`)
    .join(" · ");
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  const [method, path] = form.dataset.api.split(" ");
  const button = event.submitter;
  if (button) button.disabled = true;
  try {
    const answer = await call(method, path, body(form));
    if (form.dataset.then === "reload") location.reload();
    else if (form.dataset.shows) say(form, `Shown this once: ${answer[form.dataset.shows] ?? `${answer.access_key} ${answer.secret_key}`}`, true);
    else say(form, told(answer), answer.valid !== false);
  } catch (error) {
    say(form, error.field ? `${error.field}: ${error.message}` : error.message, false);
  } finally {
    if (button) button.disabled = false;
  }
});
