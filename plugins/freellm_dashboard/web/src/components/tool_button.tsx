import { Button } from "@mantine/core";
import type { IconType } from "./icons";
import styles from "./tool_button.module.css";

/** A button of a page's head; on a phone it is its icon alone, so that all of them stay on one line. */
export function ToolButton(props: {
  icon: IconType;
  children: string;
  disabled?: boolean;
  loading?: boolean;
  onClick: () => void;
}) {
  const { icon: Icon, children, ...rest } = props;
  return (
    <Button
      {...rest}
      className={styles.tool}
      aria-label={children}
      title={children}
      leftSection={<Icon size={16} aria-hidden />}
    >
      <span className={styles.words}>{children}</span>
    </Button>
  );
}
