import type { OxlintConfig, OxlintOverride } from "oxlint";

import { layers } from "./layers.ts";
import type { PackageLayer } from "./layers.ts";
import {
  folderNames,
  importRules,
  outsideRules,
  roomNames,
  runsInBrowser,
} from "./tools/import-rules.ts";
import type { FileKind, ImportRule } from "./tools/import-rules.ts";

type Rules = NonNullable<OxlintConfig["rules"]>;

const testFiles = [
  "packages/*/src/**/*.test.ts",
  "packages/*/tests/**",
  "interop/**",
  "packages/testkit/**",
];
const programs = ["tools/**", "bench/**", "*.config.ts"];

/** Rules of the three categories that fight the style, each with its cost. */
const refused: Rules = {
  // The documentation of these packages writes `fc.assert` and `pg.Pool`.
  "import/no-named-as-default": "off",
  "import/no-named-as-default-member": "off",
  // A style sheet has no name to import.
  "import/no-unassigned-import": ["error", { allow: ["**/*.css"] }],
  // Streams, retries and protocols wait for one thing after the other on purpose.
  "no-await-in-loop": "off",
  // `handler => inner(handler)` inside a function is how a private part stays private.
  "unicorn/consistent-function-scoping": "off",
  // Both want `.then` chains to look like callbacks; `no-floating-promises` and `return-await` do the work.
  "promise/always-return": "off",
  "promise/no-callback-in-promise": "off",
  // TypeScript's `noImplicitReturns` says the same, without a second opinion on `return undefined`.
  "typescript/consistent-return": "off",
};

const named: Rules = {
  "import/no-cycle": ["error", { ignoreTypes: false }],
  "import/no-default-export": "error",
  "import/extensions": ["error", "ignorePackages", { ts: "always", tsx: "always" }],
  "oxc/no-barrel-file": ["error", { threshold: 0 }],

  "typescript/no-floating-promises": "error",
  "typescript/no-misused-promises": "error",
  "typescript/return-await": ["error", "in-try-catch"],
  // A signal's reason is thrown unchanged, and its type says nothing.
  "typescript/only-throw-error": ["error", { allowThrowingUnknown: true, allowThrowingAny: true }],

  "typescript/no-explicit-any": "error",
  "typescript/no-non-null-assertion": "error",
  "typescript/no-unsafe-type-assertion": "error",
  "typescript/switch-exhaustiveness-check": [
    "error",
    { considerDefaultExhaustiveForUnions: false, allowDefaultCaseForExhaustiveSwitch: true },
  ],
  "typescript/explicit-module-boundary-types": "error",
  "typescript/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
  "typescript/prefer-readonly": "error",
  "typescript/ban-ts-comment": "error",

  "no-console": "error",
  "node/no-process-env": "error",
  "unicorn/no-process-exit": "error",
  "unicorn/prefer-node-protocol": "error",
  "unicorn/filename-case": ["error", { case: "kebabCase" }],
  "unicorn/no-abusive-eslint-disable": "error",
};

const clocksAndTimers = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "queueMicrotask",
  "performance",
  "Date",
];
const randomness = ["crypto"];
const sockets = ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"];
const nodeOnly = ["Buffer", "process", "require", "__dirname", "__filename"];

/** Bytes in, values out: `wire` has no socket, clock, timer or randomness. */
const purity: Rules = {
  "no-restricted-globals": [
    "error",
    {
      globals: [...nodeOnly, ...clocksAndTimers, ...randomness, ...sockets, "console"],
      checkGlobalObject: true,
    },
  ],
  "no-restricted-properties": [
    "error",
    { object: "Date", property: "now", message: "take `now` as an argument" },
    { object: "performance", property: "now", message: "take `now` as an argument" },
    { object: "Math", property: "random", message: "take the randomness as an argument" },
    {
      object: "crypto",
      property: "getRandomValues",
      message: "take the randomness as an argument",
    },
    { object: "crypto", property: "randomUUID", message: "take the randomness as an argument" },
  ],
};

const inBrowser: Rules = {
  "no-restricted-globals": ["error", { globals: nodeOnly, checkGlobalObject: true }],
};

/** Rules for components: of React, and of what a keyboard and a screen reader need. */
const pageRules = [
  "react/rules-of-hooks",
  "react/exhaustive-deps",
  "react/jsx-key",
  "react/jsx-no-target-blank",
  "react/jsx-no-script-url",
  "react/jsx-no-useless-fragment",
  "react/no-array-index-key",
  "react/no-danger",
  "react/no-unknown-property",
  "react/void-dom-elements-no-children",
  "jsx-a11y/alt-text",
  "jsx-a11y/anchor-has-content",
  "jsx-a11y/anchor-is-valid",
  "jsx-a11y/aria-props",
  "jsx-a11y/aria-proptypes",
  "jsx-a11y/aria-role",
  "jsx-a11y/heading-has-content",
  "jsx-a11y/iframe-has-title",
  "jsx-a11y/label-has-associated-control",
  "jsx-a11y/no-aria-hidden-on-focusable",
  "jsx-a11y/no-autofocus",
  "jsx-a11y/no-distracting-elements",
  "jsx-a11y/no-redundant-roles",
  "jsx-a11y/role-has-required-aria-props",
  "jsx-a11y/role-supports-aria-props",
  "jsx-a11y/scope",
  "jsx-a11y/tabindex-no-positive",
] as const;

/** Restricts the imports in one package: `src` itself, then each folder and its rooms, then the tests of all. */
function direction(layer: PackageLayer): OxlintOverride[] {
  const folders = [undefined, ...folderNames(layer), ...roomNames(layer)];
  const exceptions = (layer.exceptions ?? []).map(({ folder }) => folder);
  const tests = {
    files: [`packages/${layer.name}/tests/**`],
    rules: restricted(layer, undefined, "test"),
  };
  return [
    ...folders.flatMap((folder) => folderDirection(layer, folder)),
    ...exceptions.flatMap((folder) => folderDirection(layer, folder)),
    // A command stands beside the folder of its parts.
    ...exceptions.map((folder) => ({
      files: [`packages/${layer.name}/src/${folder}.ts`],
      rules: restricted(layer, folder, "source"),
    })),
    tests,
  ];
}

function folderDirection(layer: PackageLayer, folder: string | undefined): OxlintOverride[] {
  const root = `packages/${layer.name}/src/${folder === undefined ? "" : `${folder}/`}**`;
  const rules = restricted(layer, folder, "source");
  if (runsInBrowser(layer, folder))
    Object.assign(rules, layer.name === "wire" ? purity : inBrowser);
  return [
    { files: [`${root}/*.ts`, `${root}/*.tsx`], rules },
    {
      files: [`${root}/*.test.ts`, `${root}/*.test.tsx`],
      rules: {
        ...restricted(layer, folder, "test"),
        "no-restricted-globals": "off",
        "no-restricted-properties": "off",
      },
    },
  ];
}

function restricted(layer: PackageLayer, folder: string | undefined, kind: FileKind): Rules {
  return restrictedImports(importRules(layer, folder, kind));
}

function restrictedImports(patterns: readonly ImportRule[]): Rules {
  const paths = [
    { name: "node:process", importNames: ["env"], message: "read the environment in config/" },
  ];
  return { "no-restricted-imports": ["error", { paths, patterns: [...patterns] }] };
}

const config: OxlintConfig = {
  options: { typeAware: true, reportUnusedDisableDirectives: "error" },
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "node", "promise"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  ignorePatterns: ["**/dist/**", "**/gen/**", "vectors/**"],
  rules: { ...named, ...refused },
  overrides: [
    ...layers.flatMap(direction),
    { files: ["{bench,interop,tools}/**"], rules: restrictedImports(outsideRules) },
    // A program or a test reads the environment it runs in.
    {
      files: [
        "packages/*/src/{config,platform/config}/**",
        "packages/cli/src/command/**",
        ...testFiles,
        ...programs,
      ],
      rules: { "node/no-process-env": "off" },
    },
    { files: ["packages/cli/src/terminal/**"], rules: { "no-console": "off" } },
    // An output lets only printable text of others through; nothing goes past it.
    {
      files: ["packages/cli/src/{config,command,resources,commands}/**"],
      rules: {
        "no-restricted-properties": [
          "error",
          ...["stdout", "stderr"].map((property) => ({
            object: "process",
            property,
            message: "write to the terminal that a command is lent",
          })),
        ],
      },
    },
    // It lends commands their terminal, and listens to the streams beneath it.
    {
      files: ["packages/cli/src/command/run-process.ts"],
      rules: { "no-restricted-properties": "off" },
    },
    // Kysely passes bound functions (`({ eb, ref }) => …`) whose types look like methods.
    {
      files: ["packages/server/src/{features,gateway,network,platform}/**/*.ts"],
      rules: { "typescript/unbound-method": "off" },
    },
    // Kysely infers the type of a row from the columns: written out, it would only say them twice.
    {
      files: ["packages/server/src/**/*queries.ts"],
      rules: { "typescript/explicit-module-boundary-types": "off" },
    },
    {
      files: ["packages/web/**/*.tsx"],
      plugins: [
        "eslint",
        "typescript",
        "unicorn",
        "oxc",
        "import",
        "node",
        "promise",
        "react",
        "jsx-a11y",
      ],
      rules: Object.fromEntries(pageRules.map((name) => [name, "error"])),
    },
    {
      files: ["*.config.ts", "packages/*/*.config.ts"],
      rules: { "import/no-default-export": "off" },
    },
    {
      files: ["**/*.test.ts", "**/*.test.tsx"],
      plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "node", "promise", "vitest"],
      rules: {
        "vitest/no-disabled-tests": "error",
        "vitest/no-focused-tests": "error",
        "vitest/no-conditional-expect": "error",
      },
    },
  ],
};

export default config;
