// The data sets as small pictures to choose from, and the data of now as a file. Python side: ui/playground.py.
import { el, style, whenGone } from "./common.js";
import { fit, palette } from "./playground/paint.js";
import { unpack } from "./wire.js";

const SIDE = 44;

export default async function (component) {
  await style("playground.css");
  const host = component.parentElement;
  host.dlSets ??= new Sets(host);
  host.dlSets.update(unpack(component.data), component.setTriggerValue);
  return whenGone(host, () => {});
}

class Sets {
  constructor(host) {
    this.name = el("b", {});
    this.save = el("button", { type: "button", class: "dl-sets-save", onclick: () => this.download() });
    this.list = el("div", { class: "dl-sets-list", role: "radiogroup" });
    host.append(el("div", { class: "dl-sets" }, el("div", { class: "dl-sets-name" }, this.name, this.save), this.list));
    this.list.addEventListener("keydown", (event) => this.press(event));
  }

  update(data, setTriggerValue) {
    Object.assign(this, { data, setTriggerValue });
    const key = JSON.stringify([data.language, Object.keys(data.sets), palette(this.list).dark]);
    if (key !== this.key) this.build();
    this.key = key;
    this.name.textContent = data.sets[data.chosen].name;
    this.save.textContent = data.texts.save;
    this.save.title = data.texts.save_help;
    for (const [name, box] of Object.entries(this.boxes)) {
      box.setAttribute("aria-checked", name === data.chosen);
      box.tabIndex = name === data.chosen ? 0 : -1;
    }
  }

  build() {
    const page = palette(this.list);
    this.list.setAttribute("aria-label", this.data.texts.sets);
    this.boxes = {};
    for (const [name, set] of Object.entries(this.data.sets)) {
      const canvas = el("canvas", { "aria-hidden": "true" });
      const box = el("button", { type: "button", role: "radio", title: set.name, "aria-label": set.name, "data-set": name, onclick: () => this.setTriggerValue("chosen", name) },
        set.points.length ? canvas : el("span", { class: "dl-sets-word" }, set.mark));
      this.boxes[name] = box;
      if (!set.points.length) continue;
      const pen = fit(canvas, SIDE, SIDE);
      const reach = Math.max(...set.points.map((row) => Math.abs(row[2]))) || 1;
      for (const [x1, x2, y] of set.points) {
        pen.fillStyle = y > 0 ? page.positive : page.negative;
        pen.globalAlpha = 0.25 + 0.75 * Math.min(1, Math.abs(y) / reach);
        pen.fillRect(SIDE * (0.5 + x1 / 12) - 1, SIDE * (0.5 - x2 / 12) - 1, 2.2, 2.2);
      }
      canvas.style.width = canvas.style.height = "100%";
    }
    this.list.replaceChildren(...Object.values(this.boxes));
  }

  press(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const names = Object.keys(this.boxes);
    const next = names[(names.indexOf(event.target.dataset.set) + by + names.length) % names.length];
    this.boxes[next].focus();
    this.setTriggerValue("chosen", next);
  }

  /** The points on screen with the part they belong to. */
  download() {
    const rows = ["train", "test"].flatMap((part) => this.data[part].map((row) => [...row, part].join(",")));
    const file = new Blob([`x1,x2,y,part\n${rows.join("\n")}\n`], { type: "text/csv" });
    const link = el("a", { href: URL.createObjectURL(file), download: `${this.data.chosen}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}
