import { Button, Checkbox, Group, Modal, MultiSelect, Select, TagsInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";

import { type ApiError, api } from "@/api/client";
import { refresh, useApi } from "@/api/queries";
import type { Models, ProfileBody, ProfileRow } from "@/api/types";
import { notify, Problem } from "@/components";
import { ABILITIES, type Ability } from "./abilities";
import styles from "./models.module.css";

interface Props {
  /** The profile to change; null makes a new one. */
  profile: ProfileRow | null;
  taken: string[];
  strategies: string[];
  close: () => void;
}

const NEW: Required<ProfileBody> = {
  models: [],
  strategy: null,
  only: [],
  ignore: [],
  abilities: [],
  data_collection: "allow",
};

/** A profile as a form. */
export function ProfileForm({ profile, taken, strategies, close }: Props) {
  const [name, setName] = useState(profile?.name ?? "");
  const [body, setBody] = useState<Required<ProfileBody>>(() => (profile ? fields(profile) : NEW));
  const set = (change: Partial<ProfileBody>) => setBody((before) => ({ ...before, ...change }));
  const save = useMutation<unknown, ApiError>({
    mutationFn: () => api.put(`/profiles/${encodeURIComponent(name)}`, body),
    onSuccess: async () => {
      notify(`${name} is saved.`);
      close();
      await refresh("profiles");
    },
  });
  const choices = useChoices();
  const clash =
    profile === null && taken.includes(name) ? "There is a profile of this name; edit that one." : null;
  const wrong = (field: string) =>
    save.error?.field?.split(/[.[]/)[0] === field ? save.error.message : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!clash && name) save.mutate();
  };
  return (
    <Modal opened onClose={close} title={profile ? `Edit ${profile.name}` : "New profile"}>
      <form onSubmit={submit} className={styles.form}>
        <TextInput
          label="Name"
          description={`Requests ask for auto:${name || "NAME"}`}
          value={name}
          onChange={(event) => setName(event.currentTarget.value.trim())}
          disabled={profile !== null}
          error={clash ?? wrong("name")}
          required
          data-autofocus
        />
        <TagsInput
          label="Models"
          description="Models, families or provider/model, in order. Empty is every model."
          data={choices.models}
          limit={30}
          value={body.models}
          onChange={(models) => set({ models })}
          error={wrong("models")}
          clearable
          clearButtonProps={{ "aria-label": "Clear models" }}
        />
        <Select
          label="Order"
          description={body.models.length > 0 ? "Within each of the models." : "Of all models."}
          data={strategies}
          placeholder="As auto"
          value={body.strategy}
          onChange={(strategy) => set({ strategy })}
          error={wrong("strategy")}
          clearable
          clearButtonProps={{ "aria-label": "Clear order" }}
        />
        <MultiSelect
          label="Only these providers"
          data={choices.providers}
          value={body.only}
          onChange={(only) => set({ only })}
          error={wrong("only")}
          searchable
        />
        <MultiSelect
          label="Not these providers"
          data={choices.providers}
          value={body.ignore}
          onChange={(ignore) => set({ ignore })}
          error={wrong("ignore")}
          searchable
        />
        <Checkbox.Group
          label="Each model must be able to"
          value={body.abilities}
          onChange={(abilities) => set({ abilities: abilities as Ability[] })}
        >
          <div className={styles.checks}>
            {Object.entries(ABILITIES).map(([ability, { title, help }]) => (
              <Checkbox key={ability} value={ability} label={title} title={help} />
            ))}
          </div>
        </Checkbox.Group>
        <Checkbox
          label="Only providers that are known not to train on prompts"
          checked={body.data_collection === "deny"}
          onChange={(event) => set({ data_collection: event.currentTarget.checked ? "deny" : "allow" })}
        />
        {save.error && <Problem error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="filled" loading={save.isPending} disabled={!name || clash !== null}>
            Save
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

function fields(profile: ProfileRow): Required<ProfileBody> {
  const { models, strategy, only, ignore, abilities, data_collection } = profile;
  return { models, strategy, only, ignore, abilities, data_collection };
}

/** What can be chosen: every family and `provider/model`, and the providers that have any. */
function useChoices(): { models: string[]; providers: { value: string; label: string }[] } {
  const { data } = useApi<Models>("/models");
  return useMemo(() => {
    const rows = (data?.models ?? []).filter((row) => row.task === "chat");
    const names = [...rows.map((row) => row.family), ...rows.map((row) => row.name)];
    const providers = new Map(rows.map((row) => [row.provider, row.provider_title]));
    return {
      models: [...new Set(names)],
      providers: [...providers].map(([value, label]) => ({ value, label })),
    };
  }, [data]);
}
