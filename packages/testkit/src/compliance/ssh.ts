import { beforeEach } from "vitest";

import { describeCommands } from "./ssh/commands.ts";
import { describeEditors } from "./ssh/editors.ts";
import { describeFiles } from "./ssh/files.ts";
import { describeForwarding } from "./ssh/forwarding.ts";
import { type OpenSshServer, openSubject, type SshSubject } from "./ssh/subject.ts";
import { describeTransport } from "./ssh/transport.ts";

/**
 * The requirements of OpenSSH's client and of editors on an SSH server, for any implementation. The calling file
 * names the server and has no other tests. `interop/ssh-go.test.ts` covers Go's client.
 */
export function describeSshServer(open: OpenSshServer): void {
  let opened: SshSubject | undefined;
  const subject = (): SshSubject => {
    if (opened === undefined) throw new Error("the SSH server is used outside a test");
    return opened;
  };

  beforeEach(async () => {
    opened = await openSubject(open);
  });

  describeTransport(subject);
  describeCommands(subject);
  describeForwarding(subject);
  describeFiles(subject);
  describeEditors(subject);
}
