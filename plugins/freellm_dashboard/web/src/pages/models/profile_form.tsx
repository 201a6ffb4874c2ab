import { Button, Group, Modal, Select, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";

import { type ApiError, api } from "@/api/client";
import { refresh, useApi } from "@/api/queries";
import type { Models, ProfileBody, ProfileRow } from "@/api/types";
import { notify, Problem, useReturnFocus } from "@/components";
import { ABILITIES, type Ability } from "./abilities";
import { ModelList } from "./profile_models";
import styles from "./profiles.module.css";
import shared from "./shared.module.css";

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
  useReturnFocus();
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
  const { models, providers } = useOffers();
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
        <ModelList
          chosen={body.models}
          offers={models}
          change={(next) => set({ models: next })}
          error={wrong("models")}
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
        <Choice
          legend="Only these providers"
          offers={providers}
          chosen={body.only}
          change={(only) => set({ only })}
        />
        <Choice
          legend="Not these providers"
          offers={providers}
          chosen={body.ignore}
          change={(ignore) => set({ ignore })}
        />
        <Choice
          legend="Each model must be able to"
          offers={Object.entries(ABILITIES).map(([value, { title }]) => ({ value, label: title }))}
          chosen={body.abilities}
          change={(abilities) => set({ abilities: abilities as Ability[] })}
        />
        <Choice
          legend="Prompts"
          offers={[{ value: "deny", label: "Only providers known not to train on them" }]}
          chosen={body.data_collection === "deny" ? ["deny"] : []}
          change={([deny]) => set({ data_collection: deny ? "deny" : "allow" })}
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

interface Offer {
  value: string;
  label: string;
}

/** Any of several things, as buttons that stay pressed. */
function Choice(props: {
  legend: string;
  offers: Offer[];
  chosen: string[];
  change: (chosen: string[]) => void;
}) {
  const { legend, offers, chosen, change } = props;
  // what was chosen before stays in sight, even when nobody offers it any more
  const gone = chosen.filter((one) => !offers.some((offer) => offer.value === one));
  const all = [...offers, ...gone.map((value) => ({ value, label: value }))];
  return (
    <fieldset className={styles.choice}>
      <legend>{legend}</legend>
      {all.map(({ value, label }) => {
        const on = chosen.includes(value);
        return (
          <button
            key={value}
            type="button"
            className={shared.chip}
            aria-pressed={on}
            onClick={() => change(on ? chosen.filter((one) => one !== value) : [...chosen, value])}
          >
            {label}
          </button>
        );
      })}
    </fieldset>
  );
}

/** What can be chosen: every family and `provider/model`, and the providers that have any. */
function useOffers(): { models: string[]; providers: Offer[] } {
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
