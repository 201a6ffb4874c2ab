/** Words of the server as a sentence: it begins with a capital, unless it begins with a name, and ends with a stop. */
export function sentence(words: string): string {
  const text = words.trim();
  if (text === "") return "";
  const first = text.split(/\s/, 1)[0] ?? "";
  const begun =
    first !== "freellm" && /^[a-z]+[,:;]?$/.test(first) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}
