// Sixty frames a second: a frame moves the lines and points that Plotly has already drawn, by their SVG attributes.
// Plotly itself needs 10 to 30 ms for a change of data; it gets the data when the film rests (live_plot.js).
import { valuesAt } from "./frames.js";

const FAR = 1e5; // px; beyond it SVG loses precision

/** Show frame k of a film on a drawn plot; returns the indices of traces that only Plotly can change. */
export function paintFast(plot, frames, k, cache) {
  const nodes = new Map([...plot.querySelectorAll(".cartesianlayer .scatterlayer > .trace")].map((node) => [node.__data__?.[0]?.trace?.index, node]));
  const slow = [];
  for (const [name, rules] of Object.entries(frames.traces)) {
    const index = Number(name);
    const trace = plot._fullData[index];
    if (!trace || trace.visible !== true || !nodes.has(index) || !movable(trace, rules) || !paintTrace(nodes.get(index), plot, trace, rules, k, cache)) slow.push(index);
  }
  return slow;
}

function movable(trace, rules) {
  const straight = !trace.line || ((trace.line.shape ?? "linear") === "linear" && !trace.line.smoothing);
  return trace.type === "scatter" && straight && (trace.fill ?? "none") === "none" && !trace.mode.includes("text") && Object.keys(rules).every((name) => name === "x" || name === "y");
}

function paintTrace(node, plot, trace, rules, k, cache) {
  const layout = plot._fullLayout;
  const axes = { x: layout[axisName(trace.xaxis)], y: layout[axisName(trace.yaxis)] };
  const grows = Object.values(rules).every((rule) => rule.grow) && rules.x && rules.y;
  const line = trace.mode.includes("lines");
  if (grows && line && !trace.mode.includes("markers")) return drawPath(node, grownPath(plot, trace.index, rules, axes, cache).upTo(k));
  const points = pixels(axes, rules.x ? valuesAt(rules.x, k) : trace.x, rules.y ? valuesAt(rules.y, k) : trace.y);
  if (line && !drawPath(node, pathOf(points).text)) return false;
  return !trace.mode.includes("markers") || drawPoints(node, points);
}

const axisName = (reference) => `${reference[0]}axis${reference.slice(1)}`;

function drawPath(node, text) {
  const [first, ...others] = node.querySelectorAll("path.js-line");
  if (!first) return false; // Plotly has drawn no line so far: it must make one
  first.setAttribute("d", text || "M0,0");
  for (const other of others) other.setAttribute("d", "M0,0");
  return true;
}

function drawPoints(node, points) {
  const marks = node.querySelectorAll("path.point");
  if (marks.length !== points.length) return false;
  for (const [i, [x, y]] of points.entries()) {
    const visible = Number.isFinite(x) && Number.isFinite(y) && Math.abs(x) < FAR && Math.abs(y) < FAR;
    marks[i].setAttribute("visibility", visible ? "visible" : "hidden");
    if (visible) marks[i].setAttribute("transform", (marks[i].getAttribute("transform") ?? "").replace(/translate\([^)]*\)|^$/, `translate(${x},${y})`));
  }
  return true;
}

function pixels({ x, y }, xs, ys) {
  const count = Math.min(xs.length, ys.length);
  return Array.from({ length: count }, (_, i) => [x.d2p(xs[i]), y.d2p(ys[i])]);
}

/** The path through points as text, and for each point the length of the text up to it. Gaps where a number is missing. */
function pathOf(points) {
  const ends = new Uint32Array(points.length);
  let text = "";
  let last; // the last point written
  for (const [i, point] of points.entries()) {
    let [x, y] = point;
    if (!Number.isFinite(x) || !Number.isFinite(y)) last = undefined;
    else if (!last || Math.abs(x - last[0]) + Math.abs(y - last[1]) > 0.4) {
      const span = last ? Math.max(Math.abs(x - last[0]), Math.abs(y - last[1])) : 0;
      if (span > FAR) [x, y] = [last[0] + ((x - last[0]) * FAR) / span, last[1] + ((y - last[1]) * FAR) / span];
      text += `${last ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`;
      last = [x, y];
    }
    ends[i] = text.length;
  }
  return { text, ends };
}

/** The whole path of a growing line, made once for a film and a zoom; a frame is a prefix of its text. */
function grownPath(plot, index, rules, axes, cache) {
  const state = [axes.x.range, axes.y.range, axes.x._length, axes.y._length, axes.x.type, axes.y.type].join();
  const known = cache.get(index);
  if (known?.state === state && known.rules === rules) return known;
  const { text, ends } = pathOf(pixels(axes, rules.x.grow, rules.y.grow));
  const made = { state, rules, upTo: (k) => text.slice(0, ends[Math.min(k, ends.length - 1)]) };
  cache.set(index, made);
  return made;
}
