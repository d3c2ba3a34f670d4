import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { buildGoProgram } from "../go-program.ts";

const module = fileURLToPath(new URL("../../helm-go", import.meta.url));

/** Returns the path of Helm, which is built once for each set of modules. */
export async function buildHelm(): Promise<string> {
  const target = "helm.sh/helm/v3/cmd/helm";
  return join(await buildGoProgram({ name: "helm", module, target }), "helm");
}
