import type { ReactNode } from "react";

/** A name for each fact, and the fact. */
export type Fact = [name: string, value: ReactNode];

/** Facts and their names. */
export function FactList({ facts, className }: { facts: Fact[]; className: string | undefined }) {
  return (
    <dl className={className}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
