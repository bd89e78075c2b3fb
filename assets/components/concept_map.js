// A picture of concepts, each a link. Python side: ui/concept_map.py.
import { el, style, whenGone } from "./common.js";

const NARROW = 720; // px; below it the picture becomes a list with a spine
const HEAD = 7; // px, of an arrow; drawn as part of its line, so that both are lit together

export default async function (component) {
  await style("concept_map.css");
  const host = component.parentElement;
  host.dlMap ??= new ConceptMap(host);
  host.dlMap.update(component.data, component.setTriggerValue);
  return whenGone(host, () => host.dlMap.observer.disconnect());
}

class ConceptMap {
  constructor(host) {
    this.lines = el("svg:svg", { class: "dl-map-lines", "aria-hidden": "true" });
    this.list = el("ul", { class: "dl-map-nodes" });
    this.root = el("nav", { class: "dl-map" }, this.lines, this.list);
    host.append(this.root);
    this.observer = new ResizeObserver(() => this.data && this.lay());
    this.observer.observe(this.root);
  }

  update(data, setTriggerValue) {
    this.setTriggerValue = setTriggerValue;
    if (JSON.stringify(data) === this.text) return; // a link that has the focus keeps it
    this.text = JSON.stringify(data);
    this.data = data;
    this.root.setAttribute("aria-label", data.alt);
    const inOrder = [...data.nodes].sort((a, b) => a.x - b.x || a.y - b.y);
    this.items = new Map(inOrder.map((node) => [node.id, this.item(node)]));
    this.list.replaceChildren(...this.items.values());
    this.lay();
  }

  item(node) {
    const open = node.state === "ready" && node.href;
    const safe = open && new URL(node.href, location.href).protocol.startsWith("http");
    const box = el(safe ? "a" : "span", { class: `dl-map-node dl-map-is-${node.state}`, href: safe ? node.href : undefined, target: safe ? "_self" : undefined },
      el("span", { class: "dl-map-title" }, node.title),
      node.note ? el("span", { class: "dl-map-note" }, node.note) : null,
      node.state === "coming" ? el("span", { class: "dl-map-coming" }, this.data.coming) : null);
    if (safe && this.data.inside)
      box.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
        event.preventDefault();
        this.setTriggerValue("open", node.id);
      });
    for (const type of ["mouseenter", "focus"]) box.addEventListener(type, () => this.highlight(node.id));
    for (const type of ["mouseleave", "blur"]) box.addEventListener(type, () => this.highlight());
    return el("li", {}, box);
  }

  /** Places for the boxes, then the lines between them. */
  lay() {
    const width = this.root.clientWidth;
    if (!width) return;
    const wide = width >= NARROW;
    this.root.classList.toggle("dl-map-wide", wide);
    this.root.style.height = wide ? `${this.data.height}px` : "";
    for (const { id, x, y } of this.data.nodes) {
      const item = this.items.get(id);
      item.style.left = wide ? `${x * (width - item.offsetWidth)}px` : "";
      item.style.top = wide ? `${y * (this.data.height - item.offsetHeight)}px` : "";
    }
    this.lines.replaceChildren();
    if (wide) for (const edge of this.data.edges) this.lines.append(this.line(edge));
  }

  line({ source, target }) {
    const [a, b] = [source, target].map((id) => this.items.get(id));
    const box = (item) => ({ left: item.offsetLeft, right: item.offsetLeft + item.offsetWidth, top: item.offsetTop, bottom: item.offsetTop + item.offsetHeight,
      x: item.offsetLeft + item.offsetWidth / 2, y: item.offsetTop + item.offsetHeight / 2 });
    const [from, to] = [box(a), box(b)];
    let path, head;
    if (to.left - from.right > 12) {
      const bend = (to.left - from.right) / 2;
      path = `M${from.right} ${from.y}C${from.right + bend} ${from.y} ${to.left - bend} ${to.y} ${to.left} ${to.y}`;
      head = `M${to.left - HEAD} ${to.y - HEAD * 0.7}L${to.left} ${to.y}L${to.left - HEAD} ${to.y + HEAD * 0.7}`;
    } else {
      const down = to.y > from.y;
      const [y0, y1] = down ? [from.bottom, to.top] : [from.top, to.bottom];
      const bend = (y1 - y0) / 2;
      path = `M${from.x} ${y0}C${from.x} ${y0 + bend} ${to.x} ${y1 - bend} ${to.x} ${y1}`;
      const back = y1 + (down ? -HEAD : HEAD);
      head = `M${to.x - HEAD * 0.7} ${back}L${to.x} ${y1}L${to.x + HEAD * 0.7} ${back}`;
    }
    return el("svg:path", { d: path + head, "data-source": source, "data-target": target });
  }

  /** Show on what a concept builds and what builds on it. */
  highlight(id) {
    this.root.classList.toggle("dl-map-lit", Boolean(id));
    for (const line of this.lines.children) line.classList.toggle("dl-on", id && (line.dataset.source === id || line.dataset.target === id));
  }
}
