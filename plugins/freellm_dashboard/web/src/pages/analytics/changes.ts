/** How a figure compares with the one before. Pure. */

export interface Change {
  up: boolean;
  words: string;
}

/** Return by how much a figure changed, in words; null when there is nothing to compare with, or no change to speak of. */
export function change(now: number, then: number): Change | null {
  if (then <= 0 || now === then) return null;
  const ratio = now / then;
  if (ratio >= 2) return { up: true, words: `${trimmed(ratio)} times as many as` };
  const percent = Math.round(Math.abs(ratio - 1) * 100);
  if (percent === 0) return null;
  return { up: ratio > 1, words: `${percent} % ${ratio > 1 ? "more" : "fewer"} than` };
}

function trimmed(ratio: number): string {
  return ratio >= 10 ? String(Math.round(ratio)) : String(Number(ratio.toFixed(1)));
}
