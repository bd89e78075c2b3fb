// Replaces the query of the address line, at most four times a second (browsers limit how often it may change).
// Python side: ui/address.py. Kept by path: when pages change, what the old one said may arrive after the new one's word,
// and Streamlit writes the new path at a moment of its own; so it looks again for a while.
const GAP = 250; // ms between two looks
const LOOKS = 40;

const queries = new Map(); // path without its last slash → what its page wants there
let timer = null;
let looks = 0;

const plain = (path) => path.replace(/\/$/, "");

function look() {
  const url = new URL(window.location.href);
  const wanted = queries.get(plain(url.pathname));
  if (wanted !== undefined && url.search !== wanted) {
    url.search = wanted;
    window.history.replaceState(window.history.state, "", url);
  }
  timer = looks-- > 0 ? window.setTimeout(look, GAP) : null;
}

export default function (component) {
  const { path, query } = component.data;
  queries.set(plain(path), "?" + query);
  looks = LOOKS;
  if (timer === null) timer = window.setTimeout(look, GAP);
}
