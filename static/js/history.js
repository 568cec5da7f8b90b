/* A focused history bar is read with the arrow keys, segment by segment. */
import { announce } from "./announce.js";
import { hide, show } from "./tip.js";

const KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

document.addEventListener("keydown", (event) => {
  const drawing = event.target.closest?.("[data-history]");
  if (!drawing || !(event.key in KEYS)) {
    return;
  }
  event.preventDefault();
  const bars = [...drawing.querySelectorAll("rect")];
  const marked = bars.findIndex((bar) => bar.classList.contains("is-marked"));
  const from = marked < 0 ? bars.length : marked;
  const position = Math.min(bars.length - 1, Math.max(0, from + KEYS[event.key]));
  bars[marked]?.classList.remove("is-marked");
  bars[position].classList.add("is-marked");
  show(bars[position]);
  announce(bars[position].dataset.tip.replaceAll("\n", ", "));
});

document.addEventListener("focusout", (event) => {
  event.target.closest?.("[data-history]")?.querySelector(".is-marked")?.classList.remove("is-marked");
  hide();
});
