// The frames of a run: kept, thinned, and revealed evenly although they come in batches.
import { playhead } from "../playhead.js";

const MOST = 400; // frames kept; above it every second of the older ones goes
const NEWEST = 150; // which thinning leaves alone
const BEHIND = 1.15; // how much longer than the time between two batches a batch is played
const FIELDS = ["step", "epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy"];

export class Film {
  /** `draw(frame)` is called for each frame that is to be seen, `changed()` when frames came or went. */
  constructor(group, { draw }) {
    this.head = playhead(group);
    this.paint = draw;
    this.frames = [];
    this.count = 1; // how many are revealed: what the playhead sees
    this.shown = 0; // the same with a fraction
    this.wait = 500; // ms between two batches, as of late
    this.redraws = 0;
    this.head.join(this);
  }

  get newest() {
    return this.frames.at(-1);
  }

  get current() {
    return this.frames[Math.min(this.head.frame, this.frames.length - 1)];
  }

  /** Another run: begin anew with these frames, all of them to be seen at once. */
  begin(batch) {
    this.frames = rows(batch);
    this.head.pause();
    this.head.place = undefined;
    this.arrivedAt = undefined;
    this.reveal(this.frames.length);
  }

  /** Take in frames of the same run; those that are known already are left alone. Returns false where some are missing. */
  add(batch, since) {
    const known = this.newest?.step ?? -1;
    if (since > known) return false;
    const fresh = rows(batch).filter((frame) => frame.step > known);
    if (!fresh.length) return true;
    const now = performance.now();
    if (this.arrivedAt) this.wait += 0.3 * (Math.min(2000, now - this.arrivedAt) - this.wait);
    this.arrivedAt = now;
    this.frames.push(...fresh);
    this.pace = (this.frames.length - this.shown) / (BEHIND * this.wait); // frames per ms
    this.thin();
    this.unroll();
    return true;
  }

  /** Put one frame where it belongs (an epoch that was computed again), and show it. */
  insert(batch) {
    const [frame] = rows(batch);
    const at = this.frames.findIndex((known) => known.step >= frame.step);
    const place = at < 0 ? this.frames.length : at;
    this.frames.splice(place, this.frames[place]?.step === frame.step ? 1 : 0, frame);
    this.head.pause();
    this.reveal(this.frames.length);
    this.head.seek(place);
  }

  /** Show the step nearest to this one. */
  seek(step) {
    const at = this.frames.findIndex((frame) => frame.step >= step);
    this.head.seek(at < 0 ? this.frames.length - 1 : at);
  }

  thin() {
    if (this.frames.length <= MOST) return;
    const step = this.current?.step;
    const resting = !this.head.atEnd;
    const old = this.frames.length - NEWEST;
    const kept = this.frames.map((_, i) => i >= old || i % 2 === 0);
    const before = kept.slice(0, Math.ceil(this.shown)).filter((keep) => !keep).length;
    this.frames = this.frames.filter((_, i) => kept[i]);
    this.shown -= before;
    this.count = Math.max(1, Math.min(this.frames.length, Math.floor(this.shown)));
    if (resting) this.head.place = Math.max(0, this.frames.findIndex((frame) => frame.step >= step));
  }

  /** A run begins or goes on: be at its end, wherever the film was rewound to. */
  follow() {
    this.head.pause();
    this.head.place = undefined;
    this.head.tell();
  }

  /** Reveal what came, frame by frame, at the pace at which it comes. */
  unroll() {
    if (this.following) return;
    this.following = true;
    let before = performance.now();
    const tick = (now) => {
      const passed = now - before;
      before = now;
      if (passed > 400) this.shown = this.frames.length; // a hidden tab
      this.reveal(this.shown + passed * this.pace);
      this.following = this.shown < this.frames.length && !this.gone;
      if (this.following) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  reveal(place) {
    const wasAtEnd = this.head.atEnd;
    this.shown = Math.min(this.frames.length, place);
    const count = Math.max(1, Math.floor(this.shown));
    const last = this.frames[count - 1];
    if (count === this.count && last === this.last) return;
    [this.count, this.last] = [count, last];
    this.head.changed(wasAtEnd && !this.head.playing);
    if (wasAtEnd && !this.head.playing) this.draw();
  }

  /** Called by the playhead too. */
  draw() {
    if (!this.current) return;
    this.redraws++;
    this.paint(this.current);
  }

  settle() {
    this.draw();
  }

  leave() {
    this.gone = true;
    this.head.leave(this);
  }
}

function rows(batch) {
  return Array.from(batch.step ?? [], (_, k) => ({
    parameters: batch.parameters[k],
    ...Object.fromEntries(FIELDS.map((name) => [name, batch[name]?.[k] ?? NaN])),
  }));
}
