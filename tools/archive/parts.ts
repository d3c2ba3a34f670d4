import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * The architectures by the names of Debian, Go and the server's downloads, with the names of Node.js and the loader.
 */
export const architectures = {
  amd64: {
    node: "x64",
    loader: "ld-linux-x86-64.so.2",
    systemLoader: "/lib64/ld-linux-x86-64.so.2",
    nodeIntegrity:
      "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  arm64: {
    node: "arm64",
    loader: "ld-linux-aarch64.so.1",
    systemLoader: "/lib/ld-linux-aarch64.so.1",
    nodeIntegrity:
      "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
} as const;

export type Architecture = keyof typeof architectures;

/** The Node.js release whose packages have these integrities; the dev dependency `node` is the same. */
export const nodeVersion = "24.21.0";

/** The directory of the clone. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A package of the npm registry, pinned by content. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** The subresource integrity, as in `package-lock.json`. */
  readonly integrity: string;
}

export function nodePackage(architecture: Architecture): PinnedPackage {
  const { node, nodeIntegrity: integrity } = architectures[architecture];
  return { name: `node-linux-${node}`, version: nodeVersion, integrity };
}

/** Returns a package as pinned by the lock file. Throws if it is not in it. */
export async function lockedPackage(name: string): Promise<PinnedPackage> {
  const lock: unknown = JSON.parse(await readFile(`${root}package-lock.json`, "utf8"));
  const entry = property(property(lock, "packages"), `node_modules/${name}`);
  const [version, integrity] = [property(entry, "version"), property(entry, "integrity")];
  if (typeof version !== "string" || typeof integrity !== "string") {
    throw new Error(`package-lock.json does not pin ${name}`);
  }
  return { name, version, integrity };
}

/** Returns the version of this release. */
export async function releaseVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(`${root}package.json`, "utf8"));
  const version = property(manifest, "version");
  if (typeof version !== "string") throw new Error("package.json has no version");
  return version;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
