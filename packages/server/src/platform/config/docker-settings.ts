import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";

import { type DockerEndpoint, type DockerPermission, dockerPermissions } from "@slipway/drivers";
import { errorText } from "@slipway/runtime";

import { readUrl, type Report, type SettingSource, webProtocols } from "./setting-source.ts";

/** The driver that runs agents in containers. */
export interface DockerSettings {
  /** Undefined if the driver is off. */
  readonly endpoint: DockerEndpoint | undefined;
  readonly allow: ReadonlySet<DockerPermission>;
  /** The runtimes that templates may choose. */
  readonly runtimes: readonly string[];
  /** The network of all containers (default: one that the driver creates). */
  readonly network: string | undefined;
  /** The URL at which containers reach the server (default: derived from the access URL and the network). */
  readonly accessUrl: string | undefined;
  /** The `config.json` with the credentials of registries. */
  readonly configFile: string | undefined;
}

const defaultSocket = "/var/run/docker.sock";
/** The runtimes that Docker and Podman themselves begin with. */
const defaultRuntimes = ["runc", "crun"];

export function readDockerSettings(source: SettingSource, report: Report): DockerSettings {
  return {
    endpoint: readEndpoint(source, report),
    allow: readPermissions(source, report),
    runtimes: readNames(source, "SLIPWAY_DOCKER_RUNTIMES", report) ?? defaultRuntimes,
    network: readNetwork(source, report),
    accessUrl: readUrl(source, "SLIPWAY_DOCKER_ACCESS_URL", webProtocols, report)?.replace(
      /\/+$/,
      "",
    ),
    configFile: readPath(source["SLIPWAY_DOCKER_CONFIG"]),
  };
}

/**
 * Reads the endpoint. Docker's own variable counts if it names a socket or an address that we can use; it is not ours
 * to complain about.
 */
function readEndpoint(source: SettingSource, report: Report): DockerEndpoint | undefined {
  const name = "SLIPWAY_DOCKER_HOST";
  const text = source[name] ?? "";
  if (text === "off") return undefined;
  const certPath = readPath(source["SLIPWAY_DOCKER_CERT_PATH"] || source["DOCKER_CERT_PATH"]);
  const endpoint = parseEndpoint(text === "" ? (source["DOCKER_HOST"] ?? "") : text, certPath);
  if (typeof endpoint === "object") return endpoint;
  if (text === "") return { socketPath: findSocket(source) };
  return report(name, endpoint);
}

/** Parses an endpoint and reads its certificates; returns what is wanted instead of one that is unusable. */
function parseEndpoint(text: string, certPath: string | undefined): DockerEndpoint | string {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const url = URL.parse(text);
  if (url?.protocol !== "tcp:" || url.hostname === "")
    return "unix:///path, tcp://host:port or off";
  if (certPath === undefined) {
    if (ownHosts.has(url.hostname)) {
      return { url: `http://${url.hostname}:${url.port || plainPort}`, tls: undefined };
    }
    return "an address with SLIPWAY_DOCKER_CERT_PATH, because whoever reads the connection controls the host";
  }
  try {
    const read = (file: string): string => readFileSync(join(certPath, file), "utf8");
    const tls = { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
    return { url: `https://${url.hostname}:${url.port || tlsPort}`, tls };
  } catch (error) {
    return `an address whose ca.pem, cert.pem and key.pem can be read (${errorText(error)})`;
  }
}

const ownHosts: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
const plainPort = 2375;
const tlsPort = 2376;

/** Returns the first socket that is there, of Docker, then of a rootless Podman or Docker; the first if none is. */
function findSocket(source: SettingSource): string {
  const runtimeDir = source["XDG_RUNTIME_DIR"] ?? "";
  const own = isAbsolute(runtimeDir)
    ? [join(runtimeDir, "podman", "podman.sock"), join(runtimeDir, "docker.sock")]
    : [];
  return [defaultSocket, ...own].find((path) => existsSync(path)) ?? defaultSocket;
}

function readPermissions(source: SettingSource, report: Report): ReadonlySet<DockerPermission> {
  const name = "SLIPWAY_DOCKER_ALLOW";
  const words = readList(source[name]);
  const known = dockerPermissions.filter((permission) => words.includes(permission));
  if (known.length < new Set(words).size) {
    report(name, `some of ${dockerPermissions.join(", ")}, separated by commas`);
  }
  return new Set(known);
}

function readNames(
  source: SettingSource,
  name: string,
  report: Report,
): readonly string[] | undefined {
  const names = readList(source[name]);
  if (names.length === 0) return undefined;
  if (names.every((one) => dockerName.test(one))) return names;
  return report(name, "names of OCI runtimes such as runc,runsc, separated by commas");
}

const dockerName = /^[A-Za-z0-9][\w.-]{0,63}$/;

function readNetwork(source: SettingSource, report: Report): string | undefined {
  const name = "SLIPWAY_DOCKER_NETWORK";
  const text = source[name] ?? "";
  if (text === "") return undefined;
  if (dockerName.test(text) && text !== "host" && text !== "none") return text;
  return report(name, "the name of a Docker network other than host and none");
}

function readList(text = ""): readonly string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function readPath(text = ""): string | undefined {
  return text === "" ? undefined : resolve(text);
}
