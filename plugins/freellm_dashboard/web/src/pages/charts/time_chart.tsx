import "./uplot.css";

import { ActionIcon, useComputedColorScheme } from "@mantine/core";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import uPlot from "uplot";
import { IconChartLine, IconTable } from "@/components/icons";

import { exact } from "@/format/time";
import styles from "./charts.module.css";
import { half, known, type Line, neighbour, stacked } from "./lines";
import { options } from "./plot";

interface Props {
  title: string;
  hint?: ReactNode;
  /** Unix times. */
  moments: number[];
  lines: Line[];
  /** Says a value with its unit. */
  say: (value: number) => string;
  /** Says a value on the axis, if that is shorter. */
  axis?: (value: number) => string;
  /** Bars stand on top of each other. */
  stack?: boolean;
  sync?: string;
  range?: [number, number];
  /** Is given the part of the range that was dragged over, or that the keys + and - lead to; null is the whole. */
  onRange?: (range: [number, number] | null) => void;
  height?: number;
  /** What is said when nothing is known. */
  empty: string;
  /** What is to be said below it. */
  note?: ReactNode;
}

/** A chart over time, with a legend that tells the values under the cursor, and the same as a table. */
export function TimeChart(props: Props) {
  const { title, hint, moments, lines, say, height = 180, empty, note } = props;
  const [table, setTable] = useState(false);
  const [cursor, setCursor] = useState<number | null>(null);
  const heading = useId();
  const points = known(lines);
  return (
    <figure className={styles.chart} aria-labelledby={heading}>
      <figcaption className={styles.head}>
        <h3 id={heading}>{title}</h3>
        {hint && <span className={styles.hint}>{hint}</span>}
        {points > 1 && (
          <ActionIcon
            variant="subtle"
            color="gray"
            className={styles.switch}
            onClick={() => setTable(!table)}
            aria-label={table ? `${title} as a chart` : `${title} as a table`}
            title={table ? "Show the chart" : "Show as a table"}
          >
            {table ? <IconChartLine size={16} aria-hidden /> : <IconTable size={16} aria-hidden />}
          </ActionIcon>
        )}
      </figcaption>
      {points === 0 && <p className={styles.nothing}>{empty}</p>}
      {points === 1 && <Single moments={moments} lines={lines} say={say} />}
      {points > 1 && (
        <>
          <Legend
            lines={lines}
            say={say}
            at={cursor}
            moment={cursor === null ? undefined : moments[cursor]}
          />
          {table ? (
            <Values moments={moments} lines={lines} say={say} height={height} title={title} />
          ) : (
            <Canvas {...props} height={height} cursor={cursor} onCursor={setCursor} />
          )}
        </>
      )}
      {note}
    </figure>
  );
}

/** One moment makes no line: it is said in words. */
function Single({ moments, lines, say }: Pick<Props, "moments" | "lines" | "say">) {
  const at = moments.findIndex((_, index) => lines.some((line) => line.values[index] != null));
  return (
    <dl className={styles.single}>
      {lines.map((line) => (
        <div key={line.name}>
          <dt>{line.name}</dt>
          <dd>{line.values[at] == null ? "–" : say(line.values[at] as number)}</dd>
        </div>
      ))}
      <p className={styles.hint}>at {exact(moments[at] ?? 0)}, the only moment so far</p>
    </dl>
  );
}

interface LegendProps extends Pick<Props, "lines" | "say"> {
  at: number | null;
  moment: number | undefined;
}

function Legend({ lines, say, at, moment }: LegendProps) {
  return (
    <div className={styles.legend}>
      {lines.map((line) => {
        const value = at === null ? null : line.values[at];
        return (
          <span key={line.name} className={styles.entry}>
            <Swatch line={line} />
            {line.name}
            {at !== null && <strong>{value == null ? "–" : say(value)}</strong>}
          </span>
        );
      })}
      {moment !== undefined && <span className={styles.moment}>{exact(moment)}</span>}
    </div>
  );
}

function Swatch({ line }: { line: Line }) {
  const paint = { color: `var(${line.color})` };
  if (line.style === "bars") {
    return <span className={styles.box} data-hatched={line.hatched || undefined} style={paint} aria-hidden />;
  }
  return (
    <svg width="18" height="8" style={paint} aria-hidden>
      <line
        x1="0"
        y1="4"
        x2="18"
        y2="4"
        stroke="currentColor"
        strokeWidth="2"
        strokeDasharray={line.dash?.join(" ")}
      />
    </svg>
  );
}

function Values({
  moments,
  lines,
  say,
  height,
  title,
}: Pick<Props, "moments" | "lines" | "say" | "height" | "title">) {
  const rows = moments
    .map((moment, at) => ({ moment, at }))
    .filter(({ at }) => lines.some((line) => line.values[at] != null));
  return (
    <div
      className={styles.values}
      style={{ height }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll box has to be reachable by keyboard
      tabIndex={0}
      role="group"
      aria-label={`${title}, values`}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            {lines.map((line) => (
              <th key={line.name} scope="col">
                {line.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.reverse().map(({ moment, at }) => (
            <tr key={moment}>
              <th scope="row">{exact(moment)}</th>
              {lines.map((line) => (
                <td key={line.name}>{line.values[at] == null ? "–" : say(line.values[at] as number)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type CanvasProps = Props & {
  height: number;
  cursor: number | null;
  onCursor: (index: number | null) => void;
};

function Canvas(props: CanvasProps) {
  const { title, moments, lines, stack = false, height, cursor, onCursor } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme();
  const drawn = stack ? stacked(lines) : lines;
  const latest = useRef({ props, drawn });
  latest.current = { props, drawn };
  // a chart is made anew only when it looks different; new values are put into the one that is there
  const look = JSON.stringify([scheme, height, props.sync, drawn.map(({ values: _, ...rest }) => rest)]);

  useEffect(() => {
    const element = frame.current;
    if (!element || look === "") return;
    const { props: now, drawn: shown } = latest.current;
    const made = new uPlot(
      options(
        {
          lines: shown,
          height: now.height,
          width: element.clientWidth,
          say: (value) => (latest.current.props.axis ?? latest.current.props.say)(value),
          onCursor: (index) => latest.current.props.onCursor(index),
          ...(now.sync && { sync: now.sync }),
          range: () => latest.current.props.range,
          ...(now.onRange && { onRange: (range) => latest.current.props.onRange?.(range) }),
        },
        element,
      ),
      data(now.moments, shown),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: now.height }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [look]);

  const values = JSON.stringify([moments, drawn.map((line) => line.values), props.range]);
  useEffect(() => {
    const [at, columns] = JSON.parse(values) as [number[], (number | null)[][]];
    plot.current?.setData([at, ...columns]);
  }, [values]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape") onCursor(null);
    if (event.key === "-" || event.key === "Escape") props.onRange?.(null);
    if (event.key === "+" && props.range) props.onRange?.(half(props.range, moments[cursor ?? -1]));
    if (step === 0) return;
    event.preventDefault();
    const next = neighbour(lines, cursor, step);
    if (next === null || !plot.current) return;
    plot.current.setCursor({ left: plot.current.valToPos(moments[next] ?? 0, "x"), top: 10 });
  };
  return (
    <div
      ref={frame}
      className={styles.canvas}
      style={{ height }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move its cursor
      tabIndex={0}
      role="img"
      aria-label={`${title}: ${spoken(lines, props.say)}${props.onRange ? " Plus shows a part of it, minus all." : ""}`}
      onKeyDown={onKeyDown}
      onBlur={() => onCursor(null)}
    />
  );
}

function data(moments: number[], lines: Line[]): uPlot.AlignedData {
  return [moments, ...lines.map((line) => line.values)];
}

/** What a chart shows, in one sentence, for those who do not see it. */
function spoken(lines: Line[], say: (value: number) => string): string {
  const parts = lines.map((line) => {
    const values = line.values.filter((value): value is number => value !== null);
    if (values.length === 0) return `${line.name} unknown`;
    return `${line.name} from ${say(Math.min(...values))} to ${say(Math.max(...values))}, last ${say(values.at(-1) ?? 0)}`;
  });
  return `${parts.join("; ")}. The arrow keys walk along it.`;
}
