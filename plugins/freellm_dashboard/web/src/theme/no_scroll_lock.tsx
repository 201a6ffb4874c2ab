import type { ReactNode } from "react";

/**
 * Stands in for `react-remove-scroll`, which the library's dialogs use to stop the page behind them from scrolling: it
 * writes a <style> element, which the content security policy refuses. `page.css` does the same by a rule.
 */
export function RemoveScroll({ children }: { children?: ReactNode }) {
  return children;
}

RemoveScroll.classNames = { fullWidth: "", zeroRight: "" };
