import { join } from "node:path";

import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

import { plainRoutes } from "./plain-routes.ts";

const sharedModules = /packages\/(?:web|api|sdk|runtime)\/src|lucide|tanstack/;
/** Modules that several pages share, but not the first: fields of parameters, Markdown, tables, and dialogs that open at a press. */
const laterModules =
  /web\/src\/(?:components\/(?:parameters|missing|workspaces\/(?:action-dialog|missing|run-action))|ui\/(?:choices|revealable|markdown|table|pager|copy|tabs))/;

/** The dashboard's files have no inline script, because its Content-Security-Policy allows none. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [tailwindcss(), plainRoutes()],
  resolve: {
    conditions: ["@slipway/source", "browser", "module", "import"],
    alias: [{ find: /^typebox$/, replacement: join(import.meta.dirname, "src/api/no-schemas.ts") }],
  },
  build: {
    outDir: "dist/site",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    // A font or picture in a style sheet would need `data:` in the policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: {
        codeSplitting: {
          // Dozens of small chunks compress worse than one.
          groups: [
            {
              name: "shared",
              minShareCount: 3,
              test: (id) => sharedModules.test(id) && !laterModules.test(id),
            },
          ],
        },
      },
      onwarn: (warning, warn) => {
        // React's libraries mark the parts that run in a browser; here all do.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
});
