import { parseObject, textOf } from "@slipway/runtime";

import { placeOf } from "./agent-process.ts";
import type { AgentProgram } from "./agent-program.ts";
import type { Engine } from "./engine.ts";
import { ContainerError } from "./errors.ts";

interface ContainerPlace {
  readonly containerId: string;
  readonly program: AgentProgram;
  /** The address of the server outside. */
  readonly url: string;
}

/** The time for a server to answer. */
const answerMs = 5_000;
const probeTimeoutMs = 15_000;

/** Prints the id of the deployment that answers at an address, or fails with the reason. */
const readDeployment = `fetch(process.argv[1] + "/api/v2/buildinfo", { signal: AbortSignal.timeout(${answerMs}) })
  .then((answer) => answer.json())
  .then(({ deployment_id: id }) => console.log(id),
    (error) => { console.error(error.cause?.message ?? error.message); process.exitCode = 1; })`;

/** Runs a script in the Node.js of the archive, with its C library if there is one. */
const runNode = `root=$1; shift
for loader in "$root"/lib/glibc/ld-*; do
  [ -x "$loader" ] && exec "$loader" --inhibit-cache --library-path "$root/lib/glibc" "$root/lib/node" -e "$@"
done
exec "$root/lib/node" -e "$@"`;

/**
 * Resolves to the address by which a container reaches the server. That is the one outside, unless it names the machine
 * itself: then those by which containers reach their machine are tried, and one counts if the same deployment answers
 * there, so that no other program gets the agent's token. Rejects with a `ContainerError` that says what failed.
 */
export async function serverUrlInside(
  engine: Engine,
  place: ContainerPlace,
  signal: AbortSignal,
): Promise<string> {
  const { url } = place;
  if (!isOfMachine(url)) return url;
  const wanted = await deploymentOf(url, signal);
  const reasons: string[] = [];
  for (const candidate of candidatesOf(url, await gatewayOf(engine, place, signal))) {
    const { found, reason } = await probe(engine, place, candidate, signal);
    if (found === wanted) return candidate;
    reasons.push(`${candidate}: ${reason || "another server answers"}`);
  }
  throw new ContainerError(
    "failed",
    `the container does not reach the server (${reasons.join("; ")}): let the server listen on the machine's other addresses too, and set its access URL to one of them`,
  );
}

/** Reports whether an address names the machine that uses it. One with TLS would not fit a certificate under another name. */
function isOfMachine(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Returns the addresses to try: the same one in a container on the machine's network, then those of the machine. */
export function candidatesOf(url: string, gateway: string): readonly string[] {
  const withHost = (host: string): string => {
    const candidate = new URL(url);
    candidate.hostname = host;
    return candidate.href.replace(/\/$/, "");
  };
  const gateways = gateway === "" ? [] : [withHost(gateway)];
  return [url, withHost("host.docker.internal"), ...gateways];
}

/** Returns the address of the machine in a container's first network; empty if it has none. */
async function gatewayOf(
  engine: Engine,
  { containerId }: ContainerPlace,
  signal: AbortSignal,
): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}";
  const args = ["inspect", "--type", "container", "--format", format, containerId];
  const [gateway = ""] = (await engine.run(args, { signal })).trim().split(" ");
  return /^[\d.]+$/.test(gateway) ? gateway : "";
}

async function deploymentOf(url: string, signal: AbortSignal): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  const answer = await fetch(`${url}/api/v2/buildinfo`, { signal: limit });
  return textOf(parseObject(await answer.text())?.["deployment_id"]);
}

async function probe(
  engine: Engine,
  { containerId, program }: ContainerPlace,
  url: string,
  signal: AbortSignal,
): Promise<{ readonly found: string; readonly reason: string }> {
  const words = ["/bin/sh", "-c", runNode, "sh", placeOf(program), readDeployment, url];
  const command = await engine.prepare(["exec", containerId, ...words]);
  const options = { signal, timeoutMs: probeTimeoutMs };
  const { exitCode, stdout, error } = await engine.runProgram(command, options);
  return exitCode === 0 ? { found: stdout.trim(), reason: "" } : { found: "", reason: error };
}
