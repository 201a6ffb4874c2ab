// The first that fits counts: most browsers claim to be others as well.
const BROWSERS: readonly [name: string, pattern: RegExp][] = [
  ["Edge", /\bEdg(?:e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Samsung Internet", /\bSamsungBrowser\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /\b(?:HeadlessChrome|Chrome|CriOS)\//],
  ["Safari", /\bSafari\//],
  ["curl", /^curl\//],
];

const SYSTEMS: readonly [name: string, pattern: RegExp][] = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["Linux", /\bLinux\b/],
];

/** A browser's name and system, as far as its `User-Agent` tells, such as `Firefox on Linux`. */
export function browser(agent: string): string {
  const found = (table: readonly [string, RegExp][]) => table.find(([, pattern]) => pattern.test(agent))?.[0];
  const name = found(BROWSERS) ?? "An unknown browser";
  const system = found(SYSTEMS);
  return system ? `${name} on ${system}` : name;
}
