// The playground: a form from an operation's schema, the same as JSON in step, the bill, and the result in place.

import { call, soon, toast } from "./console.js";
import { follow } from "./gallery.js";

const root = document.getElementById("playground");
const fields = document.getElementById("fields");
const json = document.getElementById("json");
const trouble = document.getElementById("json-trouble");
const bill = document.getElementById("bill");
const FILE = /(^|_|[a-z])(image|video|audio|mask|frame|picture|clip|uri|url|file)s?(_url|_uri|Url|Uri)?$/i;
const NO_FILE = /webhook|callback|size|ratio|format|count|strength|style|type|length|seconds|duration|mode|quality|weight|model/i;
const MOST_FILE = 8 * 1024 * 1024;

let operation;
let body = {};
let words = {}; // of the path

const make = (tag, props = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children.filter((each) => each !== null && each !== undefined));
  return element;
};

// -- schemas

const resolve = (schema) => {
  let found = schema;
  for (let step = 0; found?.$ref && step < 10; step++) found = operation.schemas[found.$ref.split("/").pop()];
  return found ?? {};
};

// The members of a choice, without null: what a field may be of.
const members = (schema) => {
  const found = resolve(schema);
  const choices = found.anyOf ?? found.oneOf;
  if (!choices) return [found];
  return choices.filter((each) => each.type !== "null").flatMap(members);
};

function shape(schema) {
  const found = members(schema);
  const constants = found.filter((each) => each.enum);
  if (constants.length && constants.length === found.length)
    return { type: "enum", enum: constants.flatMap((each) => each.enum) };
  return found.find((each) => each.type !== "array" && each.type !== "object") ?? found[0] ?? {};
}

// The object of which the body is, by the value of what tells its kinds apart.
function variants() {
  const found = resolve(operation.body);
  const mapping = operation.body.discriminator?.mapping ?? found.discriminator?.mapping;
  if (mapping) return { by: (operation.body.discriminator ?? found.discriminator).propertyName, mapping };
  return null;
}

function bodyShape() {
  const kinds = variants();
  if (!kinds) return members(operation.body).find((each) => each.properties) ?? resolve(operation.body);
  const chosen = body[kinds.by] in kinds.mapping ? body[kinds.by] : Object.keys(kinds.mapping)[0];
  body[kinds.by] = chosen;
  return resolve({ $ref: kinds.mapping[chosen] });
}

// -- the form

function draw() {
  const kinds = variants();
  const object = bodyShape();
  const made = [];
  for (const name of operation.path.matchAll(/\{(\w+)…?\}/g)) made.push(wordField(name[1]));
  if (kinds) made.push(choice(kinds.by, Object.keys(kinds.mapping), body, true, () => { draw(); changed(); }));
  const needed = new Set(object.required ?? []);
  const entries = Object.entries(object.properties ?? {}).filter(([name]) => name !== kinds?.by);
  const first = entries.filter(([name]) => needed.has(name) || name in operation.example || /prompt/i.test(name));
  const rest = entries.filter((each) => !first.includes(each));
  made.push(...first.map(([name, schema]) => control(name, schema, body, needed.has(name))));
  if (rest.length) {
    const open = document.getElementById("rest")?.open ?? rest.some(([name]) => name in body);
    made.push(make("details", { id: "rest", open }, make("summary", {}, `${rest.length} more fields`),
      make("div", { className: "stack" }, ...rest.map(([name, schema]) => control(name, schema, body, false)))));
  }
  fields.replaceChildren(...made);
}

function label(name, needed, element, hint) {
  const text = make("span", {}, name);
  if (needed) text.append(make("sup", { title: "required" }, " *"), make("span", { className: "hidden" }, " required"));
  return make("label", { className: "field" }, text, element, hint ? make("small", {}, hint) : null);
}

function set(holder, name, value) {
  if (value === undefined || value === "" || Number.isNaN(value)) delete holder[name];
  else holder[name] = value;
  changed();
}

function choice(name, values, holder, needed, then) {
  const options = values.map((value) => make("option", { value: JSON.stringify(value) }, String(value)));
  if (!needed) options.unshift(make("option", { value: "" }, "—"));
  const element = make("select", { name }, ...options);
  element.value = name in holder ? JSON.stringify(holder[name]) : needed ? JSON.stringify(values[0]) : "";
  if (needed && !(name in holder)) holder[name] = values[0];
  element.addEventListener("change", () => {
    set(holder, name, element.value === "" ? undefined : JSON.parse(element.value));
    then?.();
  });
  return label(name, needed, element);
}

function wordField(name) {
  const known = operation.words;
  const element = make("select", { name }, ...known.map((word) => make("option", { value: word }, word)));
  words[name] ??= known.find((word) => word === words[name]) ?? known[0] ?? "";
  element.value = words[name];
  element.addEventListener("change", () => {
    words[name] = element.value;
    changed();
  });
  return label(name, true, element, "In the path");
}

function control(name, schema, holder, needed) {
  const told = shape(schema);
  const hint = hintOf(schema, told);
  if (told.type === "enum" || told.enum) return choice(name, told.enum, holder, needed);
  if (told.const !== undefined) return choice(name, [told.const], holder, needed);
  if (told.type === "boolean") return choice(name, [true, false], holder, needed);
  if (told.type === "integer" || told.type === "number") return numeric(name, told, holder, needed, hint);
  if (told.type === "object" && told.properties) return group(name, told, holder, needed);
  if (told.type === "array" || told.type === "object" || told.type === undefined) return raw(name, holder, needed, hint);
  if (FILE.test(name) && !NO_FILE.test(name)) return file(name, told, holder, needed, hint);
  const long = /prompt|text|lyrics|description|instructions/i.test(name) || (told.maxLength ?? 0) > 300;
  const element = long ? make("textarea", { name, rows: 3 }) : make("input", { name, type: "text" });
  element.required = needed;
  element.value = holder[name] ?? "";
  element.addEventListener("input", () => set(holder, name, element.value));
  return label(name, needed, element, hint);
}

function hintOf(schema, told) {
  const text = resolve(schema).description ?? schema.description ?? told.description ?? "";
  const bounds = [];
  if (told.minimum !== undefined || told.maximum !== undefined) bounds.push(`${told.minimum ?? "…"} to ${told.maximum ?? "…"}`);
  if (told.maxLength) bounds.push(`up to ${told.maxLength.toLocaleString("en")} characters`);
  if (resolve(schema).default !== undefined && resolve(schema).default !== null) bounds.push(`usual: ${JSON.stringify(resolve(schema).default)}`);
  return [text, bounds.join(", ")].filter(Boolean).join(" ").slice(0, 200);
}

function numeric(name, told, holder, needed, hint) {
  const step = told.type === "integer" ? 1 : "any";
  const number = make("input", { name, type: "number", step, required: needed });
  if (told.minimum !== undefined) number.min = told.minimum;
  if (told.maximum !== undefined) number.max = told.maximum;
  number.value = holder[name] ?? "";
  const read = (text) => (text === "" ? undefined : Number(text));
  number.addEventListener("input", () => set(holder, name, read(number.value)));
  const span = told.maximum - told.minimum;
  if (!(span > 0 && span <= 1000)) return label(name, needed, number, hint);
  const range = make("input", { type: "range", min: told.minimum, max: told.maximum, step: told.type === "integer" ? 1 : span / 100, tabIndex: -1, ariaHidden: "true" });
  range.value = holder[name] ?? told.minimum;
  range.addEventListener("input", () => {
    number.value = range.value;
    set(holder, name, read(range.value));
  });
  number.addEventListener("input", () => (range.value = number.value || told.minimum));
  return label(name, needed, make("div", { className: "range" }, range, number), hint);
}

function group(name, told, holder, needed) {
  const inner = holder[name] ?? {};
  const attached = new Proxy(inner, {
    set(target, key, value) {
      target[key] = value;
      holder[name] = target;
      return true;
    },
    deleteProperty(target, key) {
      delete target[key];
      if (!Object.keys(target).length && !needed) delete holder[name];
      return true;
    },
  });
  const required = new Set(needed || name in holder ? told.required ?? [] : []);
  return make("fieldset", { className: "set" }, make("legend", {}, name),
    ...Object.entries(told.properties).map(([each, schema]) => control(each, schema, attached, required.has(each))));
}

function raw(name, holder, needed, hint) {
  const element = make("textarea", { name, rows: 2, spellcheck: false, placeholder: "JSON" });
  element.value = holder[name] === undefined ? "" : JSON.stringify(holder[name]);
  element.addEventListener("input", () => {
    try {
      set(holder, name, element.value.trim() === "" ? undefined : JSON.parse(element.value));
      element.setCustomValidity("");
    } catch {
      element.setCustomValidity("This is no JSON yet.");
    }
  });
  return label(name, needed, element, hint);
}

// A link, or a file by the chooser, by dropping it or by pasting it: then it travels inside the request.
function file(name, told, holder, needed, hint) {
  const text = make("input", { name, type: "text", placeholder: "https://… or a file", required: needed });
  const chooser = make("input", { type: "file", accept: "image/*,video/*,audio/*" });
  chooser.setAttribute("aria-label", `File for ${name}`);
  const shown = make("div", { className: "file" }, chooser);
  const box = make("div", { className: "drop" }, text, shown);
  const show = (value) => {
    shown.querySelector("img, video, span")?.remove();
    const inside = typeof value === "string" && value.startsWith("data:");
    text.value = inside ? `${value.slice(0, 40)}…` : (value ?? "");
    text.readOnly = inside;
    if (!inside) return;
    if (value.startsWith("data:image/")) shown.prepend(make("img", { src: value, alt: "What was chosen" }));
    else shown.prepend(make("span", {}, value.slice(5, value.indexOf(";"))));
  };
  const take = (found) => {
    if (!found) return;
    if (found.size > MOST_FILE) return toast(`${found.name} is larger than 8 MB: send a link instead.`);
    const reader = new FileReader();
    reader.onload = () => {
      show(reader.result);
      set(holder, name, reader.result);
    };
    reader.readAsDataURL(found);
  };
  chooser.addEventListener("change", () => take(chooser.files[0]));
  text.addEventListener("input", () => set(holder, name, text.value));
  text.addEventListener("keydown", (event) => {
    if (!text.readOnly || !["Backspace", "Delete"].includes(event.key)) return;
    chooser.value = "";
    show(undefined);
    set(holder, name, undefined);
  });
  box.addEventListener("paste", (event) => {
    const found = [...event.clipboardData.files][0];
    if (found) {
      event.preventDefault();
      take(found);
    }
  });
  for (const kind of ["dragover", "dragleave", "drop"])
    box.addEventListener(kind, (event) => {
      event.preventDefault();
      box.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files[0]);
    });
  show(holder[name]);
  return make("div", { className: "field" }, make("label", { className: "field" }, make("span", {}, name + (needed ? " *" : "")), box.firstChild), box,
    hint ? make("small", {}, hint) : "");
}

// -- in step

function changed() {
  const text = JSON.stringify(body, (_, value) => (typeof value === "string" && value.length > 400 ? `${value.slice(0, 60)}…[${value.length} characters]` : value), 2);
  if (document.activeElement !== json) json.value = text;
  trouble.textContent = "";
  estimate();
}

json.addEventListener("input", () => {
  try {
    const told = JSON.parse(json.value);
    if (typeof told !== "object" || told === null || Array.isArray(told)) throw new SyntaxError("The body is an object.");
    keepFiles(told, body);
    body = told;
    trouble.textContent = "";
    draw();
    estimate();
  } catch (error) {
    trouble.textContent = error.message;
  }
});

// What the text tells by its length only is still here.
function keepFiles(told, before) {
  for (const [name, value] of Object.entries(told)) {
    const old = before?.[name];
    if (typeof value === "string" && /…\[\d+ characters\]$/.test(value) && typeof old === "string" && old.startsWith(value.slice(0, 60)))
      told[name] = old;
    else if (value && typeof value === "object") keepFiles(value, old);
  }
}

const path = () => operation.path.replace(/\{(\w+)…?\}/g, (_, name) => words[name] ?? "");
export const request = () => ({ wire: operation.wire, method: operation.method, path: path(), body });

// -- the bill

let asked = 0;

const estimate = soon(async () => {
  const turn = ++asked;
  const understood = document.getElementById("understood");
  try {
    const told = await call("POST", "/admin/estimate", request());
    if (turn !== asked) return;
    const many = Math.max(1, picked().length);
    const sum = (told.credits * many).toLocaleString("en", { maximumFractionDigits: 2 });
    const known = told.price_known ? "" : " (a nominal price)";
    bill.dataset.tone = "";
    bill.replaceChildren(make("b", {}, `May cost ${sum} credits`), `${known}; ${told.remote ? "a vendor is paid, by" : "made here, by"} `, make("code", {}, told.engine), ".");
    if (told.notes.length) bill.append(make("ul", {}, ...told.notes.map((note) => make("li", {}, note))));
    understood.replaceChildren(block(told.understood, "As understood"));
    await offer(told.operation, told.model);
  } catch (error) {
    if (turn !== asked) return;
    bill.dataset.tone = "bad";
    bill.textContent = error.message;
  }
}, 250, 500);

function block(text, name) {
  const shown = make("pre", { tabIndex: 0 }, make("code", {}, text));
  shown.setAttribute("aria-label", name);
  return make("div", { className: "code" }, shown);
}

// -- several models

let models;
const picked = () => [...document.querySelectorAll("#models input:checked")].map((each) => each.value);

async function offer(makes, own) {
  const box = document.getElementById("models");
  models ??= (await call("GET", "/admin/models")).models;
  if (box.dataset.makes === makes) return;
  box.dataset.makes = makes;
  box.replaceChildren(...models.filter((each) => each.makes.includes(makes)).map((each) => {
    const input = make("input", { type: "checkbox", value: each.name });
    input.addEventListener("change", () => {
      if (picked().length > 6) input.checked = false;
      estimate();
    });
    return make("label", { className: "check" }, input, make("code", {}, each.name === own ? `${each.name} (this one)` : each.name));
  }));
}

// -- other vendors

document.getElementById("translate").addEventListener("click", async () => {
  const box = document.getElementById("others");
  try {
    const { requests } = await call("POST", "/admin/translate", request());
    const good = requests.filter((each) => each.body !== undefined);
    const none = requests.filter((each) => each.body === undefined);
    box.replaceChildren(
      ...good.map((each, at) => make("details", { open: at === 0 },
        make("summary", {}, make("b", {}, each.title), ` ${each.model}`, each.same_model ? "" : " (the nearest)"),
        make("p", { className: "note" }, make("code", {}, `${each.method} ${each.url}`)),
        each.left_out?.length ? make("p", { className: "note" }, `Left out: ${each.left_out.join(", ")}`) : null,
        block(each.body, each.title))),
      make("details", {}, make("summary", {}, `${none.length} cannot make it`),
        make("ul", {}, ...none.map((each) => make("li", {}, `${each.title}: ${each.problem}`)))),
    );
  } catch (error) {
    box.replaceChildren(make("p", { className: "notice bad" }, error.message));
  }
});

// -- sending

document.getElementById("wish").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = document.getElementById("send");
  button.disabled = true;
  try {
    const { jobs } = await call("POST", "/admin/submit", { ...request(), models: picked() });
    for (const job of jobs) {
      const results = document.getElementById("gallery");
      if (!document.getElementById(`job-${job.id}`)) results.prepend(make("li", { className: "tile", id: `job-${job.id}` }));
      follow(job.id);
    }
    document.getElementById("results").scrollIntoView({ block: "nearest" });
  } catch (error) {
    bill.dataset.tone = "bad";
    bill.textContent = error.field ? `${error.field}: ${error.message}` : error.message;
  } finally {
    button.disabled = false;
  }
});

// -- the beginning

const answer = await fetch(`/console/playground/operation?id=${encodeURIComponent(root.dataset.operation)}`);
operation = await answer.json();
body = structuredClone(operation.example ?? {});
draw();
changed();
root.dataset.ready = "yes";
