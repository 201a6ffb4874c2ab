/** The conversation: it outlives a change of page, is kept in memory only, and is gone after a reload. */

import { useSyncExternalStore } from "react";

import { type Answer, newAnswer } from "./answers";
import { body, messages, type Prompt, type Setup, type Turn } from "./requests";
import { ask, type Change } from "./stream";

export interface Column {
  id: string;
  model: string;
}

export interface Conversation {
  columns: Column[];
  turns: Turn[];
  setup: Setup;
}

export const MOST_COLUMNS = 4;

let state: Conversation = {
  columns: [{ id: "a", model: "auto" }],
  turns: [],
  setup: { system: "", parameters: {}, tools: "" },
};
const listeners = new Set<() => void>();
const running = new Map<string, AbortController>();

function set(next: Partial<Conversation>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Returns the conversation, and draws again when it changes. */
export function useConversation(): Conversation {
  return useSyncExternalStore(subscribe, () => state);
}

export function isRunning(conversation: Conversation): boolean {
  return conversation.turns.some((turn) => Object.values(turn.answers).flat().some(isOpen));
}

export function isOpen(answer: Answer): boolean {
  return answer.status === "waiting" || answer.status === "streaming";
}

export function setUp(change: Partial<Setup>): void {
  set({ setup: { ...state.setup, ...change } });
}

export function chooseModel(column: string, model: string): void {
  set({ columns: state.columns.map((one) => (one.id === column ? { ...one, model } : one)) });
}

/** Replace all columns, at most four. */
export function setColumns(models: string[]): void {
  const columns = models.slice(0, MOST_COLUMNS).map((model, place) => ({ id: "abcd"[place] ?? "a", model }));
  set({ columns });
}

export function addColumn(model: string): void {
  const id = [..."abcd"].find((one) => !state.columns.some((column) => column.id === one));
  if (id) set({ columns: [...state.columns, { id, model }] });
}

export function removeColumn(id: string): void {
  stop(id);
  set({
    columns: state.columns.filter((column) => column.id !== id),
    turns: state.turns
      .map((turn) => ({ ...turn, answers: without(turn.answers, id) }))
      .filter((turn) => Object.keys(turn.answers).length > 0),
  });
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([one]) => one !== key));
}

/** Send one prompt to the model of every column. */
export function send(prompt: Prompt): void {
  const turn: Turn = {
    id: crypto.randomUUID(),
    prompt,
    answers: Object.fromEntries(state.columns.map((column) => [column.id, []])),
  };
  set({ turns: [...state.turns, turn] });
  for (const column of state.columns) begin(turn.id, column);
}

/** Ask again for the newest answer of a column. */
export function again(turnId: string, columnId: string): void {
  const column = state.columns.find((one) => one.id === columnId);
  if (!column) return;
  change(turnId, columnId, (answers) => answers.slice(0, -1));
  begin(turnId, column);
}

/** Give the results of an answer's tool calls, and go on. */
export function giveResults(turnId: string, columnId: string, results: Record<string, string>): void {
  const column = state.columns.find((one) => one.id === columnId);
  if (!column) return;
  change(turnId, columnId, (answers) => answers.with(-1, { ...(answers.at(-1) as Answer), results }));
  begin(turnId, column);
}

/** Stop the answers under way, of one column or of all. */
export function stop(columnId?: string): void {
  for (const [column, controller] of running)
    if (columnId === undefined || column === columnId) controller.abort();
}

export function clear(): void {
  stop();
  set({ turns: [] });
}

/** Return what would be sent for a column, with one more prompt if there is one. */
export function nextBody(
  conversation: Conversation,
  column: Column,
  prompt?: Prompt,
): Record<string, unknown> {
  const { setup, turns } = conversation;
  const next = prompt ? [...turns, { id: "", prompt, answers: { [column.id]: [] } }] : turns;
  return body(column.model, setup, messages(setup.system, next, column.id));
}

function begin(turnId: string, column: Column): void {
  running.get(column.id)?.abort();
  const controller = new AbortController();
  running.set(column.id, controller);
  const wanted = nextBody(state, column);
  const id = crypto.randomUUID();
  change(turnId, column.id, (answers) => [...answers, newAnswer(id, column.model)]);
  const tell = batched((step) => {
    change(turnId, column.id, (answers) => answers.map((one) => (one.id === id ? step(one) : one)));
  });
  void ask(wanted, controller.signal, tell).then(() => {
    if (running.get(column.id) === controller) running.delete(column.id);
  });
}

/** Fast models send hundreds of chunks a second; the page is drawn once a frame. */
function batched(apply: (step: Change) => void): (step: Change) => void {
  let waiting: Change[] = [];
  const flush = () => {
    const steps = waiting;
    waiting = [];
    apply((answer) => steps.reduce((before, step) => step(before), answer));
  };
  return (step) => {
    waiting.push(step);
    // a timer, not a frame: a tab in the background draws no frames, and its answers go on
    if (waiting.length === 1) setTimeout(flush, 16);
  };
}

function change(turnId: string, columnId: string, step: (answers: Answer[]) => Answer[]): void {
  set({
    turns: state.turns.map((turn) =>
      turn.id === turnId
        ? { ...turn, answers: { ...turn.answers, [columnId]: step(turn.answers[columnId] ?? []) } }
        : turn,
    ),
  });
}
