import { useApi } from "@/api/queries";
import type { Settings, UnifiedKey } from "@/api/types";
import { Card, Lines, Loaded, Page, Section } from "@/components";
import { ThemeSwitch } from "@/layout/theme_switch";
import { Access } from "./access";
import { Connect } from "./connect";
import { Backup, Server } from "./server";
import styles from "./settings.module.css";

/** How clients connect, how this looks, who gets in, and what to keep. */
export default function SettingsPage() {
  const settings = useApi<Settings>("/settings");
  const unified = useApi<UnifiedKey>("/apikey");
  return (
    <Page title="Settings" subtitle="Connect, sign in, back up" width="narrow">
      <Loaded query={settings} skeleton={<Lines count={6} height={56} />}>
        {(data) => (
          <>
            <Loaded query={unified} skeleton={<Lines count={5} height={67} />}>
              {(key) => <Connect settings={data} unified={key} />}
            </Loaded>
            <Section title="Theme">
              <Card>
                <div className={styles.theme}>
                  <ThemeSwitch words />
                </div>
              </Card>
            </Section>
            <Access />
            <Backup settings={data} />
            <Server settings={data} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
