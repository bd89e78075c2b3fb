// A button that says at which frame of a film it was pressed. Python side: ui/at_frame.py.
import { el, style, whenGone } from "./common.js";
import { playhead } from "./playhead.js";

export default async function (component) {
  await style("live_plot.css");
  const host = component.parentElement;
  host.dlAtFrame ??= new AtFrame(host);
  host.dlAtFrame.update(component.data, component.setStateValue);
  return whenGone(host, () => host.dlAtFrame.leave());
}

class AtFrame {
  constructor(host) {
    this.button = el("button", { type: "button", class: "dl-at-frame", onclick: () => this.press() });
    host.append(this.button);
    this.refresh = () => this.draw();
  }

  update(data, setStateValue) {
    this.data = data;
    this.setStateValue = setStateValue;
    if (this.head?.name !== data.group) {
      this.leave();
      this.head = playhead(data.group);
      this.head.watchers.add(this.refresh);
    }
    this.button.title = data.help;
    this.draw();
  }

  get frame() {
    return Math.min(Math.max(this.head.frame, this.data.first), this.data.last);
  }

  press() {
    this.head.pause();
    this.presses = Math.max(this.presses ?? 0, this.data.presses) + 1;
    this.setStateValue("pressed", { frame: this.frame, n: this.presses });
  }

  draw() {
    const usable = !this.data.disabled && this.head.frame >= this.data.first && this.head.frame <= this.data.last;
    this.button.disabled = !usable;
    this.button.textContent = usable ? this.data.label.replace("{step}", String(this.frame)) : this.data.idle;
  }

  leave() {
    this.head?.watchers.delete(this.refresh);
    this.head = undefined;
  }
}
