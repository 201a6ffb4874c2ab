import { Snippet } from "@/components";
import { parts } from "./fences";
import styles from "./playground.module.css";

/** A model's text: as it is, but for fenced code. It is never taken for markup. */
export function Prose({ text }: { text: string }) {
  return (
    <div className={styles.prose}>
      {parts(text).map((part, place) => {
        return part.code === null ? (
          <p key={place}>{part.text}</p>
        ) : (
          <Snippet key={place} value={part.text} what={part.code || "code"} />
        );
      })}
    </div>
  );
}
