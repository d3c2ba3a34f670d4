import { Lock, LockOpen } from "lucide-react";
import { type ReactNode, useState } from "react";

import { Button, IconButton } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import type { TerminalWay } from "./terminal-ways.ts";

/** Shows which way the terminal's bytes go, and why. */
export function WayLock({ way }: { readonly way: TerminalWay | undefined }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  if (way === undefined) return null;
  const isEncrypted = way.kind === "encrypted";
  return (
    <>
      <IconButton
        label={isEncrypted ? "End-to-end encrypted" : "Not end-to-end encrypted"}
        icon={
          isEncrypted ? (
            <Lock aria-hidden size={16} className="text-good" />
          ) : (
            <LockOpen aria-hidden size={16} className="text-warn" />
          )
        }
        onClick={() => setOpen(true)}
      />
      {isOpen && (
        <Dialog
          title={isEncrypted ? "End-to-end encrypted" : "Not end-to-end encrypted"}
          onClose={() => setOpen(false)}
          footer={<Button onClick={() => setOpen(false)}>Close</Button>}
        >
          {isEncrypted ? (
            <p>
              What you type and see is encrypted between this page and the workspace by WireGuard.
              The server and the relay “{way.relay}” carry it without being able to read it.
            </p>
          ) : (
            <>
              <p>
                This terminal goes through the server. The connections to the server are encrypted
                if your address begins with https, but the server itself can read what you type and
                see.
              </p>
              <p className="text-ink-soft">Reason: {way.reason}</p>
            </>
          )}
        </Dialog>
      )}
    </>
  );
}
