// A Plotly figure that changes in place. Python side: ui/live_plot.py.
import { el, style, whenGone } from "./common.js";
import { paintFast } from "./fast.js";
import { frameAttributes, onlyMoved } from "./frames.js";
import { Keys } from "./keys.js";
import { Bar, withSteps } from "./player.js";
import { playhead } from "./playhead.js";
import { Table } from "./table.js";
import { colours, recolour, template } from "./theme.js";
import { unpack } from "./wire.js";

const REST = 150; // ms without a new frame after which a film counts as resting
const LEAST = 8; // px: words in a small picture
const NEAR = 8; // px between a click and the marker that it means

let library;

/** plotly.js from our own server, loaded once per page. */
function plotly(url) {
  library ??= new Promise((done, fail) => {
    const script = el("script", { src: new URL(url, location.origin), onload: () => done(globalThis.Plotly), onerror: fail });
    document.head.append(script);
  }).catch((reason) => {
    library = undefined; // the next update tries again
    throw reason;
  });
  return library;
}

export default async function (component) {
  const sheet = style("live_plot.css");
  const host = component.parentElement;
  const data = unpack(component.data);
  host.dlPlot ??= new LivePlot(host, data);
  await sheet;
  host.dlPlot.update(data, component);
  return whenGone(host, () => host.dlPlot.leave());
}

/** The plot's height in pixels: as asked for, less where a picture that keeps its shape is narrower. */
const lowered = ({ height, aspect, layout }, width) => {
  if (!aspect || !width) return height;
  const { l = 0, r = 0, t = 0, b = 0 } = layout.margin ?? {};
  return Math.round(Math.min(height, (width - l - r) / aspect + t + b));
};

class LivePlot {
  constructor(host, data) {
    const { texts } = data;
    this.plot = el("div", { class: "dl-plot", role: "img", style: `height:${lowered(data, host.clientWidth)}px` });
    this.notice = el("div", { class: "dl-plot-notice" }, texts.loading);
    this.foot = el("div", { class: "dl-plot-foot" });
    this.table = new Table(texts, () => this.savePicture());
    this.root = el("figure", { class: "dl-figure" }, el("div", { class: "dl-plot-frame" }, this.plot, this.notice), this.foot, this.table.body);
    host.append(this.root);
    host.style.minHeight = ""; // the figure's own height from now on
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.plot);
    this.keys = new Keys(this.plot, (left, top) => this.clickAt(left, top));
    this.root.querySelector(".dl-plot-frame").append(this.keys.cross, this.keys.told);
    this.count = 1;
    this.cache = new Map();
  }

  async update(data, component) {
    const moved = onlyMoved(this.data, data);
    this.data = data;
    this.setStateValue = component.setStateValue;
    this.plot.setAttribute("aria-label", data.alt);
    this.plot.style.height = `${this.height()}px`;
    this.furnish(data);
    try {
      this.Plotly = await plotly(data.vendor);
    } catch {
      this.notice.textContent = data.texts.failed;
      return;
    }
    if (this.data !== data || this.gone) return;
    this.resettled = false;
    if (moved && this.drawn && !this.busy && !this.asked) this.repaint();
    else this.request();
  }

  /** A new film on the same picture (a slider is held): painted at once, told to Plotly when it rests. */
  repaint() {
    this.cache.clear();
    this.draw();
    this.told();
  }

  /** Draw before the next paint; of several updates within one frame only the newest is drawn. */
  request() {
    this.asked ??= requestAnimationFrame(async () => {
      this.asked = undefined;
      if (this.busy) return (this.again = true);
      this.busy = true;
      await this.react();
      this.busy = false;
      if (this.again) this.request();
      this.again = false;
    });
  }

  async react() {
    const { data, layout, frames, click } = this.data;
    const page = colours(this.root);
    const traces = recolour(data, page.dark).map((trace) => ({ ...trace }));
    if (frames) for (const [index, changes] of frameAttributes(frames, this.shownFrame())) Object.assign(traces[index], changes);
    const narrow = matchMedia("(pointer: coarse)").matches;
    const scene = Object.keys(layout).some((name) => name.startsWith("scene")) || data.some((trace) => /3d|surface|mesh/.test(trace.type ?? ""));
    const full = { // a copy: Plotly writes into what it is given
      dragmode: scene ? "turntable" : narrow ? false : "zoom", ...structuredClone(withPowers(recolour(this.shrunk(layout), page.dark))), height: this.height(), width: this.width(), autosize: false, template: template(page),
    };
    await this.Plotly.react(this.plot, traces, full, {
      displaylogo: false, responsive: false, displayModeBar: narrow ? false : "hover",
      doubleClick: click ? false : "reset", doubleClickDelay: click ? 0 : 300, // two quick clicks are two points, not a reset
      modeBarButtons: [scene ? ["resetCameraDefault3d", "toImage"] : ["resetScale2d", "toImage"]], toImageButtonOptions: { scale: 2 },
    });
    this.notice.remove();
    this.cache.clear();
    if (this.dirty) this.draw(); // the film went on meanwhile
    this.keepFrame();
    if (click && !this.listening) this.listen();
    this.plot.classList.toggle("dl-clickable", click);
    this.keys.enable(click, this.data);
    if (frames?.autoplay && !this.drawn) this.head.autoplay();
    this.drawn = true;
    if (!this.resettled) this.told();
    this.resettled = false;
  }

  /** Say that the picture has changed (for tests and benchmarks). */
  told() {
    this.plot.dataset.drawn = String(Number(this.plot.dataset.drawn ?? 0) + 1);
    this.plot.dispatchEvent(new CustomEvent("dl-drawn", { bubbles: true }));
  }

  /** What Plotly draws by itself (a zoom, a new width) while a film plays must show the film's frame. */
  keepFrame() {
    if (this.keeping) return;
    this.keeping = true;
    this.plot.on("plotly_afterplot", () => this.dirty && paintFast(this.plot, this.data.frames, this.shownFrame(), this.cache));
  }

  height() {
    return lowered(this.data, this.plot.clientWidth);
  }

  /** The layout with its words as small as the picture: one that keeps its shape is narrower on a phone. */
  shrunk(layout) {
    const share = this.height() / this.data.height;
    if (!this.data.aspect || share >= 1 || !layout.annotations) return layout;
    const smaller = (note) => ({ ...note, font: { ...note.font, size: Math.max(LEAST, Math.round((note.font?.size ?? 12) * share)) } });
    return { ...layout, annotations: layout.annotations.map(smaller) };
  }

  width() {
    return Math.max(1, Math.floor(this.plot.clientWidth));
  }

  resize() {
    if (!this.Plotly || !this.plot._fullLayout || !this.plot.clientWidth || this.width() === this.plot._fullLayout.width) return;
    cancelAnimationFrame(this.resizing);
    this.resizing = requestAnimationFrame(() => {
      this.plot.style.height = `${this.height()}px`;
      if (this.data.aspect) return this.request(); // its words change with it
      this.Plotly.relayout(this.plot, { width: this.width(), height: this.height() });
    });
  }

  /** The plot as it stands, film's frame and zoom and all, on the page's own background. */
  async savePicture() {
    if (!this.plot._fullLayout || this.gone) return;
    if (this.dirty) {
      this.dirty = false;
      await this.react();
    }
    const { data, layout } = this.plot;
    const { width, height } = this.plot._fullLayout;
    const onPaper = { ...layout, paper_bgcolor: colours(this.root).paper };
    await this.Plotly.downloadImage({ data, layout: onPaper }, { format: "png", scale: 2, width, height, filename: "figure" });
  }

  // --- what stands below the plot: the player and the data table ---

  furnish({ frames, table, data, texts, alt }) {
    this.table.say(texts);
    this.table.show({ table, data, alt });
    const group = frames ? (frames.group ?? `plot-${Math.random()}`) : undefined;
    const name = frames?.group ? group : (this.head?.name ?? group);
    const wasAtEnd = this.head?.atEnd;
    this.count = frames?.count ?? 1;
    this.seconds = frames?.seconds;
    if (frames && this.head?.name === name) this.head.changed(wasAtEnd);
    else {
      this.head?.leave(this);
      this.head = frames ? playhead(name) : undefined;
      this.head?.join(this, frames);
      if (this.drawn && frames?.autoplay) this.head.autoplay(); // another film in the same place
    }
    const bar = frames && frames.controls !== false;
    const said = withSteps(texts, frames?.steps);
    if (bar && this.bar?.group !== name) {
      this.bar?.remove();
      this.bar = new Bar(name, said);
    } else if (bar) this.bar.say(said);
    else {
      this.bar?.remove();
      this.bar = undefined;
    }
    const wanted = [this.bar?.root, this.table.buttons].filter(Boolean);
    if (this.foot.childElementCount !== wanted.length || this.foot.firstChild !== wanted[0]) this.foot.replaceChildren(...wanted);
  }

  shownFrame() {
    return Math.min(this.head?.frame ?? 0, this.count - 1);
  }

  /** One frame of the film; called by the playhead. */
  draw() {
    this.dirty = true;
    if (!this.plot._fullLayout || this.gone || this.busy) return; // a redraw in progress ends with the newest frame
    const slow = paintFast(this.plot, this.data.frames, this.shownFrame(), this.cache);
    if (slow.length && performance.now() > (this.slowFrom ?? 0)) this.restyle(slow);
    clearTimeout(this.resting);
    if (!this.head.playing) this.resting = setTimeout(() => this.settle(), REST);
  }

  /** Give traces to Plotly as they are in this frame; it may use a third of the time, the rest is for the fast ones. */
  async restyle(only) {
    if (this.restyling) return;
    this.restyling = true;
    const began = performance.now();
    const changes = frameAttributes(this.data.frames, this.shownFrame(), only);
    const names = [...new Set(changes.flatMap(([, change]) => Object.keys(change)))];
    const update = Object.fromEntries(names.map((name) => [name, changes.map(([index, change]) => change[name] ?? this.plot.data[index][name])]));
    await this.Plotly.restyle(this.plot, update, changes.map(([index]) => index));
    const ended = performance.now();
    this.slowFrom = ended + 2 * (ended - began);
    this.restyling = false;
  }

  /** The film rests: Plotly learns what is shown, so that hovering and zooming know it too. */
  settle() {
    if (!this.dirty || this.gone || !this.Plotly) return;
    this.dirty = false;
    this.resettled = !this.asked; // nothing new will be seen
    this.request();
  }

  // --- clicks: a marker near the pointer is meant, else the place in the axes ---

  /** Not Plotly's own click: it tells of points alone, and of the one hovered 50 ms ago when a click comes quickly. */
  listen() {
    this.listening = true;
    let down;
    this.plot.addEventListener("pointerdown", (event) => { down = event.target.closest?.(".modebar") ? undefined : [event.clientX, event.clientY]; }, true);
    const release = (event) => { // anywhere: Plotly lays a cover over the page during a drag
      const still = down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) <= 4;
      down = undefined;
      if (!still || !this.data.click || event.button !== 0) return;
      const { xaxis, yaxis } = this.plot._fullLayout;
      const box = this.plot.getBoundingClientRect();
      this.clickAt(event.clientX - box.left - xaxis._offset, event.clientY - box.top - yaxis._offset);
    };
    addEventListener("pointerup", release, true);
    this.deafen = () => removeEventListener("pointerup", release, true);
  }

  /** Send a click, by pointer or keyboard, in pixels from the upper left corner of the plotting area. */
  clickAt(left, top) {
    const { xaxis, yaxis } = this.plot._fullLayout;
    if (left < 0 || top < 0 || left > xaxis._length || top > yaxis._length) return;
    const point = this.nearest(left, top);
    this.clicks = Math.max(this.clicks ?? 0, this.data.clicks) + 1;
    this.setStateValue("click", {
      x: point ? Number(point.x) : xaxis.p2d(left), y: point ? Number(point.y) : yaxis.p2d(top),
      curve: point?.curve ?? null, point: point?.index ?? null, n: this.clicks,
    });
  }

  /** The marker closest to a place, none if all are further than NEAR. */
  nearest(left, top) {
    const { xaxis, yaxis } = this.plot._fullLayout;
    let [best, least] = [undefined, NEAR];
    this.plot.data.forEach((trace, curve) => {
      if (!/markers/.test(trace.mode ?? "") || trace.visible === false) return;
      for (let index = 0; index < (trace.x?.length ?? 0); index++) {
        const [x, y] = [trace.x[index], trace.y[index]];
        const distance = Math.hypot(xaxis.d2p(x) - left, yaxis.d2p(y) - top);
        if (distance <= least) [best, least] = [{ x, y, curve, index }, distance];
      }
    });
    return best;
  }

  leave() {
    this.gone = true;
    this.deafen?.();
    this.observer.disconnect();
    this.head?.leave(this);
    this.bar?.remove();
    this.Plotly?.purge(this.plot);
  }
}

/** Powers of ten on a logarithmic axis in the size of other numbers: Plotly enlarges them by a quarter. */
function withPowers(layout) {
  const axes = Object.entries(layout).filter(([name, axis]) => /^[xy]axis\d*$/.test(name) && axis.type === "log");
  return { ...layout, ...Object.fromEntries(axes.map(([name, axis]) => [name, { ...axis, tickfont: { size: 10, ...axis.tickfont } }])) };
}
