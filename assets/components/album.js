// The board of a learner's own classes: pictures by choosing, dropping, pasting or camera; seen, removed, brought back.
// Python side: ui/album_board.py. Edits are numbered and sent one by one: the next leaves when the last is taken.
import { Camera } from "./camera.js";
import { el, style, whenGone } from "./common.js";
import { squareOf, takesDrops } from "./pictures.js";

const AT_ONCE = 8; // pictures in one message
const AGAIN = 5000; // ms without an answer after which an edit is told again

export default async function (component) {
  await style("album.css");
  const host = component.parentElement;
  host.dlAlbum ??= new Board(host);
  host.dlAlbum.update(component.data, component);
  return whenGone(host, () => host.dlAlbum.leave());
}

class Board {
  constructor(host) {
    host.style.minHeight = "";
    this.queue = []; // edits that are not yet sent
    this.reading = 0; // pictures that are being made small
    this.cards = [];
    this.list = el("div", { class: "dl-al-list" });
    this.add = el("button", { type: "button", class: "dl-al-add", onclick: () => this.say({ do: "add" }) });
    this.undo = el("button", { type: "button", onclick: () => this.say({ do: "undo" }) });
    this.status = el("span", { class: "dl-al-status", role: "status" });
    host.append(el("div", { class: "dl-al" }, this.list, el("div", { class: "dl-al-foot" }, this.add, this.undo, this.status)));
  }

  leave() {
    clearTimeout(this.timer);
    this.cards.forEach((card) => card.closeCamera());
  }

  update(data, component) {
    this.tell = (edit) => component.setTriggerValue("edit", edit);
    this.n ??= data.taken;
    this.data = data;
    if (this.waiting && data.taken >= this.waiting.n) {
      clearTimeout(this.timer);
      this.waiting = undefined;
    }
    if (data.taken > this.n) this.n = data.taken; // another tab of this session, or a page that came back
    this.draw();
    this.next();
  }

  /** Queue an edit. */
  say(edit) {
    this.queue.push(edit);
    this.next();
  }

  next() {
    if (this.waiting || !this.queue.length) return this.showStatus();
    let edit = this.queue.shift();
    while (edit.do === "pictures" && edit.pictures.length < AT_ONCE && this.queue[0]?.do === "pictures" && this.queue[0].class === edit.class)
      edit = { ...edit, pictures: [...edit.pictures, ...this.queue.shift().pictures] };
    this.n += 1;
    this.waiting = { ...edit, n: this.n };
    this.send();
    this.showStatus();
  }

  send() {
    this.tell(this.waiting);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.waiting && this.send(), AGAIN);
  }

  /** Files for a class: each is made small, then queued. */
  async take(place, files) {
    this.reading += files.length;
    this.showStatus();
    for (const file of files) {
      const picture = await squareOf(file).catch(() => "");
      this.reading -= 1;
      this.say({ do: "pictures", class: place, pictures: [picture] });
    }
  }

  get busy() {
    return this.reading + this.queue.length > 0 || Boolean(this.waiting);
  }

  showStatus() {
    const { texts, undo, classes, most } = this.data;
    const left = this.reading + [...this.queue, this.waiting].reduce((sum, edit) => sum + (edit?.pictures?.length ?? 0), 0);
    this.status.textContent = left ? texts.reading.replace("{n}", left) : "";
    this.undo.disabled = !undo || this.busy;
    this.add.disabled = this.busy || classes.length >= most.classes;
    this.cards.forEach((card) => card.lock(this.busy));
  }

  draw() {
    const { classes, texts } = this.data;
    while (this.cards.length > classes.length) this.cards.pop().remove();
    while (this.cards.length < classes.length) {
      const card = new Card(this, this.cards.length);
      this.cards.push(card);
      this.list.append(card.root);
    }
    this.cards.forEach((card, k) => card.update(classes[k], this.data));
    this.add.textContent = texts.add;
    this.undo.textContent = texts.undo;
  }
}

class Card {
  constructor(board, place) {
    [this.board, this.place] = [board, place];
    const { texts } = board.data;
    this.name = el("input", { class: "dl-al-name", maxlength: 40, onchange: () => board.say({ do: "rename", class: place, name: this.name.value }), onkeydown: (event) => event.key === "Enter" && this.name.blur() });
    this.count = el("span", { class: "dl-al-count" });
    this.drop = el("button", { type: "button", class: "dl-al-x", onclick: () => board.say({ do: "drop", class: place }) }, "×");
    this.files = el("input", { type: "file", accept: "image/*", multiple: true, hidden: true, onchange: () => { board.take(place, [...this.files.files]); this.files.value = ""; } });
    this.choose = el("button", { type: "button", onclick: () => this.files.click() });
    this.shoot = el("button", { type: "button", onclick: () => this.toggleCamera() });
    this.hint = el("span", { class: "dl-al-hint" });
    this.thumbs = el("div", { class: "dl-al-thumbs", role: "list" });
    this.room = el("div", {});
    this.root = el("section", { class: "dl-al-card", tabindex: "-1" },
      el("div", { class: "dl-al-head" }, el("i", { class: "dl-al-dot" }), this.name, this.count, this.drop), this.room, this.thumbs,
      el("div", { class: "dl-al-tools" }, this.choose, this.shoot, this.files, this.hint));
    takesDrops(this.root, (files) => board.take(place, files.filter((file) => file.type.startsWith("image/") || /\.hei[cf]$/i.test(file.name))));
    this.camera = undefined;
    this.shown = "";
    this.choose.textContent = texts.choose;
  }

  update(kind, { texts, classes }) {
    this.kind = kind;
    this.texts = texts;
    this.root.style.setProperty("--kind", kind.color);
    this.root.setAttribute("aria-label", kind.name);
    if (document.activeElement !== this.name) this.name.value = kind.name;
    this.name.setAttribute("aria-label", texts.name);
    this.count.textContent = kind.count ? kind.told : "";
    this.choose.textContent = texts.choose;
    this.shoot.textContent = texts.camera;
    this.drop.hidden = classes.length <= 2;
    this.drop.title = texts.drop.replace("{name}", kind.name);
    this.drop.setAttribute("aria-label", this.drop.title);
    this.hint.textContent = kind.count ? "" : texts.hint;
    this.drawThumbs(kind, texts);
  }

  drawThumbs(kind, texts) {
    const state = JSON.stringify([kind.thumbs.map(([name]) => name), kind.more, texts.remove]);
    if (state === this.shown) return;
    this.shown = state;
    const wanted = new Set(kind.thumbs.map(([name]) => name));
    const known = new Map([...this.thumbs.children].map((node) => [node.dataset.name, node]));
    for (const [name, node] of known) if (!wanted.has(name)) node.remove();
    kind.thumbs.forEach(([name, source], k) => { // what is there stays where it is: an image put in anew would blink
      const node = known.get(name) ?? this.thumb(name, source);
      if (this.thumbs.children[k] !== node) this.thumbs.insertBefore(node, this.thumbs.children[k] ?? null);
      node.title = texts.remove;
      node.setAttribute("aria-label", texts.remove);
    });
    if (kind.more) this.thumbs.append(el("span", { class: "dl-al-more" }, `+ ${kind.more}`));
  }

  thumb(name, source) {
    const remove = () => this.board.busy || this.board.say({ do: "remove", class: this.place, picture: name });
    return el("button", { type: "button", class: "dl-al-thumb", "data-name": name, onclick: remove }, el("img", { src: source, alt: "", draggable: "false" }));
  }

  lock(busy) {
    this.name.readOnly = busy;
    this.drop.disabled = busy;
  }

  toggleCamera() {
    if (this.camera) return this.closeCamera();
    this.board.cards.forEach((card) => card.closeCamera()); // one camera, one class at a time
    const take = (picture) => this.board.say({ do: "pictures", class: this.place, pictures: [picture] });
    this.camera = new Camera({ texts: this.texts, take, leave: () => this.closeCamera() });
    this.room.replaceChildren(this.camera.root);
    this.camera.start();
  }

  closeCamera() {
    this.camera?.close();
    this.camera = undefined;
    this.room.replaceChildren();
  }

  remove() {
    this.closeCamera();
    this.root.remove();
  }
}
