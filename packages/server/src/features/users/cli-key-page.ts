import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { findBrowserUser } from "../../platform/auth/browser-user.ts";
import { isOwnForm, sealFormNonce, type SealedNotes } from "../../platform/auth/sealed-notes.ts";
import type { KeyHolders } from "../../platform/auth/service.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { escapeHtml, sendPage } from "../../platform/http/html-page.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import { framePage, keyPage, readForm } from "./log-in-form.ts";
import { findUser } from "./service.ts";
import { createSessionKey, type TokenNeeds } from "./token-service.ts";

/** The page to which a login at a provider leads for a key. */
export const cliKeyPath = "/cli-auth/key";
const logInPath = "/cli-auth";

export interface KeyPageNeeds {
  readonly tokens: TokenNeeds;
  readonly holders: Pick<KeyHolders, "ofToken">;
  readonly notes: SealedNotes;
  readonly requestLimits: RequestLimits;
  readonly accessUrl: () => string;
}

/**
 * Adds the page that shows a key to a browser with a session, such as after a login at a provider. It creates the key only
 * for its own form, so that no other site makes keys.
 */
export function addCliKeyPage(app: FastifyInstance, needs: KeyPageNeeds): void {
  const { notes, tokens, requestLimits } = needs;
  const visit =
    (answer: (user: UserCaller, request: FastifyRequest, reply: FastifyReply) => Promise<string>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      requestLimits.countPage(cliKeyPath, request, reply);
      reply.header("Cache-Control", "no-store");
      const user = await findBrowserUser(needs, request);
      if (user === undefined) return reply.redirect(logInPath, 303);
      return sendPage(
        reply,
        200,
        await answer({ ...user, origin: originOf(request, 200) }, request, reply),
      );
    };
  const confirm = async (user: UserCaller): Promise<string> =>
    confirmationPage(user.username, await sealFormNonce(notes, user, cliKeyPath));
  app.get(cliKeyPath, visit(confirm));
  app.post(
    cliKeyPath,
    { config: { rawBody: true } },
    visit(async (user, request) => {
      const nonce = readForm(request).get("nonce") ?? "";
      if (!(await isOwnForm(notes, user, { path: cliKeyPath, nonce }))) return confirm(user);
      const owner = await findUser(tokens.db, user, "me");
      return keyPage(await createSessionKey(tokens, user, owner), user.username);
    }),
  );
}

function confirmationPage(username: string, nonce: string): string {
  return framePage(`<p>You are signed in as <strong>${escapeHtml(username)}</strong>.</p>
<p>Create a key only if you have just been sent here by the command or the editor.</p>
<form method="post" action="${cliKeyPath}">
<input type="hidden" name="nonce" value="${escapeHtml(nonce)}">
<button>Create a key</button>
</form>
<p><a href="${logInPath}">Log in as someone else</a></p>`);
}
