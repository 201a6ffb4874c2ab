import { Button } from "@mantine/core";
import { api } from "@/api/client";
import { refresh } from "@/api/queries";
import type { Cleared, Cooldown } from "@/api/types";
import { notify } from "./toasts";
import { useAction } from "./use_action";

/** Let what is closed take requests again. */
export function ClearCooldown({ cooldown, size }: { cooldown: Cooldown; size: string }) {
  const [busy, run] = useAction();
  const clear = () =>
    run(async () => {
      await api.post<Cleared>("/clear", { name: cooldown.what });
      notify(`${cooldown.what} takes requests again`);
      await refresh("keys", "overview", "models");
    });
  return (
    <Button size={size} loading={busy} onClick={clear} aria-label={`Clear the cooldown of ${cooldown.what}`}>
      Clear
    </Button>
  );
}
