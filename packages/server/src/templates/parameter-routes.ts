import {
  DynamicParametersRequest,
  evaluateParameters,
  followParameters,
  listTemplateVersionParameters,
  listTemplateVersionVariables,
} from "@slipway/api";

import type { Database } from "../db/database.ts";
import { keepAlive, messageBytes, type PeerSocket } from "../http/peer-socket.ts";
import type { Routes } from "../http/routes.ts";
import { requireUuid } from "../http/uuid.ts";
import { createValidator } from "../http/validation.ts";
import type { TemplateDefinition } from "../template-format/definition.ts";
import { evaluateDefinition } from "./evaluate.ts";
import { parameterJson } from "./version-json.ts";
import { requireImported, requireVersion } from "./version-service.ts";

export function addParameterRoutes(routes: Routes, db: Database): void {
  routes.user(listTemplateVersionParameters, async ({ params }) => {
    const { definition } = await requireImported(db, requireUuid(params.version));
    return definition.parameters.map(parameterJson);
  });
  routes.user(listTemplateVersionVariables, async ({ params }) => {
    await requireVersion(db, requireUuid(params.version));
    return [];
  });
  routes.user(evaluateParameters, async ({ params, body }) => {
    const { definition } = await requireImported(db, requireUuid(params.version));
    return evaluateDefinition(definition, body);
  });
  routes.userSocket(followParameters, {
    prepare: ({ params }) => requireImported(db, requireUuid(params.version)),
    serve: (socket, { definition }) => serveForm(socket, definition),
  });
}

/** The id of the first answer, which no request asked for. */
const unaskedId = -1;
/** A form sends its values at each change; one that sends more than this is none. */
const maxMessageBytes = 1024 * 1024;

const validate = createValidator().compile<DynamicParametersRequest>(DynamicParametersRequest);

/** Answers each message of a form until the peer leaves. */
async function serveForm(socket: PeerSocket, definition: TemplateDefinition): Promise<void> {
  keepAlive(socket);
  const gone = new Promise<void>((resolve) => {
    socket.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  let sending: Promise<void> = Promise.resolve();
  const answer = (request: Pick<DynamicParametersRequest, "id" | "inputs">): void => {
    const text = JSON.stringify(evaluateDefinition(definition, request));
    // Nothing is read while an answer is on its way, so that answers do not pile up.
    socket.raw.pause();
    sending = sending
      .then(() => socket.sendText(text))
      .finally(() => socket.raw.resume())
      .catch(() => socket.close(1011, "the answer could not be sent"));
  };
  socket.raw.on("message", (data) => {
    const request = readRequest(messageBytes(data));
    if (request === undefined) socket.close(1008, "wanted JSON with id and inputs");
    else answer(request);
  });
  answer({ id: unaskedId, inputs: {} });
  await gone;
}

function readRequest(bytes: Uint8Array): DynamicParametersRequest | undefined {
  if (bytes.length > maxMessageBytes) return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return validate(parsed) ? parsed : undefined;
  } catch {
    return undefined; // not JSON
  }
}
