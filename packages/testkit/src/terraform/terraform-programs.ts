import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { buildGoProgram } from "../go-program.ts";

export const providerVersion = "2.20.0";
export const provider = "provider-coder";

/** OpenTofu and the provider `coder/coder`, as their makers publish their sources. */
export interface TestTerraform {
  readonly program: string;
  /** The configuration of OpenTofu that finds the provider. */
  readonly configFile: string;
}

/** Builds the programs from the Go module proxy, once for each set of modules. */
export async function buildTerraform(): Promise<TestTerraform> {
  const tofu = await buildGoProgram({
    name: "tofu",
    module: moduleOf("tofu"),
    target: "github.com/opentofu/opentofu/cmd/tofu",
    isPure: true,
  });
  const built = await buildGoProgram({
    name: provider,
    module: moduleOf(provider),
    target: "github.com/coder/terraform-provider-coder/v2",
    isPure: true,
    complete: addMirror,
  });
  const configFile = join(built, "tofurc");
  const mirror = join(built, "mirror");
  await writeFile(
    configFile,
    `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
  );
  return { program: join(tofu, "tofu"), configFile };
}

function moduleOf(name: string): string {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url));
}

/** Puts the provider where OpenTofu looks for it in a mirror. */
async function addMirror(directory: string): Promise<void> {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const platform = `${process.platform}_${architecture}`;
  const source = `registry.opentofu.org/coder/coder/${providerVersion}/${platform}`;
  const folder = join(directory, "mirror", source);
  await mkdir(folder, { recursive: true });
  const up = source.split("/").map(() => "..");
  const program = join("..", ...up, provider);
  await symlink(program, join(folder, `terraform-provider-coder_v${providerVersion}`));
}
