import { TextInput, type TextInputProps } from "@mantine/core";

/** A number to type: the browser's own field, which every keyboard and screen reader knows. Empty is "". */
export function NumberField(
  props: Omit<TextInputProps, "value" | "onChange" | "type"> & {
    value: number | "";
    onChange: (value: number | "") => void;
  },
) {
  const { value, onChange, ...rest } = props;
  return (
    <TextInput
      {...rest}
      type="number"
      inputMode={rest.step === undefined || Number.isInteger(Number(rest.step)) ? "numeric" : "decimal"}
      value={value}
      onChange={(event) => {
        const number = event.currentTarget.valueAsNumber;
        onChange(Number.isNaN(number) ? "" : number);
      }}
    />
  );
}
