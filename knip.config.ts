import type { KnipConfig } from "knip";

const config: KnipConfig = {
  workspaces: {
    ".": {
      entry: [
        // `browser-page.ts` bundles it.
        "interop/support/browser-client.ts",
        "tools/*.ts",
        "tools/**/*.test.ts",
        "bench/**/*.ts",
        "interop/**/*.test.ts",
        // The declarations of published packages have it.
        "tools/publish/schema-types.d.ts",
      ],
      project: ["*.ts", "{tools,bench,interop}/**/*.ts"],
      // The runtime itself; npm puts it first in the path of every script.
      ignoreDependencies: ["node"],
      // The command of packages/cli; Go builds the peers of some interop tests.
      ignoreBinaries: [
        "slipway",
        "mkfifo",
        "go",
        "Xvfb",
        "fusermount",
        "nginx",
        "rg",
        "gpg",
        "gpgconf",
        "qemu-aarch64-static",
        "debootstrap",
        "unshare",
      ],
    },
    // Each file is a subpath of the package; what no other file imports is unused all the same.
    "packages/{api,tailnet,wire}": {
      entry: ["src/**/*.test.ts", "tests/**/*.ts"],
      project: ["src/**/*.ts", "tests/**/*.ts"],
      includeEntryExports: true,
    },
    "packages/web": {
      // The configuration of its bundle names the second.
      entry: ["src/main.tsx", "src/api/no-schemas.ts", "src/**/*.test.ts", "tests/**/*.test.ts"],
      project: ["src/**/*.{ts,tsx}", "tests/**/*.ts"],
      // Style sheets import them.
      ignoreDependencies: ["tailwindcss", "@fontsource-variable/inter"],
    },
    "packages/*": {
      entry: [
        "src/{index,node,http,stream,terminal,agent,session,services,claims}.ts",
        "src/{testing,clouds,clusters,compliance,engines,crypto,links,random,relay,oauth,postgres,claim-histories,claim-faults}.ts",
        "src/{inside,workspace}.ts",
        "src/{main,start,workspace-main}.ts",
        "src/main/main.ts",
        "src/**/*.test.ts",
        "src/netlab.ts",
        "tests/**/*.ts",
      ],
      project: ["src/**/*.ts", "tests/**/*.ts"],
      // OpenSSH, whose client tests our server, and what makes the namespaces of the laboratory.
      ignoreBinaries: ["ssh-keygen", "ssh-agent", "ssh-add", "ip"],
    },
  },
  ignore: ["packages/*/src/**/gen/**"],
  // The native parts of node-pty and sodium-native, which are loaded by their names, and the program that
  // `tools/generate-schema.ts` runs.
  ignoreDependencies: ["kysely-codegen", "@lydell/node-pty", "sodium-native"],
  // The type of a parameter may be exported so that callers can name it.
  ignoreExportsUsedInFile: { interface: true, type: true },
};

export default config;
