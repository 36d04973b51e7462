// The gallery: new jobs appear and old ones change by themselves, older ones come by scrolling, clips play under the pointer.

import { listen, soon, times } from "./console.js";

const gallery = document.getElementById("gallery") ?? document.getElementById("newest");
const own = gallery !== null && "own" in gallery.dataset; // only what was put there
const still = matchMedia("(prefers-reduced-motion: reduce)");

// -- live

const waiting = new Set();
const fetchTiles = soon(async () => {
  const ids = [...waiting].slice(0, 100);
  for (const id of ids) waiting.delete(id);
  const filters = gallery.dataset.filters ?? "";
  const answer = await fetch(`/console/gallery/tiles${filters || "?"}${filters ? "&" : ""}ids=${ids.join(",")}`);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = new Map([...fresh.querySelectorAll(".tile")].map((each) => [each.id, each]));
  for (const id of ids.sort()) put(`job-${id}`, found.get(`job-${id}`));
  times(gallery);
  if (waiting.size) fetchTiles();
}, 120, 1000);

function put(id, tile) {
  const shown = document.getElementById(id);
  if (!tile) {
    shown?.remove();
    return;
  }
  if (shown) {
    const focus = shown.contains(document.activeElement);
    const picked = shown.querySelector(".pick input")?.checked;
    shown.replaceWith(tile);
    if (picked && tile.querySelector(".pick input")) tile.querySelector(".pick input").checked = true;
    if (focus) tile.querySelector("a").focus({ preventScroll: true });
  } else if (own || gallery.dataset.first) {
    tile.classList.add("new");
    const before = [...gallery.children].find((each) => each.id < id);
    gallery.insertBefore(tile, before ?? null);
    document.getElementById("none")?.setAttribute("hidden", "");
  }
}

export function follow(id) {
  waiting.add(id);
  fetchTiles();
}

if (gallery?.id === "gallery")
  listen(["job", "gone"], (kind, told) => {
    if (kind === "reset") return location.reload();
    const shown = document.getElementById(`job-${told.id}`);
    if (kind === "gone") return shown?.remove();
    if (own && !shown) return;
    const bar = shown?.querySelector("progress");
    if (shown?.dataset.state === "running" && told.state === "running" && bar) {
      if (told.progress !== null) bar.value = told.progress;
      return;
    }
    follow(told.id);
  });

// -- older ones

let loading = false;

async function older(link) {
  if (loading) return;
  loading = true;
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const tile of page.querySelectorAll("#gallery > .tile"))
      if (!document.getElementById(tile.id)) gallery.append(tile);
    times(gallery);
    const next = page.getElementById("more");
    if (next) {
      link.href = next.href;
      watcher?.unobserve(link); // and looked at anew: it may still be in sight
      watcher?.observe(link);
    } else link.remove();
  } finally {
    loading = false;
  }
}

const more = document.getElementById("more");
let watcher;
if (more) {
  watcher = new IntersectionObserver((seen) => {
    if (seen.some((each) => each.isIntersecting)) older(more);
  }, { rootMargin: "600px" });
  watcher.observe(more);
  more.addEventListener("click", (event) => {
    event.preventDefault();
    older(more);
  });
}

// -- clips

function play(event, plays) {
  const frame = event.target.closest?.(".tile .frame");
  const video = frame?.querySelector("video");
  if (!video || still.matches || frame.contains(event.relatedTarget)) return;
  if (plays) video.play().catch(() => {});
  else {
    video.pause();
    video.currentTime = 0;
  }
}

for (const [kind, plays] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]])
  document.addEventListener(kind, (event) => play(event, plays)); // the overview puts new tiles in their place

// -- picking two

const form = document.getElementById("compare");
form?.ownerDocument.addEventListener("change", (event) => {
  if (event.target.name !== "job") return;
  const picked = [...document.querySelectorAll(".pick input:checked")];
  if (picked.length > 2) picked.find((each) => each !== event.target).checked = false;
  form.querySelector("button").disabled = picked.length < 2;
});
