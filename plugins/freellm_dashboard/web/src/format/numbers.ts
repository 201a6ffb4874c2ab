/** Between a number and its unit, which are never on two lines. */
export const NBSP = "\u00a0";

/** Shown where a figure is not known: it is not zero. */
export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** `12,345`. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : whole.format(value);
}

/** Few digits: `999`, `12.3K`, `4.56M`. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.abs(value) < 1_000
    ? new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(value)
    : short.format(value);
}

/** `1 request`, `2 requests`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)}${NBSP}${value === 1 ? one : many}`;
}

/** A share of 0 to 1 as `97.3 %`; never rounded to 100 % or 0 % when it is not. Null is unknown. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || Number.isNaN(share)) return UNKNOWN;
  const value = share * 100;
  if (value > 99.9 && value < 100) return `>${NBSP}99.9${NBSP}%`;
  if (value > 0 && value < 0.1) return `<${NBSP}0.1${NBSP}%`;
  return `${Number.isInteger(value) || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)}${NBSP}%`;
}

/** Milliseconds as `840 ms`, `1.84 s`, `12.3 s`, `2 min 5 s`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return UNKNOWN;
  if (ms < 9.95) return `${Number(ms.toFixed(1))}${NBSP}ms`;
  if (ms < 999.5) return `${Math.round(ms)}${NBSP}ms`;
  const seconds = ms / 1_000;
  if (seconds < 9.995) return `${seconds.toFixed(2)}${NBSP}s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}${NBSP}s`;
  return span(seconds);
}

const SPANS: readonly [seconds: number, unit: string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** Seconds in at most two units: `45 s`, `3 min 5 s`, `2 h`, `1 d 4 h`. */
export function span(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [size, unit] of SPANS) {
    const amount = Math.floor(rest / size);
    if (amount > 0) parts.push(`${amount}${NBSP}${unit}`);
    else if (parts.length > 0) break;
    rest -= amount * size;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || `0${NBSP}s`;
}

const WINDOWS: Readonly<Record<number, string>> = {
  1: "s",
  60: "min",
  3600: "hour",
  86400: "day",
  604800: "week",
  2592000: "month",
};

/** What a limit is counted over: `per day`, `per 5 min`, `at once`. */
export function perWindow(seconds: number | null): string {
  if (seconds === null) return "at once";
  return `per ${WINDOWS[seconds] ?? span(seconds)}`;
}

/** `14 req`, `6K tokens`; units as the ledger names them. */
export function amount(value: number | null | undefined, unit: string): string {
  return `${compact(value)}${NBSP}${value === 1 ? unit.replace(/s$/, "") : unit}`;
}

const SIZES = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** `840 bytes`, `1.2 MB`: in powers of 1,000. */
export function bytes(value: number): string {
  const power = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${compact(Math.round((value / 1_000 ** power) * 10) / 10)}${NBSP}${SIZES[power]}`;
}
