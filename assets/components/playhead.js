// One playhead per group: plots and texts that are members of a group show the same frame.
import { stillness } from "./common.js";

const groups = new Map();

/** The playhead called `name`; made when first asked for. */
export function playhead(name) {
  if (!groups.has(name)) groups.set(name, new Playhead(name));
  return groups.get(name);
}

class Playhead {
  constructor(name) {
    this.name = name;
    this.members = new Set(); // {count, seconds, draw(k)}
    this.watchers = new Set(); // called when the state of the controls changes
    this.place = undefined; // the frame, with a fraction
    this.playing = false;
    this.speed = 1;
  }

  get count() {
    return Math.max(1, ...[...this.members].map((member) => member.count));
  }

  get seconds() {
    const wanted = [...this.members].map((member) => member.seconds).find(Boolean);
    return wanted ?? Math.min(8, Math.max(2, this.count / 30));
  }

  get frame() {
    return Math.min(this.count - 1, Math.max(0, Math.floor(this.place ?? this.count - 1)));
  }

  get atEnd() {
    return this.place === undefined || this.frame >= this.count - 1;
  }

  /** Take part. A playhead at the end stays at the end when films get longer or shorter. */
  join(member, { start = "end" } = {}) {
    if (this.members.size === 0 && start === "begin") this.place = 0;
    this.members.add(member);
    this.tell();
  }

  /** Play once, where nobody has touched the film and motion is welcome. */
  autoplay() {
    if (this.touched) return;
    if (stillness()) return this.seek(this.count - 1); // no motion: what the film would end with
    this.seek(0);
    this.play();
  }

  /** To be called after a member's count has changed from `before`. */
  changed(wasAtEnd) {
    if (wasAtEnd) this.place = undefined;
    this.tell();
  }

  leave(member) {
    this.members.delete(member);
    if (this.members.size) return this.tell();
    this.pause();
    if (!this.watchers.size) groups.delete(this.name);
  }

  play() {
    this.touched = true;
    if (this.atEnd) this.seek(0);
    if (stillness()) return this.seek(this.count - 1); // no motion: the end at once
    this.playing = true;
    this.tell();
    let before = performance.now();
    const tick = (now) => {
      if (!this.playing) return;
      const passed = Math.min(100, now - before) / 1000; // a hidden tab does not jump ahead
      before = now;
      const at = this.frame;
      this.place += (passed * this.speed * this.count) / this.seconds;
      if (this.frame !== at) this.show();
      if (this.place >= this.count - 1) this.pause();
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    for (const member of this.members) member.settle?.();
    this.tell();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(frame) {
    this.touched = true;
    this.place = Math.min(this.count - 1, Math.max(0, frame));
    this.show();
  }

  step(by) {
    this.pause();
    this.seek(this.frame + by);
  }

  show() {
    for (const member of this.members) member.draw(Math.min(this.frame, member.count - 1));
    for (const watcher of this.watchers) watcher();
  }

  tell() {
    for (const watcher of this.watchers) watcher();
  }
}
