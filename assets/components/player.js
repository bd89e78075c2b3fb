// The bar with play, scrubber, step and speed. On its own (ui.live_plot.player) or below a plot.
import { el, style, whenGone } from "./common.js";
import { playhead } from "./playhead.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

export default async function (component) {
  await style("live_plot.css");
  const host = component.parentElement;
  const { group, steps } = component.data;
  const texts = withSteps(component.data.texts, steps);
  if (host.dlBar?.group !== group) {
    host.dlBar?.remove();
    host.dlBar = new Bar(group, texts);
    host.append(host.dlBar.root);
  } else host.dlBar.say(texts);
  return whenGone(host, () => host.dlBar.remove());
}

/** What a bar says, with `at` where the training step of each frame is known: as wide at the first frame as at the last. */
export function withSteps(texts, steps) {
  if (!steps) return texts;
  const width = String(steps.at(-1)).length; // nothing where there is no frame yet
  const at = (frame) => (steps.length ? texts.after_step.replace("{step}", String(steps[Math.min(frame, steps.length - 1)]).padStart(width, "\u2007")) : "");
  return { ...texts, at };
}

export class Bar {
  /** @param texts what the bar says; `texts.at(frame)`, where given, says where it stands. */
  constructor(group, texts) {
    this.group = group;
    this.texts = texts;
    this.head = playhead(group);
    this.button = el("button", { type: "button", class: "dl-play", onclick: () => this.head.toggle() }, icon());
    this.range = el("input", {
      type: "range", min: 0, step: 1, "aria-label": texts.scrub, title: texts.scrub,
      oninput: () => { this.head.pause(); this.head.seek(Number(this.range.value)); },
    });
    this.count = el("output", { class: "dl-count", "aria-live": "off" });
    this.speed = el("select", { "aria-label": texts.speed, title: texts.speed, onchange: () => (this.head.speed = Number(this.speed.value)) },
      ...SPEEDS.map((s) => el("option", { value: s, selected: s === 1 }, `${s} ×`)));
    this.root = el("div", { class: "dl-bar", role: "group", "aria-label": texts.play, onkeydown: (event) => this.onKey(event) },
      this.button, this.range, this.count, this.speed);
    this.refresh = () => this.draw();
    this.head.watchers.add(this.refresh);
    this.draw();
  }

  /** The same bar in other words: the language was changed. */
  say(texts) {
    this.texts = texts;
    for (const [node, name] of [[this.range, texts.scrub], [this.speed, texts.speed]]) {
      node.title = name;
      node.setAttribute("aria-label", name);
    }
    this.root.setAttribute("aria-label", texts.play);
    this.draw();
  }

  remove() {
    this.head.watchers.delete(this.refresh);
    this.root.remove();
  }

  onKey(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };
    if (event.target === this.speed) return;
    if (event.key === " " && event.target !== this.button) this.head.toggle();
    else if (event.key in moves) this.head.step(moves[event.key]);
    else if (event.key === "Home") this.head.step(-Infinity);
    else if (event.key === "End") this.head.step(Infinity);
    else return;
    event.preventDefault();
  }

  draw() {
    const { frame, count, playing } = this.head;
    const name = playing ? this.texts.pause : this.texts.play;
    if (this.button.title !== name) {
      this.button.title = name;
      this.button.setAttribute("aria-label", name);
      this.button.classList.toggle("dl-playing", playing);
    }
    this.range.max = count - 1;
    this.range.value = frame;
    this.range.style.setProperty("--share", `${count > 1 ? (frame / (count - 1)) * 100 : 100}%`);
    const width = String(count - 1).length;
    this.count.textContent = this.texts.at?.(frame) ?? `${this.texts.step} ${String(frame).padStart(width, "\u2007")} / ${count - 1}`;
    this.root.toggleAttribute("inert", count < 2);
  }
}

/** Buttons that move the playhead one frame back and one on; `say(texts)` names them in other words. */
export class StepButtons {
  constructor(head, texts) {
    const step = (by, d) => el("button", { type: "button", class: "dl-step", onclick: () => head.step(by) },
      el("svg:svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, el("svg:path", { d })));
    this.both = [step(-1, "M12 2.5v11L4.5 8zM2.5 3h1.7v10H2.5z"), step(1, "M4 2.5v11L11.5 8zM11.8 3h1.7v10h-1.7z")];
    this.say(texts);
  }

  say({ back, forth }) {
    for (const [button, name] of [[this.both[0], back], [this.both[1], forth]]) {
      button.title = name;
      button.setAttribute("aria-label", name);
    }
  }
}

function icon() {
  const svg = el("svg:svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
  svg.append(el("svg:path", { class: "dl-icon-play", d: "M4 2.5v11l9-5.5z" }), el("svg:path", { class: "dl-icon-pause", d: "M4 3h3v10H4zM9 3h3v10H9z" }));
  return svg;
}
