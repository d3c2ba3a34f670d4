import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ReactNode } from "react";

import { Button } from "../../ui/button.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { untrusted, untrustedLines, UntrustedText } from "../../ui/untrusted-text.tsx";

interface AskCommandDialogProps {
  readonly command: string;
  readonly workspace: Workspace;
  readonly onRun: () => void;
  readonly onRefuse: () => void;
}

/** Asks before a link of another site runs a command. */
export function AskCommandDialog({
  command,
  workspace,
  onRun,
  onRefuse,
}: AskCommandDialogProps): ReactNode {
  return (
    <Dialog
      title="Run this command?"
      onClose={onRefuse}
      footer={
        <>
          <Button onClick={onRefuse}>Open a shell instead</Button>
          <Button look="primary" onClick={onRun}>
            Run command
          </Button>
        </>
      }
    >
      <p>
        The link that brought you here runs a command in{" "}
        <UntrustedText>{workspace.name}</UntrustedText> with all your rights there. Run it only if
        you trust where the link comes from.
      </p>
      <pre className="max-h-60 overflow-auto rounded-md border border-line bg-sunken p-3 font-mono text-sm whitespace-pre-wrap">
        {untrustedLines(command)}
      </pre>
    </Dialog>
  );
}

/** Asks before a link in the output of a program is opened, whose text may name another address. */
export function OpenLinkDialog({
  url,
  onClose,
}: {
  readonly url: string;
  readonly onClose: () => void;
}): ReactNode {
  const open = (): void => {
    window.open(url, "_blank", "noopener,noreferrer");
    onClose();
  };
  return (
    <Dialog
      title="Open this link?"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" onClick={open}>
            Open link
          </Button>
        </>
      }
    >
      <p>A program in the terminal printed it. It leads to:</p>
      <CodeLine>{untrusted(url)}</CodeLine>
    </Dialog>
  );
}

interface ShareDialogProps {
  readonly workspace: Workspace;
  readonly terminalId: string;
  readonly onClose: () => void;
}

/** Gives the address at which others see and use the same terminal. */
export function ShareDialog({ workspace, terminalId, onClose }: ShareDialogProps): ReactNode {
  const address = new URL(location.href);
  address.search = new URLSearchParams({ reconnect: terminalId }).toString();
  return (
    <Dialog
      title="Share this terminal"
      onClose={onClose}
      footer={<Button onClick={onClose}>Done</Button>}
    >
      <p>
        Others who may connect to <UntrustedText>{workspace.name}</UntrustedText> see the same
        terminal at this address, and can type in it. The address gives nobody a right that they do
        not have.
      </p>
      <CodeLine>{address.href}</CodeLine>
    </Dialog>
  );
}
