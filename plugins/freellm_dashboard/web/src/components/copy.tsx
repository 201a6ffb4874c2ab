import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import styles from "./copy.module.css";
import { IconCheck, IconCopy } from "./icons";
import { notifyProblem } from "./toasts";

function useCopied(value: string | (() => Promise<string>)): [copied: boolean, copy: () => Promise<void>] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), 1_600);
    return () => window.clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await write(typeof value === "string" ? value : await value());
      setCopied(true);
    } catch (error) {
      notifyProblem(error);
    }
  };
  return [copied, copy];
}

/** Put text on the clipboard, also where the page is not a secure context (plain HTTP beyond this machine). */
async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("The browser did not allow copying; select the text and copy it yourself.");
}

/** An icon that copies; `value` may be a function when the text has to be fetched first. */
export function CopyIcon(props: { value: string | (() => Promise<string>); what: string }) {
  const [copied, copy] = useCopied(props.value);
  const label = copied ? "Copied" : `Copy ${props.what}`;
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={label}>
        {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

/** A button that copies. */
export function CopyButton(props: {
  value: string | (() => Promise<string>);
  children: string;
  primary?: boolean;
}) {
  const [copied, copy] = useCopied(props.value);
  return (
    <Button
      variant={props.primary ? "filled" : "default"}
      leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
      onClick={copy}
    >
      {copied ? "Copied" : props.children}
    </Button>
  );
}

/** A value on one line that is there to be copied. */
export function CopyField(props: { value: string; what: string }) {
  return (
    <div className={styles.field}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll box has to be reachable by keyboard */}
      <span className={styles.value} tabIndex={0} role="group" aria-label={props.what}>
        {props.value}
      </span>
      <CopyIcon value={props.value} what={props.what} />
    </div>
  );
}

/** A snippet of several lines to be copied; `shown` is what is drawn, when that differs; `label` names its language. */
export function Snippet(props: {
  value: string | (() => Promise<string>);
  shown?: string;
  what: string;
  label?: string;
}) {
  return (
    <div className={styles.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll box has to be reachable by keyboard */}
      <pre tabIndex={0} role="group" aria-label={props.what}>
        {props.shown ?? (typeof props.value === "string" ? props.value : "")}
      </pre>
      <div className={styles.corner}>
        {props.label}
        <CopyIcon value={props.value} what={props.what} />
      </div>
    </div>
  );
}
