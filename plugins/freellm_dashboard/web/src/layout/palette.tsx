import { Modal, useMantineColorScheme } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { type ComponentType, type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useApi } from "@/api/queries";
import type { Models, Providers } from "@/api/types";
import {
  IconBolt,
  IconKey,
  IconLogout,
  IconMoon,
  type IconProps,
  IconStack2,
  IconSun,
} from "@/components/icons";
import { match, type Offer } from "./match";
import styles from "./palette.module.css";
import { PAGES } from "./routes";

interface Command extends Offer {
  icon: ComponentType<IconProps>;
  run: () => void;
}

function useCommands(opened: boolean, signOut: () => void): Command[] {
  const [, go] = useLocation();
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const models = useApi<Models>("/models", {}, { enabled: opened });
  const providers = useApi<Providers>("/providers", {}, { enabled: opened });
  return useMemo(() => {
    const command = (
      group: string,
      title: string,
      icon: Command["icon"],
      run: () => void,
      words = "",
      detail = "",
    ) => ({
      id: `${group}/${title}`,
      group,
      title,
      icon,
      run,
      words,
      detail,
    });
    return [
      ...PAGES.map((page) => command("Pages", page.title, page.icon, () => go(page.path), page.words)),
      command("Actions", "Add a key", IconKey, () => go("/keys?add=any"), "provider sign up"),
      command("Actions", "Import keys from .env", IconKey, () => go("/keys?import=1"), "paste file"),
      command("Actions", "Copy the API key", IconBolt, () => go("/settings"), "unified token secret"),
      command("Actions", "Light theme", IconSun, () => setColorScheme("light"), "colour"),
      command("Actions", "Dark theme", IconMoon, () => setColorScheme("dark"), "colour"),
      command("Actions", "Sign out", IconLogout, signOut, "leave"),
      ...(providers.data?.providers ?? []).map((provider) =>
        command(
          "Providers",
          provider.title,
          IconKey,
          () => go(`/keys?provider=${encodeURIComponent(provider.id)}`),
          provider.id,
        ),
      ),
      ...(models.data?.models ?? []).map((model) =>
        command(
          "Models",
          model.name,
          IconStack2,
          () => go(`/models?search=${encodeURIComponent(model.name)}`),
          `${model.title} ${model.family}`,
          model.provider_title,
        ),
      ),
    ];
  }, [go, setColorScheme, signOut, models.data, providers.data]);
}

function Search(props: { commands: Command[]; close: () => void }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const box = useRef<HTMLDivElement>(null);
  const found = useMemo(() => match(props.commands, typed), [props.commands, typed]);
  const current = Math.min(at, found.length - 1);

  useEffect(() => {
    box.current?.querySelector(`[data-at="${current}"]`)?.scrollIntoView({ block: "nearest" });
  }, [current]);

  const run = (command: Command | undefined) => {
    if (!command) return;
    props.close();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      setAt((current + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[current]);
    }
  };
  return (
    <>
      <input
        className={styles.input}
        placeholder="Search pages, actions, providers, models"
        aria-label="Search"
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={found[current] ? `${list}-${current}` : undefined}
        data-autofocus
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div className={styles.list} id={list} role="listbox" aria-label="Results" ref={box}>
        {found.map((command, index) => {
          const Icon = command.icon;
          return (
            <div key={command.id} role="presentation">
              {command.group !== found[index - 1]?.group && (
                <div className={styles.group}>{command.group}</div>
              )}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keyboard, as in every combobox */}
              <div
                id={`${list}-${index}`}
                data-at={index}
                className={styles.item}
                role="option"
                tabIndex={-1}
                aria-selected={index === current}
                onPointerMove={() => setAt(index)}
                onClick={() => run(command)}
              >
                <Icon size={18} strokeWidth={1.75} aria-hidden />
                {command.title}
                {command.detail && <span className={styles.detail}>{command.detail}</span>}
              </div>
            </div>
          );
        })}
        {found.length === 0 && <p className={styles.none}>Nothing is called that.</p>}
      </div>
    </>
  );
}

/** Ctrl-K: go anywhere, do anything, by typing a few letters of it. */
export function Palette(props: {
  opened: boolean;
  setOpened: (opened: boolean) => void;
  signOut: () => void;
}) {
  const { opened, setOpened } = props;
  useHotkeys([["mod+K", () => setOpened(true)]], []);
  const commands = useCommands(opened, props.signOut);
  return (
    <Modal.Root opened={opened} onClose={() => setOpened(false)} size="35rem" yOffset="12dvh">
      <Modal.Overlay />
      <Modal.Content aria-label="Search">
        <Search commands={commands} close={() => setOpened(false)} />
      </Modal.Content>
    </Modal.Root>
  );
}
