import { useMutation } from "@tanstack/react-query";
import { useCallback } from "react";

import { api } from "@/api/client";
import { queries, refresh } from "@/api/queries";
import type { Fallback, FallbackEntry, FallbackSort } from "@/api/types";
import { notify, notifyProblem } from "@/components";
import { stated } from "./moves";

const KEY = ["fallback", "/fallback", {}];

function show(order: FallbackEntry[]): void {
  const placed = order.map((entry, index) => ({ ...entry, place: index + 1 }));
  queries.setQueryData<Fallback>(KEY, (before) => before && { ...before, order: placed });
}

interface Change {
  before: FallbackEntry[];
  /** The order as it is to be; absent when the server knows it better. */
  after?: FallbackEntry[];
  send: () => Promise<Fallback>;
  said: string;
}

/** Bring an order back, with the places that were given by hand. */
async function restore(before: FallbackEntry[]): Promise<Fallback> {
  const reset = await api.post<Fallback>("/fallback/sort", { by: "reset" });
  const names = stated(before, before);
  return names.length > 0 ? api.put<Fallback>("/fallback", { order: names }) : reset;
}

/** Ways to change the order. Each is shown at once, can be undone, and is taken back when the server refuses. */
export function useOrder() {
  const { mutate } = useMutation({
    mutationFn: (change: Change) => change.send(),
    onMutate: async ({ after }) => {
      await queries.cancelQueries({ queryKey: ["fallback"] });
      if (after) show(after);
    },
    onSuccess: (answer, { before, said }) => {
      queries.setQueryData<Fallback>(KEY, answer);
      notify(said, () => undo(before));
      void refresh("models", "overview");
    },
    onError: (error, { before }) => {
      show(before);
      notifyProblem(error);
    },
  });
  const move = useCallback(
    (before: FallbackEntry[], after: FallbackEntry[], said: string) => {
      const order = stated(before, after);
      mutate({ before, after, send: () => api.put<Fallback>("/fallback", { order }), said });
    },
    [mutate],
  );
  const sort = useCallback(
    (before: FallbackEntry[], by: FallbackSort["by"], said: string) => {
      mutate({ before, send: () => api.post<Fallback>("/fallback/sort", { by }), said });
    },
    [mutate],
  );
  return { move, sort };
}

async function undo(before: FallbackEntry[]): Promise<void> {
  show(before);
  try {
    queries.setQueryData<Fallback>(KEY, await restore(before));
    notify("The order is as it was before.");
  } catch (error) {
    notifyProblem(error);
  }
  await refresh("fallback", "models", "overview");
}
