import { layers } from "../layers.ts";
import type { FolderGroup, PackageLayer } from "../layers.ts";

/** A kind of refused import, in the form that `no-restricted-imports` takes. */
export interface ImportRule {
  readonly regex: string;
  readonly message: string;
}

export type FileKind = "source" | "test";

/**
 * The rule to import packages by name. `../src/` without a preceding folder is allowed, because it leads from a
 * package's tests to its own sources.
 */
const byName: ImportRule = {
  regex: "^(@slipway/[^/]+|(\\.\\./)+([^./][^/]*/)*[^./][^/]*)/(src|dist)/",
  message: "import a package by its name, never by path",
};

/** The refused imports outside the packages, in tools and benchmarks, where any package may be imported. */
export const outsideRules: readonly ImportRule[] = [
  byName,
  { regex: "^(\\.\\.?/)+packages/", message: byName.message },
];

/** The folders next to `packages`, which no package imports. */
const outside = ["tools", "bench", "interop"];

/** Returns the refused imports of a package's folder, a path below `src`; undefined stands for `src` itself. */
export function importRules(
  layer: PackageLayer,
  folder: string | undefined,
  kind: FileKind,
): ImportRule[] {
  const rules = [
    ...packageRules(layer, folder, kind),
    ...folderRules(layer, folder),
    ...roomRules(layer, folder),
    ...internalRules(layer, folder),
  ];
  if (kind === "source") {
    rules.push(
      { regex: "(^|/)index\\.ts$", message: "only other packages import a package's entry" },
      { regex: "^@slipway/[^/]+/testing$", message: "that entry is for tools and tests only" },
    );
    if (runsInBrowser(layer, folder)) {
      rules.push({
        regex: "^(node:|@slipway/[^/]+/node(/|$))",
        message: "this part runs in a browser too",
      });
    }
  }
  return rules;
}

/** Lists the folder names of a package with groups expanded, lowest first. */
export function folderNames(layer: PackageLayer): string[] {
  return layer.folders.flatMap((level) => (typeof level === "string" ? [level] : level.group));
}

/** Lists the rooms of a package's folders, as paths below `src`. */
export function roomNames(layer: PackageLayer): string[] {
  return Object.entries(layer.rooms ?? {}).flatMap(([folder, rooms]) =>
    rooms.map((room) => `${folder}/${room}`),
  );
}

export function runsInBrowser(layer: PackageLayer, folder: string | undefined): boolean {
  if (layer.browser === undefined || layer.browser === "all") return layer.browser === "all";
  return folder !== undefined && layer.browser.includes(topFolder(folder));
}

function packageRules(
  layer: PackageLayer,
  folder: string | undefined,
  kind: FileKind,
): ImportRule[] {
  const allowed = new Set(layer.mayImport);
  for (const exception of layer.exceptions ?? []) {
    if (exception.folder === folder) exception.mayImport.forEach((name) => allowed.add(name));
  }
  if (kind === "test") allowed.add("testkit").add(layer.name);

  const banned = layers.flatMap((other) => bannedSpecifiers(other, allowed));
  const packages = layers.map(({ name }) => name).join("|");
  return [
    {
      regex: `^@slipway/(${banned.join("|")})$`,
      message: `layers.ts lets ${layer.name} import ${[...allowed].join(", ") || "none of ours"}`,
    },
    byName,
    // A folder may share its name with a package: the rest of the path distinguishes them.
    {
      regex: `^(\\.\\./)+(packages/|(${packages})/((src|dist|tests)/|package\\.json$))`,
      message: byName.message,
    },
    {
      regex: `^(\\.\\./)+(${outside.join("|")})/`,
      message: "a package imports nothing from beside the packages",
    },
  ];
}

/** Returns the parts of a package that stay forbidden, as regular expressions for the text after `@slipway/`. */
function bannedSpecifiers(other: PackageLayer, allowed: ReadonlySet<string>): string[] {
  if (allowed.has(other.name)) return [];
  const open = folderNames(other).filter((folder) => allowed.has(`${other.name}/${folder}`));
  if (open.length === 0) return [`${other.name}(/.*)?`];
  const closed = folderNames(other).filter((folder) => !open.includes(folder));
  return [other.name, `${other.name}/(${closed.join("|")})(/.*)?`];
}

function folderRules(layer: PackageLayer, folder: string | undefined): ImportRule[] {
  if (folder === undefined) return [];
  const listed = folderNames(layer).find(
    (name) => folder === name || folder.startsWith(`${name}/`),
  );
  const at = layer.folders.findIndex((level) => namesOf(level).some((name) => name === listed));
  const level = layer.folders[at];
  if (level === undefined || listed === undefined) return [];

  const rules: ImportRule[] = [];
  const higher = layer.folders.slice(at + 1).flatMap(namesOf);
  if (higher.length > 0) {
    rules.push({
      regex: pathsTo(higher, listed),
      message: `${listed} stands below that folder in layers.ts`,
    });
  }
  if (typeof level !== "string") rules.push(...siblingRules(level, listed));
  return rules;
}

/** Returns the rules against the rooms above; for the files of a folder with rooms, against all of them. */
function roomRules(layer: PackageLayer, from: string | undefined): ImportRule[] {
  return Object.entries(layer.rooms ?? {}).flatMap(([folder, rooms]) => {
    const room = rooms.find((name) => from === `${folder}/${name}`);
    if (room === undefined && from !== folder) return [];
    const higher = room === undefined ? rooms : rooms.slice(rooms.indexOf(room) + 1);
    if (higher.length === 0) return [];
    const start = room === undefined ? "\\./" : "\\.\\./";
    const message = `${from} stands below that room in layers.ts`;
    return [{ regex: `^${start}(${higher.join("|")})/`, message }];
  });
}

function internalRules(layer: PackageLayer, from: string | undefined): ImportRule[] {
  return (layer.internal ?? [])
    .filter(({ folder }) => folder !== from)
    .map(({ folder, file, reason }) => {
      const path = `${folder.split("/").at(-1)}/${file}`;
      return { regex: `(^|/)${path.replaceAll(".", "\\.")}$`, message: reason };
    });
}

/** Returns a pattern of relative paths from a folder to others; paths within a storey leave out the storey's name. */
function pathsTo(folders: readonly string[], from: string): string {
  const storey = from.includes("/") ? `${topFolder(from)}/` : undefined;
  const paths = folders.map((folder) =>
    storey !== undefined && folder.startsWith(storey)
      ? `(${storey})?${folder.slice(storey.length)}`
      : folder,
  );
  return `^(\\.\\./)+(${paths.join("|")})/`;
}

function siblingRules({ group, eachOther }: FolderGroup, folder: string): ImportRule[] {
  const siblings = group.filter((name) => name !== folder);
  if (siblings.length === 0 || eachOther === "anything") return [];
  const start = pathsTo(siblings, folder);
  if (eachOther === "nothing") {
    return [{ regex: start, message: `${folder} and that folder never import each other` }];
  }
  return [
    {
      regex: `${start}(.*/)?(${notEndingIn("service.ts")}|[^/]*[^/-]service\\.ts)$`,
      message: "a service may call another feature's service, nothing else of it",
    },
  ];
}

/** Returns a pattern for texts that do not end in `suffix`; the linter's regular expressions have no lookahead. */
function notEndingIn(suffix: string): string {
  const alternatives = Array.from(suffix, (char, index) => {
    const rest = suffix.slice(index + 1).replaceAll(".", "\\.");
    return `[^${char}/]${rest}`;
  });
  return `[^/]*(${alternatives.join("|")})`;
}

function namesOf(level: string | FolderGroup): readonly string[] {
  return typeof level === "string" ? [level] : level.group;
}

function topFolder(folder: string): string {
  return folder.split("/", 1)[0] ?? folder;
}
