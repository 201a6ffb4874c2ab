/** Something that the palette offers. */
export interface Offer {
  id: string;
  group: string;
  title: string;
  /** More words to find it by. */
  words: string;
  detail?: string;
}

/** How well words fit an offer: 0 is not at all; the title's start counts most. Every word has to occur. */
function fit(offer: Offer, words: readonly string[]): number {
  const title = offer.title.toLowerCase();
  const rest = `${offer.words} ${offer.group}`.toLowerCase();
  let sum = 0;
  for (const word of words) {
    if (title.startsWith(word)) sum += 4;
    else if (title.split(/[\s/_.:-]+/).some((part) => part.startsWith(word))) sum += 3;
    else if (title.includes(word)) sum += 2;
    else if (rest.includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

/** The offers that fit what was typed, the best first, groups kept together; all short groups when nothing was. */
export function match<T extends Offer>(offers: readonly T[], typed: string, most = 40): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return offers.filter((offer) => offer.group !== "Models").slice(0, most);
  const scored = offers
    .map((offer, index) => ({ offer, index, score: fit(offer, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, most);
  const groups = [...new Set(scored.map(({ offer }) => offer.group))];
  return groups.flatMap((group) =>
    scored.filter(({ offer }) => offer.group === group).map(({ offer }) => offer),
  );
}
