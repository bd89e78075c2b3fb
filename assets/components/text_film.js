// Samples of text that a playhead goes through. Python side: ui/text_film.py.
import { el, same, style, whenGone } from "./common.js";
import { Bar } from "./player.js";
import { playhead } from "./playhead.js";

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("text_film.css")]);
  const host = component.parentElement;
  host.dlTextFilm ??= new TextFilm(host);
  host.dlTextFilm.update(component.data);
  return whenGone(host, () => host.dlTextFilm.leave());
}

class TextFilm {
  constructor(host) {
    this.pages = el("div", { class: "dl-tf-pages" });
    this.root = el("div", { class: "dl-tf" }, this.pages);
    host.append(this.root);
    this.seconds = undefined;
  }

  get count() {
    return Math.max(1, this.data.steps.length);
  }

  update(data) {
    const wasAtEnd = this.head?.atEnd ?? true;
    const before = this.data;
    this.data = data;
    this.seconds = Math.min(12, Math.max(3, data.steps.length / 5)); // slow enough to be read in part
    this.pages.style.height = `${data.height}px`;
    if (this.head?.name !== data.group) {
      this.leave();
      this.head = playhead(data.group);
      this.head.join(this);
      this.bar = new Bar(data.group, this.words());
      this.root.append(this.bar.root);
    } else {
      if (!same(before.words, data.words)) this.bar.say(this.words());
      this.bar.texts.at = this.words().at;
      if (before.steps.length !== data.steps.length || before.steps.at(-1) !== data.steps.at(-1)) this.head.changed(wasAtEnd);
    }
    this.draw(Math.min(this.head.frame, this.count - 1));
    this.bar.draw();
  }

  words() {
    const { words } = this.data;
    return { ...words, at: (frame) => (this.data.steps.length ? words.at.replace("{step}", this.data.steps[Math.min(frame, this.data.steps.length - 1)]) : "") };
  }

  draw(frame) {
    const { steps, writers, words } = this.data;
    if (!steps.length) {
      this.pages.replaceChildren(el("p", { class: "dl-tf-invite" }, words.invite));
      return;
    }
    const k = Math.min(frame, steps.length - 1);
    this.pages.replaceChildren(...writers.map((writer) => this.page(writer, k)));
  }

  page({ name, cell, texts, marks }, k) {
    const text = el("div", { class: "dl-tf-text", dir: "auto", tabindex: "0", role: "group", "aria-label": [name, this.data.words.alt.replace("{step}", this.data.steps[k])].filter(Boolean).join(": ") });
    const letters = [...texts[k]]; // places are counted in characters, as in Python
    let at = 0;
    for (const [begin, end] of marks[k]) {
      text.append(letters.slice(at, begin).join(""), el("span", { class: "dl-tf-mark" }, letters.slice(begin, end).join("")));
      at = end;
    }
    text.append(letters.slice(at).join(""));
    return el("div", { class: "dl-tf-page" }, name ? el("div", { class: `dl-tf-name dl-tf-${cell}` }, name) : null, text);
  }

  leave() {
    this.head?.leave(this);
    this.head = undefined;
    this.bar?.remove();
  }
}
