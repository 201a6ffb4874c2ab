/** Words with `code` between backticks. */
export function Marked({ text }: { text: string }) {
  // Splitting by a group keeps what it caught: every second part was between backticks.
  return text.split(/`([^`]+)`/).map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part));
}
