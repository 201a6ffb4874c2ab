import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import { SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { Button, Group } from "@mantine/core";
import { useId, useMemo, useState } from "react";
import { useApi } from "@/api/queries";
import type { Fallback, FallbackEntry, FallbackSort } from "@/api/types";
import { Empty, Lines, Loaded } from "@/components";
import { IconArrowsSort } from "@/components/icons";
import { count } from "@/format/numbers";
import { moved, place } from "./moves";
import styles from "./order.module.css";
import { OrderRow } from "./order_row";
import { useOrder } from "./use_order";

/** Rows shown at first: who stands further back is hardly ever asked. */
const SHOWN = 60;

const PRESETS: { by: FallbackSort["by"]; title: string; said: string }[] = [
  { by: "intelligence", title: "Best first", said: "Sorted by intelligence." },
  { by: "speed", title: "Fastest first", said: "Sorted by speed." },
  { by: "reset", title: "Forget my order", said: "Every place that you gave is forgotten." },
];

const INSTRUCTIONS = {
  draggable:
    "Press space or enter to pick the model up, the arrow keys to move it, space or enter to put it down, escape to leave it where it was.",
};

/** The order in which `auto` tries models. */
export function Order() {
  const query = useApi<Fallback>("/fallback");
  return (
    <Loaded query={query} skeleton={<Lines count={10} height={48} />}>
      {(fallback) => <Sortable fallback={fallback} />}
    </Loaded>
  );
}

function Sortable({ fallback }: { fallback: Fallback }) {
  const [all, setAll] = useState(false);
  const { move, sort } = useOrder();
  const { order, strategy } = fallback;
  const shown = all ? order : order.slice(0, SHOWN);
  if (order.length === 0) return <Nobody />;
  const moveTo = (from: number, to: number) => {
    const after = moved(order, from, to);
    const entry = order[from];
    if (entry && from !== to)
      move(order, after, `${entry.title || entry.model} has ${place(after.indexOf(entry), order.length)}.`);
  };
  return (
    <div className={styles.order}>
      <div className={styles.orderBar}>
        <p className={styles.hint}>
          {strategy === "priority" ? (
            "auto asks the first one that is open; when it fails, the next. Drag a row, or use its arrows."
          ) : (
            <>
              auto goes by <strong>{strategy}</strong> now (the setting <code>strategy</code>); this order
              holds for <code>auto:priority</code> and for equals.
            </>
          )}
        </p>
        <Group gap="xs">
          {PRESETS.map(({ by, title, said }) => (
            <Button
              key={by}
              onClick={() => sort(order, by, said)}
              disabled={by === "reset" && !order.some((entry) => entry.by_hand)}
              leftSection={by === "reset" ? undefined : <IconArrowsSort size={16} aria-hidden />}
            >
              {title}
            </Button>
          ))}
        </Group>
      </div>
      <List entries={shown} length={order.length} moveTo={moveTo} />
      {order.length > shown.length && (
        <Button onClick={() => setAll(true)} className={styles.more}>
          Show the other {count(order.length - shown.length)}
        </Button>
      )}
    </div>
  );
}

interface ListProps {
  entries: FallbackEntry[];
  length: number;
  moveTo: (from: number, to: number) => void;
}

function List({ entries, length, moveTo }: ListProps) {
  const id = useId();
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }), // mouse, pen and touch; the handle does not scroll
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const names = useMemo(() => entries.map((entry) => entry.name), [entries]);
  const announcements = useMemo(() => spoken(entries, length), [entries, length]);
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    if (over) moveTo(names.indexOf(String(active.id)), names.indexOf(String(over.id)));
  };
  return (
    <DndContext
      id={id}
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={onDragEnd}
      accessibility={{ announcements, screenReaderInstructions: INSTRUCTIONS }}
    >
      <SortableContext items={names} strategy={verticalListSortingStrategy}>
        <ol className={styles.chain} aria-label="Fallback order">
          {entries.map((entry, index) => (
            <OrderRow key={entry.name} entry={entry} index={index} last={length - 1} moveTo={moveTo} />
          ))}
        </ol>
      </SortableContext>
    </DndContext>
  );
}

function spoken(entries: FallbackEntry[], length: number): Announcements {
  const at = (id: UniqueIdentifier) => entries.findIndex((entry) => entry.name === id);
  const title = (id: UniqueIdentifier) => entries[at(id)]?.title || String(id);
  const where = (id: UniqueIdentifier) => place(at(id), length);
  return {
    onDragStart: ({ active }) => `Picked up ${title(active.id)}, ${where(active.id)}.`,
    onDragOver: ({ active, over }) => (over ? `${title(active.id)} is over ${where(over.id)}.` : undefined),
    onDragEnd: ({ active, over }) =>
      over ? `${title(active.id)} was put down at ${where(over.id)}.` : undefined,
    onDragCancel: ({ active }) => `${title(active.id)} stays at ${where(active.id)}.`,
  };
}

function Nobody() {
  return (
    <Empty icon={IconArrowsSort} title="Nobody to put in an order yet">
      <p>The order has every chat model that is on and has a key.</p>
    </Empty>
  );
}
