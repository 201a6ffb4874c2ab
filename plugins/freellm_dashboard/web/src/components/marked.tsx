/** Words with `code` between backticks. */
export function Marked({ text }: { text: string }) {
  // Splitting by a group keeps what it caught: every second part was between backticks.
  return text.split(/`([^`]+)`/).map((part, at) =>
    at % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
      <code key={at}>{part}</code>
    ) : (
      part
    ),
  );
}
