import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [svelte({ configFile: false })],
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy lets nothing but files of its own in
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
});
