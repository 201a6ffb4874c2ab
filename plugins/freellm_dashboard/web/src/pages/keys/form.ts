import type { Field } from "@/api/types";

/** A warning when a value does not look like one of the field; it is sent all the same. Null: nothing to say. */
export function mismatch(field: Field, value: string): string | null {
  if (value === "" || field.pattern === null) return null;
  const pattern = compiled(field.pattern);
  return pattern === null || pattern.test(value.trim())
    ? null
    : "This does not look like one; is all of it there?";
}

/** The provider's pattern; null when it uses what this browser's regular expressions do not know. */
function compiled(pattern: string): RegExp | null {
  try {
    return new RegExp(`^(?:${pattern})$`, "u");
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
