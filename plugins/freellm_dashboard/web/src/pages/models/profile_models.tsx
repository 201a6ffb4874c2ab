import { ActionIcon, Select } from "@mantine/core";

import { IconArrowDown, IconArrowUp, IconX } from "@/components/icons";
import { moved } from "./moves";
import styles from "./profiles.module.css";
import shared from "./shared.module.css";

interface Props {
  chosen: string[];
  offers: string[];
  change: (chosen: string[]) => void;
  error: string | null;
}

/** The models of a profile, in the order in which they are tried. */
export function ModelList({ chosen, offers, change, error }: Props) {
  return (
    <div className={styles.modelList}>
      <Select
        label="Models"
        description="Models, families or provider/model, in order. None is every model."
        placeholder="Add a model"
        data={offers.filter((offer) => !chosen.includes(offer))}
        value={null}
        onChange={(name) => name && change([...chosen, name])}
        error={error}
        limit={40}
        searchable
        nothingFoundMessage="No model is called so"
      />
      {chosen.length > 0 && (
        <ol>
          {chosen.map((name, place) => (
            <li key={name}>
              <span className={shared.place}>{place + 1}</span>
              <span className={shared.title}>{name}</span>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`${name} up`}
                disabled={place === 0}
                onClick={() => change(moved(chosen, place, place - 1))}
              >
                <IconArrowUp size={16} aria-hidden />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`${name} down`}
                disabled={place === chosen.length - 1}
                onClick={() => change(moved(chosen, place, place + 1))}
              >
                <IconArrowDown size={16} aria-hidden />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Remove ${name}`}
                onClick={() => change(chosen.filter((one) => one !== name))}
              >
                <IconX size={16} aria-hidden />
              </ActionIcon>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
