import { Modal, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { type ApiError, api } from "@/api/client";
import type { Explained, Explanation } from "@/api/types";
import { Countdown, Loaded, Status, type Tone } from "@/components";
import { compact } from "@/format/numbers";
import { left, title } from "../analytics/pools";
import { type Conversation, nextBody } from "./conversation";
import styles from "./explain.module.css";
import type { Prompt } from "./requests";

interface Props {
  conversation: Conversation;
  /** What is to be explained; null closes the dialog. */
  prompt: Prompt | null;
  close: () => void;
}

/** What would become of a prompt: every route in order, and why. Nothing is sent to any provider. */
export function ExplainDialog({ conversation, prompt, close }: Props) {
  return (
    <Modal opened={prompt !== null} onClose={close} title="Who would answer?" size="xl">
      {prompt && <Explains conversation={conversation} prompt={prompt} />}
    </Modal>
  );
}

function Explains({ conversation, prompt }: { conversation: Conversation; prompt: Prompt }) {
  const { columns } = conversation;
  const [chosen, choose] = useState(columns[0]?.id ?? "");
  const column = columns.find((one) => one.id === chosen) ?? columns[0];
  const wanted = column ? nextBody(conversation, column, prompt) : {};
  const query = useQuery<Explanation, ApiError>({
    queryKey: ["explain", wanted],
    queryFn: ({ signal }) => api.post<Explanation>("/explain", wanted, signal),
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <div className={styles.explains}>
      {columns.length > 1 && (
        <SegmentedControl
          aria-label="Model"
          data={columns.map((one) => ({ value: one.id, label: one.model }))}
          value={chosen}
          onChange={choose}
        />
      )}
      <Loaded query={query}>{(explanation) => <ExplainTable explanation={explanation} />}</Loaded>
    </div>
  );
}

const VERDICTS: Record<Explained["verdict"], { title: string; tone: Tone }> = {
  serves: { title: "answers", tone: "good" },
  next: { title: "next", tone: "accent" },
  closed: { title: "closed", tone: "warn" },
  unable: { title: "unable", tone: "idle" },
};

function ExplainTable({ explanation }: { explanation: Explanation }) {
  const { serves, refusal, routes, sticky } = explanation;
  return (
    <>
      <p>
        {serves ? (
          <>
            <strong>{serves}</strong> would answer.
            {sticky && ` ${sticky} answered this conversation last.`}
          </>
        ) : (
          (refusal ?? "Nobody could answer.")
        )}
      </p>
      <ol className={styles.routes}>
        {routes.map((route, place) => (
          <li key={`${route.route}#${route.key}`}>
            <span className={styles.routePlace}>{place + 1}</span>
            <span className={styles.routeName}>
              {route.route}
              {route.label && <span className={styles.faint}> {route.label}</span>}
            </span>
            <Status tone={VERDICTS[route.verdict].tone}>{VERDICTS[route.verdict].title}</Status>
            <span className={styles.routeDetail}>
              {route.detail}
              {route.opens_at !== null && (
                <>
                  {" · opens in "}
                  <Countdown at={route.opens_at} over="a moment" />
                </>
              )}
              <Tightest route={route} />
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** The tightest of an open route's quotas; of a closed one the reason says it. */
function Tightest({ route }: { route: Explained }) {
  if (route.verdict === "closed") return null;
  const known = route.quotas.filter((quota) => quota.forecast.left !== null && quota.forecast.limit);
  const share = (quota: (typeof known)[number]) => (quota.forecast.left ?? 0) / (quota.forecast.limit ?? 1);
  const [tightest] = known.sort((a, b) => share(a) - share(b));
  if (!tightest) return null;
  return (
    <span className={styles.faint}>
      {" · "}
      {left(tightest.forecast)} of {title(tightest.forecast)}, takes {compact(tightest.reserves)}
    </span>
  );
}
