// A new picture for the network, and its answer as bars that follow. Python side: ui/teach_try.py.
import { Camera } from "./camera.js";
import { el, style, whenGone } from "./common.js";
import { squareOf, takesDrops } from "./pictures.js";

const PATIENCE = 5000; // ms that the answer to a picture of the camera is waited for

export default async function (component) {
  await style("album.css");
  const host = component.parentElement;
  host.dlTry ??= new TryBox(host, component.data);
  host.dlTry.update(component.data, component);
  return whenGone(host, () => host.dlTry.closeCamera());
}

class TryBox {
  constructor(host, { texts }) {
    host.style.minHeight = "";
    this.files = el("input", { type: "file", accept: "image/*", hidden: true, onchange: () => { this.take([...this.files.files]); this.files.value = ""; } });
    this.choose = el("button", { type: "button", onclick: () => this.files.click() }, texts.choose);
    this.shoot = el("button", { type: "button", onclick: () => this.toggleCamera() }, texts.camera);
    this.picture = el("img", { class: "dl-try-picture", alt: texts.picture, hidden: true });
    this.hint = el("p", { class: "dl-try-hint" }, texts.hint);
    this.frame = el("div", { class: "dl-try-frame", tabindex: "0", role: "group", "aria-label": texts.hint }, this.picture, this.hint);
    this.room = el("div", {});
    this.says = el("p", { class: "dl-try-says", "aria-live": "polite" });
    this.bars = el("ol", { class: "dl-try-bars" });
    host.append(el("div", { class: "dl-try" }, this.room, this.frame, el("div", { class: "dl-al-tools" }, this.choose, this.shoot, this.files), this.says, this.bars));
    takesDrops(this.frame, (files) => this.take(files));
  }

  update(data, component) {
    this.tell = (value) => component.setTriggerValue("picture", value);
    this.data = data;
    this.n ??= data.taken;
    if (data.taken >= this.n) this.answered?.();
    const { texts, answer, picture } = data;
    this.choose.textContent = texts.choose;
    this.shoot.textContent = texts.camera;
    this.hint.textContent = texts.hint;
    if (picture && !this.camera) this.picture.src = picture;
    this.picture.hidden = !picture;
    this.hint.hidden = Boolean(picture);
    this.says.textContent = data.says;
    this.drawBars(answer);
  }

  drawBars(answer) {
    while (this.bars.children.length > answer.length) this.bars.lastChild.remove();
    while (this.bars.children.length < answer.length)
      this.bars.append(el("li", {}, el("span", { class: "dl-try-name" }), el("i", { class: "dl-try-bar" }), el("b", {})));
    answer.forEach(({ name, share, color }, k) => {
      const [label, bar, value] = this.bars.children[k].children;
      label.textContent = name;
      bar.style.setProperty("--share", share);
      bar.style.setProperty("--kind", color);
      value.textContent = `${Math.round(100 * share)} %`;
    });
  }

  async take(files) {
    const file = files.find((file) => file.type.startsWith("image/") || /\.hei[cf]$/i.test(file.name));
    if (!file) return;
    this.closeCamera();
    this.send(await squareOf(file).catch(() => ""), false);
  }

  /** `live`: of the camera, with the next one close behind. */
  send(picture, live) {
    this.n += 1;
    this.tell({ n: this.n, picture, live });
    return new Promise((done) => {
      this.answered = done;
      setTimeout(done, PATIENCE);
    });
  }

  toggleCamera() {
    if (this.camera) return this.closeCamera();
    this.camera = new Camera({ texts: this.data.texts, take: (picture) => this.send(picture, true), live: true, leave: () => this.closeCamera() });
    this.room.replaceChildren(this.camera.root);
    this.frame.hidden = true;
    this.camera.start();
  }

  closeCamera() {
    this.camera?.close();
    this.camera = undefined;
    this.room.replaceChildren();
    this.frame.hidden = false;
    if (this.data?.picture) this.picture.src = this.data.picture;
  }
}
