import { createTheme } from "@mantine/core";

// The library locks the page's scroll with a <style> element, which the content security policy refuses;
// page.css does it instead.
const overlay = {
  lockScroll: false,
  transitionProps: { duration: 120 },
  closeButtonProps: { "aria-label": "Close" },
};

/**
 * What Mantine's components are like here; their colours, sizes and spaces are in `mantine.css`.
 * By name, so that a page loads only the components that it uses.
 */
export const theme = createTheme({
  primaryColor: "indigo",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm", variant: "default" } },
    Drawer: { defaultProps: overlay },
    Loader: { defaultProps: { type: "dots" } },
    Menu: { defaultProps: { shadow: "md", transitionProps: { duration: 80 } } },
    Modal: { defaultProps: { ...overlay, radius: "md", size: "lg" } },
    Select: { defaultProps: { checkIconPosition: "right" } },
    Switch: { defaultProps: { withThumbIndicator: false } },
    Tooltip: { defaultProps: { openDelay: 350, transitionProps: { duration: 80 } } },
  },
});
