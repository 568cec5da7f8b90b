/*
  Chart panels: each fetches its values, draws them, and says in words and in a table what it drew.

  A gap stays a gap. Panels of one group share the cursor and the zoom: drag to zoom in, double click to go back.
*/
import { absolute, isSaidOnce, withUnit } from "./format.js";
import { makePlot } from "./plot.js";
import { word } from "./words.js";

const TIMEOUT_MILLISECONDS = 15_000;
const panels = [];
let library = null;

async function loadLibrary() {
  library ??= (await import(document.body.dataset.chartScript)).default;
  return library;
}

class ChartPanel {
  constructor(root) {
    this.root = root;
    this.plotRoot = root.querySelector("[data-chart-plot]");
    this.loading = root.querySelector("[data-chart-loading]");
    this.error = root.querySelector("[data-chart-error]");
    this.legend = root.querySelector("[data-chart-legend]");
    this.details = root.querySelector("[data-chart-table]");
    this.group = root.dataset.group;
    this.height = Number(root.dataset.height) || 200;
    this.plotRoot.style.minHeight = `${this.height}px`;
    this.zoom = null;
    this.plot = null;
    this.data = null;
    root.querySelector("[data-chart-retry]").addEventListener("click", () => this.load());
    root.addEventListener("live", () => this.load());
    this.details.addEventListener("toggle", () => this.writeTable());
    new ResizeObserver(() => this.resize()).observe(this.plotRoot);
  }

  async load() {
    const address = new URL(this.root.dataset.url, location.href);
    if (this.zoom) {
      address.searchParams.set("from", this.zoom.from.toFixed(3));
      address.searchParams.set("to", this.zoom.to.toFixed(3));
    }
    let successful = true;
    try {
      const answer = await fetch(address, {
        headers: { Accept: "application/json" },
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      this.data = await answer.json();
      this.draw(await loadLibrary());
    } catch {
      successful = false;
    }
    this.error.hidden = successful;
    if (!successful && !this.plot) {
      this.loading.hidden = true;
    }
    this.root.dispatchEvent(new CustomEvent("live:done", { bubbles: true, detail: { successful } }));
  }

  /** Draw what was loaded, from nothing: sizes, colours and lines may all be others than before. */
  draw(uPlot) {
    this.plot?.destroy();
    this.plot = null;
    const measured = this.data.lines.some((line) => line.values.some((value) => value !== null));
    this.loading.hidden = measured;
    this.root.classList.toggle("is-empty", !measured);
    if (!measured) {
      this.loading.textContent = this.data.empty || word("chart_empty");
    } else {
      this.plot = makePlot(uPlot, this.plotRoot, this.data, {
        group: this.group,
        height: this.height,
        onCursor: (position) => this.writeLegend(position),
        onZoom: (from, to) => zoomGroup(this.group, { from, to }),
        onReset: () => zoomGroup(this.group, null),
      });
    }
    this.writeLegend(null);
    this.writeTable();
  }

  resize() {
    if (this.plot && this.plotRoot.clientWidth > 0 && this.plotRoot.clientWidth !== this.plot.width) {
      this.plot.setSize({ width: this.plotRoot.clientWidth, height: this.height });
    }
  }

  /** Last (or the value under the cursor), lowest, mean and highest of every line. */
  writeLegend(position) {
    const { lines, times } = this.data;
    const saidOnce = isSaidOnce(this.data.unit);
    const unit = saidOnce ? "" : this.data.unit;
    const head = position === null ? word("chart_last") : absolute(times[position] * 1000, "seconds");
    const titles = [saidOnce ? this.data.unit : "", head, word("chart_minimum"), word("chart_average"), word("chart_maximum")];
    const rows = lines.map((line) => {
      const known = line.values.filter((value) => value !== null);
      const last = position === null ? known.at(-1) : line.values[position];
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      const values = [last, Math.min(...known), mean, Math.max(...known)];
      return [line.label, ...values.map((value) => withUnit(value, unit))];
    });
    fillTable(this.legend, titles, rows, (cell, row) => cell.prepend(key(this.data, row)));
  }

  writeTable() {
    if (!this.details.open || !this.data) {
      return;
    }
    const { lines, times, unit } = this.data;
    const titles = [word("chart_time"), ...lines.map((line) => line.label)];
    const rows = times.map((time, position) => [
      absolute(time * 1000),
      ...lines.map((line) =>
        line.values[position] === null ? word("chart_gap") : withUnit(line.values[position], unit),
      ),
    ]);
    fillTable(this.details.querySelector("table"), titles, rows.reverse());
  }
}

/** A small sample of how the line is drawn. */
function key(data, row) {
  const holder = document.createElement("span");
  holder.className = "chart-key";
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 14 8");
  drawing.setAttribute("aria-hidden", "true");
  const { key, style, dash, status } = data.lines[row];
  const isEdge = (candidate) => candidate.high === key || (style === "edge" && candidate.low === key);
  const band = (data.bands ?? []).findIndex(isEdge);
  const number = (row % 8) + 1;
  const shape = document.createElementNS("http://www.w3.org/2000/svg", band < 0 && style !== "bars" ? "line" : "rect");
  if (shape.tagName === "line") {
    Object.entries({ x1: 0, x2: 14, y1: 4, y2: 4 }).forEach(([name, value]) => shape.setAttribute(name, value));
    const dashed = dash ? ` key-${dash}` : "";
    shape.setAttribute("class", `key-line key-line-${status === "outage" ? "bad" : number}${dashed}`);
  } else {
    Object.entries({ width: 14, height: 8, rx: 1 }).forEach(([name, value]) => shape.setAttribute(name, value));
    const outer = band > 0 ? "key-band-outer" : "key-band";
    shape.setAttribute("class", style === "bars" ? `key-bar key-bar-${number}` : outer);
  }
  drawing.append(shape);
  holder.append(drawing);
  return holder;
}

function fillTable(table, titles, rows, decorate = () => {}) {
  const made = (tag, text, scope) => {
    const cell = document.createElement(tag);
    cell.textContent = text;
    if (scope) {
      cell.scope = scope;
    }
    return cell;
  };
  const head = document.createElement("thead");
  head.insertRow().append(...titles.map((title) => made(title ? "th" : "td", title, title && "col")));
  const body = document.createElement("tbody");
  rows.forEach(([label, ...values], position) => {
    const first = made("th", "", "row");
    const text = made("span", label);
    first.append(text);
    decorate(text, position);
    text.classList.add("chart-key");
    body.insertRow().append(first, ...values.map((value) => made("td", value)));
  });
  table.replaceChildren(head, body);
}

function zoomGroup(group, zoom) {
  panels
    .filter((panel) => panel.group === group)
    .forEach((panel) => {
      panel.zoom = zoom;
      panel.load();
    });
}

function adopt(root = document) {
  root.querySelectorAll("[data-chart]").forEach((element) => {
    if (!panels.some((panel) => panel.root === element)) {
      const panel = new ChartPanel(element);
      panels.push(panel);
      panel.load();
    }
  });
}

adopt();
document.addEventListener("htmx:afterSwap", (event) => adopt(event.target));
document.addEventListener("portal:theme", () => {
  // Colours on a canvas do not change by themselves.
  panels.filter((panel) => panel.plot).forEach((panel) => panel.draw(library));
});
