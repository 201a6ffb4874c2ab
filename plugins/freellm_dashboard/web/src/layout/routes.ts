import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import {
  IconChartBar,
  IconHome,
  IconKey,
  IconLayoutDashboard,
  IconMessageCircle,
  IconPlug,
  type IconProps,
  IconSettings,
  IconStack2,
} from "@/components/icons";

/** One page: where it is, what it is called, and in the bottom bar of a phone or behind its "More". */
export interface PageRoute {
  path: string;
  title: string;
  icon: ComponentType<IconProps>;
  component: LazyExoticComponent<ComponentType>;
  /** More words to find it by in the palette. */
  words: string;
  /** Whether it is in the bottom bar of a phone. */
  first: boolean;
}

/** Every page; the order is that of the navigation. */
export const PAGES: readonly PageRoute[] = [
  {
    path: "/",
    title: "Overview",
    icon: IconHome,
    component: lazy(() => import("@/pages/overview")),
    words: "home status health getting started",
    first: true,
  },
  {
    path: "/keys",
    title: "Keys",
    icon: IconKey,
    component: lazy(() => import("@/pages/keys")),
    words: "providers add sign up import env cooldown",
    first: true,
  },
  {
    path: "/models",
    title: "Models",
    icon: IconStack2,
    component: lazy(() => import("@/pages/models")),
    words: "fallback order profiles limits enable",
    first: true,
  },
  {
    path: "/playground",
    title: "Playground",
    icon: IconMessageCircle,
    component: lazy(() => import("@/pages/playground")),
    words: "chat try compare prompt",
    first: true,
  },
  {
    path: "/analytics",
    title: "Analytics",
    icon: IconChartBar,
    component: lazy(() => import("@/pages/analytics")),
    words: "requests tokens latency quotas charts log",
    first: false,
  },
  {
    path: "/panels",
    title: "Panels",
    icon: IconLayoutDashboard,
    component: lazy(() => import("@/pages/panels")),
    words: "plugins figures",
    first: false,
  },
  {
    path: "/plugins",
    title: "Plugins",
    icon: IconPlug,
    component: lazy(() => import("@/pages/plugins")),
    words: "installed hooks versions errors",
    first: false,
  },
  {
    path: "/settings",
    title: "Settings",
    icon: IconSettings,
    component: lazy(() => import("@/pages/settings")),
    words: "api key snippets theme password sessions backup",
    first: false,
  },
];

/** Whether a location is on a page or below it. */
export function isAt(location: string, path: string): boolean {
  return path === "/" ? location === "/" : location === path || location.startsWith(`${path}/`);
}
