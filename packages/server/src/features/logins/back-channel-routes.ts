import { errorText, type Logger } from "@slipway/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Database } from "../../platform/db/database.ts";
import { NotFound } from "../../platform/errors/errors.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import { readForm } from "../users/log-in-form.ts";
import { endProviderSessions } from "./back-channel-service.ts";
import { LogInError } from "./errors.ts";
import type { LogInProviders } from "./providers.ts";

export interface BackChannelNeeds {
  readonly db: Database;
  readonly logger: Logger;
  readonly providers: LogInProviders;
  readonly limits: RequestLimits;
}

const path = "/login/with/:provider/backchannel-logout";
/** The maximum number of requests per minute of one address: a provider ends many sessions at once when it restarts. */
const requestsPerMinute = 600;
/** The maximum length of a form with a log-out token, in bytes. */
const maxFormBytes = 16 * 1024;

/** Adds the addresses at which providers end sessions themselves (OpenID Connect Back-Channel Logout 1.0, section 2.5). */
export function addBackChannelLogOut(app: FastifyInstance, needs: BackChannelNeeds): void {
  const { limits, providers, logger } = needs;
  const options = { bodyLimit: maxFormBytes, config: { rawBody: true } };
  app.post<{ Params: { readonly provider: string } }>(path, options, async (request, reply) => {
    limits.countPage(path, request, reply, requestsPerMinute);
    reply.header("Cache-Control", "no-store");
    const provider = providers.byId(request.params.provider);
    const readLogOut = provider?.client.readLogOut;
    if (provider === undefined || readLogOut === undefined) throw new NotFound("Page not found.");
    try {
      const demand = await readLogOut(tokenOf(request));
      await endProviderSessions(needs, provider, demand, originOf(request, 200));
      return await reply.code(200).send();
    } catch (error) {
      if (!(error instanceof LogInError)) throw error;
      logger.info({ provider: provider.id, error: errorText(error) }, "log-out token refused");
      return refuse(reply, error);
    }
  });
}

function tokenOf(request: FastifyRequest): string {
  const type = request.headers["content-type"] ?? "";
  const isForm = type.toLowerCase().startsWith("application/x-www-form-urlencoded");
  const tokens = isForm ? readForm(request).getAll("logout_token") : [];
  const [token] = tokens;
  if (token === undefined || tokens.length > 1) {
    throw new LogInError("failed", "the request has no single log-out token");
  }
  return token;
}

/** Answers as section 2.8 has it; a provider may repeat a request that its own outage made fail. */
function refuse(reply: FastifyReply, { retryable, message }: LogInError): FastifyReply {
  const body = retryable
    ? { error: "temporarily_unavailable", error_description: "the provider does not answer" }
    : { error: "invalid_request", error_description: message };
  return reply
    .code(retryable ? 503 : 400)
    .type("application/json; charset=utf-8")
    .serializer(JSON.stringify)
    .send(body);
}
