import { ActionIcon, Drawer, Tooltip } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { useLive } from "@/api/live_state";
import { Status } from "@/components";
import { IconDots, IconLogout, IconSearch } from "@/components/icons";
import icon from "@/theme/icon.svg";
import { Palette } from "./palette";
import { isAt, PAGES, type PageRoute } from "./routes";
import styles from "./shell.module.css";
import { ThemeSwitch } from "./theme_switch";

function LiveDot() {
  const { status, under_way } = useLive();
  const words = {
    live: under_way > 0 ? `${under_way} under way` : "Live",
    waiting: "Reconnecting…",
    off: "Connecting…",
  }[status];
  return (
    <span className={styles.live} role="status">
      <span className={styles.dot} data-status={status} aria-hidden />
      {words}
    </span>
  );
}

function NavLink(props: { page: PageRoute; className?: string; size: number; onClick?: () => void }) {
  const [location] = useLocation();
  const Icon = props.page.icon;
  return (
    <Link
      href={props.page.path}
      className={props.className}
      onClick={props.onClick}
      aria-current={isAt(location, props.page.path) ? "page" : undefined}
    >
      <Icon size={props.size} strokeWidth={1.75} aria-hidden />
      {props.page.title}
    </Link>
  );
}

function Brand(props: { demo: boolean }) {
  return (
    <Link href="/" className={styles.brand}>
      <img src={icon} alt="" width={22} height={22} />
      freellm
      {props.demo && (
        <span className={styles.demo}>
          <Status tone="accent">demo</Status>
        </span>
      )}
    </Link>
  );
}

/** The frame of every page: navigation at the side, or at the bottom of a small screen, and the palette. */
export function Shell(props: { demo: boolean; signOut: () => void; children: ReactNode }) {
  const [location] = useLocation();
  const [searching, setSearching] = useState(false);
  const [more, setMore] = useState(false);
  const main = useRef<HTMLElement>(null);
  const before = useRef(location);

  useEffect(() => {
    // A new page begins at its top, for the eye and for a screen reader.
    if (before.current === location) return;
    before.current = location;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [location]);

  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <aside className={styles.side} aria-label="Navigation">
        <Brand demo={props.demo} />
        <button type="button" className={styles.search} onClick={() => setSearching(true)}>
          <IconSearch size={16} aria-hidden />
          Search
          <kbd>Ctrl K</kbd>
        </button>
        <nav className={styles.nav} aria-label="Pages">
          {PAGES.map((page) => (
            <NavLink key={page.path} page={page} className={styles.link} size={18} />
          ))}
        </nav>
        <div className={styles.foot}>
          <div className={styles.footRow}>
            <LiveDot />
            <Tooltip label="Sign out">
              <ActionIcon variant="subtle" color="gray" onClick={props.signOut} aria-label="Sign out">
                <IconLogout size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </div>
          <ThemeSwitch />
        </div>
      </aside>
      <section className={styles.top} aria-label="Top bar">
        <Brand demo={props.demo} />
        <LiveDot />
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          onClick={() => setSearching(true)}
          aria-label="Search"
        >
          <IconSearch size={18} aria-hidden />
        </ActionIcon>
      </section>
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        {props.children}
      </main>
      <nav className={styles.bottom} aria-label="Pages">
        {PAGES.filter((page) => page.first).map((page) => (
          <NavLink key={page.path} page={page} className={styles.tab} size={20} />
        ))}
        <button
          type="button"
          className={styles.tab}
          aria-haspopup="dialog"
          aria-current={PAGES.some((page) => !page.first && isAt(location, page.path)) ? "page" : undefined}
          onClick={() => setMore(true)}
        >
          <IconDots size={20} strokeWidth={1.75} aria-hidden />
          More
        </button>
      </nav>
      <Drawer opened={more} onClose={() => setMore(false)} title="More" position="bottom" size="auto">
        <nav className={styles.nav} aria-label="More pages">
          {PAGES.filter((page) => !page.first).map((page) => (
            <NavLink
              key={page.path}
              page={page}
              className={styles.link}
              size={18}
              onClick={() => setMore(false)}
            />
          ))}
          <button type="button" className={`${styles.link} ${styles.plain}`} onClick={props.signOut}>
            <IconLogout size={18} strokeWidth={1.75} aria-hidden />
            Sign out
          </button>
        </nav>
        <ThemeSwitch />
      </Drawer>
      <Palette opened={searching} setOpened={setSearching} signOut={props.signOut} />
    </div>
  );
}
