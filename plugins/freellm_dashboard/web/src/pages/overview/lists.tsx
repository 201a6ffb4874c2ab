import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import type { Cooldown, Fix, ProviderHealth, Step } from "@/api/types";
import { Card, ClearCooldown, CopyField, Countdown, Section, Status, type Tone } from "@/components";
import {
  IconAlertTriangle,
  IconCircle,
  IconCircleCheckFilled,
  IconCircleX,
  IconInfoCircle,
} from "@/components/icons";
import { kind } from "@/pages/analytics/rungs";
import styles from "./overview.module.css";

const SEVERITY = { error: IconCircleX, warning: IconAlertTriangle, info: IconInfoCircle } as const;

/** What is to be done, the worst first; nothing when there is nothing. */
export function Fixes({ fixes }: { fixes: Fix[] }) {
  if (fixes.length === 0) return null;
  return (
    <Section title="To fix" hint={`${fixes.length}`}>
      <Card padded={false}>
        <ul className={styles.rows}>
          {fixes.map((fix) => {
            const Icon = SEVERITY[fix.severity];
            return (
              <li key={`${fix.title} ${fix.detail}`}>
                <Icon
                  size={18}
                  className={styles.icon}
                  data-severity={fix.severity}
                  aria-label={fix.severity}
                />
                <div className={styles.rowWords}>
                  <div className={styles.rowTitle}>{fix.title}</div>
                  <div className={styles.detail}>{fix.detail}</div>
                </div>
                <Button component={Link} href={fix.href} size="compact-sm">
                  {fix.action}
                </Button>
              </li>
            );
          })}
        </ul>
      </Card>
    </Section>
  );
}

/** The first three steps, until they are done. */
export function GettingStarted({ steps }: { steps: Step[] }) {
  const done = steps.filter((step) => step.done).length;
  if (done === steps.length) return null;
  return (
    <Section title="Getting started" hint={`${done} of ${steps.length}`}>
      <ol className={styles.steps}>
        {steps.map((step) => {
          const Icon = step.done ? IconCircleCheckFilled : IconCircle;
          return (
            <li key={step.id} className={styles.step}>
              <Icon
                size={18}
                className={styles.icon}
                data-severity={step.done ? "done" : "open"}
                aria-hidden
              />
              <div className={styles.stepBody}>
                {step.done ? (
                  <span className={styles.done}>{step.title}</span>
                ) : (
                  <>
                    <Link href={step.href}>{step.title}</Link>
                    {step.command && <CopyField value={step.command} what={`the command: ${step.title}`} />}
                  </>
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}

const HEALTH: Record<ProviderHealth["state"], [tone: Tone, word: string]> = {
  ok: ["good", "ok"],
  some: ["warn", "partly"],
  closed: ["warn", "closed"],
  untested: ["idle", "untested"],
  no_key: ["idle", "no key"],
  off: ["idle", "off"],
};

/** How each provider is doing, those with a key first. */
export function ProviderList({ providers }: { providers: ProviderHealth[] }) {
  const sorted = [...providers].sort((a, b) => Number(b.keys > 0) - Number(a.keys > 0));
  return (
    <Section title="Providers">
      <Card padded={false}>
        <ul>
          {sorted.map((provider) => {
            const [tone, word] = HEALTH[provider.state];
            return (
              <li key={provider.provider}>
                <Link
                  href={`/keys?provider=${encodeURIComponent(provider.provider)}`}
                  className={styles.provider}
                  title={provider.reason}
                >
                  <span className={styles.providerName}>{provider.title}</span>
                  {provider.models > 0 && (
                    <span className={styles.open}>
                      {provider.open === 0 && provider.opens_at !== null ? (
                        <>
                          opens in <Countdown at={provider.opens_at} over="a moment" />
                        </>
                      ) : (
                        `${provider.open} of ${provider.models} open`
                      )}
                    </span>
                  )}
                  <span className={styles.providerState}>
                    <Status tone={tone}>{word}</Status>
                  </span>
                </Link>
              </li>
            );
          })}
        </ul>
      </Card>
    </Section>
  );
}

function Closed({ cooldown }: { cooldown: Cooldown }) {
  return (
    <li>
      <div className={styles.rowWords}>
        <div className={styles.rowTitle}>{cooldown.what}</div>
        <div className={styles.detail}>
          {cooldown.kind ? kind(cooldown.kind) : "closed"},{" "}
          {cooldown.stated ? "as the provider said" : "our guess"}; opens in{" "}
          <Countdown at={cooldown.until} over="a moment" />
        </div>
      </div>
      <ClearCooldown cooldown={cooldown} size="compact-sm" />
    </li>
  );
}

const SHOWN = 5;

/** What takes no requests for now, the next to open first. */
export function Cooldowns({ closed }: { closed: Cooldown[] }) {
  const [all, setAll] = useState(false);
  if (closed.length === 0) return null;
  return (
    <Section title="Cooling down" hint={`${closed.length}`}>
      <Card padded={false}>
        <ul className={styles.rows}>
          {(all ? closed : closed.slice(0, SHOWN)).map((cooldown) => (
            <Closed key={cooldown.what} cooldown={cooldown} />
          ))}
          {closed.length > SHOWN && (
            <li>
              <Button size="compact-sm" onClick={() => setAll(!all)}>
                {all ? "Show fewer" : `Show all ${closed.length}`}
              </Button>
            </li>
          )}
        </ul>
      </Card>
    </Section>
  );
}
