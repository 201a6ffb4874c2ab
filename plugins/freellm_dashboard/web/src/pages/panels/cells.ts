/** Values that plugins give, in words. Pure. */

import type { Column } from "@/api/types";
import { compact, count, duration, NBSP, percent, span, UNKNOWN } from "@/format/numbers";
import { moment } from "@/format/time";

export type Value = string | number | boolean | null;

/** Return a value with its unit, as a figure or on an axis shows it. */
export function withUnit(value: number, unit: string): string {
  if (unit === "percent") return percent(value);
  if (unit === "ms") return duration(value);
  if (unit === "s") return span(value);
  if (unit === "bytes") return bytes(value);
  const number = Math.abs(value) < 10_000 ? plain(value) : compact(value);
  return unit === "" ? number : `${number}${NBSP}${ofOne(value, unit)}`;
}

/** Return the parts of a figure: what is large, and its unit. */
export function figure(value: number | string | null, unit: string): { value: string; unit: string } {
  if (value === null) return { value: UNKNOWN, unit: "" };
  if (typeof value === "string") return { value, unit };
  return INSEPARABLE.has(unit)
    ? { value: withUnit(value, unit), unit: "" }
    : { value: withUnit(value, ""), unit: ofOne(value, unit) };
}

/** `request` for one, `requests` for every other number. */
function ofOne(value: number, unit: string): string {
  return value === 1 && unit.length > 2 ? unit.replace(/s$/, "") : unit;
}

/** Units without which a number says nothing, or which change with its size. */
const INSEPARABLE = new Set(["percent", "ms", "s", "bytes"]);

/** Return a value on an axis, where the legend says the unit. */
export function axis(value: number, unit: string): string {
  return withUnit(value, INSEPARABLE.has(unit) ? unit : "");
}

/** Return what stands in a table's cell. */
export function cell(value: Value, column: Column): string {
  if (value === null || value === "") return UNKNOWN;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (column.kind === "percent") return percent(value);
  if (column.kind === "time") return moment(value);
  return withUnit(value, column.unit);
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

function bytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (Math.abs(rest) >= 1000 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? count(rest) : rest.toPrecision(3)}${NBSP}${UNITS[unit]}`;
}

function plain(value: number): string {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}
