import { useEffect, useState } from "react";

/** Give the focus back to where it was when the component came, once it goes: for dialogs that are there only while open. */
export function useReturnFocus(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    },
    [before],
  );
}
