import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

import { SlowFirst } from "./tools/slow-first.ts";

const isCI = process.env["CI"] === "true";
// `npm run test:db` leaves `.reports/test-db.json`; a bare `vitest` leaves nothing.
const script = process.env["npm_lifecycle_event"];
const report = script?.startsWith("test")
  ? `.reports/${script.replaceAll(":", "-")}.json`
  : undefined;

// macOS lists processes by ps; a bare Linux may lack it, and works without.
const ps = spawnSync("ps", ["-p", "1"]).error === undefined;
if (!ps) process.stderr.write("the program ps is not there: its use is not tested\n");
// The clients of OpenSSH, which test our SSH server.
const ssh = spawnSync("ssh", ["-V"]).error === undefined;
if (!ssh) process.stderr.write("OpenSSH is not there: the agent's SSH server is not tested\n");
const git = spawnSync("git", ["--version"]).error === undefined;
if (!git) process.stderr.write("Git is not there: the installation of dotfiles is not tested\n");
if (spawnSync("rg", ["--version"]).error !== undefined) {
  process.stderr.write("ripgrep is not there: the search with it is not tested\n");
}
const absentPrograms = [
  ...(git ? [] : ["packages/cli/src/dotfiles-command.test.ts"]),
  ...(ps ? [] : ["packages/drivers/src/process/ps-program.test.ts"]),
  ...(ssh
    ? []
    : [
        "packages/agent/src/ssh/{compliance,forwarding/forwarding,host-key,ssh-service}.test.ts",
        "packages/agent/src/{session/served-sessions,ssh/sftp/serve-sftp}.test.ts",
        "tools/agent-services.test.ts",
      ]),
];

// Tests that need something kept or built elsewhere are left out, and listed.
const shared =
  process.env["SLIPWAY_SHARED"] ?? fileURLToPath(new URL("../shared", import.meta.url));
const recordings = existsSync(`${shared}/recordings/routes.jsonl`);
const absentRecordings = recordings
  ? []
  : [
      "packages/wire/src/recordings.test.ts",
      "packages/relay/src/recordings.test.ts",
      "packages/tailnet/src/relay/recordings.test.ts",
      "packages/server/tests/recorded-*.test.ts",
    ];
if (!recordings) {
  process.stderr.write(
    `the recordings are not in ${shared} (SLIPWAY_SHARED): their replay is not tested\n`,
  );
}

/** Tests against peers, by the variable that names those. */
const peerTests = {
  SLIPWAY_STOCK_AGENT: [
    "interop/stock-{agent,claims,machines,relay}.test.ts",
    "a stock agent on our server",
  ],
  SLIPWAY_STOCK_COMMAND: ["interop/stock-{command,open}.test.ts", "a stock command on our server"],
  SLIPWAY_STOCK_SCALETEST: [
    "interop/stock-scaletest.test.ts",
    "a stock load generator on our server",
  ],
  SLIPWAY_STOCK_SERVER: ["interop/stock-server.test.ts", "our agent on a stock server"],
  SLIPWAY_STOCK_OWNER: [
    "interop/stock-{import,templates}.test.ts",
    "an import from a stock server, and templates beside it",
  ],
  SLIPWAY_STOCK_DATABASE: [
    "interop/stock-server-claim.test.ts",
    "our agent at a claim of a stock server",
  ],
} as const;
const absentPeers = Object.entries(peerTests).flatMap(([variable, [file, what]]) => {
  if (process.env[variable] !== undefined) return [];
  if (script === "test:interop") {
    process.stderr.write(`${variable} is not set: ${what} is not tested\n`);
  }
  return [file];
});

/** Returns whether a program ends well within two minutes; only the suites with other programs need to know. */
function canRun(program: string, args: readonly string[], cwd = "."): boolean {
  if (!["test:interop", "test:web", "test:terraform"].includes(script ?? "")) return true;
  return spawnSync(program, args, { cwd, timeout: 120_000 }).status === 0;
}

// Debian 12 has an older Go than the modules of these peers take.
const goPeers = canRun("go", ["build", "-o", "/dev/null", "."], "interop/tcp-go");
if (!goPeers) {
  process.stderr.write(
    "the Go program in interop/tcp-go cannot be built: our TCP and tunnel are not tested against others\n",
  );
}
const goSsh = ssh && canRun("go", ["build", "-o", "/dev/null", "."], "interop/ssh-go");
if (!goSsh) {
  process.stderr.write(
    "the Go program in interop/ssh-go cannot be built: the agent's SSH server is not tested against Go's client\n",
  );
}
// A container may lack the device, or the right to make a network of its own.
const tun = canRun("unshare", ["--map-root-user", "--net", "sh", "-c", ": <>/dev/net/tun"]);
if (!tun) {
  process.stderr.write(
    "/dev/net/tun cannot be opened in a network namespace: our TCP and tunnel are not tested against the kernel's TCP\n",
  );
}
// Namespaces with names take the rights of root, nftables for their NATs, and Perl to open the device.
const laboratoryNeeds = `n=slipway-lab-$$-probe; ip netns add $n || exit 1
  echo 'table ip t { chain c { type nat hook postrouting priority 100; masquerade; }; }' | ip netns exec $n nft -f - &&
    perl -e 'open my $device, "+<", "/dev/net/tun" or die'
  status=$?; ip netns delete $n; exit $status`;
const namespaces = canRun("sh", ["-c", laboratoryNeeds]);
if (!namespaces) {
  process.stderr.write(
    "network namespaces cannot be made and filtered: peers are not tested behind NATs and bad links\n",
  );
}
const browser = canRun(process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium", ["--version"]);
if (!browser) {
  process.stderr.write(
    "chromium does not run (SLIPWAY_CHROMIUM): the network is not tested in a browser\n",
  );
}
/** Programs that some interop tests take, each with arguments with which it succeeds. */
const toolTests = {
  // Bare systems without Node.js, and an emulated processor.
  "interop/agents-anywhere.test.ts": [
    ["debootstrap", "--version"],
    ["qemu-aarch64-static", "--version"],
    ["sh", "-c", "[ -x /bin/busybox ] && [ -e /lib/x86_64-linux-musl/libc.so ]"],
    ["unshare", "--mount", "true"],
  ],
  "interop/release.test.ts": [
    ["apt-get", "--version"],
    ["setpriv", "--version"],
    ["unshare", "--mount", "true"],
    ["sh", "-c", "command -v curl || command -v wget"],
  ],
  "interop/nginx.test.ts": [["nginx", "-v"]],
  "interop/ssh-tools.test.ts": [
    ["ssh", "-V"],
    ["rsync", "--version"],
    ["git", "--version"],
  ],
  "interop/ssh-displays.test.ts": [
    ["ssh", "-V"],
    ["Xvfb", "-help"],
    ["xdpyinfo", "-version"],
    ["xauth", "-V"],
  ],
  "interop/ssh-gpg.test.ts": [
    ["gpg", "--version"],
    ["gpgconf", "--version"],
  ],
  "interop/ssh-mounts.test.ts": [
    ["sshfs", "--version"],
    ["sh", "-c", ": <>/dev/fuse"],
  ],
} as const;
const absentTools = Object.entries(toolTests).flatMap(([file, tools]) => {
  const missing = tools.find(([program, ...args]) => !canRun(program, args));
  if (missing === undefined) return [];
  process.stderr.write(`${missing.join(" ")} fails: ${file} is not run\n`);
  return [file];
});
const absentNetworks = [
  ...absentTools,
  ...(browser ? [] : ["interop/browser-*.test.ts"]),
  ...(namespaces ? [] : ["interop/network-{laboratory,paths,resume}.test.ts"]),
  ...(goPeers ? [] : ["interop/{tcp,wireguard}-*.test.ts"]),
  ...(goSsh ? [] : ["interop/ssh-go.test.ts"]),
  ...(tun ? [] : ["interop/{tcp,wireguard}-kernel.test.ts"]),
];

/** Tests of the dashboard in a browser. */
const webTests = "packages/web/tests/**/*.test.ts";

/** Tests that take tens of seconds, such as runs under faults. */
const longTests = "packages/*/tests/long/**/*.test.ts";

/** Tests with a Kubernetes cluster, whose programs Go builds in minutes; a machine that cannot run one fails them. */
const kubernetesTests = "packages/*/tests/kubernetes/**/*.test.ts";

/** Tests with Docker and podman, whose daemons need root. */
const dockerTests = "packages/*/tests/docker/**/*.test.ts";
const engineNeeds: readonly (readonly [string, ...string[]])[] = [
  ["dockerd", "--version"],
  ["docker", "--version"],
  ["podman", "--version"],
  ["runc", "--version"],
  ["sh", "-c", "[ -x /bin/busybox ] && [ $(id -u) = 0 ]"],
];
const absentEngine =
  script === "test:docker"
    ? engineNeeds.find(([program, ...args]) => spawnSync(program, args).status !== 0)
    : undefined;
if (absentEngine !== undefined) {
  process.stderr.write(`${absentEngine.join(" ")} fails: the driver docker is not tested\n`);
}

/** Tests with Compose, as Docker's plug-in or alone. */
const deployedTest = "packages/server/tests/docker/deployed-compose.test.ts";
const composeTests = ["packages/server/tests/docker/compose.test.ts", deployedTest];
const composeCommands: readonly (readonly [string, ...string[]])[] = [
  ["docker", "compose", "version"],
  ["docker-compose", "version"],
];
const isComposeAbsent =
  script === "test:docker" &&
  composeCommands.every(([program, ...args]) => spawnSync(program, args).status !== 0);
if (isComposeAbsent) {
  process.stderr.write("docker compose version fails: Compose projects are not tested\n");
}
const isProxyAbsent = script === "test:docker" && spawnSync("nginx", ["-v"]).status !== 0;
if (isProxyAbsent) process.stderr.write("nginx -v fails: deploy/compose is not tested\n");

/** Tests with OpenTofu, which is built from the Go module proxy. */
const terraformTests = "packages/*/tests/terraform/**/*.test.ts";
const go = script !== "test:terraform" || spawnSync("go", ["version"]).status === 0;
if (!go) process.stderr.write("go version fails: the driver terraform is not tested\n");

const rootless =
  script !== "test:docker" ||
  spawnSync("sh", ["-c", "command -v newuidmap && command -v slirp4netns"]).status === 0;
if (!rootless) {
  process.stderr.write(
    "newuidmap or slirp4netns is not there: the driver docker is not tested on rootless podman\n",
  );
}

const withDatabases = {
  globalSetup: ["packages/testkit/src/database/postgres-setup.ts"],
  testTimeout: 60_000,
};

export default defineConfig({
  test: {
    // Many tests wait for periods and other processes: with four workers two cores idle for a seventh of the time.
    maxWorkers: Math.max(5, availableParallelism() - 1),
    sequence: { sequencer: SlowFirst },
    // Node.js runs the sources as it does elsewhere: nothing is transformed, and no call to another module takes a detour.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    execArgv: ["--conditions=@slipway/source"],
    // Without engines their suite has no tests; the message above says so.
    passWithNoTests: absentEngine !== undefined || !go,
    // Each file cleans up after itself, so a worker runs many.
    isolate: false,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    // A failed property prints its seed; in CI every run takes the same one.
    setupFiles: isCI ? ["tools/fixed-seed.ts"] : [],
    // Processes, servers and databases of several tests share the machine: what one waits for may take seconds.
    hookTimeout: 60_000,
    // CI tries once more, and says so: a report of "retry x1" is a fault of the test or of what it tests.
    retry: isCI ? 1 : 0,
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Properties compute for seconds on a busy machine.
          testTimeout: 30_000,
          include: ["packages/*/src/**/*.test.ts", "{tools,bench}/**/*.test.ts"],
          exclude: [...absentPrograms, ...absentRecordings],
        },
      },
      {
        extends: true,
        test: {
          ...withDatabases,
          name: "db",
          include: ["packages/*/tests/**/*.test.ts"],
          exclude: [
            ...absentRecordings,
            longTests,
            dockerTests,
            kubernetesTests,
            terraformTests,
            webTests,
          ],
        },
      },
      {
        extends: true,
        test: { ...withDatabases, name: "long", include: [longTests] },
      },
      {
        extends: true,
        test: {
          ...withDatabases,
          name: "docker",
          include: absentEngine === undefined ? [dockerTests] : [],
          exclude: [
            ...(rootless ? [] : ["packages/drivers/tests/docker/rootless-podman.test.ts"]),
            ...(isComposeAbsent ? composeTests : []),
            ...(isProxyAbsent ? [deployedTest] : []),
          ],
          // A daemon starts in seconds, and an archive of the agent is made in a minute.
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          ...withDatabases,
          name: "kubernetes",
          include: [kubernetesTests],
          // Pods start in seconds on a quiet machine; the hook may build the cluster's programs.
          testTimeout: 240_000,
          hookTimeout: 1_800_000,
          // A cluster takes both processors of a small machine.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          ...withDatabases,
          name: "terraform",
          include: go ? [terraformTests] : [],
          exclude: browser ? [] : [webTests],
          testTimeout: 180_000,
          // The first run builds OpenTofu.
          hookTimeout: 1_200_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          ...withDatabases,
          name: "web",
          include: browser ? [webTests] : [],
          exclude: [terraformTests],
          // A browser and a server take both processors of a small machine.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "interop",
          include: ["interop/**/*.test.ts"],
          exclude: [...absentPeers, ...absentNetworks],
          // The first run of a hook may compile a peer.
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          // Concurrent tests wait most of the time.
          maxConcurrency: 32,
        },
      },
    ],
  },
});
