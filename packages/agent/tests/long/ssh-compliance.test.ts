import { describeSshServer } from "@slipway/testkit/compliance";

import { openSshWorkspace } from "../support/ssh-workspace.ts";

describeSshServer(async ({ home }) => {
  const { accept, stop } = await openSshWorkspace({ home, directory: home });
  return { serve: accept, [Symbol.asyncDispose]: async () => stop() };
});
