// Text whose numbers follow a playhead. Python side: ui/live_plot.py, frame_text.
import { el, numberParts, style, whenGone } from "./common.js";
import { playhead } from "./playhead.js";
import { unpack } from "./wire.js";

export default async function (component) {
  await style("live_plot.css");
  const host = component.parentElement;
  host.dlText ??= new FrameText(host);
  host.dlText.update(unpack(component.data));
  return whenGone(host, () => host.dlText.leave());
}

class FrameText {
  constructor(host) {
    this.root = el("div", { class: "dl-frame-text" });
    host.append(this.root);
    this.count = 1;
  }

  update({ template, values, group, count }) {
    if (template !== this.template) this.build(template);
    this.values = values;
    const wasAtEnd = this.head?.atEnd;
    this.count = count;
    if (this.head?.name !== group) {
      this.leave();
      this.head = playhead(group);
      this.head.join(this);
    } else this.head.changed(wasAtEnd);
    this.draw(Math.min(this.head.frame, count - 1));
  }

  /** The template is our own HTML; numbers go into it as text nodes. */
  build(template) {
    this.template = template;
    this.slots = [];
    this.root.innerHTML = template.replace(/\{(\w+)(?::(\w+))?\}/g, '<span class="dl-number" data-name="$1" data-format="$2"></span>');
    for (const node of this.root.querySelectorAll("[data-name]")) this.slots.push([node, node.dataset.name, node.dataset.format]);
  }

  draw(frame) {
    for (const [node, name, format] of this.slots) {
      const value = name in this.values ? this.values[name] : frame;
      const here = typeof value === "number" ? value : value[Math.min(frame, value.length - 1)];
      const [text, power] = format === "d" ? [String(Math.round(here)).replace("-", "−")] : numberParts(here, Number(format) || 4);
      node.replaceChildren(text, power ? el("sup", {}, power) : "");
    }
  }

  leave() {
    this.head?.leave(this);
    this.head = undefined;
  }
}
