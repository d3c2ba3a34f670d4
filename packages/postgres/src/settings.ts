/** The database's superuser, its only user. */
export const adminUser = "slipway";
export const databaseName = "slipway";
/** Part of the socket's name only: nothing listens on a port. */
export const socketPort = 5432;

/** The environment of PostgreSQL's programs: nothing of ours. */
export const cleanEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  LC_ALL: "C",
  TZ: "UTC",
};

/** Settings for a server that shares a small machine. Passed at every start, so that a new release changes them. */
const settings: Readonly<Record<string, string>> = {
  // Reachable only by the socket in a private directory.
  listen_addresses: "",
  unix_socket_permissions: "0700",
  // Acknowledged commits are on disk.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  max_connections: "200",
  shared_buffers: "64MB",
  huge_pages: "off",
  max_wal_size: "512MB",
  // No replicas: less WAL, and fewer processes.
  wal_level: "minimal",
  max_wal_senders: "0",
  max_logical_replication_workers: "0",
  // Reads are few and mostly cached; three I/O workers would idle.
  io_method: "sync",
  // Our statements are short; compiling them costs more than it saves.
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_destination: "stderr",
  logging_collector: "off",
  log_min_messages: "warning",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] ",
};

/** Settings for a database that need not survive a crash of the machine. */
const unsynced = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/** The directories of a server, and their treatment. */
export interface ServerPlace {
  readonly clusterDirectory: string;
  readonly socketDirectory: string;
  /** True if nothing is synced to disk. */
  readonly isThrowaway: boolean;
}

/** Returns the server's command line. */
export function serverArguments(place: ServerPlace): string[] {
  const { clusterDirectory, socketDirectory, isThrowaway } = place;
  const all = {
    ...settings,
    ...(isThrowaway ? unsynced : {}),
    port: String(socketPort),
    unix_socket_directories: quoteList(socketDirectory),
  };
  return [
    "-D",
    clusterDirectory,
    ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

/** Quotes a path for a list setting, if it contains a comma or a space. */
function quoteList(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}
