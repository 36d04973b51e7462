// Two pictures or clips: beside each other, or one over the other with a line between; clips by one clock.

class ComparePair extends HTMLElement {
  connectedCallback() {
    this.media = [...this.querySelectorAll("figure > video, figure > img")];
    this.videos = this.media.filter((each) => each instanceof HTMLVideoElement);
    this.button = this.querySelector("[data-play]");
    if (!this.videos.length) this.button.hidden = true;
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.mode) this.show(button.dataset.mode);
      if (button === this.button) this.run(button.getAttribute("aria-pressed") !== "true");
    });
    this.querySelector("[data-wipe]").addEventListener("input", (event) => this.wipe(event.target.value));
    this.querySelector(".pair").addEventListener("pointermove", (event) => {
      if (this.getAttribute("mode") !== "wipe") return;
      const box = this.media[1].getBoundingClientRect();
      this.wipe(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)));
    });
    this.wipe(50);
  }

  show(mode) {
    this.setAttribute("mode", mode);
    for (const each of this.querySelectorAll("[data-mode]")) each.setAttribute("aria-pressed", String(each.dataset.mode === mode));
    for (const each of this.videos) each.controls = mode !== "wipe";
  }

  wipe(share) {
    this.style.setProperty("--wipe", `${share}%`);
    this.querySelector("[data-wipe]").value = share;
  }

  run(on) {
    this.button.setAttribute("aria-pressed", String(on));
    this.button.textContent = on ? "Pause both" : "Play by one clock";
    const [first, ...others] = this.videos;
    if (!first) return;
    if (!on) return this.videos.forEach((each) => each.pause());
    for (const each of this.videos) {
      each.muted = true;
      each.loop = true;
      each.play().catch(() => {});
    }
    first.ontimeupdate = () => {
      for (const each of others)
        if (each.duration && Math.abs(each.currentTime - (first.currentTime % each.duration)) > 0.12)
          each.currentTime = first.currentTime % each.duration;
    };
  }
}

customElements.define("compare-pair", ComparePair);
