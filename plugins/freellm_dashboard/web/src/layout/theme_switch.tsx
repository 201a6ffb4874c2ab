import { SegmentedControl, useMantineColorScheme, VisuallyHidden } from "@mantine/core";
import { IconDeviceDesktop, IconMoon, IconSun } from "@/components/icons";

const CHOICES = [
  { value: "light", name: "Light", icon: IconSun },
  { value: "dark", name: "Dark", icon: IconMoon },
  { value: "auto", name: "System", icon: IconDeviceDesktop },
] as const;

/** Light, dark, or as the system is; remembered by the browser. */
export function ThemeSwitch(props: { words?: boolean }) {
  // Without `keepTransitions` the library writes a <style> element, which the content security policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <SegmentedControl
      aria-label="Theme"
      fullWidth
      size="xs"
      transitionDuration={0}
      value={colorScheme}
      onChange={(value) => setColorScheme(value as (typeof CHOICES)[number]["value"])}
      data={CHOICES.map(({ value, name, icon: Icon }) => ({
        value,
        label: (
          <span title={name} style={{ display: "inline-flex", gap: 6, alignItems: "center", minHeight: 20 }}>
            <Icon size={15} strokeWidth={1.75} aria-hidden />
            {props.words ? name : <VisuallyHidden>{name}</VisuallyHidden>}
          </span>
        ),
      }))}
    />
  );
}
