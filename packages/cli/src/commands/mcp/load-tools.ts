import { createRequire } from "node:module";

import type { serveStdioTools } from "@slipway/mcp/stdio";
import { systemErrorCode } from "@slipway/runtime";

/** The tools as one file beside the command's bundle, which the other commands do not load. */
const fileBeside = "./mcp.cjs";

interface Tools {
  readonly serveStdioTools: typeof serveStdioTools;
}

/** Loads the tools and the library of the protocol, which is large. */
export async function loadTools(): Promise<Tools> {
  try {
    const loaded: unknown = createRequire(import.meta.url)(fileBeside);
    if (hasTools(loaded)) return loaded;
  } catch (error) {
    // The source tree has no such file.
    if (systemErrorCode(error) !== "MODULE_NOT_FOUND") throw error;
  }
  return import("@slipway/mcp/stdio");
}

function hasTools(value: unknown): value is Tools {
  return typeof value === "object" && value !== null && "serveStdioTools" in value;
}
