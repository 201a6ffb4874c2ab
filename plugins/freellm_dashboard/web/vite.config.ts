import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where `npm run dev` finds the server; `FREELLM_URL=http://127.0.0.1:4001 npm run dev`.
const server = process.env.FREELLM_URL ?? "http://127.0.0.1:3001";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // Another folder is named by the build hook of the Python package.
    outDir: process.env.FREELLM_ASSETS ?? "../src/freellm_dashboard/assets",
    emptyOutDir: true,
    target: "es2022",
    // No `data:` fonts, scripts or styles: everything is a file, as the content security policy wants it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": server, "/login": server, "/v1": server } },
});
