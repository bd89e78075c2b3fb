// Pictures on their way from a visitor's device to the server: made square and small here, so that little of them leaves.
const SIDE = 256; // px, as the server keeps them (dlcore/data/album.py)
const QUALITY = 0.92;
const MOST_RAW = 4e6; // bytes of a file that this browser cannot read, sent so that the server can say what it is

/** A file as base64: its middle square as JPEG, or (where the browser cannot read it) as it is. */
export async function squareOf(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file.size <= MOST_RAW ? base64(file) : "";
  }
  try {
    return await base64(await squareJpeg(bitmap, bitmap.width, bitmap.height));
  } finally {
    bitmap.close();
  }
}

/** The middle square of an image, canvas or video as a JPEG blob; mirrored as in a looking glass where asked. */
export function squareJpeg(source, width, height, mirrored = false) {
  let edge = Math.min(width, height);
  let [left, top, from] = [(width - edge) / 2, (height - edge) / 2, source];
  while (edge > 2 * SIDE) { // by halves: one large step would leave most pixels out
    const half = drawn(from, left, top, edge, Math.ceil(edge / 2));
    [from, left, top, edge] = [half, 0, 0, half.width];
  }
  const canvas = drawn(from, left, top, edge, SIDE, mirrored);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

function drawn(source, left, top, edge, side, mirrored = false) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // paper under what is transparent
  pen.fillRect(0, 0, side, side);
  pen.imageSmoothingQuality = "high";
  if (mirrored) pen.setTransform(-1, 0, 0, 1, side, 0);
  pen.drawImage(source, left, top, edge, edge, 0, 0, side, side);
  return canvas;
}

export function base64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = fail;
    reader.readAsDataURL(blob);
  });
}

/** All files of a drop, those within folders, too. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(within))).flat();
}

async function within(entry) {
  if (entry.isFile) return new Promise((done) => entry.file((file) => done([file]), () => done([])));
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a folder is told a hundred entries at a time
    const part = await new Promise((done) => reader.readEntries(done, () => done([])));
    if (!part.length) break;
    found.push(...part);
  }
  return (await Promise.all(found.map(within))).flat();
}

/** Makes an element take files that are dropped on it or pasted; `take` gets a list of files. */
export function takesDrops(node, take) {
  let inside = 0; // children tell of leaving, too
  const mark = () => node.classList.toggle("dl-drop", inside > 0);
  node.addEventListener("dragenter", (event) => { event.preventDefault(); inside += 1; mark(); });
  node.addEventListener("dragleave", () => { inside -= 1; mark(); });
  node.addEventListener("dragover", (event) => event.preventDefault());
  node.addEventListener("drop", async (event) => {
    event.preventDefault();
    inside = 0;
    mark();
    take(await filesOf(event.dataTransfer));
  });
  node.addEventListener("paste", (event) => event.clipboardData.files.length && take([...event.clipboardData.files]));
}
