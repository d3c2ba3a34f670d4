import { type Containers, getContainers } from "@slipway/api/agents/container-routes";
import type { Infer } from "@slipway/api/contract/scalars";

import type { OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import type { command } from "../ssh.ts";
import type { SessionRequest } from "./ssh-connection.ts";

type ContainerOptions = Pick<
  OptionsOf<typeof command>,
  "container" | "containerUser" | "stdio" | "forwardAgent" | "forwardGpg"
>;
type ListedContainer = Pick<Infer<typeof Containers>["containers"][number], "id" | "name">;

/** The container that a session is for. */
interface SessionContainer {
  readonly id: string;
  readonly user: string;
}

/** The least number of characters by which an id may be shortened. */
const minIdLength = 4;

/** Refuses flags that a session in a container cannot have. Throws `UsageError`. */
export function checkContainerFlags({
  container,
  containerUser,
  stdio,
  forwardAgent,
  forwardGpg,
}: ContainerOptions): void {
  if (container === undefined) {
    if (containerUser !== undefined) {
      throw new UsageError("--container-user needs a container: pass --container too");
    }
    return;
  }
  if (stdio) throw new UsageError("with --stdio, set the variable CODER_CONTAINER in ssh itself");
  for (const [flag, isGiven] of Object.entries({
    "--forward-agent": forwardAgent,
    "--forward-gpg": forwardGpg,
  })) {
    if (!isGiven) continue;
    throw new UsageError(`${flag} does not reach into containers: leave out one of the two`);
  }
}

/** Finds the container that a session is for; undefined if it is for the workspace itself. Throws `CommandError`. */
export async function sessionContainer(
  { container: wanted, containerUser = "" }: ContainerOptions,
  agentId: string,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<SessionContainer | undefined> {
  if (wanted === undefined) return undefined;
  const params = { agent: agentId };
  const { containers } = await client.call(getContainers, { params, query: {}, signal });
  const running = containers.filter((one) => one.running);
  return { id: chooseContainer(running, wanted).id, user: containerUser };
}

/** Finds a container by its name, its id, or the unambiguous beginning of that. Throws `CommandError`. */
export function chooseContainer(
  containers: readonly ListedContainer[],
  wanted: string,
): ListedContainer {
  const exact = containers.find(({ id, name }) => name === wanted || id === wanted);
  if (exact !== undefined) return exact;
  const isPrefix = wanted.length >= minIdLength;
  const [found, ...more] = isPrefix ? containers.filter(({ id }) => id.startsWith(wanted)) : [];
  if (found !== undefined && more.length === 0) return found;
  const names = containers.map(({ name }) => name).join(", ");
  const hint = names === "" ? "no container runs there" : `wanted one of ${names}`;
  throw new CommandError(`the workspace runs no container "${wanted}": ${hint}`, {
    exitCode: exitCodes.notFound,
  });
}

/** Returns the request of a session in the container, if there is one. */
export function inContainer(
  request: SessionRequest,
  container: SessionContainer | undefined,
): SessionRequest {
  if (container === undefined) return request;
  const { id, user } = container;
  const variables = { CODER_CONTAINER: id, ...(user === "" ? {} : { CODER_CONTAINER_USER: user }) };
  return { ...request, environment: { ...request.environment, ...variables } };
}
