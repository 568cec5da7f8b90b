/* Tables: which columns are shown (kept in this browser), and what is selected. */
import { word } from "./words.js";

const remembered = (table) => `portal.columns.${table}`;

function hiddenColumns(table) {
  try {
    return JSON.parse(localStorage.getItem(remembered(table)) ?? "[]");
  } catch {
    return [];
  }
}

/** Hide in every table what its viewer chose not to see; run again after each refresh. */
export function applyColumns() {
  document.querySelectorAll("[data-columns-of]").forEach((choice) => {
    const table = document.getElementById(choice.dataset.columnsOf);
    const hidden = hiddenColumns(choice.dataset.columnsOf);
    choice.querySelectorAll("input").forEach((box) => {
      box.checked = !hidden.includes(box.value);
    });
    table?.querySelectorAll("[data-column]").forEach((cell) => {
      cell.hidden = hidden.includes(cell.dataset.column);
    });
  });
}

document.addEventListener("change", (event) => {
  const choice = event.target.closest?.("[data-columns-of]");
  if (choice) {
    const hidden = [...choice.querySelectorAll("input:not(:checked)")].map((box) => box.value);
    localStorage.setItem(remembered(choice.dataset.columnsOf), JSON.stringify(hidden));
    applyColumns();
// A form that came back with an error keeps its ticks.
document.querySelectorAll("form:has([data-select]:checked)").forEach(showSelection);
  }
});

/* Bulk selection */
let lastBox = null;

const shown = (box) => !box.closest("[hidden]");

/** Say how many rows of the form are selected; run again when other rows are shown. */
export function showSelection(form) {
  const boxes = [...form.querySelectorAll("[data-select]")];
  const selected = boxes.filter((box) => box.checked);
  boxes.forEach((box) => box.closest("tr")?.setAttribute("aria-selected", String(box.checked)));
  const bar = form.querySelector("[data-bulk]");
  if (bar) {
    bar.hidden = selected.length === 0;
    bar.querySelector("[data-bulk-count]").textContent = word("selected", { number: selected.length });
  }
  const all = form.querySelector("[data-select-all]");
  if (all) {
    const within = boxes.filter(shown);
    all.checked = within.length > 0 && within.every((box) => box.checked);
    all.indeterminate = selected.length > 0 && !all.checked;
  }
}

document.addEventListener("click", (event) => {
  const form = event.target.closest?.("form");
  if (!form) {
    return;
  }
  if (event.target.matches("[data-select]")) {
    const boxes = [...form.querySelectorAll("[data-select]")];
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(event.target)].sort((one, other) => one - other);
    if (event.shiftKey && from >= 0) {
      boxes.slice(from, to + 1).forEach((box) => (box.checked = event.target.checked));
    }
    lastBox = event.target;
    showSelection(form);
  } else if (event.target.matches("[data-select-all]")) {
    const boxes = [...form.querySelectorAll("[data-select]")].filter(shown);
    boxes.forEach((box) => (box.checked = event.target.checked));
    showSelection(form);
  } else if (event.target.closest("[data-bulk-clear]")) {
    form.querySelectorAll("[data-select]").forEach((box) => (box.checked = false));
    showSelection(form);
  }
});

applyColumns();
// A form that came back with an error keeps its ticks.
document.querySelectorAll("form:has([data-select]:checked)").forEach(showSelection);
