import { mountPathProblem } from "../container-path.ts";
import { shmRange } from "../container-values.ts";
import { type DockerDefinition, pullPolicies } from "../definition.ts";
import { maxDockerItems, maxLineLength } from "../limits.ts";
import { quote } from "../quote.ts";
import { list } from "./list-shape.ts";
import { object } from "./map-shape.ts";
import { boolean, size } from "./scalar-shape.ts";
import { type Shape, optional, transform, withDefault, withExample } from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const maxNameLength = 64;

/** Makes a text that matches a pattern; `wanted` describes it, with an example. */
function pattern(form: RegExp, wanted: string, maxLength = maxNameLength): Shape<string> {
  return text({
    maxLength,
    minLength: 1,
    wanted,
    problem: (value) => (form.test(value) ? undefined : `found ${quote(value)}, wanted ${wanted}`),
  });
}

const runtime = pattern(/^[A-Za-z0-9][\w.-]*$/, "the name of an OCI runtime such as runsc");

const network = text({
  maxLength: maxNameLength,
  minLength: 1,
  wanted: "the name of a Docker network",
  problem: (value) => {
    if (value === "host") return "found host, wanted `host_network: true`";
    if (value === "none")
      return "found none, wanted a network on which the agent reaches the server";
    if (/^[A-Za-z0-9][\w.-]*$/.test(value)) return undefined;
    return `found ${quote(value)}, wanted the name of a Docker network`;
  },
});

const gpus = text({
  maxLength: 8,
  minLength: 1,
  takesScalars: true,
  wanted: "all, or a number",
  problem: (value) =>
    value === "all" || /^[1-9]\d{0,2}$/.test(value)
      ? undefined
      : `found ${quote(value)}, wanted all, or a number from 1 to 999`,
});

/** A name and an address: IPv6 may be in brackets. */
const extraHost = pattern(
  /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?:(?:host-gateway|\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9A-Fa-f:.]{2,45}\]?)$/,
  "a name and an address such as db.example.com:10.0.0.5, or name:host-gateway",
  maxLineLength + 48,
);

const device = pattern(
  /^\/dev\/[\w./-]+(?::\/dev\/[\w./-]+)?(?::r?w?m?)?$/,
  "a device such as /dev/fuse, /dev/kvm:/dev/kvm or /dev/kvm:/dev/kvm:rw",
  maxLineLength,
);

const capability = pattern(/^[A-Z][A-Z_]*$/, "a capability such as SYS_PTRACE");

const bind = text({
  maxLength: 2 * maxLineLength,
  minLength: 1,
  wanted: "a path of the host and one of the container",
  problem: (value) => {
    const [source = "", target = "", mode = "rw", ...rest] = value.split(":");
    const isPlain = /^\/(?:[^/]+\/)*[^/]*$/.test(source) && !source.split("/").includes("..");
    if (!isPlain || rest.length > 0 || !["ro", "rw"].includes(mode)) {
      return `found ${quote(value)}, wanted a path of the host, one of the container and perhaps ro, such as /srv/data:/data:ro`;
    }
    return mountPathProblem(target);
  },
});

const listOf = (item: Shape<string>): Shape<readonly string[]> =>
  list(item, { max: maxDockerItems });

const fields = object({
  runtime: withDefault(
    withExample(
      "OCI runtime, one of those that the server's operator allows (default: that of the Docker daemon).",
      "runsc",
    ),
    runtime,
    "",
  ),
  network: withDefault(
    withExample(
      "Existing Docker network (default: Slipway's own). The operator must allow `networks`.",
      "build",
    ),
    network,
    "",
  ),
  gpus: withDefault(
    withExample("GPUs that the container gets: `all`, or a number (default: none).", "all"),
    gpus,
    "",
  ),
  shm_size: optional(withExample("Size of `/dev/shm`.", "1GiB"), size(shmRange)),
  pull: withDefault("When to pull the image.", choice(pullPolicies), "missing"),
  extra_hosts: withDefault(
    withExample("Names that the container resolves by itself.", ["db:10.0.0.5"]),
    listOf(extraHost),
    [],
  ),
  privileged: withDefault(
    "True for a container with all rights on the host. The operator must allow `privileged`.",
    boolean,
    false,
  ),
  host_network: withDefault(
    "True for the network of the host itself. The operator must allow `host-network`.",
    boolean,
    false,
  ),
  host_pid: withDefault(
    "True to see the processes of the host. The operator must allow `host-pid`.",
    boolean,
    false,
  ),
  devices: withDefault(
    withExample("Devices of the host. The operator must allow `devices`.", ["/dev/fuse"]),
    listOf(device),
    [],
  ),
  binds: withDefault(
    withExample(
      "Directories of the host, as `host:container` or `host:container:ro`. The operator must allow `binds`.",
      ["/srv/data:/data:ro"],
    ),
    listOf(bind),
    [],
  ),
  capabilities: withDefault(
    withExample("Linux capabilities to add. The operator must allow `capabilities`.", [
      "SYS_PTRACE",
    ]),
    listOf(capability),
    [],
  ),
});

/** The settings of a container that only Docker knows. */
export const docker: Shape<DockerDefinition> = transform(fields, (read) => ({
  runtime: read.runtime,
  network: read.network,
  gpus: read.gpus,
  shmBytes: read.shm_size,
  pull: read.pull,
  extraHosts: read.extra_hosts,
  isPrivileged: read.privileged,
  hostNetwork: read.host_network,
  hostPid: read.host_pid,
  devices: read.devices,
  binds: read.binds,
  capabilities: read.capabilities,
}));

/** The settings of a container without the section. */
export const noDocker: DockerDefinition = {
  runtime: "",
  network: "",
  gpus: "",
  shmBytes: undefined,
  pull: "missing",
  extraHosts: [],
  isPrivileged: false,
  hostNetwork: false,
  hostPid: false,
  devices: [],
  binds: [],
  capabilities: [],
};
