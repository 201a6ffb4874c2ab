import { keepPreviousData, QueryClient, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { ApiError, api } from "./client";

/** The one cache of everything that the server said. The first part of a query's key is what a notice names. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal is an answer; only a server that cannot be reached is asked again.
      retry: (failures, error) => error instanceof ApiError && error.status === 0 && failures < 2,
      refetchOnWindowFocus: true,
    },
  },
});

type Query = Record<string, string | number | boolean | null | undefined>;

/**
 * Read `GET /api{path}`. The key is `[topic, path, query]`, where the topic is the path's first segment
 * (`/requests/7` → `requests`), so that a notice of that topic refreshes it.
 */
export function useApi<T>(
  path: string,
  query: Query = {},
  options: { enabled?: boolean; refetchInterval?: number; keepPrevious?: boolean } = {},
): UseQueryResult<T, ApiError> {
  const topic = path.split("/")[1];
  return useQuery<T, ApiError>({
    queryKey: [topic, path, query],
    queryFn: ({ signal }) => api.get<T>(path, query, signal),
    enabled: options.enabled ?? true,
    refetchInterval: options.refetchInterval ?? false,
    ...(options.keepPrevious ? { placeholderData: keepPreviousData } : {}),
  });
}

/** Refresh everything of these topics, such as `keys`. */
export function refresh(...topics: string[]): Promise<unknown> {
  return Promise.all(topics.map((topic) => queries.invalidateQueries({ queryKey: [topic] })));
}
