import type { ModelRow } from "@/api/types";
import {
  IconBraces,
  IconBrain,
  IconEye,
  IconListDetails,
  IconMessage2Cog,
  IconTool,
  type IconType,
} from "@/components/icons";
import shared from "./shared.module.css";
import styles from "./table.module.css";

export type Ability = ModelRow["abilities"][number];

/** What models can do, in the order in which it is shown. */
export const ABILITIES: Record<Ability, { title: string; help: string; icon: IconType }> = {
  tools: { title: "Tools", help: "calls tools", icon: IconTool },
  vision: { title: "Vision", help: "reads pictures", icon: IconEye },
  json: { title: "JSON", help: "answers in JSON", icon: IconBraces },
  json_schema: { title: "Schema", help: "keeps to a JSON schema", icon: IconListDetails },
  reasoning: { title: "Reasoning", help: "thinks before it answers", icon: IconBrain },
  system: { title: "System", help: "takes a system prompt", icon: IconMessage2Cog },
};

/** Those that tell models apart: nearly every one takes a system prompt. */
export const FILTERED: Ability[] = ["tools", "vision", "json", "json_schema", "reasoning"];

/** What a model can do as icons, always on the same place. */
export function AbilityIcons({ abilities }: { abilities: Ability[] }) {
  return (
    <ul className={styles.abilities}>
      {FILTERED.map((ability) => {
        const { help, icon: Icon } = ABILITIES[ability];
        const has = abilities.includes(ability);
        return (
          <li key={ability} title={has ? help : `not: ${help}`} data-has={has || undefined}>
            <Icon size={15} strokeWidth={1.75} aria-hidden />
            {has && <span className={shared.hidden}>{help}</span>}
          </li>
        );
      })}
    </ul>
  );
}
