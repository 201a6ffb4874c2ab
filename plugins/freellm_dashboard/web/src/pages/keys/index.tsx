import { Button, Skeleton } from "@mantine/core";
import { useState } from "react";
import { api } from "@/api/client";
import { refresh, useApi } from "@/api/queries";
import type { KeyRow, Keys, Providers } from "@/api/types";
import { Empty, Loaded, notify, notifyProblem, Page, Section, ToolButton, useQueryParam } from "@/components";
import { IconFileImport, IconKey, IconPlus, IconRefresh } from "@/components/icons";
import { plural } from "@/format/numbers";
import { AddKey } from "./add_key";
import { ImportKeys } from "./import_keys";
import { KeyItem } from "./key_row";
import styles from "./keys.module.css";
import { ProviderOffer, ProviderWithKeys } from "./provider_cards";

function CheckAll({ none }: { none: boolean }) {
  const [busy, setBusy] = useState(false);
  const check = async () => {
    setBusy(true);
    try {
      const { keys } = await api.post<Keys>("/keys/check");
      await refresh("keys", "providers", "overview");
      notify(`${keys.filter((key) => key.state === "valid").length} of ${plural(keys.length, "key")} work`);
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <ToolButton icon={IconRefresh} disabled={none} loading={busy} onClick={check}>
      Check all
    </ToolButton>
  );
}

/** `15 keys, 3 never checked`. */
function tally(keys: KeyRow[]): string {
  const untested = keys.filter((key) => key.state === "untested").length;
  return plural(keys.length, "key") + (untested > 0 ? `, ${untested} untested: check all` : "");
}

/** Keys whose provider's plugin is not installed: they can only be looked at and removed. */
function Orphans({ keys }: { keys: KeyRow[] }) {
  if (keys.length === 0) return null;
  return (
    <Section title="Without a plugin" hint="Their provider is not installed">
      <ul className={styles.stack}>
        {keys.map((key) => (
          <KeyItem key={key.id} row={key} />
        ))}
      </ul>
    </Section>
  );
}

function Cards({ keys, providers, add }: { keys: Keys; providers: Providers; add: (id: string) => void }) {
  const [here] = useQueryParam("provider");
  const of = (id: string) => keys.keys.filter((key) => key.provider === id);
  const known = new Set(providers.providers.map((provider) => provider.id));
  const withKeys = providers.providers.filter((provider) => of(provider.id).length > 0);
  const without = providers.providers.filter((provider) => of(provider.id).length === 0);
  return (
    <>
      <Section title="Your keys" hint={tally(keys.keys)}>
        {withKeys.length === 0 ? (
          <Empty
            icon={IconKey}
            title="No keys yet"
            action={
              <Button variant="filled" onClick={() => add("any")}>
                Add the first key
              </Button>
            }
          >
            A free key of any provider below is enough for the first reply. They are listed by what they bring
            for the least effort.
          </Empty>
        ) : (
          <ul className={styles.mine}>
            {withKeys.map((provider) => (
              <ProviderWithKeys
                key={provider.id}
                provider={provider}
                keys={of(provider.id)}
                here={here === provider.id}
                add={() => add(provider.id)}
              />
            ))}
          </ul>
        )}
      </Section>
      <Orphans keys={keys.keys.filter((key) => !known.has(key.provider))} />
      {without.length > 0 && (
        <Section title="More providers" hint="Most tokens for the least effort first">
          <ul className={styles.cards}>
            {without.map((provider) => (
              <ProviderOffer
                key={provider.id}
                provider={provider}
                here={here === provider.id}
                add={() => add(provider.id)}
              />
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

function Waiting() {
  return (
    <div className={styles.mine}>
      {[1, 2, 3, 4, 5, 6].map((card) => (
        <Skeleton key={card} height={142} radius="md" />
      ))}
    </div>
  );
}

/** Every key, how it stands and why; and every provider that one could have a key of. */
export default function KeysPage() {
  const keys = useApi<Keys>("/keys");
  const providers = useApi<Providers>("/providers");
  const [adding, add] = useQueryParam("add");
  const [importing, setImporting] = useQueryParam("import");
  return (
    <Page
      title="Keys"
      subtitle="Encrypted here, shown to nobody"
      actions={
        <>
          <CheckAll none={keys.data?.keys.length === 0} />
          <Button leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setImporting("1")}>
            Import .env
          </Button>
          <Button
            variant="filled"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => add("any")}
          >
            Add a key
          </Button>
        </>
      }
    >
      <Loaded query={providers} skeleton={<Waiting />}>
        {(offers) => (
          <>
            <Loaded query={keys} skeleton={<Waiting />}>
              {(data) => <Cards keys={data} providers={offers} add={add} />}
            </Loaded>
            {adding !== "" && (
              <AddKey providers={offers.providers} chosen={adding} choose={add} close={() => add("")} />
            )}
          </>
        )}
      </Loaded>
      {importing !== "" && <ImportKeys close={() => setImporting("")} />}
    </Page>
  );
}
