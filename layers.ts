/**
 * The packages, their folders and the imports they may make. Packages and folders are listed from the lowest to the
 * highest; a folder imports only from those before it. `oxlint.config.ts` turns this into import rules,
 * `tools/layers.test.ts` compares it with the tree. A new folder gets its line here first.
 */
export interface PackageLayer {
  /** The folder under `packages/` and the part of the name after `@slipway/`. */
  readonly name: string;
  /** Packages of ours that the sources may import; `sdk/http` is one subpath of a package. Tests may add `testkit`. */
  readonly mayImport: readonly string[];
  /**
   * The folders of `src/`, lowest first. A group stands where its members stand; `platform/db` is a folder of the storey
   * `platform`.
   */
  readonly folders: readonly (string | FolderGroup)[];
  /**
   * The rooms of large folders: all subfolders, lowest first. A room imports only from those before it; the files of the
   * folder itself stand below its rooms.
   */
  readonly rooms?: Readonly<Record<string, readonly string[]>>;
  /** The parts that must also run in a browser, so that `node:` is refused: all of the package, or these folders. */
  readonly browser?: "all" | readonly string[];
  /** Files of a folder that no other folder imports. */
  readonly internal?: readonly InternalFile[];
  /**
   * Folders that may import more than their package, and the files of the same name beside them: `commands/server` is
   * also `commands/server.ts`.
   */
  readonly exceptions?: readonly FolderException[];
}

/** Folders of one height, and the imports they may make of each other. */
export interface FolderGroup {
  readonly group: readonly string[];
  /** `services`: another one's `service.ts` or `…-service.ts`, never its queries or routes. */
  readonly eachOther: "nothing" | "services" | "anything";
}

export interface InternalFile {
  readonly folder: string;
  readonly file: string;
  readonly reason: string;
}

export interface FolderException {
  readonly folder: string;
  readonly mayImport: readonly string[];
}

/** Routes, service and queries of one resource; one feature each in `server`, and mostly a folder in `api` too. */
const resources = [
  "deployment",
  "users",
  "organizations",
  "files",
  "templates",
  "workspaces",
  "builds",
  "agents",
  "audit",
  "notifications",
  "external-auth",
] as const;

export const layers: readonly PackageLayer[] = [
  { name: "runtime", mayImport: [], folders: [] },
  {
    name: "wire",
    mayImport: [],
    browser: "all",
    folders: [
      "bytes",
      {
        group: [
          "protobuf",
          "yamux",
          "drpc",
          "derp",
          "disco",
          "stun",
          "wireguard",
          "ip",
          "tcp",
          // What programs at both ends of the network say to each other.
          "services",
        ],
        eachOther: "nothing",
      },
    ],
  },
  { name: "rpc", mayImport: ["runtime", "wire"], folders: [] },
  {
    name: "tailnet",
    mayImport: ["runtime", "wire"],
    // All but `node`, the sockets and the native cryptography, runs in a browser too.
    browser: [
      "timing",
      "identity",
      "crypto",
      "coordination",
      "relay",
      "path",
      "tunnel",
      "stack",
      "net",
    ],
    folders: [
      "timing",
      "identity",
      "crypto",
      "coordination",
      "relay",
      "path",
      "tunnel",
      "stack",
      "net",
      "node",
    ],
  },
  { name: "relay", mayImport: ["runtime", "wire"], folders: [] },
  {
    name: "api",
    mayImport: [],
    browser: "all",
    folders: [
      "contract",
      // The contract as an OpenAPI document.
      "openapi",
      {
        group: [...resources, "prebuilds", "jobs", "logins"],
        eachOther: "anything",
      },
    ],
  },
  {
    name: "sdk",
    mayImport: ["runtime", "wire", "rpc", "api", "tailnet"],
    browser: ["http", "stream", "runs", "terminal", "files", "browser"],
    folders: [
      "http",
      "stream",
      // Commands in workspaces that outlive their callers.
      "runs",
      // The files of a workspace.
      "files",
      // The session of programs on this machine.
      "config",
      "node",
      "agent",
      "workspace",
      "terminal",
      "browser",
      // Workspaces as programs use them.
      "client",
    ],
  },
  // Workspaces as sandboxes of ComputeSDK.
  { name: "computesdk", mayImport: ["sdk"], folders: [] },
  // The tools of the MCP server and of the command, by the routes of the contract.
  { name: "mcp", mayImport: ["runtime", "api"], folders: [] },
  { name: "postgres", mayImport: ["runtime"], folders: [] },
  { name: "template", mayImport: ["runtime"], browser: "all", folders: ["shape"] },
  {
    name: "drivers",
    mayImport: ["runtime", "wire", "template"],
    folders: ["external", "process", "docker", "terraform", "kubernetes"],
  },
  { name: "identity", mayImport: ["runtime"], folders: [] },
  {
    name: "server",
    mayImport: [
      "runtime",
      "wire",
      "rpc",
      "api",
      "tailnet",
      "relay",
      "postgres",
      "template",
      "drivers",
      "identity",
      "mcp",
    ],
    folders: [
      "platform/config",
      // What a request is refused for; each boundary translates it.
      "platform/errors",
      // Parsers of single values, which know no request.
      "platform/fields",
      "platform/db",
      "platform/pubsub",
      "platform/http",
      // Requests to the providers at which users log in.
      "platform/providers",
      "platform/auth",
      // The queue that carries out the work of the features: worker, log, stream.
      "platform/jobs",
      // The agent and the command for machines without Node.js, and the scripts that get them.
      "features/downloads",
      {
        group: resources
          .filter((name) => name !== "workspaces" && name !== "deployment")
          .map((name) => `features/${name}`),
        eachOther: "services",
      },
      // Programs that act for users who authorized them.
      "features/oauth-server",
      // Users who log in at providers: OpenID Connect and GitHub.
      "features/logins",
      // What users see of workspaces and change in them, by the statements of builds, templates and agents.
      "features/workspaces",
      // Creates workspaces, claims them from pools, and tells the agents of a claim.
      "features/claims",
      // The sessions of provisioners, which carry out jobs elsewhere, and their keys.
      "features/provisioners",
      // What concerns the whole server, and questions about everything below.
      "features/deployment",
      // Fills pools of workspaces.
      "features/prebuilds",
      // Starts and stops workspaces on schedule.
      "features/schedules",
      // Removes old data of the features in the background.
      "features/cleanup",
      "network/coordinator",
      "network/relay",
      // The server as a peer of the network, by which it reaches agents.
      "network/own-peer",
      // Clients that join the network themselves.
      "network/clients",
      // Requests to the HTTP APIs of agents, over kept connections.
      "gateway/agent-http",
      // What serves viewers through the server's own peer.
      {
        group: [
          "gateway/listening-ports",
          "gateway/connection-paths",
          "gateway/terminals",
          "gateway/containers",
          "gateway/apps",
          "gateway/files",
          "gateway/mcp",
          "gateway/runs",
        ],
        eachOther: "nothing",
      },
      // The process of a provisioner: the other end of its sessions.
      "provisioner",
      "main",
    ],
    rooms: {
      "features/agents": [
        // What every RPC has: its caller, and limits.
        "calls",
        "connections",
        "logs",
        "kept-runs",
        "metadata",
        "lifecycle",
        "apps",
        "stats",
        "sub-agents",
        "manifest",
        "owner-secrets",
        "identity",
        // The route of sessions, and the table of all handlers.
        "rpc",
      ],
    },
    internal: [
      {
        folder: "platform/http",
        file: "errors.ts",
        reason: "only platform/http knows statuses: throw a class of platform/errors",
      },
    ],
  },
  {
    name: "agent",
    mayImport: ["runtime", "wire", "rpc", "api", "tailnet", "sdk"],
    folders: [
      "config",
      "process",
      "scripts",
      "stats",
      // Connections of peers: their reports, their descriptors, and how they end.
      "connections",
      // Files of the workspace, as its user may use them: for the HTTP API and SFTP.
      "files",
      // The HTTP API: its router, and the routes of files and of the machine.
      "http",
      "containers",
      "terminal",
      "runs",
      "ssh",
      "pty",
      "forward",
      // All of these, by port.
      "services",
      // The calls of programs in the workspace.
      "socket",
      "network",
      "session",
      "main",
    ],
  },
  {
    name: "cli",
    mayImport: ["runtime", "api", "template", "sdk", "mcp"],
    folders: [
      "config",
      "terminal",
      "command",
      // What several commands share, by resource: arguments, columns, lookups, and following the server's work.
      "resources/accounts",
      { group: ["resources/templates", "resources/workspaces"], eachOther: "nothing" },
      "resources/builds",
      // The way to an agent of a workspace, and into it.
      "resources/network",
      // Apps and ports that browsers and editors open.
      "resources/applications",
      // What commands inside a workspace share: the agent's token and its socket.
      "resources/inside",
      "commands",
      // The tables of commands, generated from `command-list.ts` and their definitions.
      "gen",
    ],
    exceptions: [
      { folder: "commands/server", mayImport: ["server"] },
      { folder: "commands/agent", mayImport: ["agent"] },
    ],
  },
  {
    name: "web",
    mayImport: [
      "runtime",
      "api",
      "template",
      "sdk/http",
      "sdk/stream",
      "sdk/terminal",
      "sdk/files",
      "sdk/runs",
      "sdk/browser",
    ],
    browser: "all",
    folders: ["ui", "api", "forms", "components", "pages"],
  },
  {
    name: "testkit",
    mayImport: [
      "runtime",
      "wire",
      "tailnet",
      "relay",
      "api",
      "sdk",
      "drivers",
      "postgres",
      "server",
      "agent",
      "cli",
    ],
    folders: [
      "clock",
      "servers",
      "clouds",
      "database",
      // Docker and podman.
      "engines",
      // Kubernetes.
      "clusters",
      // OpenTofu.
      "terraform",
      // The promises that every implementation of an interface keeps.
      "compliance",
      "processes",
      "claim-stage",
      // Simulated links in virtual time, and connections over them.
      "links",
      // Networks of namespaces, and links that a process carries through them.
      "netlab",
      "hostile",
    ],
  },
  {
    name: "simulation",
    mayImport: [
      "runtime",
      "wire",
      "rpc",
      "tailnet",
      "api",
      "sdk",
      "drivers",
      "postgres",
      "server",
      "agent",
      "cli",
      "testkit",
    ],
    // The parts of a simulated world, then the comparison with PostgreSQL and the faults of real processes.
    folders: [
      "engine",
      "store",
      "network",
      "model",
      "world",
      "checks",
      "planted-bugs",
      "burst",
      "claim-histories",
      "claim-faults",
    ],
  },
];
