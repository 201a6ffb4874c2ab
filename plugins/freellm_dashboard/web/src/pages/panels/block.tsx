import { lazy, type ReactNode, Suspense } from "react";

import type { Figures as FigureBlock, Panel, Series, Table, Text } from "@/api/types";
import { Figure, Figures, Lines, Section, Status, type Tone } from "@/components";
import { DASHES, type Line } from "../charts/lines";
import { axis, cell, figure, withUnit } from "./cells";
import styles from "./panels.module.css";

// only panels with a chart need the code for it
const TimeChart = lazy(async () => ({ default: (await import("../charts/time_chart")).TimeChart }));

const TONES: Record<Text["tone"], Tone | null> = { neutral: null, good: "good", warning: "warn", bad: "bad" };

/** One part of a panel. */
export function Block({ block }: { block: Panel["blocks"][number] }) {
  switch (block.type) {
    case "figures":
      return <FiguresBlock block={block} />;
    case "table":
      return <TableBlock block={block} />;
    case "series":
      return <SeriesBlock block={block} />;
    case "text":
      return <TextBlock block={block} />;
  }
}

function FiguresBlock({ block }: { block: FigureBlock }) {
  return (
    <Titled title={block.title}>
      <Figures>
        {block.figures.map((one) => {
          const { value, unit } = figure(one.value, one.unit);
          const tone = TONES[one.tone];
          const note = tone && one.note ? <Status tone={tone}>{one.note}</Status> : one.note || undefined;
          return <Figure key={one.label} label={one.label} value={value} unit={unit} note={note} />;
        })}
      </Figures>
    </Titled>
  );
}

function TableBlock({ block }: { block: Table }) {
  const numeric = (kind: string) => kind === "number" || kind === "percent" || undefined;
  return (
    <Titled title={block.title}>
      {block.rows.length === 0 ? (
        <p className={styles.nothing}>{block.empty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll box has to be reachable by keyboard
        <div className={styles.scroll} tabIndex={0} role="group" aria-label={block.title || "Table"}>
          <table>
            <thead>
              <tr>
                {block.columns.map((column) => (
                  <th key={column.title} scope="col" data-number={numeric(column.kind)}>
                    {column.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, line) => (
                <tr key={line}>
                  {block.columns.map((column, place) => {
                    const words = cell(row[place] ?? null, column);
                    return (
                      <td key={column.title} data-number={numeric(column.kind)}>
                        {column.kind === "code" ? <code>{words}</code> : words}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Titled>
  );
}

function SeriesBlock({ block }: { block: Series }) {
  const lines: Line[] = block.lines.map((line, place) => ({
    name: line.name,
    values: line.values,
    color: `--series-${(place % 8) + 1}`,
    style: block.style,
    ...(block.style === "bars"
      ? { hatched: place % 2 === 1 }
      : { dash: DASHES[place % DASHES.length] ?? [] }),
  }));
  return (
    <Suspense fallback={<Lines count={1} height={260} />}>
      <TimeChart
        title={block.title}
        moments={block.moments}
        lines={lines}
        stack={block.style === "bars"}
        say={(value) => withUnit(value, block.unit)}
        axis={(value) => axis(value, block.unit)}
        empty="Nothing yet."
      />
    </Suspense>
  );
}

function TextBlock({ block }: { block: Text }) {
  const tone = TONES[block.tone];
  return (
    <Titled title={block.title}>
      <div className={styles.text} data-tone={tone ?? undefined}>
        {block.text.split(/\n\s*\n/).map((paragraph, place) => (
          <p key={place}>{paragraph}</p>
        ))}
      </div>
    </Titled>
  );
}

function Titled({ title, children }: { title: string; children: ReactNode }) {
  return title ? <Section title={title}>{children}</Section> : <section>{children}</section>;
}
