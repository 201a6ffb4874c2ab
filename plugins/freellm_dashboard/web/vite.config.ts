import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// Where `npm run dev` finds the server; `FREELLM_URL=http://127.0.0.1:4001 npm run dev`.
const server = process.env.FREELLM_URL ?? "http://127.0.0.1:3001";

/** Leaves out the colour and type scales of Mantine that nothing here uses: a fifth of every page's first styles. */
const unusedScales: Plugin = {
  name: "unused-scales",
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== "asset" || !file.fileName.endsWith(".css")) continue;
      file.source = String(file.source).replace(UNUSED, "");
    }
  },
};

const UNUSED =
  /--mantine-((color-(pink|grape|violet|blue|cyan|teal|lime|orange|green|yellow)|h\d|line-height|breakpoint)-[^:;}]*|primary-color-\d):[^;}]*;/g;

export default defineConfig({
  plugins: [react(), unusedScales],
  resolve: {
    alias: {
      "@": fileURLToPath(new URL("./src", import.meta.url)),
      "react-remove-scroll": fileURLToPath(new URL("./src/theme/no_scroll_lock.tsx", import.meta.url)),
    },
  },
  build: {
    // Another folder is named by the build hook of the Python package.
    outDir: process.env.FREELLM_ASSETS ?? "../src/freellm_dashboard/assets",
    emptyOutDir: true,
    target: "es2022",
    // No `data:` fonts, scripts or styles: everything is a file, as the content security policy wants it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // The server takes changes from its own pages only; while one develops, these are its own pages.
  server: { proxy: { "/api": { target: server, changeOrigin: true, headers: { origin: server } } } },
});
