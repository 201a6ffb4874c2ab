import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useApi } from "@/api/queries";
import type { RequestRow, Requests } from "@/api/types";
import { Ago, Empty, Lines, Loaded, Section, useQueryParam } from "@/components";
import { IconListSearch, IconMessage, IconSearch } from "@/components/icons";
import { duration } from "@/format/numbers";
import { useParams } from "../search_params";
import styles from "./calls.module.css";
import { Answerer, CallDialog, Outcome, tokens } from "./ladder";
import shared from "./shared.module.css";

/** Calls that are shown at first. */
const FEW = 8;
const MANY = 50;

const DEFAULTS = { q: "", outcome: "all", log: "" };

const OUTCOMES = [
  { value: "all", label: "All outcomes" },
  { value: "ok", label: "Answered" },
  { value: "failed", label: "Failed" },
  { value: "fell_back", label: "Fell back" },
];

/** The last calls, each with its ladder; and on demand the whole log, searched and in pages. */
export function Calls() {
  const [filters, change] = useParams(DEFAULTS);
  const [call, setCall] = useQueryParam("request");
  const [pages, setPages] = useState<string[]>([]);
  const whole = filters.log === "all";
  const before = pages.at(-1) ?? "";
  const { q, outcome } = filters;
  const query = useApi<Requests>("/requests", whole ? { limit: MANY, before, q, outcome } : { limit: FEW }, {
    keepPrevious: true,
  });
  const set = (part: Partial<typeof DEFAULTS>) => {
    setPages([]);
    change(part);
  };
  return (
    <Section
      title={whole ? "All calls" : "Recent calls"}
      hint="A click shows who was asked, and why"
      actions={
        <Button
          size="compact-sm"
          className={shared.right}
          onClick={() => set({ log: whole ? "" : "all", q: "", outcome: "all" })}
        >
          {whole ? "Only the last" : "All calls"}
        </Button>
      }
    >
      {whole && (
        <search className={styles.filters}>
          <TextInput
            aria-label="Search calls"
            placeholder="Id, model or error"
            leftSection={<IconSearch size={16} aria-hidden />}
            value={q}
            onChange={(event) => set({ q: event.currentTarget.value })}
          />
          <Select
            aria-label="Outcome"
            data={OUTCOMES}
            value={outcome}
            onChange={(next) => set({ outcome: next ?? "all" })}
            allowDeselect={false}
          />
        </search>
      )}
      <Loaded query={query} skeleton={<Lines count={FEW} height={36} />}>
        {({ requests, next }) => (
          <>
            {requests.length === 0 ? (
              <Nothing filtered={whole && (q !== "" || outcome !== "all")} />
            ) : (
              <Table requests={requests} open={setCall} />
            )}
            {whole && (pages.length > 0 || next) && (
              <nav className={styles.pager} aria-label="Pages of calls">
                <Button disabled={pages.length === 0} onClick={() => setPages(pages.slice(0, -1))}>
                  Newer
                </Button>
                <Button disabled={!next} onClick={() => setPages([...pages, next ?? ""])}>
                  Older
                </Button>
              </nav>
            )}
          </>
        )}
      </Loaded>
      <CallDialog id={call || null} close={() => setCall("")} />
    </Section>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty icon={IconListSearch} title="No call is like that" />;
  return (
    <Empty
      icon={IconMessage}
      title="No calls yet"
      action={
        <Button component={Link} href="/playground" variant="filled">
          Ask something
        </Button>
      }
    >
      <p>Every call through the proxy is listed here, with who answered it and why.</p>
    </Empty>
  );
}

function Table({ requests, open }: { requests: RequestRow[]; open: (id: string) => void }) {
  return (
    <div className={styles.frame}>
      <table className={styles.calls}>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Answered by</th>
            <th scope="col">Outcome</th>
            <th scope="col" data-number>
              First token
            </th>
            <th scope="col" data-number>
              Took
            </th>
            <th scope="col" data-number>
              Tokens
            </th>
          </tr>
        </thead>
        <tbody>
          {requests.map((request) => (
            // the row is a larger target for the mouse; the button in it is what the keyboard reaches
            <tr key={request.id} onClick={() => open(request.id)}>
              <td data-column="when">
                <Ago at={request.created} />
              </td>
              <th scope="row" data-column="by">
                <button type="button" className={styles.open} aria-haspopup="dialog">
                  <Answerer request={request} />
                </button>
              </th>
              <td data-column="outcome">
                <Outcome request={request} />
              </td>
              <td data-number data-column="first">
                {duration(request.first_delta_ms)}
              </td>
              <td data-number data-column="took">
                {duration(request.duration_ms)}
              </td>
              <td data-number data-column="tokens">
                {tokens(request)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
