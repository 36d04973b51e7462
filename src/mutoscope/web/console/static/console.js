// What every page has: calls of the admin API by buttons, copying, times told as how long ago, light and dark, the news.

export async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401) {
    location.assign(`/console/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Error("Sign in again.");
  }
  const told = (answer.headers.get("content-type") ?? "").includes("json") ? await answer.json() : {};
  if (!answer.ok) throw Object.assign(new Error(told.error ?? `It answered ${answer.status}.`), { field: told.field });
  return told;
}

export function toast(text) {
  const line = document.createElement("p");
  line.textContent = text;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), 6000);
}

// Asks in the page, so that the keyboard and screen readers find their way back.
export function sure(question) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    const form = document.createElement("form");
    form.method = "dialog";
    const text = document.createElement("p");
    text.id = "question";
    text.textContent = question;
    dialog.setAttribute("aria-labelledby", "question");
    const row = document.createElement("div");
    row.className = "row";
    const yes = Object.assign(document.createElement("button"), { value: "yes", className: "primary", textContent: "Yes" });
    const no = Object.assign(document.createElement("button"), { value: "no", textContent: "No", autofocus: true });
    row.append(no, yes);
    form.append(text, row);
    dialog.append(form);
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}

// The newest form of a part of this page, put in the place of what is shown, without a part that is being used.
export async function refresh(ids) {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ids) {
    const shown = document.getElementById(id);
    const found = fresh.getElementById(id);
    if (!shown || !found) continue;
    const busy = [...shown.querySelectorAll("video, audio")].some((each) => !each.paused && each.controls);
    if (busy) continue;
    const kept = new Map();
    for (const each of shown.querySelectorAll("input[type=radio]:checked")) kept.set(each.name, each.value);
    const open = [...shown.querySelectorAll("details")].map((each) => each.open);
    const focus = place(shown, document.activeElement);
    if (shown.outerHTML === found.outerHTML) continue;
    shown.replaceChildren(...found.childNodes);
    for (const [name, value] of kept) {
      const radio = [...shown.querySelectorAll("input[type=radio]")].find((each) => each.name === name && each.value === value);
      if (radio) radio.checked = true;
    }
    [...shown.querySelectorAll("details")].forEach((each, at) => {
      if (open[at] !== undefined) each.open = open[at];
    });
    if (focus >= 0) focusable(shown)[focus]?.focus({ preventScroll: true });
  }
  times();
}

function focusable(root) {
  return [...root.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")];
}

function place(root, element) {
  return root.contains(element) ? focusable(root).indexOf(element) : -1;
}

// -- the news: one stream for the page, by the browser's own EventSource, which resumes by itself

const listeners = [];
let source;

export function listen(kinds, heard) {
  listeners.push({ kinds, heard });
  if (source) return;
  source = new EventSource("/admin/events");
  for (const kind of ["job", "gone", "delivery", "breaker", "reset"])
    source.addEventListener(kind, (event) => {
      const told = JSON.parse(event.data);
      for (const each of listeners) if (kind === "reset" || each.kinds.includes(kind)) each.heard(kind, told);
    });
  addEventListener("pagehide", () => source.close());
}

// Acts a little after the first call of many, and again no sooner than `rest` later: also while calls never cease.
export function soon(act, wait = 300, rest = 0) {
  let timer;
  let last = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      last = performance.now();
      act();
    }, Math.max(wait, last + rest - performance.now()));
  };
}

const live = [...document.querySelectorAll("[data-live]")];
if (live.length) {
  const stale = new Set();
  const again = soon(() => {
    const ids = [...stale];
    stale.clear();
    refresh(ids);
  }, 300, 1500);
  listen(["job", "gone", "delivery", "breaker"], (kind, told) => {
    for (const each of live) {
      const wants = each.dataset.live.split(" ").includes(kind === "gone" ? "job" : kind) || kind === "reset";
      const own = !each.dataset.id || !told.id || told.id === each.dataset.id;
      if (wants && own && kind !== "gone") stale.add(each.id);
    }
    if (stale.size) again();
  });
}

// -- buttons

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.call) {
    const { call: path, method, body, sure: question, then } = button.dataset;
    if (question && !(await sure(question))) return;
    button.disabled = true;
    try {
      const told = await call(method, path, body === undefined ? undefined : JSON.parse(body));
      if (then === "job") location.assign(`/console/jobs/${told.id}`);
      else if (then === "reload") location.reload();
      else location.assign(then);
    } catch (error) {
      toast(error.message);
    } finally {
      button.disabled = false;
    }
  } else if ("copy" in button.dataset) {
    const text = button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  } else if ("themeToggle" in button.dataset) {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
      (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", dark ? "light" : "dark");
    } catch {
      // it is forgotten with the page
    }
  }
});

document.addEventListener("change", (event) => {
  if ("go" in event.target.dataset) {
    const form = event.target.form;
    if (event.target.name === "wire") form.elements.operation.disabled = true; // that of another API
    form.requestSubmit();
  }
});

// -- times

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const far = Math.abs(seconds);
  if (far < 5) return "now";
  if (far < 60) return words.format(Math.round(seconds), "second");
  if (far < 3600) return words.format(Math.round(seconds / 60), "minute");
  if (far < 86400) return words.format(Math.round(seconds / 3600), "hour");
  return words.format(Math.round(seconds / 86400), "day");
}

export function times(root = document) {
  for (const each of root.querySelectorAll("time:not(.story time)")) {
    const told = ago(Date.parse(each.dateTime));
    if (each.textContent !== told) each.textContent = told;
  }
}

times();
setInterval(times, 10000);
