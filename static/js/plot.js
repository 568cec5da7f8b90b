/* One uPlot drawing in our look: band, line, gaps, thresholds, outages and marks. */
import { absolute, isSaidOnce, withUnit } from "./format.js";

const LINES = ["--chart-line", ...[2, 3, 4, 5, 6, 7, 8].map((number) => `--chart-line-${number}`)];
const SIDE_PADDING = 14;
const MARK_ROWS = 3;
// Beside a colour of its own, so that lines are told apart without it.
const DASHES = { dashed: [7, 4], dotted: [2, 3] };
const SPAN_COLOURS = { outage: "--chart-outage", unknown: "--mute-soft", maintenance: "--info-soft" };

/** What a colour token is now, as a canvas understands it. */
function makePalette(root) {
  const probe = document.createElement("span");
  // A transition would answer with the colour it comes from.
  probe.style.setProperty("transition", "none", "important");
  root.append(probe);
  const seen = {};
  return {
    of(token) {
      if (!seen[token]) {
        probe.style.color = `var(${token})`;
        seen[token] = getComputedStyle(probe).color;
      }
      return seen[token];
    },
    done: () => probe.remove(),
  };
}

/** Draw `data` (see components/chart_panel.html) into `root`. */
export function makePlot(uPlot, root, data, { group, height, onCursor, onZoom, onReset }) {
  const palette = makePalette(root);
  const colour = (token) => palette.of(token);
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const position = (key) => order.findIndex((entry) => entry.line.key === key) + 1;
  const bands = data.bands ?? [];
  const highs = new Set(bands.map((band) => band.high));
  const ink = colour("--ink-3");
  const grid = { stroke: colour("--chart-grid"), width: 1 };
  LINES.forEach(colour);
  Object.values(SPAN_COLOURS).forEach(colour);
  ["--chart-band", "--chart-band-outer", "--warn-shape", "--bad-shape", "--ink-2", "--control-line", "--surface"].forEach(colour);
  const order = drawnOrder(data);

  const options = {
    width: root.clientWidth,
    height,
    padding: [isSaidOnce(data.unit) ? 18 : 10, SIDE_PADDING, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: group },
      y: false,
      points: { size: 7, fill: (plot, index) => plot.series[index].stroke(plot, index) },
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => onReset },
    },
    scales: { x: { time: true, range: () => [data.from, data.to] }, y: { range: (plot, low, high) => reach(data, high) } },
    axes: [
      { stroke: ink, font, grid, ticks: { show: false }, gap: 6, size: 26, space: 72, values: (plot, marks) => timeLabels(plot, marks, data, font) },
      {
        stroke: ink,
        font,
        grid,
        ticks: { show: false },
        gap: 6,
        space: 40,
        size: (plot, values) => 14 + Math.max(24, ...(values ?? []).map((text) => text.length * 6.4)),
        values: (plot, marks) => marks.map((mark) => withUnit(mark, isSaidOnce(data.unit) ? "" : data.unit).replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "")),
      },
    ],
    series: [
      {},
      ...order.map(({ line, index }) => makeSeries(uPlot, line, highs.has(line.key), colour(tokenOf(line, index)))),
    ],
    bands: bands.map((band, index) => ({
      series: [position(band.high), position(band.low)],
      fill: colour(index === 0 ? "--chart-band" : "--chart-band-outer"),
    })),
    hooks: {
      drawClear: [(plot) => drawSpans(plot, data, colour)],
      draw: [
        (plot) => drawThresholds(plot, data, colour, font),
        (plot) => drawMarks(plot, data, colour, font),
        (plot) => drawUnit(plot, data, colour, font),
      ],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          if (plot.select.width > 4) {
            const { left, width } = plot.select;
            onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          }
        },
      ],
    },
  };
  const plot = new uPlot(options, [data.times, ...order.map((entry) => entry.values)], root);
  palette.done();
  return plot;
}

/** The lines as they are drawn, one over the other. What is stacked stands on the sum of those before it, so the
    highest is drawn first; a moment without any value stays a gap. */
function drawnOrder(data) {
  const entries = data.lines.map((line, index) => ({ line, index, values: line.values }));
  if (!data.stacked) {
    return entries;
  }
  const sums = data.times.map(() => null);
  entries.forEach((entry) => {
    entry.values = entry.values.map((value, place) => {
      sums[place] = value === null ? sums[place] : (sums[place] ?? 0) + value;
      return sums[place];
    });
  });
  return entries.reverse();
}

/** A line that shows what went wrong has the colour of that, every other one its own. */
function tokenOf(line, position) {
  return line.status === "outage" ? "--bad-shape" : LINES[position % LINES.length];
}

function makeSeries(uPlot, line, isHigh, stroke) {
  if (line.style === "points") {
    // Single events: nothing lies between two of them, so nothing is drawn there.
    return { label: line.label, stroke, paths: () => null, points: { show: true, size: 6, fill: stroke } };
  }
  if (line.style === "bars") {
    // From the beginning of their stretch of time to its end; the rim parts what is stacked.
    const paths = uPlot.paths.bars({ size: [0.9, 48], align: 1 });
    return { label: line.label, stroke, fill: stroke, width: 0, paths, points: { show: false } };
  }
  const isBandEdge = isHigh || line.style === "edge";
  return {
    label: line.label,
    stroke,
    dash: DASHES[line.dash],
    width: isBandEdge ? 0 : 1.75,
    spanGaps: false,
    // A value between two gaps is a line of no length: only a dot shows it.
    points: { size: 6, fill: stroke, filter: (plot, index) => (isBandEdge ? [] : lonely(plot.data[index])) },
  };
}

function lonely(values) {
  const found = [];
  values.forEach((value, position) => {
    if (value !== null && (values[position - 1] ?? null) === null && (values[position + 1] ?? null) === null) {
      found.push(position);
    }
  });
  return found;
}

/** From zero to a little above the highest value; a threshold joins when it is near enough not to flatten the line. */
function reach(data, highest) {
  const high = highest ?? 1;
  const near = (data.thresholds ?? []).map((entry) => entry.value).filter((value) => value <= high * 2.5);
  return [0, Math.max(high, ...near) * 1.08 || 1];
}

/** A label that would be cut at the end of the axis is left out. */
function timeLabels(plot, marks, data, font) {
  const end = plot.bbox.width / devicePixelRatio + SIDE_PADDING;
  return marks.map((mark, index) => {
    const midnight = new Date(mark * 1000).getHours() === 0 && new Date(mark * 1000).getMinutes() === 0;
    const text = absolute(mark * 1000, midnight && (index > 0 || data.to - data.from > 172_800) ? "day" : "clock");
    return plot.valToPos(mark, "x") + widthOf(plot.ctx, text, font) / 2 > end ? "" : text;
  });
}

/** In pixels of the page. */
function widthOf(ctx, text, font) {
  ctx.save();
  ctx.font = font;
  const { width } = ctx.measureText(text);
  ctx.restore();
  return width;
}

function across(plot, from, to) {
  const left = Math.max(plot.bbox.left, plot.valToPos(from, "x", true));
  const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(to, "x", true));
  return [left, right - left];
}

function drawSpans(plot, data, colour) {
  (data.spans ?? []).forEach((entry) => {
    const [left, width] = across(plot, entry.from, entry.to);
    if (width > 0) {
      plot.ctx.fillStyle = colour(SPAN_COLOURS[entry.status] ?? "--mute-soft");
      plot.ctx.fillRect(left, plot.bbox.top, Math.max(1, width), plot.bbox.height);
    }
  });
}

function drawThresholds(plot, data, colour, font) {
  const ratio = devicePixelRatio;
  const { ctx, bbox } = plot;
  (data.thresholds ?? []).forEach((entry) => {
    if (entry.value > plot.scales.y.max) {
      return;
    }
    const y = Math.round(plot.valToPos(entry.value, "y", true));
    ctx.save();
    ctx.strokeStyle = colour(entry.status === "outage" ? "--bad-shape" : "--warn-shape");
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    write(ctx, entry.label, bbox.left + bbox.width - 4 * ratio, y - 4 * ratio, { align: "right", colour, font });
    ctx.restore();
  });
}

/** A line for each mark, the latest first; words only where they cover no others. */
function drawMarks(plot, data, colour, font) {
  const ratio = devicePixelRatio;
  const { ctx, bbox } = plot;
  const taken = [];
  (data.marks ?? []).forEach((entry) => {
    if (entry.at < data.from || entry.at > data.to) {
      return;
    }
    const x = Math.round(plot.valToPos(entry.at, "x", true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = colour("--control-line");
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const width = widthOf(ctx, entry.label, font) * ratio;
    const place = placeOf(x, width, bbox, taken);
    if (place) {
      taken.push(place);
      write(ctx, entry.label, place.left, bbox.top + (10 + 14 * place.row) * ratio, { align: "left", colour, font });
    }
    ctx.restore();
  });
}

/** Where a text of this width stands beside its line: on either side, in one of a few rows; null where it is crowded. */
function placeOf(x, width, bbox, taken) {
  const gap = 4 * devicePixelRatio;
  const starts = [x - gap - width, x + gap].filter((left) => left >= bbox.left && left + width <= bbox.left + bbox.width);
  for (let row = 0; row < MARK_ROWS; row += 1) {
    for (const left of starts) {
      const place = { row, left, right: left + width };
      if (!taken.some((other) => other.row === row && other.left < place.right + gap && place.left < other.right + gap)) {
        return place;
      }
    }
  }
  return null;
}

/** Once over the axis, where it is too long to stand at every number. */
function drawUnit(plot, data, colour, font) {
  if (isSaidOnce(data.unit)) {
    const ratio = devicePixelRatio;
    plot.ctx.save();
    write(plot.ctx, data.unit, 2 * ratio, plot.bbox.top - 7 * ratio, { align: "left", colour, font });
    plot.ctx.restore();
  }
}

/** A label on a rim of the ground, so that it reads over lines. */
function write(ctx, text, x, y, { align, colour, font }) {
  ctx.setLineDash([]);
  ctx.font = font.replace(/^\d+px/, `${11 * devicePixelRatio}px`);
  ctx.textAlign = align;
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.strokeStyle = colour("--surface");
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour("--ink-2");
  ctx.fillText(text, x, y);
}
