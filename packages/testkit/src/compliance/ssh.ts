import { beforeEach } from "vitest";

import { describeCommands } from "./ssh/commands.ts";
import { describeEditors } from "./ssh/editors.ts";
import { describeFiles } from "./ssh/files.ts";
import { describeForwarding } from "./ssh/forwarding.ts";
import { type OpenSshServer, openSubject, type SshSubject } from "./ssh/subject.ts";
import { describeTransport } from "./ssh/transport.ts";

/**
 * What OpenSSH's client and the editors need of an SSH server, whatever implements it. The file that calls it names the
 * server, and has no other tests. `interop/ssh-go.test.ts` has what Go's client needs.
 */
export function describeSshServer(open: OpenSshServer): void {
  let opened: SshSubject | undefined;
  const subject = (): SshSubject => {
    if (opened === undefined) throw new Error("no test is running");
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
