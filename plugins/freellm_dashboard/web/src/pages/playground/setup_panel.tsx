import { Button, Group, Select, Switch, Textarea, TextInput } from "@mantine/core";

import { NumberField } from "@/components";
import { setUp } from "./conversation";
import {
  EXAMPLE_TOOLS,
  PARAMETERS,
  type Parameter,
  type ParameterValue,
  parsedTools,
  type Setup,
} from "./requests";
import styles from "./setup.module.css";

/** What goes with every prompt: system prompt, parameters and tools. */
export function SetupPanel({ setup }: { setup: Setup }) {
  return (
    <div className={styles.setup}>
      <Textarea
        label="System prompt"
        placeholder="None"
        autosize
        minRows={2}
        maxRows={12}
        value={setup.system}
        onChange={(event) => setUp({ system: event.currentTarget.value })}
      />
      <section className={styles.group} aria-labelledby="parameters">
        <h2 id="parameters">Parameters</h2>
        <p>What is off is left to the provider.</p>
        {PARAMETERS.map((parameter) => (
          <ParameterField key={parameter.name} parameter={parameter} values={setup.parameters} />
        ))}
      </section>
      <Tools text={setup.tools} />
    </div>
  );
}

function ParameterField({ parameter, values }: { parameter: Parameter; values: Setup["parameters"] }) {
  const { name, label, help, initial } = parameter;
  const value = values[name];
  const on = value !== undefined;
  const set = (next: ParameterValue | undefined) => {
    const { [name]: _, ...others } = values;
    setUp({ parameters: next === undefined ? others : { ...others, [name]: next } });
  };
  return (
    <div className={styles.parameter}>
      <Switch
        label={label}
        title={help}
        checked={on}
        onChange={(event) => set(event.currentTarget.checked ? initial : undefined)}
      />
      {on && <Control parameter={parameter} value={value} set={set} />}
    </div>
  );
}

function Control(props: {
  parameter: Parameter;
  value: ParameterValue;
  set: (value: ParameterValue) => void;
}) {
  const { parameter, value, set } = props;
  const { kind, label, help, min, max, step, choices = [] } = parameter;
  if (kind === "choice") {
    return (
      <Select
        aria-label={`${label}, value`}
        description={help}
        data={choices}
        value={String(value)}
        onChange={(next) => next && set(next)}
        allowDeselect={false}
      />
    );
  }
  if (kind === "text") {
    return (
      <TextInput
        aria-label={`${label}, value`}
        value={String(value)}
        onChange={(event) => set(event.currentTarget.value)}
      />
    );
  }
  return (
    <NumberField
      aria-label={`${label}, value`}
      description={help}
      value={typeof value === "number" ? value : ""}
      onChange={set}
      min={min}
      max={max}
      step={step ?? 1}
    />
  );
}

function Tools({ text }: { text: string }) {
  const { value, wrong } = parsedTools(text);
  const set = (tools: string) => setUp({ tools });
  return (
    <section className={styles.group} aria-labelledby="tools">
      <h2 id="tools">Tools</h2>
      <Textarea
        aria-label="Tools as JSON"
        placeholder="A list of OpenAI tools, as JSON"
        classNames={{ input: styles.code }}
        autosize
        minRows={3}
        maxRows={18}
        spellCheck={false}
        value={text}
        onChange={(event) => set(event.currentTarget.value)}
        error={wrong}
        description={wrong || value.length === 0 ? undefined : `${value.length} on offer to the model`}
        inputWrapperOrder={["input", "description", "error"]}
      />
      <Group gap="xs">
        <Button size="compact-sm" onClick={() => set(EXAMPLE_TOOLS)} disabled={text.trim() !== ""}>
          Example
        </Button>
        <Button
          size="compact-sm"
          onClick={() => set(JSON.stringify(value, null, 2))}
          disabled={wrong !== null || value.length === 0}
        >
          Format
        </Button>
        <Button size="compact-sm" onClick={() => set("")} disabled={text === ""}>
          Remove
        </Button>
      </Group>
    </section>
  );
}
