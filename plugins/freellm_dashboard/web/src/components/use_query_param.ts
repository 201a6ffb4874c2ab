import { useCallback } from "react";
import { useSearchParams } from "wouter";

/**
 * A value that lives in the URL's query, so that the page can be linked to as it is seen.
 * Changing it replaces the history entry; the default is left out of the URL.
 */
export function useQueryParam(name: string, otherwise = ""): [value: string, set: (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string) =>
      setParams(
        (current) => {
          const next = new URLSearchParams(current);
          if (value === otherwise) next.delete(name);
          else next.set(name, value);
          return next;
        },
        { replace: true },
      ),
    [name, otherwise, setParams],
  );
  return [params.get(name) ?? otherwise, set];
}
