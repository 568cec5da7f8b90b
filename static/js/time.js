/* Times that keep themselves right: relative ones tick, absolute ones are in the viewer's zone. */
import { announce } from "./announce.js";
import { absolute, relative } from "./format.js";
import { word } from "./words.js";

let exact = false;

function write(element) {
  const moment = Date.parse(element.dateTime);
  if (Number.isNaN(moment)) {
    return;
  }
  if (element.hasAttribute("data-relative")) {
    const words = exact ? absolute(moment, "long") : relative(moment);
    if (element.textContent !== words) {
      element.textContent = words;
    }
    element.dataset.tip = exact ? relative(moment) : absolute(moment);
  } else {
    element.textContent = absolute(moment, element.dataset.absolute || "long");
    if (element.dataset.tip !== undefined) {
      element.dataset.tip = absolute(moment);
    }
  }
}

function writeAge(element) {
  const moment = Date.parse(element.dataset.asOf);
  if (!Number.isNaN(moment)) {
    element.textContent = word("updated", { age: relative(moment) });
    element.dataset.tip = absolute(moment);
  }
}

/** Write every time inside `root`. */
export function writeTimes(root = document) {
  root.querySelectorAll("time[data-relative], time[data-absolute]").forEach(write);
  root.querySelectorAll("[data-as-of]").forEach(writeAge);
}

/** Between relative and exact times, for the whole page. */
export function toggleExact() {
  exact = !exact;
  writeTimes();
  announce(word(exact ? "exact_times" : "relative_times"));
}

function tick() {
  if (!document.hidden) {
    document.querySelectorAll("time[data-relative]").forEach(write);
    document.querySelectorAll("[data-as-of]").forEach(writeAge);
  }
}

writeTimes();
setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
