/** How uPlot is set up: its options, from lines and the theme. */

import uPlot from "uplot";

import type { Line } from "./lines";

export interface Plot {
  lines: Line[];
  height: number;
  width: number;
  /** Says a value on the axis. */
  say: (value: number) => string;
  /** Charts of the same name move their cursors together. */
  sync?: string;
  /** The range that is shown now, Unix times; undefined is that of the moments. */
  range: () => [number, number] | undefined;
  /** Is given the range that was dragged over; without it nothing is to be dragged. */
  onRange?: (range: [number, number]) => void;
  onCursor: (index: number | null) => void;
}

/** Return uPlot's options. Colours are read from the page, so they have to be made anew when the theme changes. */
export function options(plot: Plot, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const grid = { stroke: color("--line"), width: 1 };
  const axis = { font, stroke: color("--ink-3"), grid, ticks: { show: false }, gap: 6 };
  return {
    width: plot.width,
    height: plot.height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: !!plot.onRange, y: false, setScale: false, dist: 8 },
      points: { size: 7, width: 2, fill: color("--surface") },
      ...(plot.sync && { sync: { key: plot.sync, setSeries: false } }),
    },
    scales: {
      x: { range: (_, min, max) => plot.range() ?? [min, max] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 72,
        values: (_, splits, __, ___, step) => splits.map((at) => clock(at, step)),
        grid: { show: false },
      },
      {
        ...axis,
        size: (u, values) => room(u, values, font),
        space: 34,
        values: (_, splits) => splits.map(plot.say),
      },
    ],
    series: [{}, ...plot.lines.map((line) => series(line, color))],
    hooks: {
      setCursor: [(u) => plot.onCursor(u.cursor.idx ?? null)],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          if (width === 0) return;
          plot.onRange?.([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function series(line: Line, color: (name: string) => string): uPlot.Series {
  const stroke = color(line.color);
  const bars = line.style === "bars";
  return {
    label: line.name,
    stroke,
    width: bars ? 0 : 1.75,
    spanGaps: false,
    points: bars ? { show: false } : { show: true, size: 5, fill: stroke, filter: isolated },
    ...(line.dash?.length && { dash: line.dash }),
    ...(bars && { paths: uPlot.paths.bars?.({ size: [0.78, 40], align: 1, radius: 0.12 }) }),
    ...(bars && { fill: line.hatched ? hatching(stroke) : stroke }),
    ...(line.style === "area" && { fill: `${stroke}26` }), // the theme's colours are #rrggbb
  };
}

/** Points are drawn only where a value has no neighbours and would not be seen as a line. */
function isolated(u: uPlot, index: number): number[] {
  const values = [...(u.data[index] ?? [])];
  return [...values.keys()].filter(
    (at) => values[at] != null && values[at - 1] == null && values[at + 1] == null,
  );
}

function hatching(stroke: string): CanvasRenderingContext2D["fillStyle"] {
  const tile = document.createElement("canvas");
  const size = 6 * devicePixelRatio;
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (!pen) return stroke;
  pen.fillStyle = stroke;
  pen.globalAlpha = 0.28;
  pen.fillRect(0, 0, size, size);
  pen.globalAlpha = 1;
  pen.strokeStyle = stroke;
  pen.lineWidth = size / 3;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat") ?? stroke;
}

/** The width that the longest label needs. */
function room(u: uPlot, values: string[] | null, font: string): number {
  u.ctx.save();
  u.ctx.font = font;
  const widest = Math.max(0, ...(values ?? []).map((value) => u.ctx.measureText(value).width));
  u.ctx.restore();
  return Math.ceil(widest) + 14;
}

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const second = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** A moment on the axis: the time of day, or the date where a day begins or steps are days. `step` is in seconds. */
export function clock(at: number, step: number): string {
  const date = new Date(at * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (step >= 86_400 || (midnight && date.getSeconds() === 0)) return day.format(date);
  return (step < 60 ? second : time).format(date);
}
