/** Words of the server as a sentence: it begins with a capital, unless that is a name of code, and ends with a stop. */
export function sentence(words: string): string {
  const text = words.trim();
  if (text === "") return "";
  const first = text.split(/\s/, 1)[0] ?? "";
  const begun = /^[a-z]+[,:;]?$/.test(first) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}
