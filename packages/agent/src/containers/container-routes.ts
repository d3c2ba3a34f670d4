import { ApiError } from "../http/errors.ts";
import { type ApiRoute, emptyAnswer, jsonAnswer } from "../http/route.ts";
import type { ContainerAccess } from "./agent-containers.ts";
import { type ContainerFeature, disabledText } from "./container-feature.ts";
import { ContainerError, type ContainerErrorCode } from "./errors.ts";

const listPath = "/api/v0/containers";
const devcontainerPath = `${listPath}/devcontainers/:devcontainer`;
/** The time for a dev container to stop and be removed. */
const removeTimeoutMs = 120_000;
/** Clients of the watch have nothing to say. */
const maxMessageBytes = 1024;

/**
 * Returns the routes of containers (docs/protocol/agent.md §8.6). With the feature off there is one, which says so.
 */
export function containerRoutes(feature: ContainerFeature): ApiRoute[] {
  if (feature.isEnabled) return enabledRoutes(feature.access);
  const refuse = async (): Promise<never> => {
    throw new ApiError(403, disabledText(feature.reason));
  };
  return [{ kind: "plain", method: "GET", path: listPath, handle: refuse }];
}

function enabledRoutes(access: ContainerAccess): ApiRoute[] {
  return [
    {
      kind: "plain",
      method: "GET",
      path: listPath,
      handle: async ({ signal }) =>
        jsonAnswer(await translated("The containers cannot be listed.", () => access.list(signal))),
    },
    {
      kind: "socket",
      path: `${listPath}/watch`,
      maxMessageBytes,
      open: async () => async (socket) => {
        for await (const list of access.watch(socket.signal)) {
          await socket.send(JSON.stringify(list));
        }
      },
    },
    {
      kind: "plain",
      method: "POST",
      path: `${devcontainerPath}/recreate`,
      handle: async ({ params }) => {
        const { name } = await translated("The dev container cannot be recreated.", async () =>
          access.recreate(params["devcontainer"] ?? ""),
        );
        const message = "The dev container is being recreated.";
        return jsonAnswer({ message, detail: `Its name is ${name}.` }, { status: 202 });
      },
    },
    {
      kind: "plain",
      method: "DELETE",
      path: devcontainerPath,
      timeoutMs: removeTimeoutMs,
      handle: async ({ params }) => {
        await translated("The dev container cannot be deleted.", () =>
          access.remove(params["devcontainer"] ?? ""),
        );
        return emptyAnswer(204);
      },
    },
  ];
}

/** Runs an operation, and turns its errors into responses. */
async function translated<T>(failure: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error;
    throw new ApiError(statusOf(error.code), failure, { detail: error.message, cause: error });
  }
}

function statusOf(code: ContainerErrorCode): number {
  switch (code) {
    case "unknown":
      return 404;
    case "busy":
      return 409;
    case "no-engine":
    case "failed":
    case "timed-out":
    case "too-large":
    case "malformed":
      return 500;
  }
}
