/** What the server says when it refuses: what is wrong, which field, and what to do. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    message: string,
    /** The field of the body or query that is to be changed, if it is one. */
    readonly field: string | null = null,
    /** What to do about it. */
    readonly cure: string | null = null,
    /** Unix time in seconds from which it may be tried again, if the server named one. */
    readonly retryAt: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Query = Record<string, string | number | boolean | null | undefined>;

/** Called when the server says that nobody is signed in any more. */
let signedOut: () => void = () => {};

/** Name what is to happen when a session has ended. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

/** A path with its query; what is null, undefined or "" is left out. */
export function withQuery(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  if (pairs.length === 0) return path;
  return `${path}?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}

async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: { message?: string; field?: string | null; cure?: string | null } } | null)
    ?.error;
  const wait = response.headers.get("Retry-After");
  return new ApiError(
    response.status,
    error?.message ?? `The server answered ${response.status} ${response.statusText}.`,
    error?.field ?? null,
    error?.cure ?? null,
    wait === null ? null : Date.now() / 1_000 + Number(wait),
  );
}

/** Send a request under `/api` and return the response, or throw an `ApiError`. For streams; else use `api`. */
export async function send(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      signal: signal ?? null,
      credentials: "same-origin",
      cache: "no-store",
      // A change needs a content type that no form of another site can send.
      headers: method === "GET" ? { Accept: "application/json" } : { "Content-Type": "application/json" },
      body: method === "GET" ? null : JSON.stringify(body ?? {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached.", null, "Is `freellm serve` still running?");
  }
  if (response.ok) return response;
  if (response.status === 401) signedOut();
  throw await refusal(response);
}

async function call<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, path, body, signal);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** The server's API, by method; paths are those under `/api`. */
export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    call<T>("GET", withQuery(path, query), undefined, signal),
  post: <T>(path: string, body?: unknown, signal?: AbortSignal) => call<T>("POST", path, body, signal),
  put: <T>(path: string, body?: unknown) => call<T>("PUT", path, body),
  patch: <T>(path: string, body?: unknown) => call<T>("PATCH", path, body),
  delete: <T>(path: string) => call<T>("DELETE", path),
};
