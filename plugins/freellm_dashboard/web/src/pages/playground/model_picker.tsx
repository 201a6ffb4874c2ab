import { Select } from "@mantine/core";
import { useMemo } from "react";

import { useApi } from "@/api/queries";
import type { Fallback, Models, Profiles } from "@/api/types";
import styles from "./chat.module.css";
import { choices } from "./choices";

/** Everything that a request can name as its model. */
export function ModelPicker(props: { label: string; value: string; onChange: (model: string) => void }) {
  const { label, value, onChange } = props;
  const models = useApi<Models>("/models").data?.models;
  const strategies = useApi<Fallback>("/fallback").data?.strategies;
  const profiles = useApi<Profiles>("/profiles").data?.profiles;
  const data = useMemo(
    () => choices(models ?? [], strategies ?? [], profiles ?? [], value),
    [models, strategies, profiles, value],
  );
  return (
    <Select
      className={styles.picker}
      aria-label={label}
      data={data}
      value={value}
      onChange={(model) => onChange(model ?? "auto")}
      allowDeselect={false}
      searchable
      limit={100}
      maxDropdownHeight={360}
      nothingFoundMessage="No model is called so"
      selectFirstOptionOnChange
    />
  );
}
