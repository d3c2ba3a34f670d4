import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import { Conflict } from "../../platform/errors/errors.ts";
import { addressKey } from "../../platform/fields/address.ts";
import { encodeJson } from "../../platform/http/json.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import type { AuditNotes } from "../audit/note-service.ts";
import { findClient, registerClient } from "./clients.ts";
import { OauthError } from "./errors.ts";
import {
  clientEntry,
  type GrantNeeds,
  type IssuedTokens,
  redeemCode,
  refreshGrant,
  revokeGrant,
} from "./grant-service.ts";
import { authorizePath, readForm } from "./page-routes.ts";
import { findParameter, readParameter, requireOwnResource } from "./parameters.ts";
import { grantableScopes } from "./scopes.ts";

export interface OauthNeeds extends GrantNeeds {
  readonly notes: SealedNotes;
  readonly auditNotes: AuditNotes;
  readonly requestLimits: RequestLimits;
  readonly accessUrl: () => string;
  /** Returns the URL by which the sender of a request knows the server. */
  readonly urlFor: (request: FastifyRequest) => string;
}

const metadataPath = "/.well-known/oauth-authorization-server";
const registrationPath = "/oauth2/register";
const tokensPath = "/oauth2/tokens";
const revocationPath = "/oauth2/revoke";
const grantTypes = ["authorization_code", "refresh_token"];

/** An address that registers programs is recorded once in this time. */
const noteRegistrationOnceInMs = 10 * 60_000;

/** Adds what programs call to log in (RFC 6749, RFC 7009, RFC 7591), and the document by which they find it (RFC 8414). */
export function addOauthRoutes(app: FastifyInstance, needs: OauthNeeds): void {
  const answer =
    (path: string, handle: Handle) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      needs.requestLimits.countPage(path, request, reply);
      reply.header("Cache-Control", "no-store");
      const { status, body } = await orError(() => handle(request));
      return reply
        .code(status)
        .type("application/json; charset=utf-8")
        .serializer(encodeJson)
        .send(body);
    };
  const form = { config: { rawBody: true } };
  app.get(
    metadataPath,
    answer(metadataPath, async (request) => ({
      status: 200,
      body: metadata(needs.urlFor(request)),
    })),
  );
  app.post(
    registrationPath,
    answer(registrationPath, (request) => register(needs, request)),
  );
  app.post(
    tokensPath,
    form,
    answer(tokensPath, (request) => issueTokens(needs, request)),
  );
  app.post(
    revocationPath,
    form,
    answer(revocationPath, (request) => revoke(needs, request)),
  );
}

interface JsonAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Handle = (request: FastifyRequest) => Promise<JsonAnswer>;

/** Resolves to the answer, or to the one for an error in the form of the protocol (RFC 6749 §5.2). */
async function orError(handle: () => Promise<JsonAnswer>): Promise<JsonAnswer> {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof OauthError) return errorAnswer(error.code, error.message);
    if (error instanceof Conflict) return errorAnswer("invalid_grant", error.message);
    throw error;
  }
}

function errorAnswer(error: string, description: string): JsonAnswer {
  const status = error === "invalid_client" ? 401 : 400;
  return { status, body: { error, error_description: description } };
}

function metadata(url: string): Readonly<Record<string, unknown>> {
  return {
    issuer: url,
    authorization_endpoint: `${url}${authorizePath}`,
    token_endpoint: `${url}${tokensPath}`,
    registration_endpoint: `${url}${registrationPath}`,
    revocation_endpoint: `${url}${revocationPath}`,
    scopes_supported: grantableScopes,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    service_documentation: `${url}/docs/mcp`,
  };
}

async function register(
  { notes, auditNotes }: OauthNeeds,
  request: FastifyRequest,
): Promise<JsonAnswer> {
  const { client, clientId } = await registerClient(notes, request.body);
  const origin = originOf(request, 201);
  const entry = clientEntry({ id: undefined, origin }, client, "register", {});
  const key = `register program ${addressKey(origin.ip)}`;
  auditNotes.recordLater(entry, { key, onceInMs: noteRegistrationOnceInMs });
  const body = {
    client_id: clientId,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    grant_types: grantTypes,
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  return { status: 201, body };
}

/** Issues tokens for a code or a refresh token. Parameters count in the body only: addresses are logged. */
async function issueTokens(needs: OauthNeeds, request: FastifyRequest): Promise<JsonAnswer> {
  const form = readForm(request);
  const grantType = readParameter(form, "grant_type");
  const clientId = readParameter(form, "client_id");
  requireOwnResource(form, [needs.urlFor(request), needs.accessUrl()]);
  const origin = originOf(request, 200);
  switch (grantType) {
    case "authorization_code": {
      if ((await findClient(needs.notes, clientId)) === undefined) {
        throw new OauthError("invalid_client", "the program is not registered here");
      }
      const redemption = {
        code: readParameter(form, "code"),
        codeVerifier: readCodeVerifier(form),
        redirectUri: readParameter(form, "redirect_uri"),
        clientId,
      };
      return tokensAnswer(await redeemCode(needs, redemption, origin));
    }
    case "refresh_token": {
      const refreshToken = readParameter(form, "refresh_token");
      return tokensAnswer(await refreshGrant(needs, { refreshToken, clientId }, origin));
    }
    default:
      throw new OauthError(
        "unsupported_grant_type",
        `wanted a grant_type of ${grantTypes.join(", ")}`,
      );
  }
}

function readCodeVerifier(form: URLSearchParams): string {
  const verifier = readParameter(form, "code_verifier");
  if (/^[\w.~-]{43,128}$/.test(verifier)) return verifier;
  throw new OauthError("invalid_request", "code_verifier does not follow RFC 7636");
}

function tokensAnswer(tokens: IssuedTokens): JsonAnswer {
  const { accessToken, expiresInSeconds, refreshToken, scopes } = tokens;
  const body = {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: expiresInSeconds,
    refresh_token: refreshToken,
    scope: scopes.join(" "),
  };
  return { status: 200, body };
}

/** Revokes a token; an unknown one counts as revoked (RFC 7009 §2.2). */
async function revoke(needs: OauthNeeds, request: FastifyRequest): Promise<JsonAnswer> {
  const form = readForm(request);
  const token = readParameter(form, "token");
  const clientId = findParameter(form, "client_id") ?? "";
  await revokeGrant(needs, { token, clientId }, originOf(request, 200));
  return { status: 200, body: {} };
}
