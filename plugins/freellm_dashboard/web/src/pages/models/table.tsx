import { memo } from "react";
import type { ModelRow } from "@/api/types";
import { IconArrowDown, IconArrowUp } from "@/components/icons";
import { compact, duration, percent } from "@/format/numbers";
import { AbilityIcons } from "./abilities";
import { standing } from "./filters";
import { QuotaCell } from "./quota_bar";
import shared from "./shared.module.css";
import { StandingCell } from "./standing";
import styles from "./table.module.css";

interface Column {
  id: string;
  title: string;
  help?: string;
  /** Whether the largest comes first when it is sorted by. */
  largest?: boolean;
  sortable?: boolean;
}

const COLUMNS: Column[] = [
  { id: "switch", title: "On", sortable: false },
  { id: "place", title: "#", help: "its place in the fallback order" },
  { id: "name", title: "Model" },
  { id: "status", title: "State" },
  { id: "left", title: "Left", help: "the tightest of its limits" },
  { id: "abilities", title: "Can", sortable: false },
  { id: "context", title: "Context", help: "tokens of its window", largest: true },
  { id: "rank", title: "Rank", help: "intelligence, 1 is best" },
  { id: "speed", title: "Speed", help: "speed rank, 1 is best" },
  {
    id: "success",
    title: "Measured",
    help: "attempts that went well lately, and milliseconds to the first token",
    largest: true,
  },
];

interface Actions {
  onSwitch: (row: ModelRow, enabled: boolean) => void;
  onOpen: (row: ModelRow) => void;
}

/** All models, one row each. */
export function ModelsTable(
  props: Actions & { rows: ModelRow[]; sort: string; onSort: (sort: string) => void },
) {
  const { rows, sort, onSort, ...actions } = props;
  return (
    <table className={styles.table}>
      <caption className={shared.hidden}>Models of all providers</caption>
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <Heading key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.name} row={row} {...actions} />
        ))}
      </tbody>
    </table>
  );
}

function Heading({ column, sort, onSort }: { column: Column; sort: string; onSort: (sort: string) => void }) {
  const { id, title, help, largest, sortable = true } = column;
  if (!sortable) {
    return (
      <th scope="col" data-column={id}>
        {title}
      </th>
    );
  }
  const ascending = sort === id;
  const descending = sort === `-${id}`;
  const first = largest ? `-${id}` : id;
  const other = largest ? id : `-${id}`;
  const Arrow = descending ? IconArrowDown : IconArrowUp;
  return (
    <th scope="col" data-column={id} aria-sort={ascending ? "ascending" : descending ? "descending" : "none"}>
      <button
        type="button"
        className={styles.sort}
        title={help}
        onClick={() => onSort(sort === first ? other : first)}
      >
        {title}
        {(ascending || descending) && <Arrow size={13} aria-hidden />}
      </button>
    </th>
  );
}

const Row = memo(function Row({ row, onSwitch, onOpen }: Actions & { row: ModelRow }) {
  const { measured } = row;
  return (
    <tr data-state={standing(row)}>
      <td data-column="switch">
        <input
          type="checkbox"
          role="switch"
          className={styles.switch}
          checked={row.enabled}
          aria-checked={row.enabled}
          onChange={(event) => onSwitch(row, event.target.checked)}
          aria-label={`${row.name} on`}
        />
      </td>
      <td data-column="place">{row.place ?? ""}</td>
      <th scope="row" data-column="name">
        <button type="button" className={styles.name} onClick={() => onOpen(row)}>
          <span className={shared.title}>{row.title || row.model}</span>
          <span className={shared.id}>{row.name}</span>
        </button>
      </th>
      <td data-column="status">
        <StandingCell row={row} />
      </td>
      <td data-column="left">
        <QuotaCell row={row} />
      </td>
      <td data-column="abilities">
        {row.task === "embeddings" ? (
          <span className={shared.faint}>embeddings</span>
        ) : (
          <AbilityIcons abilities={row.abilities} />
        )}
      </td>
      <td data-column="context">{row.context === null ? <Unknown /> : compact(row.context)}</td>
      <td data-column="rank">{row.intelligence_rank ?? <Unknown />}</td>
      <td data-column="speed">{row.speed_rank ?? <Unknown />}</td>
      <td data-column="success">
        {measured?.success == null ? (
          <span className={shared.faint}>not yet</span>
        ) : (
          <>
            {percent(measured.success)}
            {measured.first_ms !== null && (
              <span className={shared.faint}> · {duration(measured.first_ms)}</span>
            )}
          </>
        )}
      </td>
    </tr>
  );
});

function Unknown() {
  return <span className={shared.faint}>unknown</span>;
}
