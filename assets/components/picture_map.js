// Pictures as points of a plane that move when the plane is another one; pointed at or focused, each shows itself.
// Python side: ui/feature_map.py.
import { el, same, style, whenGone } from "./common.js";
import { unpack } from "./wire.js";

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SIZES = [[40, 52], [150, 40], [Infinity, 28]]; // up to so many pictures: px a side
const APART = 12; // px between a point and its card

export default async function (component) {
  await style("picture_map.css");
  const host = component.parentElement;
  host.dlMap ??= new PictureMap(host);
  host.dlMap.update(unpack(component.data));
  return whenGone(host, () => {});
}

class PictureMap {
  constructor(host) {
    host.style.minHeight = "";
    this.points = new Map(); // by the picture's name and how often it has come before
    this.picture = el("img", { alt: "" });
    [this.title, this.note] = [el("b"), el("small")];
    this.card = el("div", { class: "dl-pm-card", "aria-hidden": "true", hidden: true }, this.picture, this.title, this.note);
    this.root = el("div", { class: "dl-pm", role: "group", onkeydown: (event) => this.key(event), onpointerleave: () => this.hide() }, this.card);
    host.append(this.root);
  }

  update(data) {
    if (same(data, this.data)) return;
    this.data = data;
    this.root.style.height = `${data.height}px`;
    this.root.style.setProperty("--size", `${SIZES.find(([most]) => data.points.length <= most)[1]}px`);
    this.root.setAttribute("aria-label", data.alt);
    this.root.classList.toggle("dl-pm-dots", !data.pictures);
    const wanted = new Set(data.points.map(({ id }) => id));
    for (const [id, { button }] of this.points) {
      if (wanted.has(id)) continue;
      button.remove();
      this.points.delete(id);
    }
    data.points.forEach((point) => this.put(point));
    const first = this.points.get(this.at) ?? this.points.values().next().value;
    for (const { button } of this.points.values()) button.tabIndex = button === first?.button ? 0 : -1;
    this.hide();
  }

  /** A point at its place: a new one appears there, a known one moves. */
  put(point) {
    let known = this.points.get(point.id);
    if (!known) {
      const button = el("button", {
        type: "button", class: "dl-pm-point", onfocus: () => this.show(point.id, true), onblur: () => this.hide(),
        onpointerenter: () => this.show(point.id), onclick: () => this.show(point.id),
      }, el("img", { alt: "", draggable: "false" }));
      known = { button };
      this.points.set(point.id, known);
      this.root.append(button);
    }
    known.point = point;
    const { button } = known;
    button.style.setProperty("--kind", point.color);
    button.style.left = `${100 * point.x}%`;
    button.style.top = `${100 * point.y}%`;
    button.className = `dl-pm-point dl-pm-sign${point.sign}${point.held ? " dl-pm-held" : ""}`;
    button.setAttribute("aria-label", point.note ? `${point.name}, ${point.note}` : point.name);
    if (button.firstChild.src !== point.picture) button.firstChild.src = point.picture;
  }

  /** Show a picture large, beside its point, on the side where there is room. */
  show(id, focused = false) {
    const { button, point } = this.points.get(id);
    if (focused) {
      this.points.get(this.at)?.button.setAttribute("tabindex", "-1");
      [this.at, button.tabIndex] = [id, 0];
    }
    this.picture.src = point.picture;
    [this.title.textContent, this.note.textContent] = [point.name, point.note];
    this.card.style.setProperty("--kind", point.color);
    this.card.hidden = false;
    const { clientWidth: width, clientHeight: height } = this.root;
    const [x, y, w, h] = [point.x * width, point.y * height, this.card.offsetWidth, this.card.offsetHeight];
    const away = button.offsetWidth / 2 + APART;
    const left = x + away + w <= width ? x + away : x - away - w;
    this.card.style.left = `${Math.max(0, Math.min(width - w, left))}px`;
    this.card.style.top = `${Math.max(0, Math.min(height - h, y - h / 2))}px`;
    this.shown?.classList.remove("dl-pm-shown");
    (this.shown = button).classList.add("dl-pm-shown");
  }

  hide() {
    this.card.hidden = true;
    this.shown?.classList.remove("dl-pm-shown");
  }

  /** Arrow keys go to the nearest point in their direction. */
  key(event) {
    if (event.key === "Escape") return this.hide();
    const way = WAYS[event.key], from = this.points.get(this.at)?.point;
    if (!way || !from || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    let [best, least] = [undefined, Infinity];
    for (const { button, point } of this.points.values()) {
      const [dx, dy] = [point.x - from.x, point.y - from.y];
      const ahead = dx * way[0] + dy * way[1], aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
      if (ahead > 1e-6 && ahead + 2 * aside < least) [best, least] = [button, ahead + 2 * aside];
    }
    best?.focus({ preventScroll: true });
  }
}
