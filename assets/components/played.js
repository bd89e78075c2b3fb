// What plays along a shared playhead with a bar of its own, and is drawn anew when its room changes: the common part of such pictures.
import { Bar, StepButtons } from "./player.js";
import { playhead } from "./playhead.js";

export class Played {
  /** Call `draw` whenever the size of `node` changes, once there is something to draw. */
  watch(node, draw = () => this.draw()) {
    this.observer = new ResizeObserver(() => this.data && draw());
    this.observer.observe(node);
  }

  /** Join the playhead of `data.group` (`start` as in its join), with step buttons and a bar in `controls`. */
  join(start) {
    const { group, texts } = this.data;
    this.head?.leave(this);
    this.bar?.remove();
    this.head = playhead(group);
    this.head.join(this, { start });
    this.bar = new Bar(group, this.barWords());
    this.buttons = new StepButtons(this.head, texts);
    this.controls.replaceChildren(...this.buttons.both, this.bar.root);
  }

  /** What the bar says; a picture may tell there where it stands. */
  barWords() {
    return this.data.texts;
  }

  /** The same controls in other words. */
  say() {
    this.bar.say(this.barWords());
    this.buttons.say(this.data.texts);
  }

  /** Its element has gone from the page. */
  leave() {
    this.observer.disconnect();
    clearTimeout(this.note);
    this.head?.leave(this);
    this.bar?.remove();
  }
}
