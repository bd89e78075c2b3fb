// One unit opened: its weights, the training images it answers to most, the image that it wants, forming.
import { el, number, stillness } from "./common.js";
import { colouring, corner, frame, photo, picture, sized, tiling } from "./maps.js";
import { Bar } from "./player.js";
import { playhead } from "./playhead.js";

const GROUP = "anatomy-wanted";
const WIDE = 205; // CSS pixels of each of the three pictures
const MOST_KERNELS = 64;

export class UnitView {
  constructor() {
    this.root = el("div", { class: "dl-an-unit", "aria-live": "polite" });
  }

  leave() {
    if (this.film) playhead(GROUP).leave(this.film);
    this.bar?.remove();
    this.film = this.bar = undefined;
  }

  wait(text) {
    this.leave();
    this.shown = undefined;
    this.root.replaceChildren(el("p", {}, text));
  }

  show({ unit, texts, classes, network }, scales) {
    this.root.classList.toggle("dl-open", Boolean(unit));
    if (!unit) {
      if (this.shown !== null) this.wait(texts.invite);
      this.shown = null;
      return;
    }
    const name = JSON.stringify([network, unit.layer, unit.index, unit.values, texts.invite]);
    if (name === this.shown) return; // what plays goes on playing
    this.leave();
    this.shown = name;
    this.texts = texts;
    const parts = [this.weights(unit, scales), this.wanted(unit), this.strongest(unit)];
    this.root.replaceChildren(el("h4", {}, unit.title), el("p", {}, unit.about), el("div", { class: "dl-an-three" }, ...parts));
    this.frames.forEach((draw) => draw()); // now that the canvases have their colour
    this.start(unit.wanted, classes);
  }

  /** The kernels on one scale around zero: vermilion adds, blue takes away. */
  weights({ weights }, scales) {
    const { texts } = this;
    if (!weights) return el("figure", {}, el("figcaption", {}, texts.filter), el("p", {}, texts.no_filter));
    const kernels = weights.kernels.slice(0, MOST_KERNELS);
    const most = Math.max(1e-12, ...kernels.map((rows) => Math.max(...rows.map((row) => Math.max(...row.map(Math.abs))))));
    const { colour } = colouring({ low: -most, high: most }, 255, scales);
    const shade = (value) => colour(127.5 * (1 + value / most));
    const rows = kernels.length === 1 && kernels[0].length === 1 ? folded(kernels[0][0]) : undefined;
    const shown = rows ? [rows] : kernels;
    const plan = tiling(shown.length, shown[0][0].length, shown[0].length, WIDE, { tall: WIDE, gap: 3 });
    const canvas = el("canvas", { role: "img", "aria-label": weights.text });
    const context = sized(canvas, plan.width, plan.height);
    shown.forEach((kernel, i) => context.drawImage(picture(kernel, shade), ...corner(plan, i), plan.tile, plan.side));
    return el("figure", {}, el("figcaption", {}, texts.filter), canvas, el("p", {}, weights.text));
  }

  /** Nine images, each with the place that the unit saw. */
  strongest({ strongest }) {
    const { texts } = this;
    const frames = (this.frames = []);
    const tiles = strongest.images.map((image, i) => {
      const side = 50;
      const scale = side / image[0][0].length;
      const canvas = el("canvas", { role: "img", "aria-label": strongest.names[i] });
      const context = sized(canvas, side, Math.round(image[0].length * scale));
      context.drawImage(photo(image), 0, 0, side, Math.round(image[0].length * scale));
      const [top, left, bottom, right] = strongest.boxes[i];
      frames.push(() => frame(context, [left * scale, top * scale], (right - left) * scale, (bottom - top) * scale));
      return el("figure", {}, canvas, el("span", {}, strongest.names[i]));
    });
    return el("figure", {}, el("figcaption", {}, texts.strongest), el("div", { class: "dl-an-best" }, ...tiles), el("p", {}, strongest.text));
  }

  wanted({ wanted }) {
    const { texts } = this;
    this.canvas = el("canvas", { role: "img", "aria-label": texts.wanted });
    this.value = el("p", { "aria-live": "off" });
    this.slot = el("div");
    return el("figure", { class: "dl-an-wanted" }, el("figcaption", {}, texts.wanted), this.canvas, this.slot, this.value, el("p", {}, wanted.text));
  }

  start(wanted) {
    const { texts } = this;
    const [tall, wide] = [wanted.frames[0][0].length, wanted.frames[0][0][0].length];
    const factor = Math.min(WIDE / wide, WIDE / tall);
    const draw = (k) => {
      const context = sized(this.canvas, Math.round(wide * factor), Math.round(tall * factor));
      context.drawImage(photo(wanted.frames[k]), 0, 0, Math.round(wide * factor), Math.round(tall * factor));
      this.value.textContent = texts.value.replace("{before}", number(wanted.values[0], 3)).replace("{now}", number(wanted.values[k], 3));
    };
    const head = playhead(GROUP);
    head.place = undefined;
    head.touched = false;
    this.film = { count: wanted.frames.length, seconds: 2.5, draw };
    head.join(this.film);
    this.bar = new Bar(GROUP, { ...texts, at: (k) => `${texts.step} ${wanted.steps[k]}` });
    this.slot.append(this.bar.root);
    draw(wanted.frames.length - 1);
    if (!stillness()) head.autoplay();
  }
}

/** A list of weights as rows of a square. */
function folded(list) {
  const columns = Math.ceil(Math.sqrt(list.length * 1.6));
  const rows = [];
  for (let i = 0; i < list.length; i += columns) rows.push(Array.from({ length: columns }, (_v, j) => list[i + j] ?? 0));
  return rows;
}
