import type { ModelRow } from "@/api/types";
import { Meter } from "@/components";
import { amount, compact, count, perWindow } from "@/format/numbers";
import styles from "./cells.module.css";
import { byScarcity, type Quota } from "./filters";

/** The tightest limit of a model: the bar is as long as what is left of it. */
export function QuotaCell({ row }: { row: ModelRow }) {
  const known = byScarcity(row);
  const first = known[0];
  if (!first) return <Stated limits={row.limits} />;
  return (
    <div className={styles.quota}>
      <Meter left={first.share} label={words(first.quota)} />
      <span className={styles.quotaWords} title={known.map(({ quota }) => words(quota)).join("\n")}>
        {brief(first.quota)}
      </span>
    </div>
  );
}

/** The limits as they are stated, where nothing is counted. */
function Stated({ limits }: { limits: string[] }) {
  const more = limits.length > 1 ? `, ${limits.length - 1} more` : "";
  return (
    <span className={styles.stated} title={limits.join(", ")}>
      {limits[0] ? `${limits[0]}${more}` : "unknown"}
    </span>
  );
}

const SHORT: Record<string, string> = { requests: "req", tokens: "tok" };

/** `25 of 30 req/min`, under a heading that says that this is what is left. */
function brief(quota: Quota): string {
  const numbers = `${short(Math.max(0, quota.left ?? 0))} of ${short(quota.limit ?? 0)}`;
  if (quota.unit === "concurrent") return `${numbers} at once`;
  return `${numbers} ${SHORT[quota.unit] ?? quota.unit}${perWindow(quota.window).replace("per ", "/")}`;
}

/** `25 of 30 requests left per min`. */
export function words(quota: Quota): string {
  if (quota.limit === null)
    return `${amount(quota.used, quota.unit)} used ${perWindow(quota.window)}, limit unknown`;
  const unit = quota.unit === "concurrent" ? "" : ` ${quota.unit}`;
  const window = quota.unit === "concurrent" ? "at once" : perWindow(quota.window);
  return `${short(Math.max(0, quota.left ?? 0))} of ${short(quota.limit)}${unit} left ${window}`;
}

function short(value: number): string {
  return value < 10_000 ? count(value) : compact(value);
}
