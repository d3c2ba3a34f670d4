import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import type { PartialMessage, Plugin, PluginBuild } from "esbuild";

/** The file that exports a name, and its name there. */
interface Origin {
  readonly path: string;
  readonly name: string;
}

/** The names that the entry of a package re-exports from its files. */
type Entry = ReadonlyMap<string, Origin>;

/** The two statements, in the form that the formatter produces. */
const importStatement = /^import \{([^}]*)\} from "(@slipway\/[^"]+)";$/gm;
const reexportStatement = /^export \{([^}]*)\} from "(\.[^"]+)";$/gm;

/**
 * Imports names of our packages' entries directly from the files behind them. Otherwise a chunk of a split bundle
 * contains, and runs at its start, every file that the entry names.
 */
export const importDirectly: Plugin = {
  name: "import directly",
  setup(build) {
    const entries = new Map<string, Promise<Entry>>();
    build.onLoad({ filter: /\/packages\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const packages = new Set([...text.matchAll(importStatement)].map(([, , name = ""]) => name));
      if (packages.size === 0) return undefined;
      const found = new Map<string, Entry>();
      for (const name of packages) {
        const entry = entries.get(name) ?? readEntry(build, name, dirname(path));
        entries.set(name, entry);
        found.set(name, await entry);
      }
      return { contents: withDirectImports(text, found), loader: "ts" };
    });
  },
};

async function readEntry(build: PluginBuild, name: string, resolveDir: string): Promise<Entry> {
  const { path, errors } = await build.resolve(name, { kind: "import-statement", resolveDir });
  if (errors.length > 0) throw new Error(errors.map(({ text }: PartialMessage) => text).join("\n"));
  const origins = new Map<string, Origin>();
  for (const [, names = "", file = ""] of (await readFile(path, "utf8")).matchAll(
    reexportStatement,
  )) {
    for (const { imported, local } of readNames(names)) {
      origins.set(local, { path: resolve(dirname(path), file), name: imported });
    }
  }
  return origins;
}

/** Replaces the imports of names that an entry re-exports; type names are left out. */
function withDirectImports(text: string, entries: ReadonlyMap<string, Entry>): string {
  return text.replaceAll(importStatement, (_, names: string, packageName: string) =>
    readNames(names)
      .map(({ imported, local }) => {
        const origin = entries.get(packageName)?.get(imported);
        const { path, name } = origin ?? { path: packageName, name: imported };
        return `import { ${name} as ${local} } from ${JSON.stringify(path)};`;
      })
      .join(" "),
  );
}

/** Reads a list such as `one, type Two, three as four`, without its types. */
function readNames(list: string): readonly { readonly imported: string; readonly local: string }[] {
  return list
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("type "))
    .map((part) => {
      const [imported = "", local = imported] = part.split(" as ");
      return { imported, local };
    });
}
