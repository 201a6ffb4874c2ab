import { useSortable } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { ActionIcon } from "@mantine/core";
import { memo } from "react";
import type { FallbackEntry } from "@/api/types";
import { Countdown, Status } from "@/components";
import {
  IconArrowBarToUp,
  IconArrowDown,
  IconArrowUp,
  IconGripVertical,
  type IconType,
} from "@/components/icons";
import styles from "./order.module.css";
import shared from "./shared.module.css";

interface Props {
  entry: FallbackEntry;
  index: number;
  /** The index of the order's last row. */
  last: number;
  moveTo: (from: number, to: number) => void;
}

/** One model in the order: dragged by its handle, or moved by its arrows. */
export const OrderRow = memo(function OrderRow({ entry, index, last, moveTo }: Props) {
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } =
    useSortable({
      id: entry.name,
    });
  const title = entry.title || entry.model;
  const ranks = [
    entry.intelligence_rank === null ? "rank unknown" : `rank ${entry.intelligence_rank}`,
    entry.speed_rank === null ? "speed unknown" : `speed ${entry.speed_rank}`,
  ];
  return (
    <li
      ref={setNodeRef}
      className={styles.link}
      data-dragging={isDragging || undefined}
      style={{ transform: CSS.Translate.toString(transform), transition }}
    >
      <button
        type="button"
        ref={setActivatorNodeRef}
        className={styles.handle}
        {...attributes}
        {...listeners}
        aria-label={`Move ${title}, place ${index + 1}`}
      >
        <IconGripVertical size={16} aria-hidden />
      </button>
      <span className={shared.place}>{index + 1}</span>
      <span className={styles.who}>
        <span className={shared.title}>{title}</span>
        <span className={shared.id}>{entry.name}</span>
      </span>
      <span className={styles.ranks}>
        {ranks.join(" · ")}
        {entry.by_hand && " · by hand"}
      </span>
      <span className={styles.state} title={entry.unavailable_because ?? undefined}>
        <State entry={entry} />
      </span>
      <span className={styles.arrows}>
        <Arrow
          icon={IconArrowBarToUp}
          label={`${title} to the top`}
          off={index === 0}
          go={() => moveTo(index, 0)}
        />
        <Arrow
          icon={IconArrowUp}
          label={`${title} up`}
          off={index === 0}
          go={() => moveTo(index, index - 1)}
        />
        <Arrow
          icon={IconArrowDown}
          label={`${title} down`}
          off={index === last}
          go={() => moveTo(index, index + 1)}
        />
      </span>
    </li>
  );
});

/** Whether it takes a request now, else when it does. */
function State({ entry }: { entry: FallbackEntry }) {
  if (entry.available) return <Status tone="good">Open</Status>;
  if (entry.opens_at === null) return <Status tone="warn">Closed</Status>;
  return (
    <Status tone="idle">
      opens in <Countdown at={entry.opens_at} over="a moment" />
    </Status>
  );
}

function Arrow({
  icon: Icon,
  label,
  off,
  go,
}: {
  icon: IconType;
  label: string;
  off: boolean;
  go: () => void;
}) {
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      disabled={off}
      onClick={go}
      aria-label={`Move ${label}`}
      title={`Move ${label}`}
    >
      <Icon size={16} aria-hidden />
    </ActionIcon>
  );
}
