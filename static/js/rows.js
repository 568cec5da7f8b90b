/* What changed in the rows of a page: a new status flashes once, a new outage is announced. */
import { announce } from "./announce.js";
import { word } from "./words.js";

// The last known status of every target shown, by id; rows carry data-target, data-name and data-status.
const known = new Map();
const originalTitle = document.title;

const rowsIn = (root) => root.querySelectorAll("[data-target][data-status]");

function learn(root) {
  rowsIn(root).forEach((row) => known.set(row.dataset.target, row.dataset.status));
}

function flash(row) {
  row.classList.remove("flash");
  // Reading the size restarts the animation of a row that flashed a moment ago.
  void row.offsetWidth;
  row.classList.add("flash");
  row.addEventListener("animationend", () => row.classList.remove("flash"), { once: true });
}

/** Compare what a fragment shows with what was known, then remember it. */
export function noticeChanges(root) {
  const outages = new Set();
  const recoveries = new Set();
  rowsIn(root).forEach((row) => {
    const before = known.get(row.dataset.target);
    const { status, name } = row.dataset;
    if (before === status) {
      return;
    }
    flash(row);
    if (status === "outage") {
      outages.add(name);
    } else if (before === "outage" && status === "operational") {
      recoveries.add(name);
    }
  });
  learn(root);
  if (outages.size) {
    announce(word("new_outage", { names: [...outages].join(", ") }));
  }
  if (recoveries.size) {
    announce(word("back", { names: [...recoveries].join(", ") }));
  }
  showCount();
}

/** The tab's title carries the number of problems, for whoever looks at another tab. */
function showCount() {
  const problems = Number(document.querySelector("[data-problems]")?.dataset.problems ?? 0);
  document.title = problems > 0 ? `(${problems}) ${originalTitle}` : originalTitle;
}

learn(document);
showCount();
