// What plays along a shared playhead with a bar of its own, and is drawn anew when its room changes: the common end of such pictures.
export class Played {
  /** Call `draw` whenever the size of `node` changes, once there is something to draw. */
  watch(node, draw = () => this.draw()) {
    this.observer = new ResizeObserver(() => this.data && draw());
    this.observer.observe(node);
  }

  /** Its element has gone from the page. */
  leave() {
    this.observer.disconnect();
    clearTimeout(this.note);
    this.head?.leave(this);
    this.bar?.remove();
  }
}
