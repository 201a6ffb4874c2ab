import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import type { DataUse, KeyRow, ProviderCard } from "@/api/types";
import { Card, Status } from "@/components";
import { IconExternalLink, IconEye, IconEyeOff, IconPlus, IconQuestionMark } from "@/components/icons";
import { compact, plural } from "@/format/numbers";
import { KeyItem } from "./key_row";
import styles from "./keys.module.css";

/** A card that is scrolled to when the address names its provider. */
function Anchored({ here, children, title }: { here: boolean; title: string; children: ReactNode }) {
  const box = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (here) box.current?.scrollIntoView({ block: "center" });
  }, [here]);
  return (
    <li ref={box} className={styles.card} aria-label={title}>
      {children}
    </li>
  );
}

function Links({ provider }: { provider: ProviderCard }) {
  return (
    <span className={styles.links}>
      {provider.signup_url && (
        <a href={provider.signup_url} target="_blank" rel="noreferrer" className={styles.signUp}>
          Get a key <IconExternalLink size={14} aria-hidden />
        </a>
      )}
      {provider.docs_url && (
        <a href={provider.docs_url} target="_blank" rel="noreferrer">
          Docs <IconExternalLink size={14} aria-hidden />
        </a>
      )}
    </span>
  );
}

/** A provider that has keys, with each of them. */
export function ProviderWithKeys(props: {
  provider: ProviderCard;
  keys: KeyRow[];
  here: boolean;
  add: () => void;
}) {
  const { provider, keys } = props;
  return (
    <Anchored here={props.here} title={provider.title}>
      <Card padded={false} className={props.here ? styles.here : undefined}>
        <div className={styles.cardHeader}>
          <div className={styles.cardTitle}>
            <h3>{provider.title}</h3>
            <span className={styles.muted}>
              {plural(provider.unlocks.length, "model")}
              {provider.tokens_per_day !== null && `, ≈ ${compact(provider.tokens_per_day)} tokens a day`}
            </span>
          </div>
          <Links provider={provider} />
          <Button
            size="compact-sm"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={props.add}
            aria-label={`Add a key of ${provider.title}`}
          >
            Add
          </Button>
        </div>
        <ul>
          {keys.map((key) => (
            <KeyItem key={key.id} row={key} />
          ))}
        </ul>
      </Card>
    </Anchored>
  );
}

function DataNote({ use }: { use: DataUse | null }) {
  const Icon = use?.trains === true ? IconEye : use?.trains === false ? IconEyeOff : IconQuestionMark;
  const words = use?.note ?? "What it does with prompts is not known.";
  return (
    <p className={styles.dataUse} title={use ? `${use.source}, read ${use.checked}` : undefined}>
      <Icon size={14} aria-hidden />
      {words}
    </p>
  );
}

const NAMED = 3;

/** A provider without a key: what one would bring, what it takes, and the way to it. */
export function ProviderOffer({
  provider,
  here,
  add,
}: {
  provider: ProviderCard;
  here: boolean;
  add: () => void;
}) {
  const named = provider.unlocks.slice(0, NAMED).join(", ");
  const more = provider.unlocks.length - NAMED;
  return (
    <Anchored here={here} title={provider.title}>
      <Card padded={false} className={`${styles.offer} ${here ? styles.here : ""}`}>
        <div className={styles.offerTop}>
          <div>
            <h3>{provider.title}</h3>
            <p className={styles.muted}>{provider.effort}</p>
          </div>
          {provider.tokens_per_day !== null && (
            <div className={styles.budget}>
              {compact(provider.tokens_per_day)}
              <span>tokens a day</span>
            </div>
          )}
          {provider.retired && <Status tone="warn">retired</Status>}
        </div>
        {provider.quotas.length > 0 && (
          <ul className={styles.quotas}>
            {provider.quotas.slice(0, 4).map((quota) => (
              <li key={quota} className={styles.quota}>
                {quota}
              </li>
            ))}
          </ul>
        )}
        {named && (
          <p className={styles.unlocks}>
            Unlocks {named}
            {more > 0 && ` and ${more} more`}
          </p>
        )}
        <DataNote use={provider.data_use} />
        <div className={styles.offerActions}>
          <Links provider={provider} />
          <Button
            size="compact-sm"
            onClick={add}
            disabled={provider.retired}
            aria-label={`Add a key of ${provider.title}`}
          >
            Add key
          </Button>
        </div>
      </Card>
    </Anchored>
  );
}
