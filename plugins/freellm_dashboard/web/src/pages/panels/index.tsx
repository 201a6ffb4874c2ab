import { Button } from "@mantine/core";
import { Link, useRoute } from "wouter";
import { useApi } from "@/api/queries";
import type { Panel, PanelList } from "@/api/types";
import { Ago, Empty, Lines, Loaded, Page } from "@/components";
import { IconLayoutDashboard } from "@/components/icons";
import { Block } from "./block";
import styles from "./panels.module.css";

/** The panels that plugins add: their list, or the one that the address names. */
export default function PanelsPage() {
  const [, params] = useRoute("/panels/:id");
  return params?.id ? <One id={decodeURIComponent(params.id)} /> : <All />;
}

function One({ id }: { id: string }) {
  const query = useApi<Panel>(`/panels/${encodeURIComponent(id)}`, {}, { refetchInterval: 5_000 });
  const { data } = query;
  return (
    <Page
      title={data?.title ?? "Panel"}
      subtitle={data?.subtitle}
      wide
      actions={data && <Made panel={data} />}
    >
      <Loaded query={query} skeleton={<Lines count={4} height={96} />}>
        {(panel) =>
          panel.blocks.length === 0 ? (
            <Empty icon={IconLayoutDashboard} title="Nothing to show yet" />
          ) : (
            <div className={styles.blocks}>
              {panel.blocks.map((block, place) => (
                <Block key={place} block={block} />
              ))}
            </div>
          )
        }
      </Loaded>
    </Page>
  );
}

function Made({ panel }: { panel: Panel }) {
  return (
    <span className={styles.faint}>
      <Ago at={panel.at} />
    </span>
  );
}

function All() {
  const query = useApi<PanelList>("/panels");
  return (
    <Page title="Panels" subtitle="What installed plugins show">
      <Loaded query={query}>
        {({ panels }) =>
          panels.length === 0 ? (
            <NoPanels />
          ) : (
            <ul className={styles.cards}>
              {panels.map((panel) => (
                <li key={panel.id}>
                  <Link href={`/panels/${encodeURIComponent(panel.id)}`} className={styles.card}>
                    <h2>{panel.title}</h2>
                    <p className={styles.faint}>{panel.subtitle}</p>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  );
}

function NoPanels() {
  return (
    <Empty
      icon={IconLayoutDashboard}
      title="No plugin adds a panel"
      action={
        <Button component={Link} href="/plugins">
          Look at the plugins
        </Button>
      }
    >
      <p>Any plugin can add one: it answers the hook for panels with figures, tables, series and text.</p>
    </Empty>
  );
}
