import { useBlocker } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { ConfirmDialog } from "../ui/dialog.tsx";

interface UnsavedDialogProps {
  readonly isDirty: boolean;
  /** The changes that are lost. */
  readonly children: ReactNode;
}

/** Asks before a text that was not saved is left. */
export function UnsavedDialog({ isDirty, children }: UnsavedDialogProps): ReactNode {
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty,
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  if (blocker.status !== "blocked") return null;
  return (
    <ConfirmDialog
      title="Leave without saving?"
      action="Leave"
      isDangerous
      onConfirm={async () => blocker.proceed()}
      onClose={blocker.reset}
    >
      <p>{children}</p>
    </ConfirmDialog>
  );
}
