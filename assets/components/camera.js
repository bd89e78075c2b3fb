// A camera's picture with what may be done with it. The stream never leaves the device; single squares do, when asked.
import { el } from "./common.js";
import { base64, squareJpeg } from "./pictures.js";

const EVERY = 200; // ms between two pictures while the button is held

export class Camera {
  /** `take(base64)` gets a picture; with `live` they come by themselves, one whenever `take` is done with the last. */
  constructor({ texts, take, live = false, leave }) {
    Object.assign(this, { texts, take, live });
    this.facing = "user";
    this.video = el("video", { class: "dl-cam-video", autoplay: true, playsinline: true, muted: true, "aria-label": texts.camera });
    this.video.muted = true;
    this.note = el("p", { class: "dl-cam-note", role: "status" });
    this.record = el("button", { type: "button", class: "dl-cam-record" }, texts.hold);
    this.turn = el("button", { type: "button", onclick: () => this.switchOver() }, texts.turn);
    const close = el("button", { type: "button", onclick: () => { this.stop(); leave(); } }, texts.close);
    this.root = el("div", { class: "dl-cam" }, this.video, this.note, el("div", { class: "dl-cam-tools" }, ...(live ? [] : [this.record]), this.turn, close));
    for (const type of ["pointerdown", "keydown"]) this.record.addEventListener(type, (event) => this.press(event));
    for (const type of ["pointerup", "pointercancel", "pointerleave", "keyup", "blur"]) this.record.addEventListener(type, () => this.release());
    this.record.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
  }

  async start() {
    this.stop();
    this.note.textContent = this.texts.asking;
    try {
      const wish = { facingMode: this.facing, width: { ideal: 640 }, height: { ideal: 480 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video: wish });
      if (this.left) return stream.getTracks().forEach((track) => track.stop());
      this.stream = stream;
    } catch {
      this.note.textContent = this.texts.refused; // no camera, no permission, or no https
      return;
    }
    this.note.textContent = "";
    this.video.srcObject = this.stream;
    this.video.classList.toggle("dl-cam-mirrored", this.facing === "user");
    if (this.live) this.follow();
  }

  stop() {
    this.release();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = undefined;
  }

  close() {
    this.left = true;
    this.stop();
  }

  switchOver() {
    this.facing = this.facing === "user" ? "environment" : "user";
    this.start();
  }

  press(event) {
    if (event.type === "keydown" && (event.repeat || ![" ", "Enter"].includes(event.key))) return;
    event.preventDefault();
    if (this.timer) return;
    this.shoot();
    this.timer = setInterval(() => this.shoot(), EVERY);
    this.record.classList.add("dl-on");
  }

  release() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.record.classList.remove("dl-on");
  }

  async shoot() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!this.stream || !width) return;
    await this.take(await base64(await squareJpeg(this.video, width, height, this.facing === "user")));
  }

  async follow() {
    const { stream } = this;
    while (this.stream === stream && this.stream && this.video.isConnected) {
      await this.shoot();
      await new Promise((done) => setTimeout(done, EVERY));
    }
  }
}
