import { Button, Modal, PasswordInput, Select, Switch, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { ApiError, api } from "@/api/client";
import { refresh } from "@/api/queries";
import type { AddedKey, Field, NewKey, ProviderCard } from "@/api/types";
import { NumberField, Problem, useReturnFocus } from "@/components";
import { IconCircleCheck, IconExternalLink } from "@/components/icons";
import { plural } from "@/format/numbers";
import { sentence } from "@/format/words";
import { mismatch } from "./form";
import styles from "./keys.module.css";

function FieldInput(props: {
  field: Field;
  value: string;
  error: string | null;
  change: (value: string) => void;
  first: boolean;
}) {
  const { field, value } = props;
  const doubt = mismatch(field, value);
  const Input = field.secret ? PasswordInput : TextInput;
  return (
    <Input
      label={field.title}
      description={field.help}
      required
      autoComplete="off"
      data-1p-ignore
      spellCheck={false}
      value={value}
      error={props.error ?? undefined}
      data-autofocus={props.first || undefined}
      inputWrapperOrder={["label", "description", "input", "error"]}
      inputContainer={(input) => (
        <>
          {input}
          {doubt && (
            <p className={styles.doubt} role="status">
              {doubt}
            </p>
          )}
        </>
      )}
      onChange={(event) => props.change(event.currentTarget.value)}
      rightSectionPointerEvents={field.secret ? "all" : "none"}
    />
  );
}

function Added({ added, again, close }: { added: AddedKey; again: () => void; close: () => void }) {
  return (
    <div className={styles.success} role="status">
      <div className={styles.successHead}>
        <IconCircleCheck size={28} aria-hidden />
        <h3>
          {added.key.title} unlocks {plural(added.models.length, "model")}
        </h3>
      </div>
      {added.key.state !== "valid" && <p>{sentence(added.message)}</p>}
      <ul className={styles.modelList}>
        {added.models.map((model) => (
          <li key={model} className={styles.quota}>
            {model}
          </li>
        ))}
      </ul>
      <div className={styles.buttons}>
        <Button onClick={again}>Add another</Button>
        <Button component={Link} href="/playground" onClick={close}>
          Try it
        </Button>
        <Button variant="filled" onClick={close} data-autofocus>
          Done
        </Button>
      </div>
    </div>
  );
}

type Draft = Required<Pick<NewKey, "label" | "unlimited" | "check">> & {
  fields: Record<string, string>;
  base_url: string;
  name: string;
  concurrent: number | "";
};

const BLANK: Draft = {
  fields: {},
  label: "",
  unlimited: false,
  check: true,
  base_url: "",
  name: "",
  concurrent: "",
};

function body(provider: ProviderCard, draft: Draft): NewKey {
  return {
    provider: provider.id,
    fields: draft.fields,
    label: draft.label,
    unlimited: draft.unlimited,
    check: draft.check,
    ...(draft.base_url ? { base_url: draft.base_url } : {}),
    ...(draft.name ? { name: draft.name } : {}),
    ...(typeof draft.concurrent === "number" ? { concurrent: draft.concurrent } : {}),
  };
}

function OwnServer({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  return (
    <>
      <TextInput
        label="Name"
        description="What this server is called in routes, such as lab"
        required
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <TextInput
        label="Base URL"
        description="Where its OpenAI-compatible API is, such as http://localhost:8080/v1"
        required
        inputMode="url"
        value={draft.base_url}
        onChange={(event) => change({ base_url: event.currentTarget.value })}
      />
      <NumberField
        label="Requests at once"
        description="How many it takes; empty is unknown"
        min={1}
        value={draft.concurrent}
        onChange={(concurrent) => change({ concurrent })}
      />
    </>
  );
}

function Advanced({
  own,
  draft,
  change,
}: {
  own: boolean;
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}) {
  return (
    <details className={styles.advanced}>
      <summary>More options</summary>
      <div>
        <TextInput
          label="Label"
          description="What you call it; it appears in the log"
          maxLength={200}
          value={draft.label}
          onChange={(event) => change({ label: event.currentTarget.value })}
        />
        {!own && (
          <TextInput
            label="Base URL"
            description="Only when it is not the provider's own"
            inputMode="url"
            value={draft.base_url}
            onChange={(event) => change({ base_url: event.currentTarget.value })}
          />
        )}
        <Switch
          label="On a paid plan"
          description="Its use is counted and never refused"
          checked={draft.unlimited}
          onChange={(event) => change({ unlimited: event.currentTarget.checked })}
        />
        <Switch
          label="Ask the provider whether it works"
          description="Off stores it untested"
          checked={draft.check}
          onChange={(event) => change({ check: event.currentTarget.checked })}
        />
      </div>
    </details>
  );
}

function Form({ provider, added }: { provider: ProviderCard; added: (key: AddedKey) => void }) {
  const [draft, setDraft] = useState(BLANK);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const wrong = error instanceof ApiError && error.field?.startsWith("fields.") ? error.field.slice(7) : null;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const key = await api.post<AddedKey>("/keys", body(provider, draft));
      await refresh("keys", "providers", "overview", "models");
      added(key);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const simple = provider.fields.length === 1 && !provider.keyless && !provider.own_server;
  return (
    <form className={styles.form} onSubmit={submit} autoComplete="off">
      <div className={styles.links}>
        {provider.signup_url && (
          <a href={provider.signup_url} target="_blank" rel="noreferrer">
            Get a key <IconExternalLink size={14} aria-hidden />
          </a>
        )}
        {!simple && <span className={styles.muted}>{provider.effort}</span>}
      </div>
      {provider.own_server && <OwnServer draft={draft} change={change} />}
      {provider.fields.map((field, index) => (
        <FieldInput
          key={field.name}
          field={field}
          first={index === 0}
          value={draft.fields[field.name] ?? ""}
          error={
            wrong === field.name
              ? (error as ApiError).message
              : mismatch(field, draft.fields[field.name] ?? "")
          }
          change={(value) => change({ fields: { ...draft.fields, [field.name]: value } })}
        />
      ))}
      <Advanced own={provider.own_server} draft={draft} change={change} />
      {error !== null && <Problem error={error} />}
      <div className={styles.buttons}>
        <Button type="submit" variant="filled" loading={busy}>
          {draft.check ? "Check and add" : "Add unchecked"}
        </Button>
      </div>
    </form>
  );
}

/** Add a key: the provider is asked whether it works before the dialog closes. */
export function AddKey(props: {
  providers: ProviderCard[];
  chosen: string;
  choose: (id: string) => void;
  close: () => void;
}) {
  useReturnFocus();
  const [added, setAdded] = useState<AddedKey | null>(null);
  const provider = props.providers.find((each) => each.id === props.chosen);
  return (
    <Modal opened onClose={props.close} title={added ? "Key added" : "Add a key"}>
      {added ? (
        <Added
          added={added}
          close={props.close}
          again={() => {
            setAdded(null);
            props.choose("any");
          }}
        />
      ) : (
        <div className={styles.form}>
          <Select
            label="Provider"
            placeholder="Choose one"
            searchable
            data={props.providers
              .filter((each) => !each.retired)
              .map((each) => ({ value: each.id, label: each.title }))}
            value={provider?.id ?? null}
            onChange={(id) => props.choose(id ?? "any")}
            data-autofocus={provider === undefined || undefined}
          />
          {provider && <Form key={provider.id} provider={provider} added={setAdded} />}
        </div>
      )}
    </Modal>
  );
}
