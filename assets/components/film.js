// What a network makes of one image while it trains: the kept frames as a film. Python: ui/film.py.
import { el, number, style, whenGone } from "./common.js";
import { cells, colouring, corner, photo, picture, ramp, sized, tiling } from "./maps.js";
import { Bar } from "./player.js";
import { playhead } from "./playhead.js";
import { unpack } from "./wire.js";

const GROUP = "training-film";
const MOST = 255;
const TALL = 180; // CSS pixels of a column of maps

export default async function (component) {
  await Promise.all([style("live_plot.css"), style("film.css")]);
  const host = component.parentElement;
  host.dlFilm ??= new Film(host);
  host.dlFilm.update(unpack(component.data), component);
  return whenGone(host, () => host.dlFilm.leave());
}

class Film {
  constructor(host) {
    this.row = el("div", { class: "dl-film-row", role: "img", tabindex: "0" });
    this.foot = el("div");
    this.root = el("div", { class: "dl-film" }, this.row, this.foot);
    host.append(this.root);
    this.frames = [];
    this.member = { count: 1, draw: (k) => this.draw(k) };
  }

  leave() {
    playhead(GROUP).leave(this.member);
    this.bar?.remove();
  }

  update(data, component) {
    const { texts } = data;
    this.scales ??= { sequential: ramp(data.scales.sequential), diverging: ramp(data.scales.diverging) };
    if (data.run !== this.run) [this.run, this.frames] = [data.run, []];
    this.data = data;
    this.merge(data);
    this.row.setAttribute("aria-label", texts.alt);
    if (!this.frames.length) return this.row.replaceChildren(el("p", {}, texts.invite));
    const head = playhead(GROUP);
    const atEnd = head.atEnd;
    this.member.count = this.frames.length;
    const words = { ...texts, at: (k) => `${texts.step} ${this.frames[Math.min(k, this.frames.length - 1)]?.step ?? 0}` };
    if (this.bar) this.bar.say(words);
    else {
      head.join(this.member);
      this.bar = new Bar(GROUP, words);
      this.foot.append(this.bar.root);
    }
    head.changed(atEnd);
    this.draw(head.frame);
    if (this.frames[0].step !== data.first && this.asked !== data.run) {
      this.asked = data.run; // the browser came later than the film's beginning
      component.setTriggerValue("all", true);
    }
  }

  /** Frames come stacked, new ones and some that may be known. */
  merge({ steps, layers }) {
    for (let k = 0; k < (steps?.length ?? 0); k++) {
      const frame = { step: steps[k], layers: layers.map(({ name, values, scale }) => ({ name, values: values[k], low: scale[k][0], high: scale[k][1] })) };
      const at = this.frames.findIndex((known) => known.step >= frame.step);
      if (at < 0) this.frames.push(frame);
      else this.frames.splice(at, this.frames[at].step === frame.step ? 1 : 0, frame);
    }
  }

  draw(k) {
    const frame = this.frames[Math.min(k, this.frames.length - 1)];
    if (!frame) return;
    const image = this.data.image ? [this.column(this.data.texts.image, photo(this.data.image), "")] : [];
    this.row.replaceChildren(...image, ...frame.layers.map((layer) => this.layer(layer)));
  }

  column(title, drawn, words) {
    const canvas = el("canvas", { "aria-hidden": "true" });
    sized(canvas, 84, Math.round((84 * drawn.height) / drawn.width)).drawImage(drawn, 0, 0, 84, Math.round((84 * drawn.height) / drawn.width));
    return el("figure", {}, el("figcaption", {}, title), canvas, el("small", {}, words));
  }

  layer({ name, values, low, high }) {
    const { colour } = colouring({ low, high }, MOST, this.scales);
    const canvas = el("canvas", { "aria-hidden": "true" });
    if (typeof values[0] === "number") {
      const columns = values.length > 16 ? 8 : 1;
      const side = Math.min(14, Math.floor(TALL / Math.ceil(values.length / columns)));
      const drawn = cells(values, columns, colour);
      sized(canvas, side * drawn.width, side * drawn.height).drawImage(drawn, 0, 0, side * drawn.width, side * drawn.height);
    } else {
      const plan = tiling(values.length, values[0][0].length, values[0].length, 118, { tall: TALL, gap: 3, most: 90 });
      const context = sized(canvas, plan.width, plan.height);
      values.forEach((map, i) => context.drawImage(picture(map, colour), ...corner(plan, i), plan.tile, plan.side));
    }
    return el("figure", {}, el("figcaption", {}, name), canvas, el("small", {}, `${number(low, 2)} … ${number(high, 2)}`));
  }
}
